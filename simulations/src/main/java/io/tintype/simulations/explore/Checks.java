package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.BAD;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.CONTENT_SHIFT;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.DETACHED;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.DURABLE_HELD_BIT;
import static io.tintype.simulations.explore.Layout.DURABLE_SHIFT;
import static io.tintype.simulations.explore.Layout.FRAME;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.HELD_BIT;
import static io.tintype.simulations.explore.Layout.IN_CUT;
import static io.tintype.simulations.explore.Layout.KIND;
import static io.tintype.simulations.explore.Layout.LAYER;
import static io.tintype.simulations.explore.Layout.LAYERS_MAX;
import static io.tintype.simulations.explore.Layout.OP;
import static io.tintype.simulations.explore.Layout.OP_NONE;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OWED;
import static io.tintype.simulations.explore.Layout.PAGES;
import static io.tintype.simulations.explore.Layout.PHASE;
import static io.tintype.simulations.explore.Layout.REISSUE;
import static io.tintype.simulations.explore.Layout.SAVED;
import static io.tintype.simulations.explore.Layout.SEALED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.SPECIAL;
import static io.tintype.simulations.explore.Layout.STOPPED;
import static io.tintype.simulations.explore.Layout.STUNNED;
import static io.tintype.simulations.explore.Layout.SYNCING;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.VmState.READ;
import static io.tintype.simulations.explore.VmState.checkpointName;
import static io.tintype.simulations.explore.VmState.frozen;
import static io.tintype.simulations.explore.VmState.isReadInto;
import static io.tintype.simulations.explore.VmState.isWrite;
import static io.tintype.simulations.explore.VmState.view;

import io.tintype.scheduler.Rule;

