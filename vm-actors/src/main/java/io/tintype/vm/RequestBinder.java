package io.tintype.vm;

import io.tintype.cow.memory.MemoryRegion;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.vm.device.QueueRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * Binds a request to its frames when the guest issues it, and pins them: sources as they are, targets
 * after a COW fault (R7), so that no new read ever starts towards a frozen frame.
 */
final class RequestBinder {
    private static final int FRAME_BYTES = 4096;

    /**
     * What a request was bound to.
     *
     * @param targets one for each piece: where a read lands; of a write its sources, which matter at a reset
     * @param pieceRegions the region of each piece of the buffer
     */
    @SuppressWarnings("ArrayRecordComponent") // handed to one flight, never shared
    record Bound(IoBuffer buffer, List<PendingSet.Target> targets, int[] pieceRegions) {}

    private static final Bound NOTHING = new Bound(IoBuffer.EMPTY, List.of(), new int[0]);

    private final Rules rules;

    RequestBinder(Rules rules) {
        this.rules = rules;
    }

    /** Binds and pins; the caller has reserved the frames that a read may need. */
    Bound bind(Machine machine, QueueRequest request) {
        int pieces = pieceCount(request);
        if (pieces == 0) {
            return NOTHING;
        }
        load(machine, request);
        boolean reads = request.kind() == IoKind.READ;
        var targets = new ArrayList<PendingSet.Target>(pieces);
        var regions = new int[pieces];
        var frames = new int[pieces];
        var offsets = new int[pieces];
        var sizes = new int[pieces];
        var requestOffsets = new int[pieces];
        int piece = 0;
        int done = 0;
        for (var part : request.buffers()) {
            long address = part.address();
            long end = address + part.bytes();
            while (address < end) {
                int regionIndex = machine.regionOf(address);
                var region = machine.region(regionIndex);
                long inRegion = address - machine.base(regionIndex);
                int page = (int) (inRegion / FRAME_BYTES);
                int offset = (int) (inRegion % FRAME_BYTES);
                int bytes = (int) Math.min(end - address, FRAME_BYTES - offset);
                int frame;
                if (reads) {
                    frame = targetFrame(region, page);
                    region.pinTarget(frame);
                } else {
                    frame = region.frame(page);
                    region.pinSource(frame);
                }
                targets.add(new PendingSet.Target(regionIndex, page, frame, offset, bytes, done));
                regions[piece] = regionIndex;
                frames[piece] = frame;
                offsets[piece] = offset;
                sizes[piece] = bytes;
                requestOffsets[piece] = done;
                piece++;
                done += bytes;
                address += bytes;
            }
        }
        return new Bound(
                new IoBuffer(frames, offsets, sizes, requestOffsets), targets, regions);
    }

    /** Before anything is pinned: a page of a restored VM may have to be read first, and that may fail. */
    private static void load(Machine machine, QueueRequest request) {
        for (var part : request.buffers()) {
            long end = part.address() + part.bytes();
            for (long at = part.address(); at < end; at = (at / FRAME_BYTES + 1) * FRAME_BYTES) {
                int region = machine.regionOf(at);
                var _ = machine.region(region)
                        .frame((int) ((at - machine.base(region)) / FRAME_BYTES));
            }
        }
    }

    private int targetFrame(MemoryRegion region, int page) {
        int current = region.frame(page);
        // Frame 0 is the zero frame of all VMs: no switch may let a read land there.
        return rules.on(Rule.R7) || current == 0 ? region.privateFrame(page) : current;
    }

    private static int pieceCount(QueueRequest request) {
        int pieces = 0;
        for (var part : request.buffers()) {
            long first = part.address() / FRAME_BYTES;
            long last = (part.address() + part.bytes() - 1) / FRAME_BYTES;
            pieces += (int) (last - first + 1);
        }
        return pieces;
    }
}
