package io.tintype.store;

/**
 * How a store is doing for space.
 *
 * @param totalBytes of the file system that it is on; 0 where nobody knows
 * @param usableBytes that can still be written there
 * @param reservedBytes of them that no checkpoint gets
 * @param checkpoints that are sealed
 * @param retired that were deleted, and whose pages others still need
 * @param inProgress that are being written
 */
public record StoreSpace(long totalBytes, long usableBytes, long reservedBytes, int checkpoints,
        int retired, int inProgress) {
    /** Whether no checkpoint is begun any more. */
    public boolean isNearlyFull() {
        return usableBytes < reservedBytes;
    }
}
