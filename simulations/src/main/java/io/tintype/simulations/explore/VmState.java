package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.ABORTED;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.CANDIDATES_0;
import static io.tintype.simulations.explore.Layout.CANDIDATES_1;
import static io.tintype.simulations.explore.Layout.CONTENT_SHIFT;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.DELIVERED;
import static io.tintype.simulations.explore.Layout.DETACHED;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FRAME;
import static io.tintype.simulations.explore.Layout.FRAME_BITS;
import static io.tintype.simulations.explore.Layout.FROZEN;
import static io.tintype.simulations.explore.Layout.HELD_BIT;
import static io.tintype.simulations.explore.Layout.IN_CUT;
import static io.tintype.simulations.explore.Layout.KIND;
import static io.tintype.simulations.explore.Layout.LABELS;
import static io.tintype.simulations.explore.Layout.LABEL_BITS;
import static io.tintype.simulations.explore.Layout.LAYER_BITS;
import static io.tintype.simulations.explore.Layout.LIFE;
import static io.tintype.simulations.explore.Layout.MASK_0;
import static io.tintype.simulations.explore.Layout.MASK_1;
import static io.tintype.simulations.explore.Layout.MERGED;
import static io.tintype.simulations.explore.Layout.OVERLAYS;
import static io.tintype.simulations.explore.Layout.OWED;
import static io.tintype.simulations.explore.Layout.PAGES;
import static io.tintype.simulations.explore.Layout.ROLLED;
import static io.tintype.simulations.explore.Layout.SEALED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.SKIPS;
import static io.tintype.simulations.explore.Layout.STALE;
import static io.tintype.simulations.explore.Layout.STUNNED;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.VIEWS;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.Layout.set;

import io.tintype.simulations.explore.ExploreConfig.Kind;
import org.jspecify.annotations.Nullable;

