package io.tintype.cow.disk;

/**
 * Counts of one chain since it was opened.
 *
 * @param depth files of its own, the base and a prepared overlay among them
 * @param faults block groups that a layer took over from below
 * @param faultBytesCopied bytes that these faults read from below
 * @param groupsCommitted block groups copied into the layer below
 * @param bytesOnDisk what its own files take
 */
public record ChainStats(int depth, long faults, long faultBytesCopied, long groupsCommitted,
        long bytesOnDisk) {}
