package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.catalogue.Catalogue;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.memory.FramePool;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rules;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * Everything outside a VM that its actors use: the ports, and the policies of the host.
 *
 * @param clock time for stuns and guests, in nanoseconds
 * @param wall time for people, in manifests
 * @param pool the host's frames
 * @param diskIo where disk operations run
 * @param blocking runs calls that block briefly: overlays, syncs, manifests
 * @param upkeep the same for calls that neither the guest nor a checkpoint waits for
 * @param later makes of one of these where a strand leaves something for it without waking anybody, see {@link HostWorld#later}
 * @param copying runs small parts of what is long and waited for by nobody: commits, flattens, copies of disks
 * @param saving runs what is long: copying frozen pages into the store
 * @param probe the observer of this VM
 * @param counters the totals of this VM
 * @param rules all on, but in tests of the oracle and the simulator
 * @param reissue how a read reaches pages copied while it was in flight
 * @param conflict what happens to T when a read and a write of one block are pending; only with {@code
 *     Reissue.DISK}
 * @param orderedDisks whether disks complete overlapping requests in the order of issue
 * @param sliceNs how long a guest may run before other actors of its strand get a turn
 * @param deadlineNs when a checkpoint gives up, counted from its begin (R15)
 * @param chainDepthMax a disk with more layers refuses a further checkpoint
 * @param checkpointDisks what checkpoints keep of disks, where nothing else is said
 * @param throttleNsMax how long a guest waits for a frame before its oldest checkpoint is given up
 * @param diskOver takes the place of a disk, see {@link MachineState#imageKeys}, and its chain, that its VM was rolled back from and
 *     nothing of the VM uses any more; blocks
 * @param catalogue is told of what happens
 */
record VmServices(
        Clock clock,
        InstantSource wall,
        FramePool pool,
        DiskIo diskIo,
        Executor blocking,
        Executor upkeep,
        UnaryOperator<Executor> later,
        Executor copying,
        Executor saving,
        VmProbe probe,
        VmCounters counters,
        Rules rules,
        PendingSet.Reissue reissue,
        PendingSet.Conflict conflict,
        boolean orderedDisks,
        long sliceNs,
        long deadlineNs,
        int chainDepthMax,
        CheckpointDisks checkpointDisks,
        long throttleNsMax,
        BiConsumer<String, DiskChain> diskOver,
        Catalogue catalogue) {
    /** Tells the catalogue of what takes several steps. */
    Operations operations() {
        return new Operations(catalogue, wall);
    }
}
