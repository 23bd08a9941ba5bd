package io.tintype.simulations.oracle;

import io.tintype.vm.guest.RegisterHeader;
import org.jspecify.annotations.Nullable;

/** What the guest knew at the instant of one checkpoint. */
final class Cut {
    final long checkpointId;
    final byte[] registers;
    final RegisterHeader header;
    final DiskShadow.DiskCut[] disks;
    final HeapShadow.HeapCut heap;
    /** By slot, the request in flight. */
    final @Nullable Flight[] inFlight;
    /** By slot, the read or write that last used the buffer. */
    final @Nullable Flight[] buffers;
    /** Whether it was found right once: what is wrong later was changed later. */
    boolean wasRight;

    Cut(long checkpointId, byte[] registers, RegisterHeader header, DiskShadow.DiskCut[] disks,
            HeapShadow.HeapCut heap,
            @Nullable Flight[] inFlight, @Nullable Flight[] buffers) {
        this.checkpointId = checkpointId;
        this.registers = registers;
        this.header = header;
        this.disks = disks;
        this.heap = heap;
        this.inFlight = inFlight;
        this.buffers = buffers;
    }
}
