package io.tintype.vm.guest;

import java.util.List;

/**
 * What a guest for measurements does: nothing but load, at the least cost, and nothing that an oracle could check.
 *
 * @param seed of all choices
 * @param ioDepth requests that are always in flight; 0 for no I/O
 * @param ioBytes of each request, a multiple of 512
 * @param readPercent how many of 100 requests are reads, the others writes
 * @param work what it does besides
 * @param workBytes how much of the memory the work uses, the hot set; 0 for all there is
 */
public record LoadProfile(long seed, int ioDepth, int ioBytes, int readPercent, Work work,
        long workBytes) {
    /** What a guest does besides I/O; each store or computation is a step. */
    public enum Work {
        /** Nothing: it sleeps until a completion comes. */
        NONE,
        /** Computes in registers. */
        COMPUTE,
        /** Stores 8 bytes one after another. */
        STORE_SEQUENTIAL,
        /** Stores 8 bytes anywhere. */
        STORE_RANDOM
    }

    /** Checks the bounds. */
    public LoadProfile {
        var isPossible = ioBytes >= 512 && ioBytes <= 1 << 20 && ioBytes % 512 == 0;
        if (ioDepth < 0 || (ioDepth > 0 && !isPossible)) {
            throw new IllegalArgumentException(
                    "requests are a multiple of 512 bytes up to 1 MiB, got " + ioDepth + " of "
                            + ioBytes);
        }
        if (readPercent < 0 || readPercent > 100 || workBytes < 0) {
            throw new IllegalArgumentException(
                    "impossible load: " + readPercent + " % reads, work on " + workBytes
                            + " bytes");
        }
    }

    /** As many requests as possible. */
    public static LoadProfile io(long seed, int ioDepth, int ioBytes, int readPercent) {
        return new LoadProfile(seed, ioDepth, ioBytes, readPercent, Work.NONE, 0);
    }

    /** As much work as possible. */
    public static LoadProfile work(long seed, Work work, long workBytes) {
        return new LoadProfile(seed, 0, 0, 0, work, workBytes);
    }

    GuestLayout layout(long memoryBytes, List<Long> diskBytes) {
        var depth = diskBytes.isEmpty() ? 0 : ioDepth;
        return new GuestLayout(memoryBytes, diskBytes.size(), depth, depth == 0 ? 0 : ioBytes,
                false);
    }
}
