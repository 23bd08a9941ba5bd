package io.tintype.store;

/**
 * What a sealed checkpoint took.
 *
 * @param manifest as stored, its segments filled in
 * @param bytes size of all its files, the manifest's included; disks are not in it
 * @param pages pages of memory with data
 * @param zeroPages pages stored as a number only
 */
public record Sealed(Manifest manifest, long bytes, long pages, long zeroPages) {}
