package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.DiskId;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.Guest;
import org.jspecify.annotations.Nullable;

/**
 * What one VM tells an observer: statistics, the story of a cut, an oracle.
 *
 * <p>All methods are called by the strand of the VM, in the order in which things happen, and must
 * return quickly. Nothing depends on what an observer does.
 */
public interface VmProbe {
    /** An observer that looks away. */
    VmProbe NONE = new VmProbe() {};

    /** The guest stands still at an instruction boundary: this is T of {@code checkpoint}. */
    default void stunned(long checkpoint, Guest guest) {}

    /** The guest runs again after {@code stunNs}. */
    default void resumed(long checkpoint, long stunNs) {}

    /** The guest issued {@code request}: it is bound. */
    default void issued(IoRequest request) {}

    /** The part of a write in {@code group} starts on {@code layer}. */
    default void started(DiskId disk, long ioId, int layer, long group, boolean fault) {}

    /** A write waits for earlier ones of the same block group (R8). */
    default void delayed(DiskId disk, long ioId, long group) {}

    /** The device finished with the request. */
    default void landed(long ioId, IoStatus status) {}

    /** {@code bytes} of the read reached a copy of {@code page} made while it was in flight (R6). */
    default void reissued(long ioId, int page, int bytes) {}

    /** The guest can see the completion. */
    default void delivered(long ioId, IoStatus status) {}

    /** The request left the ongoing side (R17). */
    default void detached(long ioId) {}

    /**
     * The VM was taken back to {@code to}, a checkpoint or a snapshot: from now on it is {@code machine}, whose guest has not run
     * yet. What was in flight was detached before.
     */
    default void rolledBack(CheckpointRef to, MachineState machine) {}

    /** A slice of guest code ran. */
    default void ran(Guest guest) {}

    /** The guest has done all it ever will. */
    default void guestStopped(String reason) {}

    /** Who hears of the pure steps behind all this; null, the usual answer, for nobody. Asked when an actor starts. */
    default @Nullable CoreProbe cores() {
        return null;
    }

    /** Layer {@code layer} of the disk was committed into its parent. */
    default void committed(DiskId disk, int layer) {}

    /**
     * The strand, and so the guest with it, stood still for {@code ns} because of work on the layers of a disk: a commit, a flatten, or the
     * copy of a checkpoint's disks. Each of the many turns of such work is told alone; the guest has its slices in between. What a
     * stun does to a disk is no part of it.
     */
    default void keptUp(long ns) {}

    /** All below the disk's top is one image now; a read may have to ask {@code depth} files. */
    default void flattened(DiskId disk, int depth) {}
}
