package io.tintype.vm.device;

import io.tintype.scheduler.IoKind;
import java.util.List;

/**
 * A request that a {@link DiskQueue} fetched and found right: inside the disk, its buffers inside memory and together as long
 * as its sectors.
 *
 * @param tag the guest's name for it, to be handed to {@link DiskQueue#complete}
 * @param sector first 512-byte sector; 0 for a flush
 * @param sectorCount 0 for a flush
 * @param buffers of a read or a write, in the order of the sectors; else empty
 */
public record QueueRequest(IoKind kind, boolean fua, int tag, long sector, int sectorCount,
        List<Buffer> buffers) {
    /**
     * A piece of guest memory.
     *
     * @param address a multiple of 8; the piece may cross pages and regions
     * @param bytes a multiple of 8; a sector may be spread over pieces
     */
    public record Buffer(long address, int bytes) {}
}
