package io.tintype.simulations.explore;

/**
 * How one VM's state is packed into longs:
 *
 * <pre>
 * globals | a word for each request | two for each checkpoint | two for each disk | one for each page
 *         | with two pages: another word for each request
 * </pre>
 *
 * <p>A field is an int, {@code shift << 8 | width}; the JIT makes a shift and a mask of it. A part that is not in use is 0.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Layout {
    static final int LABEL_BITS = 3;
    /** Contents of a block are named 0 to 6, each block by itself; a set of them is a mask. */
    static final int LABELS_MAX = 7;
    /** In a cell of memory: what was there before the read in flight. */
    static final int STALE = 7;
    static final int FRAMES_MAX = 5;
    static final int LAYERS_MAX = 4;
    /** A disk has one group of so many blocks. */
    static final int BLOCKS = 2;

    // Globals.
    static final int PENDING = field(0, 24);
    static final int ISSUED = field(24, 3);
    static final int POLICY = field(27, 2);
    static final int FAULTS = field(29, 2);
    static final int RESETS = field(31, 2);
    static final int COMMITS = field(33, 2);
    static final int BEGUN = field(35, 2);
    /** The checkpoint that holds the guest stopped, plus one. */
    static final int STOPPED = field(37, 2);
    /** Requests that have a word. */
    static final int COUNT = field(39, 3);
    /** Rollbacks so far, which is the number of the disk in use: each brings another one. */
    static final int ROLLED = field(42, 1);

    // A request.
    static final int KIND = field(60, 3);
    /** Of a write with FUA: it has landed and is being made durable. */
    static final int SYNCING = field(0, 1);
    static final int DISK = field(1, 1);
    /** A bit for each block. */
    static final int EXTENT = field(2, 2);
    /** A bit for each page that a read's buffer lies in. */
    static final int PAGES = field(4, 2);
    static final int LAYER = field(6, 2);
    /** What the device does: see OP_ below. */
    static final int OP = field(8, 2);
    static final int REISSUE = field(10, 1);
    /** Blocks moved. */
    static final int PROGRESS = field(11, 2);
    /** Of a write: it is a fault of its group. Of a flush: it is of one layer only. */
    static final int SPECIAL = field(13, 1);
    static final int OP_LAYER = field(14, 2);
    static final int COPIED = field(16, 1);
    static final int COPIED_LABEL = field(17, 3);
    static final int DETACHED = field(20, 1);
    static final int DELIVERED = field(21, 1);
    static final int SETTLED = field(22, 1);
    /**
     * Of a read: the frame it is bound to, and a bit for each frame it owes, and below, those that the reissue reads into. Of a
     * buffer in two pages that is for page 0; for page 1 it stands in the request's other word, at the same bits.
     */
    static final int FRAME = field(24, 3);
    static final int OWED = field(27, 5);
    /** Of a write, instead: what it leaves in block 0 and 1. */
    static final int LABELS = field(24, 6);
    static final int COPIES = field(32, 5);
    /** A bit for each checkpoint: has to see it end; is to be told that it settled; saved its page without its bytes. */
    static final int IN_CUT = field(37, 3);
    static final int MESSAGE = field(40, 3);
    static final int BAD_SAVE = field(43, 3);
    /**
     * For block 0 and 1. Of a read or flush: what it may see. Of a write: what can not be seen any more once it has ended.
     */
    static final int MASK_0 = field(46, 7);
    static final int MASK_1 = field(53, 7);

    static final int OP_NONE = 0;
    static final int OP_RUNNING = 1;
    static final int OP_DONE = 2;
    static final int OP_FAILED = 3;

    // A checkpoint, first word.
    static final int PHASE = field(0, 16);
    /** Two bits a disk: see OVERLAY_ below. */
    static final int OVERLAYS = field(16, 4);
    static final int STUN_ASKED = field(20, 1);
    static final int ANSWER = field(21, 2);
    /** Requests that the answer names. */
    static final int ANSWER_IDS = field(23, 6);
    static final int PUT_OFF = field(29, 1);
    static final int SAVER = field(30, 2);
    static final int VISITED = field(32, 2);
    static final int SAVED = field(34, 2);
    static final int SYNC = field(36, 1);
    static final int MANIFEST = field(37, 1);
    static final int STUNNED = field(38, 1);
    static final int SEALED = field(39, 1);
    static final int ABORTED = field(40, 1);
    static final int RELEASED = field(41, 1);
    static final int STOP_SAVING = field(42, 1);
    /** What was saved is not what it has to be. */
    static final int BAD = field(43, 1);
    static final int OVER = field(44, 1);
    /** Two bits a disk: the layer that was on top. */
    static final int VIEWS = field(45, 4);
    /** Three bits a page: the frame it was mapped to. */
    static final int FROZEN = field(49, 6);
    /** {@link #ROLLED} when it began. */
    static final int LIFE = field(55, 1);
    /** Two bits a disk: what was on top when its overlay was made. */
    static final int PARENTS = field(56, 4);

    static final int OVERLAY_NONE = 0;
    static final int OVERLAY_BEING_MADE = 1;
    static final int OVERLAY_READY = 2;

    static final int ANSWER_NONE = 0;
    static final int ANSWER_RESUMED = 1;
    static final int ANSWER_HELD = 2;
    static final int ANSWER_CONFLICTED = 3;

    // A checkpoint, second word: eight bits for each of four blocks, twice.
    static final int MAY_SHOW = field(0, 32);
    static final int WRITTEN_SINCE = field(32, 32);

    // A disk, first word: a layer takes 14 bits, four of them 56.
    static final int LAYER_BITS = 14;
    static final int HELD_BIT = 0;
    static final int CONTENT_SHIFT = 1;
    static final int DURABLE_HELD_BIT = 7;
    static final int DURABLE_SHIFT = 8;
    /** A bit for each layer but the lowest: it was committed into the one below. */
    static final int MERGED = field(56, 3);
    /** The layer being committed, already copied into the one below; 0: none. */
    static final int COMMITTING = field(59, 2);

    // A disk, second word.
    static final int ORDER = field(0, 20);
    static final int TOP = field(20, 2);
    static final int CANDIDATES_0 = field(24, 8);
    static final int CANDIDATES_1 = field(32, 8);
    /** Two bits for each layer but the lowest: so many layers are between it and the one that it points to. */
    static final int SKIPS = field(40, 6);

    // A page: three bits for each of four cells of each frame.
    static final int CELLS_MAX = 4;
    static final int FRAME_BITS = CELLS_MAX * LABEL_BITS;
    static final int FRAME_COUNT = field(60, 3);
    /** The current frame is older than the last stun. */
    static final int IS_FROZEN = field(63, 1);

    final int requests;
    final int checkpoints;
    /** Those that rollbacks bring included. */
    final int disks;
    final int pages;
    final int rollbacks;
    final int firstRequest = 1;
    final int firstCheckpoint;
    final int firstDisk;
    final int firstPage;
    /** The requests' other words; only with two pages. */
    final int firstOther;
    final int words;

    Layout(ExploreConfig config) {
        requests = config.requests();
        checkpoints = config.checkpoints();
        disks = config.disks() * (1 + config.rollbacks());
        pages = config.pages();
        rollbacks = config.rollbacks();
        firstCheckpoint = firstRequest + requests;
        firstDisk = firstCheckpoint + 2 * checkpoints;
        firstPage = firstDisk + 2 * disks;
        firstOther = firstPage + pages;
        words = firstOther + (pages == 2 ? requests : 0);
    }

    private static int field(int shift, int width) {
        return shift << 8 | width;
    }

    static int get(long word, int field) {
        return (int) (word >>> (field >>> 8) & (1L << (field & 0xff)) - 1);
    }

    static long set(long word, int field, int value) {
        int shift = field >>> 8;
        long mask = (1L << (field & 0xff)) - 1;
        return word & ~(mask << shift) | (value & mask) << shift;
    }
}
