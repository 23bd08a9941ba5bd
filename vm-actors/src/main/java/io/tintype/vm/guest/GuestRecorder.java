package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;

/**
 * Hears what a guest saw, in the guest's own order, on the VM's strand, and returns quickly. The guest does not depend on it.
 *
 * <p>Events are numbered 1, 2, 3 …; the number of the last one is in the guest's registers, so that a checkpoint tells which
 * events are before it. A restored guest goes on counting from there.
 */
public interface GuestRecorder {
    /** Looks away. */
    GuestRecorder NONE = new GuestRecorder() {};

    /**
     * The guest put a request into the submission ring; the device has not seen it yet.
     *
     * @param slot the tag of the request and the buffer it uses, see {@link GuestLayout}
     * @param sector first 512-byte sector; 0 for a flush
     * @param sectorCount 0 for a flush
     * @param version what {@link SectorPattern} put into each sector of a write; a discard or write-zeroes has one too; else 0
     * @param shape how the buffer is laid out, see {@link GuestLayout#bufferAddress}
     */
    default void submitted(long event, int slot, IoKind kind, int disk, long sector,
            int sectorCount, boolean fua,
            int version, int shape) {}

    /**
     * The guest saw a completion of a request of its own, and after it the data.
     *
     * @param versions of a read that succeeded: what {@link SectorPattern#versionOf} said of each sector; valid during the call
     * @param versionCount how many of them; 0 if it was no read or failed
     */
    default void completed(long event, int slot, int disk, IoStatus status, int[] versions,
            int versionCount) {}

    /** The guest saw a completion that nothing it has in flight asked for. */
    default void unexpected(long event, int disk, int tag, int status) {}

    /** The guest reset a disk; what it had in flight there is void. */
    default void reset(long event, int disk) {}

    /** A buffer that a reset took from its read was written to after the reset. */
    default void overwritten(long event, int slot, int disk) {}
}