/**
 * What must hold, seen from the guest's side. Of each state: what the ongoing disks show, and those of sealed checkpoints; that no
 * write waits and no frame is held for nobody's sake. Of a checkpoint that is sealed: its memory, its disks, that they are durable,
 * that its requests have ended. At the end: that all is done. What a single act must not do, whoever carries the act out verifies.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Checks {
    private final ExploreConfig config;
    private final Cores cores;
    private final VmState state;
    private final boolean mayStop;

    Checks(ExploreConfig config, Cores cores, VmState state) {
        this.config = config;
        this.cores = cores;
        this.state = state;
        mayStop = config.policies().contains(ExploreConfig.Policy.DISK_DELAY_RESUME);
    }

    // After each act.

    void verify() {
        int begun = state.global(BEGUN);
        if (state.global(STOPPED) != 0 && !mayStop) {
            throw new Violation(Rule.R2, "the guest is stopped until its requests have ended");
        }
        for (int disk = 0; disk < state.diskCount(); disk++) {
            int top = state.disk(disk, TOP);
            boolean isInUse = state.isInUse(disk);
            for (int block = 0; block < BLOCKS; block++) {
                int shown = state.content(disk, top, block, HELD_BIT, CONTENT_SHIFT);
                if (isInUse && (state.candidates(disk, block) >>> shown & 1) == 0) {
                    throw new Violation(Rule.R8, "the running guest's disk " + disk
                            + " has lost a completed write to block " + block);
                }
                for (int c = 0; c < begun; c++) {
                    long k = state.checkpoint(c);
                    if (get(k, SEALED) == 0 || !state.isOf(k, disk)) {
                        continue;
                    }
                    int kept = state.content(disk, view(k, disk), block, HELD_BIT, CONTENT_SHIFT);
                    if ((state.mayShow(c, disk, block) >>> kept & 1) == 0) {
                        throw new Violation(Rule.R5, "block " + block + " of "
                                + checkpointName(c) + " has changed after it was sealed");
                    }
                }
            }
        }
        verifyNobodyIsHeld();
    }

    /** R15: no write waits, and no frame is owed to, for nobody's sake. */
    private void verifyNobodyIsHeld() {
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
            if (get(r, SETTLED) != 0) {
                continue;
            }
            if (get(r, KIND) == READ) {
                for (int page = 0; page < state.layout.pages; page++) {
                    int owed = isReadInto(r, page) ? get(state.target(i, page), OWED) : 0;
                    for (int frame = 0; owed >>> frame != 0; frame++) {
                        if ((owed >>> frame & 1) != 0 && !isShown(r, page, frame)) {
                            throw new Violation(Rule.R15, state.name(i)
                                    + " keeps a copied frame that nobody shows");
                        }
                    }
                }
            } else if (isWrite(r) && get(r, OP) == OP_NONE && !config.ordered()
                    && !mayWait(i, r)) {
                throw new Violation(Rule.R15, state.name(i) + " waits for a lower layer that no "
                        + "checkpoint needs");
            }
        }
    }

    private boolean isShown(long r, int page, int frame) {
        if (get(r, DETACHED) == 0 && frame == state.page(page, FRAME_COUNT) - 1) {
            return true;
        }
        if (get(r, REISSUE) != 0) {
            return true; // it is being read into
        }
        int begun = state.global(BEGUN);
        for (int c = 0; c < begun; c++) {
            long k = state.checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0 && frozen(k, page) == frame) {
                return true;
            }
        }
        return false;
    }

    /** Whether a write that has not started has somebody to wait for. */
    private boolean mayWait(int io, long r) {
        int disk = get(r, DISK);
        int lowest = LAYERS_MAX;
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            long other = state.request(i);
            if (i == io || get(other, SETTLED) != 0 || !isWrite(other)
                    || get(other, DISK) != disk) {
                continue;
            }
            boolean isFault = get(other, OP) != OP_NONE && get(other, SPECIAL) != 0
                    && get(other, SYNCING) == 0;
            if (get(other, DETACHED) > get(r, DETACHED) || isFault) {
                return true; // behind what a reset left, or one that joined a fault
            }
            lowest = Math.min(lowest, get(other, LAYER));
        }
        int layer = get(r, LAYER);
        int between = lowest < layer ? (1 << layer) - (1 << lowest) : 0;
        int views = state.neededViews(disk);
        for (int c = 0; c < state.global(BEGUN); c++) {
            long k = state.checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0 && state.isOf(k, disk)) {
                views |= 1 << view(k, disk); // aborted, but its end has not come to the disk yet
            }
        }
        return (views & between) != 0;
    }

    void verifySealed(int c) {
        long k = state.checkpoint(c);
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            if ((get(state.request(i), IN_CUT) >>> c & 1) != 0) {
                throw new Violation(Rule.R12,
                        checkpointName(c) + " was sealed before " + state.name(i)
                                + ", which it carries, has ended");
            }
        }
        if (get(k, SAVED) != (1 << state.layout.pages) - 1) {
            throw new Violation(Rule.R12, checkpointName(c) + " was sealed without all its pages");
        }
        if (get(k, BAD) != 0) {
            throw new Violation(Rule.R10, checkpointName(c)
                    + " was sealed with a page that lacks the bytes of a read it carries");
        }
        for (int disk = 0; disk < state.diskCount(); disk++) {
            if (!state.isOf(k, disk)) {
                continue;
            }
            int view = view(k, disk);
            for (int block = 0; block < BLOCKS; block++) {
                int shown = state.content(disk, view, block, HELD_BIT, CONTENT_SHIFT);
                if ((state.mayShow(c, disk, block) >>> shown & 1) == 0) {
                    throw new Violation(Rule.R4,
                            checkpointName(c) + " was sealed with a disk whose "
                                    + "block " + block + " is not that of its instant");
                }
                if (shown != state.content(disk, view, block, DURABLE_HELD_BIT, DURABLE_SHIFT)) {
                    throw new Violation(Rule.R12,
                            checkpointName(c) + " was sealed, but a crash would "
                                    + "undo a write to block " + block + " of its disk");
                }
                state.mayShow(c, disk, block, 1 << shown);
                state.writtenSince(c, disk, block, 0);
            }
        }
        state.areLabelsNew = true;
    }

    /**
     * R9: each copy of a page gets what the read landed first. A copy with later bytes, even with legal ones, would tear a block
     * that lies across two pages, of which only one was copied.
     */
    void verifyWhole(int io, long r, int page, int block, int shown) {
        if (get(r, PAGES) == 3) {
            return; // there it is seen
        }
        int landed = state.cell(page, get(r, FRAME), get(r, DISK) * BLOCKS + block);
        if (shown != landed) {
            throw new Violation(Rule.R9, "the copy of a page got other bytes of " + state.name(io)
                    + " than landed first: block " + block + ", were it across two pages, is torn");
        }
    }

    /** R9, for a buffer that does lie in two pages: both halves of the block are of one content. */
    void verifyBothHalves(int io, int block, int first, int second, String where) {
        if (first != second) {
            throw new Violation(Rule.R9, "block " + block + " of " + state.name(io)
                    + " is torn: its halves, in page 0 and in page 1 of " + where
                    + ", are of different contents");
        }
    }

    /** Called where nothing is due: then all must be done. */
    void verifyDone() {
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            if (get(state.request(i), SETTLED) == 0) {
                throw new Violation(Rule.R15, "nothing more can happen, and " + state.name(i)
                        + " has not ended");
            }
        }
        for (int c = 0; c < state.global(BEGUN); c++) {
            if (get(state.checkpoint(c), OVER) == 0) {
                throw new Violation(Rule.R15, "nothing more can happen, and " + checkpointName(c)
                        + " neither seals nor aborts; it is "
                        + cores.nameOf(get(state.checkpoint(c), PHASE)));
            }
        }
        if (state.global(STOPPED) != 0) {
            throw new Violation(Rule.R15, "nothing more can happen, and the guest stays stopped");
        }
    }
}
