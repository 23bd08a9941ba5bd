package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.BAD;
import static io.tintype.simulations.explore.Layout.BAD_SAVE;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.CANDIDATES_0;
import static io.tintype.simulations.explore.Layout.CANDIDATES_1;
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
import static io.tintype.simulations.explore.Layout.HELD_BIT;
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
import static io.tintype.simulations.explore.Layout.PAGES;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.REISSUE;
import static io.tintype.simulations.explore.Layout.RESETS;
import static io.tintype.simulations.explore.Layout.ROLLED;
import static io.tintype.simulations.explore.Layout.SAVED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.STALE;
import static io.tintype.simulations.explore.Layout.SYNCING;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.Layout.set;
import static io.tintype.simulations.explore.VmState.FLUSH;
import static io.tintype.simulations.explore.VmState.FUA;
import static io.tintype.simulations.explore.VmState.READ;
import static io.tintype.simulations.explore.VmState.checkpointName;
import static io.tintype.simulations.explore.VmState.frozen;
import static io.tintype.simulations.explore.VmState.isAwaited;
import static io.tintype.simulations.explore.VmState.isLive;
import static io.tintype.simulations.explore.VmState.isReadInto;
import static io.tintype.simulations.explore.VmState.isWrite;
import static io.tintype.simulations.explore.VmState.label;
import static io.tintype.simulations.explore.VmState.mask;

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
    private final int emptyOrder;

    Strand(ExploreConfig config, Cores cores, VmState state, Device device, Checks checks,
            Renaming renaming) {
        this.cores = cores;
        this.state = state;
        this.device = device;
        this.checks = checks;
        this.renaming = renaming;
        isR7On = config.rules().on(Rule.R7);
        emptyOrder = cores.emptyOrder();
    }

    // The guest.

    void issue(int kind, int disk, int extent, int pages) {
        int io = state.global(COUNT);
        state.global(COUNT, io + 1);
        state.global(ISSUED, state.global(ISSUED) + 1);
        int layer = state.disk(disk, TOP);
        long r = set(set(set(set(0, KIND, kind), DISK, disk), EXTENT, extent), LAYER, layer);
        int frames = 0;
        if (kind == READ) {
            r = set(r, PAGES, pages);
            for (int page = 0; page < state.layout.pages; page++) {
                if ((pages >>> page & 1) != 0) {
                    int frame = target(page, disk, extent);
                    frames |= frame << (page == 0 ? 3 : 0);
                    if (pages == 3 && page == 1) {
                        state.w[state.layout.firstOther + io] = set(0, FRAME, frame);
                    } else {
                        r = set(r, FRAME, frame);
                    }
                }
            }
            for (int block = 0; block < BLOCKS; block++) {
                if ((extent >>> block & 1) != 0) {
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
        tellPending(Cores.issued(io, kind, disk, extent, pages, frames));
        tellDisk(disk, Cores.submit(io, kind, layer, extent));
    }

    /** The page's frame, ready to be read into; R7: a private one, before anything is told of the read. */
    private int target(int page, int disk, int extent) {
        if (isR7On && state.page(page, IS_FROZEN) != 0) {
            privateFrame(page);
        }
        int frame = state.page(page, FRAME_COUNT) - 1;
        for (int block = 0; block < BLOCKS; block++) {
            if ((extent >>> block & 1) != 0) {
                state.setCell(page, frame, disk * BLOCKS + block, STALE);
            }
        }
        return frame;
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
            long k = state.checkpoint(c);
            if (isLive(k) && state.isOf(k, disk)) {
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
            if (state.isInUse(disk)) {
                tellDisk(disk, Cores.RESET);
            }
        }
    }

    /**
     * The guest goes on from the sealed checkpoint, with memory and disks of its own. Its layers never change again, so that the
     * new disk stands on what they show.
     */
    void rollBack() {
        int old = state.global(ROLLED);
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            if (isAwaited(state.request(i))) {
                state.setRequest(i, DETACHED, 1);
            }
        }
        tellPending(Cores.ROLLED_BACK);
        for (int page = 0; page < state.layout.pages; page++) {
            int current = state.page(page, FRAME_COUNT) - 1;
            if (state.page(page, IS_FROZEN) != 0 || state.isPinned(page, current)) {
                copyFrame(page);
            }
        }
        state.candidates(old, 0, 0);
        state.candidates(old, 1, 0);
        state.global(ROLLED, old + 1);
        newDisk(old + 1);
        state.areLabelsNew = true;
    }

    /** Whatever it shows is content 0. */
    void newDisk(int disk) {
        state.w[state.layout.firstDisk + 2 * disk] = 1L << HELD_BIT | 1L << DURABLE_HELD_BIT;
        state.setDisk(disk, ORDER, emptyOrder);
        state.setDisk(disk, CANDIDATES_0, 1);
        state.setDisk(disk, CANDIDATES_1, 1);
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
                for (int page = 0; page < state.layout.pages; page++) {
                    if (isReadInto(r, page)) {
                        verifyDelivered(io, r, page, block);
                    }
                }
                if (get(r, PAGES) == 3) {
                    int cell = disk * BLOCKS + block;
                    checks.verifyBothHalves(io, block, current(0, cell), current(1, cell),
                            "the running guest");
                }
            } else if (kind == FLUSH) {
                int kept = state.content(disk, state.disk(disk, TOP), block, DURABLE_HELD_BIT,
                        DURABLE_SHIFT);
                if ((labels >>> kept & 1) == 0) {
                    throw new Violation(Rule.R13,
                            state.name(io) + " completed, but a crash would undo a "
                                    + "write of block " + block + " that completed before it");
                }
            } else if (kind != READ && isMeant) {
                state.areLabelsNew = true;
                state.candidates(disk, block, state.candidates(disk, block) & ~labels);
                if (kind == FUA) {
                    verifyDurable(io, disk, block);
                }
            }
        }
    }

    /** What the running guest's page shows. */
    private int current(int page, int cell) {
        return state.cell(page, state.page(page, FRAME_COUNT) - 1, cell);
    }

    private void verifyDelivered(int io, long r, int page, int block) {
        int shown = current(page, get(r, DISK) * BLOCKS + block);
        if (shown == STALE) {
            throw new Violation(Rule.R11, state.name(io) + " was delivered, but the guest's page "
                    + page + " has not got the bytes of block " + block);
        }
        checks.verifyWhole(io, r, page, block, shown);
        if ((get(r, mask(block)) >>> shown & 1) == 0) {
            throw new Violation(Rule.R5, state.name(io) + " delivered what block " + block
                    + " could not show any more");
        }
    }

    /** R13: what a crash would leave of the block is this write, or one that the guest may take for later. */
    private void verifyDurable(int io, int disk, int block) {
        int kept = state.content(disk, state.disk(disk, TOP), block, DURABLE_HELD_BIT,
                DURABLE_SHIFT);
        if ((state.candidates(disk, block) >>> kept & 1) == 0) {
            throw new Violation(Rule.R13, state.name(io) + " completed with FUA, but a crash would "
                    + "undo it in block " + block);
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
                throw new Violation(Rule.R11,
                        checkpointName(c) + " is not told that " + state.name(io)
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
                    verifyCarried(io, r, c, block);
                } else {
                    state.areLabelsNew = true;
                    state.mayShow(c, disk, block,
                            state.mayShow(c, disk, block) & ~get(r, mask(block)));
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
        if (state.layout.pages == 2) {
            state.w[state.layout.firstOther + io] = 0;
        }
        state.areLabelsNew = true;
    }

    /** A read that the checkpoint carries has ended: its memory has the bytes, or what was saved of it had. */
    private void verifyCarried(int io, long r, int c, int block) {
        long k = state.checkpoint(c);
        int cell = get(r, DISK) * BLOCKS + block;
        boolean isInMemory = true;
        for (int page = 0; page < state.layout.pages; page++) {
            if (!isReadInto(r, page)) {
                continue;
            }
            boolean isSaved = (get(k, SAVED) >>> page & 1) != 0;
            boolean hasBytes = !isSaved && state.hasBytes(c, r, page, block);
            isInMemory &= hasBytes;
            if (hasBytes) {
                checks.verifyWhole(io, r, page, block, state.cell(page, frozen(k, page), cell));
            }
            if (isSaved ? (get(r, BAD_SAVE) >>> c & 1) != 0 : !hasBytes) {
                state.setCheckpoint(c, BAD, 1);
            }
        }
        if (isInMemory && get(r, PAGES) == 3) {
            checks.verifyBothHalves(io, block, state.cell(0, frozen(k, 0), cell),
                    state.cell(1, frozen(k, 1), cell), checkpointName(c));
        }
    }

    // The strand: carries out what the cores say.

    void tellPending(int input) {
        state.global(PENDING, cores.stepPending(state.global(PENDING), input));
        for (var output : cores.pendingOutputs()) {
            switch (output) {
                case PendingSet.Output.Pay(var ioId, var from, var to, var offset, var cells) -> {
                    state.note("its bytes are copied to the other frame of the page, for %s",
                            (int) ioId);
                    int page = from / Cores.FRAMES_A_PAGE;
                    for (int cell = offset; cell < offset + cells; cell++) {
                        device.writeCell(page, to % Cores.FRAMES_A_PAGE, cell,
                                state.cell(page, from % Cores.FRAMES_A_PAGE, cell));
                    }
                }
                case PendingSet.Output.Owe(var ioId, var frame) -> {
                    state.note("%s owes its bytes to the copy", (int) ioId);
                    int page = frame / Cores.FRAMES_A_PAGE;
                    state.setTarget((int) ioId, page, OWED,
                            get(state.target((int) ioId, page), OWED)
                                    | 1 << frame % Cores.FRAMES_A_PAGE);
                }
                case PendingSet.Output.Forgive(var ioId, var frame) -> {
                    state.note("%s owes nothing more to a copy that nobody shows", (int) ioId);
                    int bit = 1 << frame % Cores.FRAMES_A_PAGE;
                    int page = frame / Cores.FRAMES_A_PAGE;
                    int owed = get(state.target((int) ioId, page), OWED);
                    if ((owed & bit) == 0) {
                        throw new Violation(Rule.R6, state.name((int) ioId)
                                + " was forgiven what it did not owe");
                    }
                    state.setTarget((int) ioId, page, OWED, owed & ~bit);
                }
                case PendingSet.Output.Reissue(var ioId, var copies) -> {
                    state.note("%s is issued again, for the copies", (int) ioId);
                    int io = (int) ioId;
                    for (var copy : copies) {
                        state.setTarget(io, copy.page(), COPIES,
                                get(state.target(io, copy.page()), COPIES)
                                        | 1 << copy.frame() % Cores.FRAMES_A_PAGE);
                    }
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
        state.setDisk(disk, ORDER,
                cores.stepOrder(state.disk(disk, ORDER), input, state.holds(disk)));
        for (var output : cores.orderOutputs()) {
            switch (output) {
                case DiskOrder.Output.StartRead(var ioId, var view) ->
                    device.startOp((int) ioId, view, 0);
                case DiskOrder.Output.StartFlush(var ioId, var view) ->
                    startSync((int) ioId, view, 0);
                case DiskOrder.Output.StartSync(var ioId, var layer) ->
                    startSync((int) ioId, layer, 1);
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
                    for (int page = 0; page < state.layout.pages; page++) {
                        state.setTarget(io, page, COPIES, 0);
                    }
                    tellPending(Cores.withStatus(isReissue ? Cores.REISSUED : Cores.LANDED, io,
                            isOk));
                }
            }
        }
    }

    /** Of a flush, or the last step of a write with FUA. */
    private void startSync(int io, int layer, int isOneLayer) {
        device.startOp(io, layer, isOneLayer);
        if (get(state.request(io), KIND) == FUA) {
            state.note("%s has landed and is made durable", io);
            state.setRequest(io, SYNCING, 1);
        }
    }

    void report(int io) {
        long r = state.request(io);
        boolean isOk = get(r, OP) == OP_DONE;
        state.setRequest(io, OP, OP_NONE);
        int arguments = io << 1 | (isOk ? 1 : 0);
        tellDisk(get(r, DISK),
                Cores.onOrder(isWrite(r) && get(r, SYNCING) == 0 ? Cores.PART_DONE : Cores.DONE,
                        arguments));
    }

    /** A checkpoint ended: what must not change is another set of views. */
    void ended() {
        for (int disk = 0; disk < state.diskCount(); disk++) {
            tellDisk(disk, Cores.onOrder(Cores.NEEDED, state.neededViews(disk)));
        }
    }
}
