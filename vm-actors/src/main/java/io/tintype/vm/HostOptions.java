package io.tintype.vm;

import io.tintype.catalogue.JournalPlace;
import io.tintype.scheduler.PendingSet.Conflict;
import io.tintype.scheduler.PendingSet.Reissue;
import java.nio.file.Path;
import java.time.Duration;

/**
 * How a host runs. Immutable; {@link #defaults} is what most want.
 *
 * @param store the directory of checkpoints and disk images; created when absent
 * @param disksInMemory disks live in memory and vanish with the process: for measuring. Their checkpoints
 *     can be restored only while the process lives
 * @param memoryBytes frames of all VMs and of all checkpoints in progress together
 * @param heldBytesMax the part of it that may be held for checkpoints only
 * @param threads how many threads run strands; 0 for one each core, at least 2
 * @param diskThreads how many disk operations may block at once
 * @param savers how many checkpoints are written to the store at once
 * @param slice how long a guest runs before the other actors of its VM get a turn
 * @param deadline after which a checkpoint gives up (R15)
 * @param chainDepthMax a VM with a disk of so many layers refuses further checkpoints
 * @param throttle how long a guest waits for a frame before its oldest checkpoint in progress is given up
 * @param reissue how a read reaches pages copied while it was in flight (R6)
 * @param conflict what happens to T when a read and a write of one block are pending (R9)
 * @param checkpointDisks what checkpoints keep of disks, where nothing else is said
 * @param catalogue where the journal of what the host does is kept; in memory whenever the disks are
 */
public record HostOptions(
        Path store,
        boolean disksInMemory,
        long memoryBytes,
        long heldBytesMax,
        int threads,
        int diskThreads,
        int savers,
        Duration slice,
        Duration deadline,
        int chainDepthMax,
        Duration throttle,
        Reissue reissue,
        Conflict conflict,
        CheckpointDisks checkpointDisks,
        JournalPlace catalogue) {
    private static final long GIB = 1L << 30;

    /** Options whose checkpoints point to layers, with the catalogue in the store's directory. */
    public HostOptions(
            Path store,
            boolean disksInMemory,
            long memoryBytes,
            long heldBytesMax,
            int threads,
            int diskThreads,
            int savers,
            Duration slice,
            Duration deadline,
            int chainDepthMax,
            Duration throttle,
            Reissue reissue,
            Conflict conflict) {
        this(
                store, disksInMemory, memoryBytes, heldBytesMax, threads, diskThreads, savers,
                slice, deadline, chainDepthMax, throttle, reissue, conflict,
                CheckpointDisks.POINTER, new JournalPlace.Embedded());
    }

    /** Returns options for {@code store} with 4 GiB for guests and 1 GiB for checkpoints. */
    public static HostOptions defaults(Path store) {
        return new HostOptions(
                store,
                false,
                5 * GIB,
                GIB,
                0,
                4,
                2,
                Duration.ofNanos(100_000),
                Duration.ofSeconds(30),
                64,
                Duration.ofMillis(500),
                Reissue.LANDED,
                Conflict.PUT_OFF);
    }

    /** Returns these options with other bounds on memory, in bytes. */
    public HostOptions withMemory(long allBytes, long heldBytes) {
        return new HostOptions(
                store, disksInMemory, allBytes, heldBytes, threads, diskThreads, savers, slice,
                deadline, chainDepthMax, throttle, reissue, conflict, checkpointDisks, catalogue);
    }

    /** Returns these options with disks in memory. */
    public HostOptions withDisksInMemory() {
        return new HostOptions(
                store, true, memoryBytes, heldBytesMax, threads, diskThreads, savers, slice,
                deadline, chainDepthMax, throttle, reissue, conflict, checkpointDisks, catalogue);
    }

    /** Returns these options with other policies for reads in flight. */
    public HostOptions withReissue(Reissue newReissue, Conflict newConflict) {
        return new HostOptions(
                store, disksInMemory, memoryBytes, heldBytesMax, threads, diskThreads, savers,
                slice, deadline, chainDepthMax, throttle, newReissue, newConflict,
                checkpointDisks, catalogue);
    }

    /** Returns these options with another deadline for checkpoints. */
    public HostOptions withDeadline(Duration newDeadline) {
        return new HostOptions(
                store, disksInMemory, memoryBytes, heldBytesMax, threads, diskThreads, savers,
                slice, newDeadline, chainDepthMax, throttle, reissue, conflict, checkpointDisks,
                catalogue);
    }

    /** Returns these options with checkpoints that keep their disks in another way. */
    public HostOptions withCheckpointDisks(CheckpointDisks kept) {
        return new HostOptions(
                store, disksInMemory, memoryBytes, heldBytesMax, threads, diskThreads, savers,
                slice, deadline, chainDepthMax, throttle, reissue, conflict, kept, catalogue);
    }

    /** Returns these options with the catalogue's journal at another place. */
    public HostOptions withCatalogue(JournalPlace newCatalogue) {
        return new HostOptions(
                store, disksInMemory, memoryBytes, heldBytesMax, threads, diskThreads, savers,
                slice, deadline, chainDepthMax, throttle, reissue, conflict, checkpointDisks,
                newCatalogue);
    }
}
