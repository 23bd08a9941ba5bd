package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.BAD;
import static io.tintype.simulations.explore.Layout.BAD_SAVE;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.COPIES;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.DELIVERED;
import static io.tintype.simulations.explore.Layout.DETACHED;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.DURABLE_HELD_BIT;
import static io.tintype.simulations.explore.Layout.DURABLE_SHIFT;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FRAME;
import static io.tintype.simulations.explore.Layout.FRAMES_MAX;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.IN_CUT;
import static io.tintype.simulations.explore.Layout.ISSUED;
import static io.tintype.simulations.explore.Layout.IS_FROZEN;
import static io.tintype.simulations.explore.Layout.KIND;
import static io.tintype.simulations.explore.Layout.LABELS;
import static io.tintype.simulations.explore.Layout.LABEL_BITS;
import static io.tintype.simulations.explore.Layout.LAYER;
import static io.tintype.simulations.explore.Layout.MASK_0;
import static io.tintype.simulations.explore.Layout.MASK_1;
import static io.tintype.simulations.explore.Layout.MESSAGE;
import static io.tintype.simulations.explore.Layout.OP;
import static io.tintype.simulations.explore.Layout.OP_DONE;
import static io.tintype.simulations.explore.Layout.OP_NONE;
import static io.tintype.simulations.explore.Layout.ORDER;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OWED;
import static io.tintype.simulations.explore.Layout.PAGE;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.REISSUE;
import static io.tintype.simulations.explore.Layout.RESETS;
import static io.tintype.simulations.explore.Layout.SAVED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.STALE;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.Layout.set;
import static io.tintype.simulations.explore.VmState.checkpointName;
import static io.tintype.simulations.explore.VmState.frozen;
import static io.tintype.simulations.explore.VmState.isAwaited;
import static io.tintype.simulations.explore.VmState.isLive;
import static io.tintype.simulations.explore.VmState.isWrite;
import static io.tintype.simulations.explore.VmState.label;
import static io.tintype.simulations.explore.VmState.mask;
import static io.tintype.simulations.explore.VmState.READ;
import static io.tintype.simulations.explore.VmState.FLUSH;

import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;

