package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.COMMITS;
import static io.tintype.simulations.explore.Layout.COMMITTING;
import static io.tintype.simulations.explore.Layout.CONTENT_SHIFT;
import static io.tintype.simulations.explore.Layout.COPIED;
import static io.tintype.simulations.explore.Layout.COPIED_LABEL;
import static io.tintype.simulations.explore.Layout.COPIES;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.DURABLE_HELD_BIT;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FRAME;
import static io.tintype.simulations.explore.Layout.FRAMES_MAX;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.HELD_BIT;
import static io.tintype.simulations.explore.Layout.KIND;
import static io.tintype.simulations.explore.Layout.LABEL_BITS;
import static io.tintype.simulations.explore.Layout.LAYER_BITS;
import static io.tintype.simulations.explore.Layout.MERGED;
import static io.tintype.simulations.explore.Layout.OP;
import static io.tintype.simulations.explore.Layout.OP_DONE;
import static io.tintype.simulations.explore.Layout.OP_LAYER;
import static io.tintype.simulations.explore.Layout.OP_RUNNING;
import static io.tintype.simulations.explore.Layout.PROGRESS;
import static io.tintype.simulations.explore.Layout.REISSUE;
import static io.tintype.simulations.explore.Layout.RELEASED;
import static io.tintype.simulations.explore.Layout.SPECIAL;
import static io.tintype.simulations.explore.Layout.SYNCING;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.Layout.set;
import static io.tintype.simulations.explore.VmState.FLUSH;
import static io.tintype.simulations.explore.VmState.READ;
import static io.tintype.simulations.explore.VmState.checkpointName;
import static io.tintype.simulations.explore.VmState.frozen;
import static io.tintype.simulations.explore.VmState.imageOf;
import static io.tintype.simulations.explore.VmState.isLive;
import static io.tintype.simulations.explore.VmState.isReadInto;
import static io.tintype.simulations.explore.VmState.label;
import static io.tintype.simulations.explore.VmState.withLabel;

import io.tintype.scheduler.Rule;

