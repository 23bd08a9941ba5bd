package io.tintype.vm.guest;

import java.util.List;

/**
 * What a synthetic guest does. {@link #DEFAULTS} with the changes wanted is the usual way to one.
 *
 * @param seed of all choices, and of what is written: VMs that must not be mixed up have different ones
 * @param dirtyRate stores into the heap a second; 0 none, {@link #UNLIMITED} as many as possible
 * @param hotHeapPercent how many of 100 heap pages are the hot set
 * @param hotStorePercent how many of 100 stores go to the hot set
 * @param ioDepth requests in flight at most; 0 for no I/O
 * @param ioRate requests a second; {@link #UNLIMITED} keeps {@code ioDepth} in flight
 * @param readWeight share of reads among all requests, as the other weights
 * @param writeWeight share of writes
 * @param flushWeight share of flushes
 * @param discardWeight share of discards
 * @param zeroesWeight share of write-zeroes
 * @param fuaPercent how many of 100 writes, discards and write-zeroes are durable when they complete
 * @param requestSectorsMax longest request in sectors; most are 8, or this if it is less
 * @param hotDiskPercent how many of 100 requests go to the hot sectors
 * @param hotDiskSectors the first so many sectors of each disk are hot
 * @param overlapping whether requests in flight may share sectors though one of them writes
 * @param scattered whether buffers are scattered, and sectors straddle pages, in three of four requests, and buffers of
 *     neighbours share a page
 * @param resetEvery after so many requests a disk is reset with requests in flight; 0 never
 */
public record SyntheticProfile(long seed, long dirtyRate, int hotHeapPercent, int hotStorePercent,
        int ioDepth,
        long ioRate, int readWeight, int writeWeight, int flushWeight, int discardWeight,
        int zeroesWeight,
        int fuaPercent, int requestSectorsMax, int hotDiskPercent, long hotDiskSectors,
        boolean overlapping,
        boolean scattered, int resetEvery) {
    /** As fast as possible. */
    public static final long UNLIMITED = HeapWriter.UNLIMITED;

    /** 20,000 stores a second, 16 requests in flight, all kinds of requests, much of it in the same 32 block groups. */
    public static final SyntheticProfile DEFAULTS =
            new SyntheticProfile(1, 20_000, 10, 90, 16, UNLIMITED, 45, 45, 2, 4,
                    4, 5, 128, 50, 4096, false, true, 0);

    /** Checks the bounds. */
    public SyntheticProfile {
        if (dirtyRate < UNLIMITED || ioRate < UNLIMITED || resetEvery < 0 || hotDiskSectors < 1) {
            throw new IllegalArgumentException(
                    "a rate, a count or a size of the profile is negative: dirty rate "
                            + dirtyRate + ", I/O rate " + ioRate + ", reset every " + resetEvery
                            + ", hot sectors "
                            + hotDiskSectors);
        }
        for (var percent : List.of(hotHeapPercent, hotStorePercent, fuaPercent, hotDiskPercent)) {
            if (percent < 0 || percent > 100) {
                throw new IllegalArgumentException("a percentage is 0 to 100, got " + percent);
            }
        }
        for (var weight : List.of(readWeight, writeWeight, flushWeight, discardWeight,
                zeroesWeight)) {
            if (weight < 0 || weight > 1_000_000) {
                throw new IllegalArgumentException("a weight is 0 to 1000000, got " + weight);
            }
        }
        if (readWeight + writeWeight + flushWeight + discardWeight + zeroesWeight == 0) {
            throw new IllegalArgumentException("at least one kind of request has a weight");
        }
        if (requestSectorsMax < 1 || requestSectorsMax > 2048) {
            throw new IllegalArgumentException(
                    "the longest request is 1 to 2048 sectors, got " + requestSectorsMax);
        }
    }

    /** This with another seed. */
    public SyntheticProfile withSeed(long newSeed) {
        return new SyntheticProfile(newSeed, dirtyRate, hotHeapPercent, hotStorePercent, ioDepth,
                ioRate, readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent,
                requestSectorsMax, hotDiskPercent,
                hotDiskSectors, overlapping, scattered, resetEvery);
    }

    /** This with another load on the memory. */
    public SyntheticProfile withDirtyRate(long newRate) {
        return new SyntheticProfile(seed, newRate, hotHeapPercent, hotStorePercent, ioDepth, ioRate,
                readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent,
                requestSectorsMax, hotDiskPercent,
                hotDiskSectors, overlapping, scattered, resetEvery);
    }

    /** This with another part of the stores going to the hot set. */
    public SyntheticProfile withHotStores(int percent) {
        return new SyntheticProfile(seed, dirtyRate, hotHeapPercent, percent, ioDepth, ioRate,
                readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent,
                requestSectorsMax, hotDiskPercent,
                hotDiskSectors, overlapping, scattered, resetEvery);
    }

    /** This with another load on the disks. */
    public SyntheticProfile withIo(int newDepth, long newRate) {
        return new SyntheticProfile(seed, dirtyRate, hotHeapPercent, hotStorePercent, newDepth,
                newRate, readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent,
                requestSectorsMax, hotDiskPercent,
                hotDiskSectors, overlapping, scattered, resetEvery);
    }

    /** This with other shares of the kinds of requests. */
    public SyntheticProfile withWeights(int read, int write, int flush, int discard, int zeroes) {
        return new SyntheticProfile(seed, dirtyRate, hotHeapPercent, hotStorePercent, ioDepth,
                ioRate, read, write,
                flush, discard, zeroes, fuaPercent, requestSectorsMax, hotDiskPercent,
                hotDiskSectors, overlapping,
                scattered, resetEvery);
    }

    /** This with other sizes and places of requests. */
    public SyntheticProfile withRequests(int sectorsMax, int newHotPercent, long newHotSectors) {
        return new SyntheticProfile(seed, dirtyRate, hotHeapPercent, hotStorePercent, ioDepth,
                ioRate, readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent, sectorsMax,
                newHotPercent,
                newHotSectors, overlapping, scattered, resetEvery);
    }

    /** This with requests in flight that may share sectors, or not. */
    public SyntheticProfile withOverlapping(boolean mayOverlap) {
        return new SyntheticProfile(seed, dirtyRate, hotHeapPercent, hotStorePercent, ioDepth,
                ioRate, readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent,
                requestSectorsMax, hotDiskPercent,
                hotDiskSectors, mayOverlap, scattered, resetEvery);
    }

    /** This with resets. */
    public SyntheticProfile withResetEvery(int requests) {
        return new SyntheticProfile(seed, dirtyRate, hotHeapPercent, hotStorePercent, ioDepth,
                ioRate, readWeight,
                writeWeight, flushWeight, discardWeight, zeroesWeight, fuaPercent,
                requestSectorsMax, hotDiskPercent,
                hotDiskSectors, overlapping, scattered, requests);
    }

    /** How a guest with this profile uses its machine. */
    public GuestBlueprint blueprint(long memoryBytes, List<Long> diskBytes) {
        var depth = diskBytes.isEmpty() ? 0 : ioDepth;
        return GuestBlueprint.of(seed, memoryBytes, diskBytes, depth, requestSectorsMax,
                hotHeapPercent,
                hotStorePercent, scattered);
    }
}