/**
 * The VM's strand: tells the cores of its requests what happens, and does what they say. It verifies what the guest is told, and
 * what a checkpoint is told of the requests that it carries.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Strand {
    private final Cores cores;
    private final VmState state;
    private final Device device;
    private final Checks checks;
    private final Renaming renaming;
    private final boolean isR7On;

    Strand(ExploreConfig config, Cores cores, VmState state, Device device, Checks checks,
            Renaming renaming) {
        this.cores = cores;
        this.state = state;
        this.device = device;
        this.checks = checks;
        this.renaming = renaming;
        isR7On = config.rules().on(Rule.R7);
    }

    // The guest.

    void issue(int kind, int disk, int extent, int page) {
        int io = state.global(COUNT);
        state.global(COUNT, io + 1);
        state.global(ISSUED, state.global(ISSUED) + 1);
        int layer = state.disk(disk, TOP);
        long r = set(set(set(set(0, KIND, kind), DISK, disk), EXTENT, extent), LAYER, layer);
        if (kind == READ) {
            // R7: a private frame before anything is told of the read.
            if (isR7On && state.page(page, IS_FROZEN) != 0) {
                privateFrame(page);
            }
            int frame = state.page(page, FRAME_COUNT) - 1;
            r = set(set(r, PAGE, page), FRAME, frame);
            for (int block = 0; block < BLOCKS; block++) {
                if ((extent >>> block & 1) != 0) {
                    state.setCell(page, frame, disk * BLOCKS + block, STALE);
                    r = set(r, mask(block), state.candidates(disk, block));
                }
            }
        } else if (kind == FLUSH) {
            r = set(set(r, MASK_0, state.candidates(disk, 0)), MASK_1, state.candidates(disk, 1));
        } else {
            state.areLabelsNew = true;
            int labels = 0;
            for (int block = 0; block < BLOCKS; block++) {
                if ((extent >>> block & 1) == 0) {
                    continue;
                }
                int label = renaming.unusedLabel(disk, block);
                labels |= label << LABEL_BITS * block;
                int ended = state.candidates(disk, block) & ~inFlight(disk, block);
                r = set(r, mask(block), ended);
                written(disk, block, label);
            }
            r = set(r, LABELS, labels);
        }
        state.w[state.layout.firstRequest + io] = r;
        tellPending(Cores.issued(io, kind, disk, extent, page,
                kind == READ ? get(r, FRAME) : 0));
        tellDisk(disk, Cores.submit(io, kind, layer, extent));
    }

    /** From now on the block may show the label: to the ongoing guest, and to what it waits for. */
    private void written(int disk, int block, int label) {
        int bit = 1 << label;
        state.candidates(disk, block, state.candidates(disk, block) | bit);
        int count = state.global(COUNT) - 1;
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
            boolean looks = get(r, KIND) == READ || get(r, KIND) == FLUSH;
            if (looks && isAwaited(r) && get(r, DISK) == disk
                    && (get(r, KIND) == FLUSH || (get(r, EXTENT) >>> block & 1) != 0)) {
                state.setRequest(i, mask(block), get(r, mask(block)) | bit);
            }
        }
        int begun = state.global(BEGUN);
        for (int c = 0; c < begun; c++) {
            if (isLive(state.checkpoint(c))) {
                state.writtenSince(c, disk, block, state.writtenSince(c, disk, block) | bit);
            }
        }
    }

    /** Labels of writes to the block that the guest waits for. */
    private int inFlight(int disk, int block) {
        int labels = 0;
        int count = state.global(COUNT) - 1;
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
            if (isAwaited(r) && isWrite(r) && get(r, DISK) == disk
                    && (get(r, EXTENT) >>> block & 1) != 0) {
                labels |= 1 << label(r, block);
            }
        }
        return labels;
    }

    /** A store or a new read: the page becomes the ongoing guest's own. */
    void privateFrame(int page) {
        int old = state.page(page, FRAME_COUNT) - 1;
        copyFrame(page);
        state.note("page %d is copied", page);
        if (state.isPinned(page, old)) {
            tellPending(Cores.copied(page, old, old + 1));
        }
    }

    /** The current frame's copy becomes the current one. */
    private void copyFrame(int page) {
        int count = state.page(page, FRAME_COUNT);
        if (count == FRAMES_MAX) {
            throw new Violation(Rule.R15, "page " + page + " has " + count
                    + " frames at once: more than checkpoints and requests account for");
        }
        state.setPage(page, FRAME_COUNT, count + 1);
        for (int cell = 0; cell < state.layout.disks * BLOCKS; cell++) {
            state.setCell(page, count, cell, state.cell(page, count - 1, cell));
        }
        state.setPage(page, IS_FROZEN, 0);
    }

    void reset() {
        state.global(RESETS, state.global(RESETS) + 1);
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            if (isAwaited(state.request(i))) {
                state.setRequest(i, DETACHED, 1);
            }
        }
        tellPending(Cores.DETACHED);
        for (int disk = 0; disk < state.layout.disks; disk++) {
            tellDisk(disk, Cores.RESET);
        }
    }

    private void deliver(int io, boolean isOk) {
        long r = state.request(io);
        if (get(r, DETACHED) != 0) {
            throw new Violation(Rule.R17, state.name(io) + " completed after a reset");
        }
        if (get(r, DELIVERED) != 0) {
            throw new Violation(Rule.R11, state.name(io) + " completed twice");
        }
        state.setRequest(io, DELIVERED, 1);
        state.note("%s is delivered " + (isOk ? "" : "as failed"), io);
        if (!isOk) {
            return;
        }
        int disk = get(r, DISK);
        int kind = get(r, KIND);
        int extent = get(r, EXTENT);
        for (int block = 0; block < BLOCKS; block++) {
            boolean isMeant = (extent >>> block & 1) != 0;
            int labels = get(r, mask(block));
            if (kind == READ && isMeant) {
                int page = get(r, PAGE);
                int shown = state.cell(page, state.page(page, FRAME_COUNT) - 1, disk * BLOCKS + block);
                if (shown == STALE) {
                    throw new Violation(Rule.R11, state.name(io) + " was delivered, but the guest's page "
                            + page + " has not got the bytes of block " + block);
                }
                checks.verifyWhole(io, r, block, shown);
                if ((labels >>> shown & 1) == 0) {
                    throw new Violation(Rule.R5, state.name(io) + " delivered what block " + block
                            + " could not show any more");
                }
            } else if (kind == FLUSH) {
                int kept = state.content(disk, state.disk(disk, TOP), block, DURABLE_HELD_BIT, DURABLE_SHIFT);
                if ((labels >>> kept & 1) == 0) {
                    throw new Violation(Rule.R13, state.name(io) + " completed, but a crash would undo a "
                            + "write of block " + block + " that completed before it");
                }
            } else if (kind != READ && isMeant) {
                state.areLabelsNew = true;
                state.candidates(disk, block, state.candidates(disk, block) & ~labels);
            }
        }
    }

    private void settled(int io, boolean isOk, PendingSet.Output.Settled settled) {
        long r = state.request(io);
        if (get(r, DELIVERED) == 0 && get(r, DETACHED) == 0) {
            throw new Violation(Rule.R11, state.name(io) + " is gone and was never delivered");
        }
        int inCut = get(r, IN_CUT);
        int messages = 0;
        for (long c : settled.checkpoints()) {
            messages |= 1 << c;
        }
        int disk = get(r, DISK);
        int extent = get(r, EXTENT);
        int begun = state.global(BEGUN);
        for (int c = 0; c < begun; c++) {
            if ((inCut >>> c & 1) == 0 || !isLive(state.checkpoint(c))) {
                continue;
            }
            if ((messages >>> c & 1) == 0) {
                throw new Violation(Rule.R11, checkpointName(c) + " is not told that " + state.name(io)
                        + ", which it carries, has ended");
            }
            if (!isOk) {
                continue;
            }
            for (int block = 0; block < BLOCKS; block++) {
                if ((extent >>> block & 1) == 0 || get(r, KIND) == FLUSH) {
                    continue;
                }
                if (get(r, KIND) == READ) {
                    int page = get(r, PAGE);
                    boolean isSaved = (get(state.checkpoint(c), SAVED) >>> page & 1) != 0;
                    if (!isSaved && state.hasBytes(c, r, block)) {
                        checks.verifyWhole(io, r, block, state.cell(page, frozen(state.checkpoint(c), page),
                                disk * BLOCKS + block));
                    }
                    if (isSaved
                            ? (get(r, BAD_SAVE) >>> c & 1) != 0
                            : !state.hasBytes(c, r, block)) {
                        state.setCheckpoint(c, BAD, 1);
                    }
                } else {
                    state.areLabelsNew = true;
                    state.mayShow(c, disk, block, state.mayShow(c, disk, block) & ~get(r, mask(block)));
                }
            }
        }
        for (int c = 0; c < begun; c++) {
            if (get(state.checkpoint(c), OVER) != 0) {
                messages &= ~(1 << c);
            }
        }
        // Nothing is left of it but what is on the way to the checkpoints.
        state.w[state.layout.firstRequest + io] = set(set(0, SETTLED, 1), MESSAGE, messages);
        state.areLabelsNew = true;
    }

    // The strand: carries out what the cores say.

    void tellPending(int input) {
        state.global(PENDING, cores.stepPending(state.global(PENDING), input));
        for (var output : cores.pendingOutputs()) {
            switch (output) {
                case PendingSet.Output.Pay(var ioId, var from, var to, var offset, var cells) -> {
                    state.note("its bytes are copied to the other frame of the page, for %s", (int) ioId);
                    int page = from / Cores.FRAMES_A_PAGE;
                    for (int cell = offset; cell < offset + cells; cell++) {
                        device.writeCell(page, to % Cores.FRAMES_A_PAGE, cell,
                                state.cell(page, from % Cores.FRAMES_A_PAGE, cell));
                    }
                }
                case PendingSet.Output.Owe(var ioId, var frame) -> {
                    state.note("%s owes its bytes to the copy", (int) ioId);
                    long r = state.request((int) ioId);
                    state.setRequest((int) ioId, OWED,
                            get(r, OWED) | 1 << frame % Cores.FRAMES_A_PAGE);
                }
                case PendingSet.Output.Forgive(var ioId, var frame) -> {
                    state.note("%s owes nothing more to a copy that nobody shows", (int) ioId);
                    long r = state.request((int) ioId);
                    int bit = 1 << frame % Cores.FRAMES_A_PAGE;
                    if ((get(r, OWED) & bit) == 0) {
                        throw new Violation(Rule.R6, state.name((int) ioId)
                                + " was forgiven what it did not owe");
                    }
                    state.setRequest((int) ioId, OWED, get(r, OWED) & ~bit);
                }
                case PendingSet.Output.Reissue(var ioId, var copies) -> {
                    state.note("%s is issued again, for the copies", (int) ioId);
                    int io = (int) ioId;
                    int frames = 0;
                    for (var copy : copies) {
                        frames |= 1 << copy.frame() % Cores.FRAMES_A_PAGE;
                    }
                    state.setRequest(io, COPIES, frames);
                    state.setRequest(io, REISSUE, 1);
                    long r = state.request(io);
                    tellDisk(get(r, DISK),
                            Cores.submit(io, READ, get(r, LAYER), get(r, EXTENT)));
                }
                case PendingSet.Output.Deliver(var ioId, var status) ->
                    deliver((int) ioId, status == IoStatus.OK);
                case PendingSet.Output.Settled settled ->
                    settled((int) settled.ioId(), settled.status() == IoStatus.OK, settled);
                case PendingSet.Output.CopyTarget(_, var page, var frame) -> {
                    int current = state.page(page, FRAME_COUNT) - 1;
                    if (current == frame % Cores.FRAMES_A_PAGE) {
                        state.note("page %d is copied, for the guest to have its own", page);
                        copyFrame(page);
                        tellPending(Cores.copied(page, current, current + 1));
                    }
                }
            }
        }
    }

    void tellDisk(int disk, int input) {
        state.setDisk(disk, ORDER, cores.stepOrder(state.disk(disk, ORDER), input, state.holds(disk)));
        for (var output : cores.orderOutputs()) {
            switch (output) {
                case DiskOrder.Output.StartRead(var ioId, var view) ->
                    device.startOp((int) ioId, view, 0);
                case DiskOrder.Output.StartFlush(var ioId, var view) ->
                    device.startOp((int) ioId, view, 0);
                case DiskOrder.Output.StartSync(var ioId, var layer) ->
                    device.startOp((int) ioId, layer, 1);
                case DiskOrder.Output.StartWrite(var ioId, var layer, _) -> {
                    state.note("%s starts", (int) ioId);
                    device.startOp((int) ioId, layer, 0);
                }
                case DiskOrder.Output.StartFault(var ioId, var layer, _) -> {
                    state.note("%s starts, with a copy of its group", (int) ioId);
                    device.startOp((int) ioId, layer, 1);
                }
                case DiskOrder.Output.Delayed(var ioId, _) ->
                    state.note("%s has to wait for a write to a lower layer", (int) ioId);
                case DiskOrder.Output.Complete(var ioId, var status) -> {
                    int io = (int) ioId;
                    boolean isOk = status == IoStatus.OK;
                    state.setRequest(io, OP, OP_NONE);
                    boolean isReissue = get(state.request(io), REISSUE) != 0;
                    state.setRequest(io, REISSUE, 0);
                    state.setRequest(io, COPIES, 0);
                    tellPending(Cores.withStatus(isReissue ? Cores.REISSUED : Cores.LANDED, io,
                            isOk));
                }
            }
        }
    }

    void report(int io) {
        long r = state.request(io);
        boolean isOk = get(r, OP) == OP_DONE;
        state.setRequest(io, OP, OP_NONE);
        int arguments = io << 1 | (isOk ? 1 : 0);
        tellDisk(get(r, DISK),
                Cores.onOrder(isWrite(r) ? Cores.PART_DONE : Cores.DONE, arguments));
    }

    /** A checkpoint ended: what must not change is another set of views. */
    void ended() {
        for (int disk = 0; disk < state.layout.disks; disk++) {
            tellDisk(disk, Cores.onOrder(Cores.NEEDED, state.neededViews(disk)));
        }
    }
}
