package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.ANSWER_IDS;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.CONTENT_SHIFT;
import static io.tintype.simulations.explore.Layout.COPIED;
import static io.tintype.simulations.explore.Layout.COPIED_LABEL;
import static io.tintype.simulations.explore.Layout.COPIES;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.DURABLE_HELD_BIT;
import static io.tintype.simulations.explore.Layout.DURABLE_SHIFT;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FRAME;
import static io.tintype.simulations.explore.Layout.FRAME_BITS;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.FROZEN;
import static io.tintype.simulations.explore.Layout.HELD_BIT;
import static io.tintype.simulations.explore.Layout.LABELS;
import static io.tintype.simulations.explore.Layout.LABELS_MAX;
import static io.tintype.simulations.explore.Layout.LABEL_BITS;
import static io.tintype.simulations.explore.Layout.LAYER_BITS;
import static io.tintype.simulations.explore.Layout.MESSAGE;
import static io.tintype.simulations.explore.Layout.ORDER;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OWED;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.PHASE;
import static io.tintype.simulations.explore.Layout.RELEASED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.STALE;
import static io.tintype.simulations.explore.Layout.STUNNED;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.Layout.set;
import static io.tintype.simulations.explore.VmState.frozen;
import static io.tintype.simulations.explore.VmState.isReadInto;
import static io.tintype.simulations.explore.VmState.isWrite;
import static io.tintype.simulations.explore.VmState.label;
import static io.tintype.simulations.explore.VmState.mask;
import static io.tintype.simulations.explore.VmState.withLabel;

import java.util.Arrays;