/** What the devices do: they move blocks, between layers and frames, and layers as wholes. They know of no rule. */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Device {
    private final VmState state;
    private final boolean isR4On;

    Device(ExploreConfig config, VmState state) {
        this.state = state;
        isR4On = config.rules().on(Rule.R4);
    }

    void startOp(int io, int layer, int special) {
        clearOp(io);
        state.setRequest(io, OP, OP_RUNNING);
        state.setRequest(io, OP_LAYER, layer);
        state.setRequest(io, SPECIAL, special);
    }

    void clearOp(int io) {
        long r = state.request(io);
        state.w[state.layout.firstRequest + io] =
                set(set(set(set(r, PROGRESS, 0), COPIED, 0), COPIED_LABEL, 0), OP_LAYER, 0);
    }

    // The devices.

    void move(int io, int block) {
        long r = state.request(io);
        int kind = get(r, KIND);
        int disk = get(r, DISK);
        if (kind == FLUSH || get(r, SYNCING) != 0) {
            flush(disk, get(r, SPECIAL) != 0 ? get(r, OP_LAYER) : 0, get(r, OP_LAYER));
            ended(io);
            return;
        }
        state.areLabelsNew = true;
        if (kind == READ) {
            int label = state.content(disk, get(r, OP_LAYER), block, HELD_BIT, CONTENT_SHIFT);
            for (int page = 0; page < state.layout.pages; page++) {
                if (!isReadInto(r, page)) {
                    continue;
                }
                long target = state.target(io, page);
                int frames = get(r, REISSUE) != 0
                        ? get(target, COPIES)
                        : 1 << get(target, FRAME);
                for (int frame = 0; frame < FRAMES_MAX; frame++) {
                    if ((frames >>> frame & 1) != 0) {
                        writeCell(page, frame, disk * BLOCKS + block, label);
                    }
                }
            }
            moved(io, block);
            return;
        }
        if (!isR4On && get(r, SPECIAL) == 0 && get(r, OP_LAYER) != state.disk(disk, TOP)) {
            bindLate(io, disk);
            r = state.request(io);
            if (get(r, SPECIAL) != 0) {
                return;
            }
        }
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        int image = imageOf(layers, get(r, OP_LAYER));
        int at = image * LAYER_BITS;
        int extent = get(r, EXTENT);
        if (get(r, SPECIAL) == 0) {
            if ((layers >>> at + HELD_BIT & 1) == 0) {
                throw new Violation(Rule.R8,
                        state.name(io) + " was sent to a layer without its group");
            }
            state.w[state.layout.firstDisk + 2 * disk] =
                    withLabel(layers, at + CONTENT_SHIFT + LABEL_BITS * block, label(r, block));
            moved(io, block);
        } else if ((extent >>> block & 1) == 0) {
            state.setRequest(io, COPIED, 1);
            state.setRequest(io, COPIED_LABEL,
                    state.content(disk, state.below(disk, image), block, HELD_BIT, CONTENT_SHIFT));
        } else {
            for (int each = 0; each < BLOCKS; each++) {
                boolean isWritten = (extent >>> each & 1) != 0;
                layers = withLabel(layers, at + CONTENT_SHIFT + LABEL_BITS * each,
                        isWritten ? label(r, each) : get(r, COPIED_LABEL));
            }
            state.w[state.layout.firstDisk + 2 * disk] = layers | 1L << at + HELD_BIT;
            ended(io);
        }
    }

    /** R4 broken: the write goes to the layer that is on top when it runs, not to the one it was issued to. */
    private void bindLate(int io, int disk) {
        int top = state.disk(disk, TOP);
        state.setRequest(io, OP_LAYER, top);
        if ((state.holds(disk) >>> top & 1) == 0) {
            state.setRequest(io, SPECIAL, 1);
            state.setRequest(io, PROGRESS, 0);
            if (get(state.request(io), EXTENT) == 3) {
                state.setRequest(io, COPIED, 1);
            }
        }
    }

    private void moved(int io, int block) {
        long r = state.request(io);
        int progress = get(r, PROGRESS) | 1 << block;
        state.setRequest(io, PROGRESS, progress);
        if (progress == get(r, EXTENT)) {
            ended(io);
        }
    }

    private void ended(int io) {
        clearOp(io);
        state.setRequest(io, OP, OP_DONE);
    }

    void flush(int disk, int firstLayer, int lastLayer) {
        state.areLabelsNew = true;
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        for (int layer = firstLayer; layer <= lastLayer; layer++) {
            int at = layer * LAYER_BITS;
            long content = layers >>> at & 0x7f;
            layers = layers & ~(0x7fL << at + DURABLE_HELD_BIT) | content << at + DURABLE_HELD_BIT;
        }
        state.w[state.layout.firstDisk + 2 * disk] = layers;
    }

    /** A device, or a read's debt being paid, writes to memory: only where somebody waits for it. */
    void writeCell(int page, int frame, int cell, int label) {
        if (frame == state.page(page, FRAME_COUNT) - 1 && !state.isTarget(page, cell, -1)) {
            throw new Violation(Rule.R6, "page " + page + " of the running guest was written to, "
                    + "though it waits for no read into it");
        }
        int begun = state.global(BEGUN);
        for (int c = 0; c < begun; c++) {
            if (isLive(state.checkpoint(c)) && frozen(state.checkpoint(c), page) == frame
                    && get(state.checkpoint(c), RELEASED) == 0 && !state.isTarget(page, cell, c)) {
                throw new Violation(Rule.R7, "page " + page + " of " + checkpointName(c)
                        + " was written to after its instant, and not by a read of its own");
            }
        }
        state.setCell(page, frame, cell, label);
    }

    void commit(int disk, int layer) {
        state.global(COMMITS, state.global(COMMITS) + 1);
        state.areLabelsNew = true;
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        int from = layer * LAYER_BITS;
        int to = imageOf(layers, layer - 1) * LAYER_BITS;
        if ((layers >>> from + HELD_BIT & 1) != 0) {
            layers = layers & ~(0x7fL << to) | (layers >>> from & 0x7f) << to;
        }
        state.w[state.layout.firstDisk + 2 * disk] = set(layers, COMMITTING, layer);
    }

    void drop(int disk) {
        state.areLabelsNew = true;
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        int layer = get(layers, COMMITTING);
        int lower = imageOf(layers, layer - 1);
        flush(disk, lower, lower);
        layers = state.w[state.layout.firstDisk + 2 * disk] & ~(0x3fffL << layer * LAYER_BITS);
        layers = set(layers, MERGED, get(layers, MERGED) | 1 << layer - 1);
        state.w[state.layout.firstDisk + 2 * disk] = set(layers, COMMITTING, 0);
    }
}
