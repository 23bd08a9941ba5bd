package io.tintype.vm.guest;

import java.util.List;

/**
 * How a guest replays a recorded trace on its first disk: each request once, from {@code start} to the end and then from the
 * beginning, at its time, or as soon after it as fewer than {@code ioDepth} are in flight.
 *
 * @param trace what is replayed
 * @param speed how much faster than it was recorded, above 0
 * @param start index of the request to begin with
 * @param ioDepth requests in flight at most
 * @param seed of what is written and stored
 * @param dirtyRate stores into the heap a second; 0 none, {@link SyntheticProfile#UNLIMITED} as many as possible
 * @param hotHeapPercent how many of 100 heap pages are the hot set
 * @param hotStorePercent how many of 100 stores go to the hot set
 */
public record TraceProfile(VscsiTrace trace, double speed, int start, int ioDepth, long seed,
        long dirtyRate,
        int hotHeapPercent, int hotStorePercent) {
    /** Deep enough for the bursts of a recorded VM at 60 times its speed; a VM's SCSI adapter had as much. */
    public static final int IO_DEPTH_DEFAULT = 64;

    /** Checks the bounds. */
    public TraceProfile {
        if (!(speed > 0) || Double.isInfinite(speed)) {
            throw new IllegalArgumentException("the speed of a replay is above 0, got " + speed);
        }
        if (start < 0 || start >= trace.requestCount()) {
            throw new IllegalArgumentException("the trace has no request " + start + ", only 0 to "
                    + (trace.requestCount() - 1));
        }
        if (ioDepth < 1) {
            throw new IllegalArgumentException(
                    "a replay needs at least 1 request in flight, got " + ioDepth);
        }
    }

    /** The profile of VM {@code index} of {@code count}: starting points evenly spread over the trace, and its own seed. */
    public static TraceProfile ofVm(VscsiTrace trace, double speed, int index, int count, long seed,
            long dirtyRate) {
        var start = (int) ((long) trace.requestCount() * index / count);
        return new TraceProfile(trace, speed, start, IO_DEPTH_DEFAULT, Mix.at(seed, index),
                dirtyRate, 10, 90);
    }

    /** How a guest with this profile uses its machine. */
    public GuestBlueprint blueprint(long memoryBytes, List<Long> diskBytes) {
        var bytesWanted = trace.endSector() * QueueLayout.SECTOR_BYTES;
        if (diskBytes.isEmpty() || diskBytes.getFirst() < bytesWanted) {
            throw new IllegalArgumentException("trace " + trace.file()
                    + " needs a disk of at least " + bytesWanted
                    + " bytes, got " + (diskBytes.isEmpty() ? "none" : diskBytes.getFirst()));
        }
        return GuestBlueprint.of(seed, memoryBytes, diskBytes, ioDepth, trace.requestSectorsMax(),
                hotHeapPercent,
                hotStorePercent, true);
    }
}
