package io.tintype.simulations.run;

import io.tintype.catalogue.JournalPlace;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a run is asked to do, already checked against what is possible.
 *
 * @param vms how many VMs
 * @param memoryBytes of one VM, a multiple of 4 KiB
 * @param disks of one VM, may be 0
 * @param diskSizeBytes of one disk, a multiple of 64 KiB
 * @param ioDepth requests that a VM keeps in flight, all its disks together
 * @param dirtyPerSecond stores to memory that a VM makes in a second, or {@link #UNLIMITED}
 * @param trace the recorded trace, exactly when {@code guest} is {@link GuestKind#TRACE}
 * @param speed how many times faster than recorded the trace is replayed
 * @param checkpointEvery from one checkpoint of a VM to its next
 * @param runFor how long the VMs run, or null: each VM replays the whole trace once
 * @param store the directory of the checkpoint store; it may not exist yet, its parent does
 * @param storeIsTemporary the caller deletes the store after the run
 * @param keep sealed checkpoints of a VM that stay in the store; older ones are deleted once verified
 * @param seed all made-up values come from it
 * @param checkpointDisks what checkpoints keep of disks
 * @param catalogue where the journal of what happens is kept
 */
public record RunOptions(
        int vms,
        long memoryBytes,
        int disks,
        long diskSizeBytes,
        int ioDepth,
        long dirtyPerSecond,
        GuestKind guest,
        @Nullable Path trace,
        double speed,
        Duration checkpointEvery,
        @Nullable Duration runFor,
        ReissuePolicy reissue,
        ConflictPolicy conflict,
        Path store,
        boolean storeIsTemporary,
        int keep,
        long seed,
        DiskPolicy checkpointDisks,
        JournalPlace catalogue) {
    /** A dirty rate without a limit: as fast as the VM's share of the processor lets it. */
    public static final long UNLIMITED = Long.MAX_VALUE;
}