/**
 * The state of one VM, see {@link Layout}, with names for its fields and for what follows from them. Everything here is read and
 * written in place; nothing here decides.
 *
 * <p>Contents are labels: each write has its own, and a block's labels are named anew as soon as one is gone, so that it does not
 * matter which write left what. What a block may show, to the ongoing guest and in each checkpoint, is a set of labels that
 * follows from what the guest issued and was told of, and from nothing else.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class VmState {
    private static final Kind[] KINDS = Kind.values();
    static final int READ = Kind.READ.ordinal();
    static final int FLUSH = Kind.FLUSH.ordinal();
    static final int FUA = Kind.FUA.ordinal();

    /** Hears what an act led to, in words; nobody does while a search is running. */
    interface Log {
        void note(String what);
    }

    /** A log that knows what the requests are called. */
    interface Names extends Log {
        String name(int io);

        void forget(int io);
    }

    final Layout layout;
    final long[] w;
    /** Whether labels may have come or gone since the last canonical form. */
    boolean areLabelsNew;
    @Nullable
    Log log;

    VmState(Layout layout) {
        this.layout = layout;
        w = new long[layout.words];
    }

    // Fields.

    // Fields.

    int global(int field) {
        return get(w[0], field);
    }

    void global(int field, int value) {
        w[0] = set(w[0], field, value);
    }

    long request(int io) {
        return w[layout.firstRequest + io];
    }

    void setRequest(int io, int field, int value) {
        w[layout.firstRequest + io] = set(w[layout.firstRequest + io], field, value);
    }

    long checkpoint(int c) {
        return w[layout.firstCheckpoint + 2 * c];
    }

    void setCheckpoint(int c, int field, int value) {
        int at = layout.firstCheckpoint + 2 * c;
        w[at] = set(w[at], field, value);
    }

    int disk(int disk, int field) {
        return get(w[layout.firstDisk + 2 * disk + 1], field);
    }

    void setDisk(int disk, int field, int value) {
        int at = layout.firstDisk + 2 * disk + 1;
        w[at] = set(w[at], field, value);
    }

    int page(int page, int field) {
        return get(w[layout.firstPage + page], field);
    }

    void setPage(int page, int field, int value) {
        int at = layout.firstPage + page;
        w[at] = set(w[at], field, value);
    }

    int cell(int page, int frame, int cell) {
        return (int) (w[layout.firstPage + page] >>> frame * FRAME_BITS + cell * LABEL_BITS & 7);
    }

    void setCell(int page, int frame, int cell, int label) {
        int at = layout.firstPage + page;
        int shift = frame * FRAME_BITS + cell * LABEL_BITS;
        w[at] = w[at] & ~(7L << shift) | (long) label << shift;
    }

    static int overlay(long k, int disk) {
        return get(k, OVERLAYS) >>> 2 * disk & 3;
    }

    void overlay(int c, int disk, int state) {
        int others = get(checkpoint(c), OVERLAYS) & ~(3 << 2 * disk);
        setCheckpoint(c, OVERLAYS, others | state << 2 * disk);
    }

    static int view(long k, int disk) {
        return get(k, VIEWS) >>> 2 * disk & 3;
    }

    static int frozen(long k, int page) {
        return get(k, FROZEN) >>> 3 * page & 7;
    }

    int mayShow(int c, int disk, int block) {
        return (int) (w[layout.firstCheckpoint + 2 * c + 1] >>> 8 * (disk * BLOCKS + block) & 255);
    }

    void mayShow(int c, int disk, int block, int labels) {
        int at = layout.firstCheckpoint + 2 * c + 1;
        int shift = 8 * (disk * BLOCKS + block);
        w[at] = w[at] & ~(255L << shift) | (long) labels << shift;
    }

    int writtenSince(int c, int disk, int block) {
        return (int) (w[layout.firstCheckpoint + 2 * c + 1] >>> 32 + 8 * (disk * BLOCKS + block)
                & 255);
    }

    void writtenSince(int c, int disk, int block, int labels) {
        int at = layout.firstCheckpoint + 2 * c + 1;
        int shift = 32 + 8 * (disk * BLOCKS + block);
        w[at] = w[at] & ~(255L << shift) | (long) labels << shift;
    }

    static int mask(int block) {
        return block == 0 ? MASK_0 : MASK_1;
    }

    int candidates(int disk, int block) {
        return disk(disk, block == 0 ? CANDIDATES_0 : CANDIDATES_1);
    }

    void candidates(int disk, int block, int labels) {
        setDisk(disk, block == 0 ? CANDIDATES_0 : CANDIDATES_1, labels);
    }

    static int label(long r, int block) {
        return get(r, LABELS) >>> LABEL_BITS * block & 7;
    }

    static Kind kind(long r) {
        return KINDS[get(r, KIND)];
    }

    // What follows from them.

    /** Whether it is a read whose buffer lies in the page, and something of it is left. */
    static boolean isReadInto(long r, int page) {
        return get(r, SETTLED) == 0 && get(r, KIND) == READ && (get(r, PAGES) >>> page & 1) != 0;
    }

    /** The word that has FRAME, OWED and COPIES of a read, for the page. */
    long target(int io, int page) {
        long r = request(io);
        return page == 1 && get(r, PAGES) == 3 ? w[layout.firstOther + io] : r;
    }

    void setTarget(int io, int page, int field, int value) {
        int at = page == 1 && get(request(io), PAGES) == 3
                ? layout.firstOther + io
                : layout.firstRequest + io;
        w[at] = set(w[at], field, value);
    }

    /** The disk in use by that name: each rollback brings others. */
    int diskInUse(int name) {
        return name + global(ROLLED);
    }

    boolean isInUse(int disk) {
        return layout.rollbacks == 0 || disk == global(ROLLED);
    }

    /** Whether it is one of the disks that the checkpoint is of. */
    boolean isOf(long k, int disk) {
        return layout.rollbacks == 0 || disk == get(k, LIFE);
    }

    /** How many disks there are so far. */
    int diskCount() {
        return layout.rollbacks == 0 ? layout.disks : 1 + global(ROLLED);
    }

    /** The layer that the layer's image points to. */
    int below(int disk, int layer) {
        return layer - 1 - (disk(disk, SKIPS) >>> 2 * (layer - 1) & 3);
    }

    /** Issued, not delivered, not detached. */
    static boolean isAwaited(long r) {
        return get(r, DELIVERED) == 0 && get(r, DETACHED) == 0 && get(r, SETTLED) == 0;
    }

    static boolean isWrite(long r) {
        int kind = get(r, KIND);
        return kind != READ && kind != FLUSH;
    }

    /** Stunned, and neither sealed nor aborted: its memory is looked at. */
    static boolean isLive(long k) {
        return get(k, STUNNED) != 0 && get(k, SEALED) == 0 && get(k, ABORTED) == 0;
    }

    /** Whether some request will write to the frame, or owes its bytes to it. */
    boolean isPinned(int page, int frame) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            if (isReadInto(request(i), page)) {
                long target = target(i, page);
                if (get(target, FRAME) == frame || (get(target, OWED) >>> frame & 1) != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whether the ongoing guest (-1), or the checkpoint's, waits for a read into the cell. */
    boolean isTarget(int page, int cell, int c) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (isReadInto(r, page)
                    && get(r, DISK) == cell / BLOCKS
                    && (get(r, EXTENT) >>> cell % BLOCKS & 1) != 0
                    && (c < 0 ? isAwaited(r) : (get(r, IN_CUT) >>> c & 1) != 0)) {
                return true;
            }
        }
        return false;
    }

    /** Whether the checkpoint's frame of the page has what the read promised for the block. */
    boolean hasBytes(int c, long r, int page, int block) {
        int disk = get(r, DISK);
        int shown = cell(page, frozen(checkpoint(c), page), disk * BLOCKS + block);
        int labels = get(r, mask(block)) & ~writtenSince(c, disk, block);
        return shown != STALE && (labels >>> shown & 1) != 0;
    }

    static boolean isMerged(long layers, int layer) {
        return layer > 0 && (get(layers, MERGED) >>> layer - 1 & 1) != 0;
    }

    /** The lowest layer that the layer's image stands for. */
    static int imageOf(long layers, int layer) {
        int image = layer;
        while (isMerged(layers, image)) {
            image--;
        }
        return image;
    }

    /** A bit for each layer whose image has the group. */
    int holds(int disk) {
        long layers = w[layout.firstDisk + 2 * disk];
        int top = disk(disk, TOP);
        int holds = 0;
        for (int layer = 0; layer <= top; layer++) {
            if ((layers >>> imageOf(layers, layer) * LAYER_BITS + HELD_BIT & 1) != 0) {
                holds |= 1 << layer;
            }
        }
        return holds;
    }

    /** What the layers up to this one show of a block; with other fields, what a crash would leave of it. */
    int content(int disk, int view, int block, int heldBit, int labelShift) {
        long layers = w[layout.firstDisk + 2 * disk];
        for (int layer = view; layer > 0; layer = below(disk, layer)) {
            int at = layer * LAYER_BITS;
            if ((layers >>> at + heldBit & 1) != 0) {
                return (int) (layers >>> at + labelShift + LABEL_BITS * block & 7);
            }
        }
        return (int) (layers >>> labelShift + LABEL_BITS * block & 7);
    }

    static long withLabel(long layers, int at, int label) {
        return layers & ~(7L << at) | (long) label << at;
    }

    int neededViews(int disk) {
        int views = 0;
        int begun = global(BEGUN);
        for (int c = 0; c < begun; c++) {
            long k = checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, ABORTED) == 0 && isOf(k, disk)) {
                views |= 1 << view(k, disk);
            }
        }
        return views;
    }

    // Words.

    // Words.

    /** A requests's number went; the story renames too. */
    void forgotten(int io) {
        if (log instanceof Names names) {
            names.forget(io);
        }
    }

    String name(int io) {
        return log instanceof Names names ? names.name(io) : "a request";
    }

    static String checkpointName(int c) {
        return "checkpoint " + (c + 1);
    }

    void note(String what, int io) {
        if (log != null) {
            log.note(what.contains("%s") ? what.replace("%s", name(io)) : what.formatted(io));
        }
    }

    void note(String what, String name) {
        if (log != null) {
            log.note(what.formatted(name));
        }
    }

    /** Which layers hold the group, and what they show: the labels of the two blocks. */
    String describeDisk(int disk) {
        long layers = w[layout.firstDisk + 2 * disk];
        var words = new StringBuilder();
        for (int layer = 0; layer <= disk(disk, TOP); layer++) {
            int at = layer * LAYER_BITS;
            words.append(layer == 0 ? "" : ", ").append("layer ").append(layer);
            if (isMerged(layers, layer)) {
                words.append(" committed");
            } else if ((layers >>> at + HELD_BIT & 1) == 0) {
                words.append(" empty");
            } else {
                words.append(": ").append((char) ('a' + (layers >>> at + CONTENT_SHIFT & 7)))
                        .append((char) ('a' + (layers >>> at + CONTENT_SHIFT + LABEL_BITS & 7)));
            }
        }
        return words.toString();
    }
}