/** Brings a state into its canonical form: states that differ in names only become one. */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Renaming {
    private final Cores cores;
    private final VmState state;
    // Scratch.
    private final int[] renaming = new int[STALE + 1];

    Renaming(Cores cores, VmState state) {
        this.cores = cores;
        this.state = state;
    }

    // Canonical form.

    void canonical() {
        forgetRequests();
        for (int page = 0; page < state.layout.pages; page++) {
            forgetFrames(page);
            forgetCells(page);
        }
        if (state.areLabelsNew) {
            for (int disk = 0; disk < state.layout.disks; disk++) {
                renameLabels(disk, 0);
                renameLabels(disk, 1);
            }
        }
    }

    /** Those that nothing is left of make room; later ones move down. */
    private void forgetRequests() {
        for (int i = state.global(COUNT) - 1; i >= 0; i--) {
            long r = state.request(i);
            if (get(r, SETTLED) == 0 || get(r, MESSAGE) != 0 || isNamed(i)) {
                continue;
            }
            int count = state.global(COUNT);
            int first = state.layout.firstRequest;
            if (i < count - 1) {
                System.arraycopy(state.w, first + i + 1, state.w, first + i, count - 1 - i);
                state.global(PENDING, cores.stepPending(state.global(PENDING), Cores.FORGET | i));
                for (int disk = 0; disk < state.layout.disks; disk++) {
                    state.setDisk(disk, ORDER, cores.stepOrder(state.disk(disk, ORDER),
                            Cores.onOrder(Cores.FORGET_IO, i), 0));
                }
                for (int c = 0; c < state.global(BEGUN); c++) {
                    long k = state.checkpoint(c);
                    if (get(k, OVER) == 0) {
                        int ids = get(k, ANSWER_IDS);
                        state.setCheckpoint(c, ANSWER_IDS, ids >>> i + 1 << i | ids & (1 << i) - 1);
                        state.setCheckpoint(c, PHASE,
                                cores.stepPhase(get(k, PHASE), Cores.FORGET_ID | i));
                    }
                }
            }
            state.w[first + count - 1] = 0;
            if (state.layout.pages == 2) {
                int other = state.layout.firstOther;
                System.arraycopy(state.w, other + i + 1, state.w, other + i, count - 1 - i);
                state.w[other + count - 1] = 0;
            }
            state.global(COUNT, count - 1);
            state.forgotten(i);
        }
    }

    private boolean isNamed(int io) {
        for (int c = 0; c < state.global(BEGUN); c++) {
            long k = state.checkpoint(c);
            if (get(k, OVER) == 0
                    && ((get(k, ANSWER_IDS) | cores.refs(get(k, PHASE))) >>> io & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    private void forgetFrames(int page) {
        int count = state.page(page, FRAME_COUNT);
        if (count == 1) {
            return;
        }
        int live = 1 << count - 1;
        for (int i = 0; i < state.global(COUNT); i++) {
            if (isReadInto(state.request(i), page)) {
                long target = state.target(i, page);
                live |= 1 << get(target, FRAME) | get(target, OWED) | get(target, COPIES);
            }
        }
        for (int c = 0; c < state.global(BEGUN); c++) {
            long k = state.checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0 && get(k, RELEASED) == 0) {
                live |= 1 << frozen(k, page);
            }
        }
        if (live == (1 << count) - 1) {
            return;
        }
        state.global(PENDING,
                cores.stepPending(state.global(PENDING), Cores.renameFrames(page, live)));
        for (int i = 0; i < state.global(COUNT); i++) {
            if (isReadInto(state.request(i), page)) {
                long target = state.target(i, page);
                state.setTarget(i, page, FRAME, rank(live, get(target, FRAME)));
                state.setTarget(i, page, OWED, compressed(live, get(target, OWED)));
                state.setTarget(i, page, COPIES, compressed(live, get(target, COPIES)));
            }
        }
        for (int c = 0; c < state.global(BEGUN); c++) {
            long k = state.checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0) {
                int frozen = get(k, FROZEN);
                int renamed = get(k, RELEASED) != 0 ? 0 : rank(live, frozen(k, page));
                state.setCheckpoint(c, FROZEN, frozen & ~(7 << 3 * page) | renamed << 3 * page);
            }
        }
        long old = state.w[state.layout.firstPage + page];
        long kept = old >>> 60 << 60;
        int to = 0;
        for (int frame = 0; frame < count; frame++) {
            if ((live >>> frame & 1) != 0) {
                kept |= (old >>> frame * FRAME_BITS & (1L << FRAME_BITS) - 1) << to * FRAME_BITS;
                to++;
            }
        }
        state.w[state.layout.firstPage + page] = set(kept, FRAME_COUNT, to);
        state.areLabelsNew = true; // one may have been in that frame only
    }

    private static int rank(int live, int frame) {
        return Integer.bitCount(live & (1 << frame) - 1);
    }

    private static int compressed(int live, int frames) {
        return Integer.compress(frames, live);
    }

    /** What a cell shows matters only while a read into it is on the way. */
    private void forgetCells(int page) {
        long cells = state.w[state.layout.firstPage + page];
        if ((cells & (1L << 60) - 1) == 0) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < state.global(COUNT); i++) {
            long r = state.request(i);
            if (isReadInto(r, page)) {
                int extent = get(r, EXTENT);
                kept |= ((extent & 1) * 7 | (extent >>> 1) * 7 << LABEL_BITS)
                        << LABEL_BITS * BLOCKS * get(r, DISK);
            }
        }
        long keptInAll = 0;
        for (int frame = 0; frame < state.page(page, FRAME_COUNT); frame++) {
            keptInAll |= (long) kept << frame * FRAME_BITS;
        }
        long left = cells & (keptInAll | ~((1L << 60) - 1));
        state.areLabelsNew |= left != cells;
        state.w[state.layout.firstPage + page] = left;
    }

    /** Cells that nobody looks at were renamed too; they are 0 again. */
    private void forgetCells(int disk, int block) {
        int cell = disk * BLOCKS + block;
        for (int page = 0; page < state.layout.pages; page++) {
            if (!isLookedAt(page, cell)) {
                for (int frame = 0; frame < state.page(page, FRAME_COUNT); frame++) {
                    state.setCell(page, frame, cell, 0);
                }
            }
        }
    }

    /** A block's labels in the order in which they are met; those that are nowhere any more leave all sets. */
    private void renameLabels(int disk, int block) {
        Arrays.fill(renaming, -1);
        renaming[STALE] = STALE;
        int count = 0;
        boolean isSame = true;
        int diskAt = state.layout.firstDisk + 2 * disk;
        long layers = state.w[diskAt];
        int top = state.disk(disk, TOP);
        for (int layer = 0; layer <= top; layer++) {
            int at = layer * LAYER_BITS + LABEL_BITS * block;
            if ((layers >>> layer * LAYER_BITS + HELD_BIT & 1) != 0) {
                int label = (int) (layers >>> at + CONTENT_SHIFT & 7);
                if (renaming[label] < 0) {
                    isSame &= label == count;
                    renaming[label] = count++;
                }
            }
            if ((layers >>> layer * LAYER_BITS + DURABLE_HELD_BIT & 1) != 0) {
                int label = (int) (layers >>> at + DURABLE_SHIFT & 7);
                if (renaming[label] < 0) {
                    isSame &= label == count;
                    renaming[label] = count++;
                }
            }
        }
        int requests = state.global(COUNT);
        for (int i = 0; i < requests; i++) {
            long r = state.request(i);
            if (get(r, SETTLED) != 0 || get(r, DISK) != disk) {
                continue;
            }
            boolean isMeant = (get(r, EXTENT) >>> block & 1) != 0;
            int label = isWrite(r)
                    ? isMeant ? label(r, block) : get(r, COPIED) != 0 ? get(r, COPIED_LABEL) : -1
                    : -1;
            if (label >= 0 && renaming[label] < 0) {
                isSame &= label == count;
                renaming[label] = count++;
            }
        }
        int cell = disk * BLOCKS + block;
        for (int page = 0; page < state.layout.pages; page++) {
            int frames = state.page(page, FRAME_COUNT);
            for (int frame = 0; frame < frames; frame++) {
                int label = state.cell(page, frame, cell);
                // 0 is also what a cell has that nobody looks at.
                if (label != 0 && renaming[label] < 0) {
                    isSame &= label == count;
                    renaming[label] = count++;
                } else if (label == 0 && renaming[0] < 0 && isLookedAt(page, cell)) {
                    isSame &= count == 0;
                    renaming[0] = count++;
                }
            }
        }
        if (isSame && state.candidates(disk, block) >>> count == 0
                && areSetsWithin(disk, block, count)) {
            return;
        }
        for (int layer = 0; layer <= top; layer++) {
            int at = layer * LAYER_BITS + LABEL_BITS * block;
            if ((layers >>> layer * LAYER_BITS + HELD_BIT & 1) != 0) {
                int label = (int) (layers >>> at + CONTENT_SHIFT & 7);
                layers = withLabel(layers, at + CONTENT_SHIFT, renaming[label]);
            }
            if ((layers >>> layer * LAYER_BITS + DURABLE_HELD_BIT & 1) != 0) {
                int label = (int) (layers >>> at + DURABLE_SHIFT & 7);
                layers = withLabel(layers, at + DURABLE_SHIFT, renaming[label]);
            }
        }
        state.w[diskAt] = layers;
        state.candidates(disk, block, renamed(state.candidates(disk, block)));
        for (int i = 0; i < requests; i++) {
            long r = state.request(i);
            if (get(r, SETTLED) != 0 || get(r, DISK) != disk) {
                continue;
            }
            if (isWrite(r)) {
                if ((get(r, EXTENT) >>> block & 1) != 0) {
                    int others = get(r, LABELS) & ~(7 << LABEL_BITS * block);
                    r = set(r, LABELS, others | renaming[label(r, block)] << LABEL_BITS * block);
                } else if (get(r, COPIED) != 0) {
                    r = set(r, COPIED_LABEL, renaming[get(r, COPIED_LABEL)]);
                }
            }
            state.w[state.layout.firstRequest + i] =
                    set(r, mask(block), renamed(get(r, mask(block))));
        }
        for (int c = 0; c < state.global(BEGUN); c++) {
            state.mayShow(c, disk, block, renamed(state.mayShow(c, disk, block)));
            state.writtenSince(c, disk, block, renamed(state.writtenSince(c, disk, block)));
        }
        for (int page = 0; page < state.layout.pages; page++) {
            int frames = state.page(page, FRAME_COUNT);
            for (int frame = 0; frame < frames; frame++) {
                int label = state.cell(page, frame, cell);
                state.setCell(page, frame, cell, renaming[label] < 0 ? 0 : renaming[label]);
            }
        }
        if (!isSame) {
            forgetCells(disk, block);
        }
    }

    private boolean isLookedAt(int page, int cell) {
        for (int i = 0; i < state.global(COUNT); i++) {
            long r = state.request(i);
            if (isReadInto(r, page)
                    && get(r, DISK) == cell / BLOCKS
                    && (get(r, EXTENT) >>> cell % BLOCKS & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    private boolean areSetsWithin(int disk, int block, int count) {
        for (int i = 0; i < state.global(COUNT); i++) {
            long r = state.request(i);
            if (get(r, SETTLED) == 0 && get(r, DISK) == disk
                    && get(r, mask(block)) >>> count != 0) {
                return false;
            }
        }
        for (int c = 0; c < state.global(BEGUN); c++) {
            if ((state.mayShow(c, disk, block) | state.writtenSince(c, disk, block)) >>> count
                    != 0) {
                return false;
            }
        }
        return true;
    }

    private int renamed(int labels) {
        int to = 0;
        for (int left = labels; left != 0; left &= left - 1) {
            int label = renaming[Integer.numberOfTrailingZeros(left)];
            if (label >= 0) {
                to |= 1 << label;
            }
        }
        return to;
    }

    /** Labels are canonical, so those in use are the lowest. */
    int unusedLabel(int disk, int block) {
        int used = 0;
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        int top = state.disk(disk, TOP);
        for (int layer = 0; layer <= top; layer++) {
            int at = layer * LAYER_BITS + LABEL_BITS * block;
            used |= 1 << (layers >>> at + CONTENT_SHIFT & 7);
            used |= 1 << (layers >>> at + DURABLE_SHIFT & 7);
        }
        for (int i = 0; i < state.global(COUNT) - 1; i++) {
            long r = state.request(i);
            if (get(r, SETTLED) == 0 && isWrite(r) && get(r, DISK) == disk) {
                used |= (get(r, EXTENT) >>> block & 1) != 0
                        ? 1 << label(r, block)
                        : 1 << get(r, COPIED_LABEL);
            }
        }
        for (int page = 0; page < state.layout.pages; page++) {
            for (int frame = 0; frame < state.page(page, FRAME_COUNT); frame++) {
                used |= 1 << state.cell(page, frame, disk * BLOCKS + block);
            }
        }
        int label = Integer.numberOfTrailingZeros(~used);
        if (label >= LABELS_MAX) {
            throw new TooLargeException("a block has more than " + LABELS_MAX
                    + " different contents at once");
        }
        return label;
    }
}
