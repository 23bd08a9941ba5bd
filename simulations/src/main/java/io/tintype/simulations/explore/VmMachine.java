package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.ABORTED;
import static io.tintype.simulations.explore.Layout.ANSWER;
import static io.tintype.simulations.explore.Layout.ANSWER_CONFLICTED;
import static io.tintype.simulations.explore.Layout.ANSWER_HELD;
import static io.tintype.simulations.explore.Layout.ANSWER_IDS;
import static io.tintype.simulations.explore.Layout.ANSWER_NONE;
import static io.tintype.simulations.explore.Layout.ANSWER_RESUMED;
import static io.tintype.simulations.explore.Layout.BAD;
import static io.tintype.simulations.explore.Layout.BAD_SAVE;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.CANDIDATES_0;
import static io.tintype.simulations.explore.Layout.CANDIDATES_1;
import static io.tintype.simulations.explore.Layout.COMMITS;
import static io.tintype.simulations.explore.Layout.COMMITTING;
import static io.tintype.simulations.explore.Layout.CONTENT_SHIFT;
import static io.tintype.simulations.explore.Layout.COPIED;
import static io.tintype.simulations.explore.Layout.COPIED_LABEL;
import static io.tintype.simulations.explore.Layout.COPIES;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.DELIVERED;
import static io.tintype.simulations.explore.Layout.DETACHED;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.DURABLE_HELD_BIT;
import static io.tintype.simulations.explore.Layout.DURABLE_SHIFT;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FAULTS;
import static io.tintype.simulations.explore.Layout.FRAME;
import static io.tintype.simulations.explore.Layout.FRAMES_MAX;
import static io.tintype.simulations.explore.Layout.FRAME_BITS;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.FROZEN;
import static io.tintype.simulations.explore.Layout.HELD_BIT;
import static io.tintype.simulations.explore.Layout.IN_CUT;
import static io.tintype.simulations.explore.Layout.ISSUED;
import static io.tintype.simulations.explore.Layout.IS_FROZEN;
import static io.tintype.simulations.explore.Layout.KIND;
import static io.tintype.simulations.explore.Layout.LABELS;
import static io.tintype.simulations.explore.Layout.LABELS_MAX;
import static io.tintype.simulations.explore.Layout.LABEL_BITS;
import static io.tintype.simulations.explore.Layout.LAYER;
import static io.tintype.simulations.explore.Layout.LAYERS_MAX;
import static io.tintype.simulations.explore.Layout.LAYER_BITS;
import static io.tintype.simulations.explore.Layout.MANIFEST;
import static io.tintype.simulations.explore.Layout.MASK_0;
import static io.tintype.simulations.explore.Layout.MASK_1;
import static io.tintype.simulations.explore.Layout.MERGED;
import static io.tintype.simulations.explore.Layout.MESSAGE;
import static io.tintype.simulations.explore.Layout.OP;
import static io.tintype.simulations.explore.Layout.OP_DONE;
import static io.tintype.simulations.explore.Layout.OP_FAILED;
import static io.tintype.simulations.explore.Layout.OP_LAYER;
import static io.tintype.simulations.explore.Layout.OP_NONE;
import static io.tintype.simulations.explore.Layout.OP_RUNNING;
import static io.tintype.simulations.explore.Layout.ORDER;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OVERLAYS;
import static io.tintype.simulations.explore.Layout.OVERLAY_BEING_MADE;
import static io.tintype.simulations.explore.Layout.OVERLAY_NONE;
import static io.tintype.simulations.explore.Layout.OVERLAY_READY;
import static io.tintype.simulations.explore.Layout.OWED;
import static io.tintype.simulations.explore.Layout.PAGE;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.PHASE;
import static io.tintype.simulations.explore.Layout.POLICY;
import static io.tintype.simulations.explore.Layout.PROGRESS;
import static io.tintype.simulations.explore.Layout.PUT_OFF;
import static io.tintype.simulations.explore.Layout.REISSUE;
import static io.tintype.simulations.explore.Layout.RELEASED;
import static io.tintype.simulations.explore.Layout.RESETS;
import static io.tintype.simulations.explore.Layout.SAVED;
import static io.tintype.simulations.explore.Layout.SAVER;
import static io.tintype.simulations.explore.Layout.SEALED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.SPECIAL;
import static io.tintype.simulations.explore.Layout.STALE;
import static io.tintype.simulations.explore.Layout.STOPPED;
import static io.tintype.simulations.explore.Layout.STOP_SAVING;
import static io.tintype.simulations.explore.Layout.STUNNED;
import static io.tintype.simulations.explore.Layout.STUN_ASKED;
import static io.tintype.simulations.explore.Layout.SYNC;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.VIEWS;
import static io.tintype.simulations.explore.Layout.VISITED;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.Layout.set;

import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One VM, hosted the way the shells do it: it feeds the pure cores and does what they say. What the guest does and when, and in
 * which order everything else happens, are {@link Act}s for others to choose. It works on one state in place, see
 * {@link Layout}.
 *
 * <p>Contents are labels: each write has its own, and a block's labels are named anew as soon as one is gone, so that it does not
 * matter which write left what. What a block may show, to the ongoing guest and in each checkpoint, is a set of labels that
 * follows from what the guest issued and was told of, and from nothing else.
 *
 * <p>It verifies, at each act: what the ongoing disks show, and those of sealed checkpoints; that nobody writes to memory, ongoing
 * or frozen, but a read that the guest, or that checkpoint's guest, waits for; what each read delivers; that each completion comes
 * once and none after a reset; what a flush made durable; when a checkpoint is sealed, its memory, its disks, that they are durable and
 * that its requests have ended; that a deadline is heard, that no write waits and no frame is held for nobody's sake, and that there
 * always is a way on until all is done.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class VmMachine {
    private static final Kind[] KINDS = Kind.values();
    private static final int READ = Kind.READ.ordinal();
    private static final int FLUSH = Kind.FLUSH.ordinal();

    /** Hears what an act led to, in words; nobody does while a search is running. */
    interface Log {
        void note(String what);
    }

    private final ExploreConfig config;
    private final Cores cores;
    private final Layout layout;
    private final boolean isR4On;
    private final boolean isR7On;
    private final int emptyOrder;
    private final int[] idlePhases;
    private final int[] emptyPendings;
    /** The state. */
    final long[] w;
    private boolean areLabelsNew;
    @Nullable
    Log log;

    // Scratch.
    private final int[] renaming = new int[STALE + 1];

    VmMachine(ExploreConfig config, Cores cores) {
        this.config = config;
        this.cores = cores;
        layout = new Layout(config);
        isR4On = config.rules().on(Rule.R4);
        isR7On = config.rules().on(Rule.R7);
        emptyOrder = cores.emptyOrder();
        var policies = ExploreConfig.Policy.values();
        idlePhases = new int[policies.length];
        emptyPendings = new int[policies.length];
        for (int i = 0; i < policies.length; i++) {
            idlePhases[i] = cores.idlePhase(policies[i]);
            emptyPendings[i] = cores.emptyPending(policies[i]);
        }
        w = new long[layout.words];
    }

    int words() {
        return layout.words;
    }

    void start(ExploreConfig.Policy policy) {
        Arrays.fill(w, 0);
        global(POLICY, policy.ordinal());
        global(PENDING, emptyPendings[policy.ordinal()]);
        for (int disk = 0; disk < layout.disks; disk++) {
            w[layout.firstDisk + 2 * disk] = 1L << HELD_BIT | 1L << DURABLE_HELD_BIT;
            setDisk(disk, ORDER, emptyOrder);
            setDisk(disk, CANDIDATES_0, 1);
            setDisk(disk, CANDIDATES_1, 1);
        }
        for (int page = 0; page < layout.pages; page++) {
            setPage(page, FRAME_COUNT, 1);
        }
    }

    // The choices.

    /** Requests issued so far, and checkpoints begun. */
    int issuedCount() {
        return global(ISSUED);
    }

    int begunCount() {
        return global(BEGUN);
    }

    /**
     * Writes all acts that are possible now into {@code acts}; returns how many.
     *
     * @param mayIssue false if other VMs have used up the requests
     * @param mayBegin the same of checkpoints
     */
    int enumerate(int[] acts, boolean mayIssue, boolean mayBegin) {
        int n = 0;
        boolean runs = global(STOPPED) == 0;
        int count = global(COUNT);
        if (runs) {
            if (mayIssue) {
                n = enumerateIssues(acts, n);
            }
            for (int page = 0; page < layout.pages; page++) {
                if (page(page, IS_FROZEN) != 0 && isPinned(page, page(page, FRAME_COUNT) - 1)) {
                    acts[n++] = Act.of(Act.STORE, page);
                }
            }
            if (global(RESETS) < config.resets() && isAnyInFlight(count)) {
                acts[n++] = Act.of(Act.RESET, 0);
            }
        }
        boolean mayFail = global(FAULTS) < config.faults();
        n = enumerateDevices(acts, n, count, mayFail);
        n = enumerateCheckpoints(acts, n, mayFail, mayBegin);
        for (int disk = 0; disk < layout.disks; disk++) {
            int committing = get(w[layout.firstDisk + 2 * disk], COMMITTING);
            if (committing != 0) {
                acts[n++] = Act.of(Act.DROP, disk);
            } else if (global(COMMITS) < config.commits()) {
                for (int layer = 1; layer <= disk(disk, TOP); layer++) {
                    if (mayCommit(disk, layer)) {
                        acts[n++] = Act.of(Act.COMMIT, disk << 2 | layer);
                    }
                }
            }
        }
        return n;
    }

    private int enumerateIssues(int[] acts, int from) {
        int n = from;
        boolean isFirst = global(ISSUED) == 0 && global(BEGUN) == 0;
        int disks = isFirst ? 1 : layout.disks;
        int pages = isFirst ? 1 : layout.pages;
        for (var kind : config.kinds()) {
            for (int disk = 0; disk < disks; disk++) {
                if (kind == Kind.FLUSH) {
                    acts[n++] = issue(kind, disk, 0, 0);
                    continue;
                }
                // While the blocks of a group are alike it does not matter which of them is meant.
                boolean isOneEnough = areBlocksAlike(disk);
                for (int extent = 1; extent <= 3; extent++) {
                    if (extent == 2 && isOneEnough) {
                        continue;
                    }
                    if (kind != Kind.READ) {
                        acts[n++] = issue(kind, disk, extent, 0);
                        continue;
                    }
                    for (int page = 0; page < pages; page++) {
                        if (!isBufferInUse(page, disk, extent)) {
                            acts[n++] = issue(kind, disk, extent, page);
                        }
                    }
                }
            }
        }
        return n;
    }

    private static int issue(Kind kind, int disk, int extent, int page) {
        return Act.of(Act.ISSUE, kind.ordinal() << 4 | disk << 3 | extent << 1 | page);
    }

    private boolean areBlocksAlike(int disk) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, DISK) == disk
                    && (get(r, KIND) == FLUSH
                            ? get(r, MASK_0) != get(r, MASK_1)
                            : get(r, EXTENT) != 3 || get(r, MASK_0) != get(r, MASK_1)
                                    || get(r, PROGRESS) != 0 || get(r, COPIED) != 0
                                    || (get(r, KIND) != READ
                                            && get(r, LABELS) % 8 != get(r, LABELS) / 8))) {
                return false;
            }
        }
        if (disk(disk, CANDIDATES_0) != disk(disk, CANDIDATES_1)) {
            return false;
        }
        long layers = w[layout.firstDisk + 2 * disk];
        for (int layer = 0; layer <= disk(disk, TOP); layer++) {
            int at = layer * LAYER_BITS;
            if ((layers >>> at + CONTENT_SHIFT & 7) != (layers >>> at + CONTENT_SHIFT + 3 & 7)
                    || (layers >>> at + DURABLE_SHIFT & 7) != (layers >>> at + DURABLE_SHIFT + 3
                            & 7)) {
                return false;
            }
        }
        int cell = disk * BLOCKS;
        for (int checkpoint = 0; checkpoint < global(BEGUN); checkpoint++) {
            long sets = w[layout.firstCheckpoint + 2 * checkpoint + 1];
            if ((sets >>> 8 * cell & 255) != (sets >>> 8 * cell + 8 & 255)
                    || (sets >>> 32 + 8 * cell & 255) != (sets >>> 40 + 8 * cell & 255)) {
                return false;
            }
        }
        for (int page = 0; page < layout.pages; page++) {
            int frames = page(page, FRAME_COUNT);
            for (int frame = 0; frame < frames; frame++) {
                if (cell(page, frame, cell) != cell(page, frame, cell + 1)) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean isBufferInUse(int page, int disk, int extent) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (isAwaited(r) && get(r, KIND) == READ && get(r, PAGE) == page
                    && get(r, DISK) == disk && (get(r, EXTENT) & extent) != 0) {
                return true;
            }
        }
        return false;
    }

    private boolean isAnyInFlight(int count) {
        for (int i = 0; i < count; i++) {
            if (isAwaited(request(i))) {
                return true;
            }
        }
        return false;
    }

    private int enumerateDevices(int[] acts, int from, int count, boolean mayFail) {
        int n = from;
        for (int i = 0; i < count; i++) {
            long r = request(i);
            int op = get(r, OP);
            if (op == OP_NONE) {
                continue;
            }
            if (op != OP_RUNNING) {
                acts[n++] = Act.of(Act.REPORT, i);
                if (op == OP_DONE && mayFail) {
                    acts[n++] = Act.of(Act.FAIL, i);
                }
                continue;
            }
            if (mayFail) {
                acts[n++] = Act.of(Act.FAIL, i);
            }
            int kind = get(r, KIND);
            int extent = get(r, EXTENT);
            if (kind == FLUSH) {
                acts[n++] = Act.of(Act.MOVE, i << 1);
            } else if (kind != READ && get(r, SPECIAL) != 0) {
                if (extent == 3) {
                    acts[n++] = Act.of(Act.MOVE, i << 1);
                } else {
                    // The other block is copied first, then this one is written and both become visible.
                    int block = extent - 1;
                    acts[n++] = Act.of(Act.MOVE,
                            i << 1 | (get(r, COPIED) != 0 ? block : 1 - block));
                }
            } else {
                for (int block = 0; block < BLOCKS; block++) {
                    if ((extent & ~get(r, PROGRESS) & 1 << block) != 0) {
                        acts[n++] = Act.of(Act.MOVE, i << 1 | block);
                    }
                }
            }
        }
        return n;
    }

    private int enumerateCheckpoints(int[] acts, int from, boolean mayFail, boolean mayBegin) {
        int n = from;
        int begun = global(BEGUN);
        boolean areOverlaysFree = true;
        for (int c = 0; c < begun; c++) {
            long k = checkpoint(c);
            if (get(k, OVER) != 0) {
                continue;
            }
            int phase = get(k, PHASE);
            areOverlaysFree &= !cores.ownsOverlays(phase);
            for (int disk = 0; disk < layout.disks; disk++) {
                if (overlay(k, disk) == OVERLAY_BEING_MADE) {
                    acts[n++] = Act.of(Act.OVERLAY, c << 1 | disk);
                    if (mayFail) {
                        acts[n++] = Act.of(Act.OVERLAY_FAILED, c << 1 | disk);
                    }
                }
            }
            if (get(k, STUN_ASKED) != 0 && global(STOPPED) == 0) {
                acts[n++] = Act.of(Act.STUN, c);
            }
            if (get(k, ANSWER) != ANSWER_NONE) {
                acts[n++] = Act.of(Act.ANSWER, c);
            }
            if (get(k, PUT_OFF) != 0 && !cores.hasConflict(global(PENDING))) {
                acts[n++] = Act.of(Act.CONFLICT_OVER, c);
            }
            n = enumerateSaving(acts, n, c, k, mayFail);
            if (get(k, SYNC) != 0) {
                acts[n++] = Act.of(Act.SYNCED, c);
                if (mayFail) {
                    acts[n++] = Act.of(Act.SYNC_FAILED, c);
                }
            }
            if (get(k, MANIFEST) != 0) {
                acts[n++] = Act.of(Act.MANIFEST, c);
                if (mayFail) {
                    acts[n++] = Act.of(Act.MANIFEST_FAILED, c);
                }
            } else if (get(k, ABORTED) == 0) {
                acts[n++] = Act.of(Act.DEADLINE, c);
            }
        }
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            int messages = get(request(i), MESSAGE);
            for (int c = 0; c < begun; c++) {
                if ((messages >>> c & 1) != 0) {
                    acts[n++] = Act.of(Act.SETTLED, c << 3 | i);
                }
            }
        }
        if (mayBegin && areOverlaysFree && begun < config.checkpoints()) {
            acts[n++] = Act.of(Act.BEGIN, 0);
        }
        return n;
    }

    private int enumerateSaving(int[] acts, int from, int c, long k, boolean mayFail) {
        int n = from;
        if (get(k, SAVER) == 0) {
            return n;
        }
        boolean isDone = true;
        if (get(k, STOP_SAVING) == 0) {
            for (int page = 0; page < layout.pages; page++) {
                if ((get(k, VISITED) >>> page & 1) == 0) {
                    acts[n++] = Act.of(Act.SAVE, c << 1 | page);
                    isDone = false;
                }
            }
            if (mayFail) {
                acts[n++] = Act.of(Act.SAVE_FAILED, c);
            }
        }
        if (isDone) {
            acts[n++] = Act.of(Act.SAVED, c);
        }
        return n;
    }

    /** Nobody shows the lower image without this layer, and what is in flight allows it. */
    private boolean mayCommit(int disk, int layer) {
        long layers = w[layout.firstDisk + 2 * disk];
        if (isMerged(layers, layer)) {
            return false;
        }
        int top = disk(disk, TOP);
        int lowerFirst = imageOf(layers, layer - 1);
        int last = layer;
        while (last < top && isMerged(layers, last + 1)) {
            last++;
        }
        int needed = neededViews(disk);
        int between = (1 << layer) - (1 << lowerFirst);
        return (needed & between) == 0 && cores.mayCommit(disk(disk, ORDER), last, lowerFirst);
    }

    // What happens.

    /** Does it, brings the state into its canonical form, and verifies. */
    void apply(int act) {
        areLabelsNew = false;
        int arguments = Act.arguments(act);
        switch (Act.what(act)) {
            case Act.ISSUE -> issue(arguments >>> 4, arguments >>> 3 & 1, arguments >>> 1 & 3,
                    arguments & 1);
            case Act.STORE -> privateFrame(arguments);
            case Act.RESET -> reset();
            case Act.BEGIN -> begin();
            case Act.COMMIT -> commit(arguments >>> 2, arguments & 3);
            case Act.DEADLINE -> deadline(arguments);
            case Act.FAIL -> {
                fault();
                setRequest(arguments, OP, OP_FAILED);
                clearOp(arguments);
            }
            case Act.OVERLAY_FAILED -> {
                fault();
                int c = arguments >>> 1;
                overlay(c, arguments & 1, OVERLAY_NONE);
                told(c, Cores.OVERLAY_FAILED | arguments & 1);
            }
            case Act.SAVE_FAILED -> {
                fault();
                setCheckpoint(arguments, SAVER, 0);
                setCheckpoint(arguments, VISITED, 0);
                told(arguments, Cores.SAVE_FAILED);
            }
            case Act.SYNC_FAILED -> {
                fault();
                setCheckpoint(arguments, SYNC, 0);
                told(arguments, Cores.SYNC_FAILED);
            }
            case Act.MANIFEST_FAILED -> {
                fault();
                setCheckpoint(arguments, MANIFEST, 0);
                told(arguments, Cores.MANIFEST_FAILED);
            }
            case Act.MOVE -> move(arguments >>> 1, arguments & 1);
            case Act.REPORT -> report(arguments);
            case Act.OVERLAY -> {
                int c = arguments >>> 1;
                overlay(c, arguments & 1, OVERLAY_READY);
                told(c, Cores.OVERLAY_READY | arguments & 1);
            }
            case Act.STUN -> stun(arguments);
            case Act.ANSWER -> answer(arguments);
            case Act.SETTLED -> {
                int io = arguments & 7;
                int c = arguments >>> 3;
                setRequest(io, MESSAGE, get(request(io), MESSAGE) & ~(1 << c));
                told(c, Cores.IO_SETTLED | io);
            }
            case Act.SAVE -> save(arguments >>> 1, arguments & 1);
            case Act.SAVED -> saved(arguments);
            case Act.SYNCED -> synced(arguments);
            case Act.MANIFEST -> {
                setCheckpoint(arguments, MANIFEST, 0);
                told(arguments, Cores.MANIFEST_WRITTEN);
            }
            case Act.CONFLICT_OVER -> {
                setCheckpoint(arguments, PUT_OFF, 0);
                told(arguments, Cores.CONFLICT_OVER);
            }
            case Act.DROP -> drop(arguments);
            default -> throw new IllegalArgumentException("act " + act);
        }
        canonical();
        verify();
    }

    private void fault() {
        global(FAULTS, global(FAULTS) + 1);
    }

    // The guest.

    private void issue(int kind, int disk, int extent, int page) {
        int io = global(COUNT);
        global(COUNT, io + 1);
        global(ISSUED, global(ISSUED) + 1);
        int layer = disk(disk, TOP);
        long r = set(set(set(set(0, KIND, kind), DISK, disk), EXTENT, extent), LAYER, layer);
        if (kind == READ) {
            // R7: a private frame before anything is told of the read.
            if (isR7On && page(page, IS_FROZEN) != 0) {
                privateFrame(page);
            }
            int frame = page(page, FRAME_COUNT) - 1;
            r = set(set(r, PAGE, page), FRAME, frame);
            for (int block = 0; block < BLOCKS; block++) {
                if ((extent >>> block & 1) != 0) {
                    setCell(page, frame, disk * BLOCKS + block, STALE);
                    r = set(r, mask(block), candidates(disk, block));
                }
            }
        } else if (kind == FLUSH) {
            r = set(set(r, MASK_0, candidates(disk, 0)), MASK_1, candidates(disk, 1));
        } else {
            areLabelsNew = true;
            int labels = 0;
            for (int block = 0; block < BLOCKS; block++) {
                if ((extent >>> block & 1) == 0) {
                    continue;
                }
                int label = unusedLabel(disk, block);
                labels |= label << LABEL_BITS * block;
                int ended = candidates(disk, block) & ~inFlight(disk, block);
                r = set(r, mask(block), ended);
                written(disk, block, label);
            }
            r = set(r, LABELS, labels);
        }
        w[layout.firstRequest + io] = r;
        tellPending(Cores.issued(io, kind, disk, extent, page,
                kind == READ ? get(r, FRAME) : 0));
        tellDisk(disk, Cores.submit(io, kind, layer, extent));
    }

    private static int mask(int block) {
        return block == 0 ? MASK_0 : MASK_1;
    }

    private int candidates(int disk, int block) {
        return disk(disk, block == 0 ? CANDIDATES_0 : CANDIDATES_1);
    }

    private void candidates(int disk, int block, int labels) {
        setDisk(disk, block == 0 ? CANDIDATES_0 : CANDIDATES_1, labels);
    }

    /** From now on the block may show the label: to the ongoing guest, and to what it waits for. */
    private void written(int disk, int block, int label) {
        int bit = 1 << label;
        candidates(disk, block, candidates(disk, block) | bit);
        int count = global(COUNT) - 1;
        for (int i = 0; i < count; i++) {
            long r = request(i);
            boolean looks = get(r, KIND) == READ || get(r, KIND) == FLUSH;
            if (looks && isAwaited(r) && get(r, DISK) == disk
                    && (get(r, KIND) == FLUSH || (get(r, EXTENT) >>> block & 1) != 0)) {
                setRequest(i, mask(block), get(r, mask(block)) | bit);
            }
        }
        int begun = global(BEGUN);
        for (int c = 0; c < begun; c++) {
            if (isLive(checkpoint(c))) {
                writtenSince(c, disk, block, writtenSince(c, disk, block) | bit);
            }
        }
    }

    /** Labels of writes to the block that the guest waits for. */
    private int inFlight(int disk, int block) {
        int labels = 0;
        int count = global(COUNT) - 1;
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (isAwaited(r) && isWrite(r) && get(r, DISK) == disk
                    && (get(r, EXTENT) >>> block & 1) != 0) {
                labels |= 1 << label(r, block);
            }
        }
        return labels;
    }

    /** Issued, not delivered, not detached. */
    private static boolean isAwaited(long r) {
        return get(r, DELIVERED) == 0 && get(r, DETACHED) == 0 && get(r, SETTLED) == 0;
    }

    private static boolean isWrite(long r) {
        int kind = get(r, KIND);
        return kind != READ && kind != FLUSH;
    }

    private static int label(long r, int block) {
        return get(r, LABELS) >>> LABEL_BITS * block & 7;
    }

    /** A store or a new read: the page becomes the ongoing guest's own. */
    private void privateFrame(int page) {
        int old = page(page, FRAME_COUNT) - 1;
        copyFrame(page);
        note("page %d is copied", page);
        if (isPinned(page, old)) {
            tellPending(Cores.copied(page, old, old + 1));
        }
    }

    /** The current frame's copy becomes the current one. */
    private void copyFrame(int page) {
        int count = page(page, FRAME_COUNT);
        if (count == FRAMES_MAX) {
            throw new Violation(Rule.R15, "page " + page + " has " + count
                    + " frames at once: more than checkpoints and requests account for");
        }
        setPage(page, FRAME_COUNT, count + 1);
        for (int cell = 0; cell < layout.disks * BLOCKS; cell++) {
            setCell(page, count, cell, cell(page, count - 1, cell));
        }
        setPage(page, IS_FROZEN, 0);
    }

    /** Whether some request will write to the frame, or owes its bytes to it. */
    private boolean isPinned(int page, int frame) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, KIND) == READ && get(r, PAGE) == page
                    && (get(r, FRAME) == frame || (get(r, OWED) >>> frame & 1) != 0)) {
                return true;
            }
        }
        return false;
    }

    private void reset() {
        global(RESETS, global(RESETS) + 1);
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            if (isAwaited(request(i))) {
                setRequest(i, DETACHED, 1);
            }
        }
        tellPending(Cores.DETACHED);
        for (int disk = 0; disk < layout.disks; disk++) {
            tellDisk(disk, Cores.RESET);
        }
    }

    private void deliver(int io, boolean isOk) {
        long r = request(io);
        if (get(r, DETACHED) != 0) {
            throw new Violation(Rule.R17, name(io) + " completed after a reset");
        }
        if (get(r, DELIVERED) != 0) {
            throw new Violation(Rule.R11, name(io) + " completed twice");
        }
        setRequest(io, DELIVERED, 1);
        note("%s is delivered " + (isOk ? "" : "as failed"), io);
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
                int shown = cell(page, page(page, FRAME_COUNT) - 1, disk * BLOCKS + block);
                if (shown == STALE) {
                    throw new Violation(Rule.R11, name(io) + " was delivered, but the guest's page "
                            + page + " has not got the bytes of block " + block);
                }
                verifyWhole(io, r, block, shown);
                if ((labels >>> shown & 1) == 0) {
                    throw new Violation(Rule.R5, name(io) + " delivered what block " + block
                            + " could not show any more");
                }
            } else if (kind == FLUSH) {
                int kept = content(disk, disk(disk, TOP), block, DURABLE_HELD_BIT, DURABLE_SHIFT);
                if ((labels >>> kept & 1) == 0) {
                    throw new Violation(Rule.R13, name(io) + " completed, but a crash would undo a "
                            + "write of block " + block + " that completed before it");
                }
            } else if (kind != READ && isMeant) {
                areLabelsNew = true;
                candidates(disk, block, candidates(disk, block) & ~labels);
            }
        }
    }

    /**
     * R9: each copy of a page gets what the read landed first. A copy with later bytes, even with legal ones, would tear a block
     * that lies across two pages, of which only one was copied.
     */
    private void verifyWhole(int io, long r, int block, int shown) {
        int landed = cell(get(r, PAGE), get(r, FRAME), get(r, DISK) * BLOCKS + block);
        if (shown != landed) {
            throw new Violation(Rule.R9, "the copy of a page got other bytes of " + name(io)
                    + " than landed first: block " + block + ", were it across two pages, is torn");
        }
    }

    private void settled(int io, boolean isOk, PendingSet.Output.Settled settled) {
        long r = request(io);
        if (get(r, DELIVERED) == 0 && get(r, DETACHED) == 0) {
            throw new Violation(Rule.R11, name(io) + " is gone and was never delivered");
        }
        int inCut = get(r, IN_CUT);
        int messages = 0;
        for (long c : settled.checkpoints()) {
            messages |= 1 << c;
        }
        int disk = get(r, DISK);
        int extent = get(r, EXTENT);
        int begun = global(BEGUN);
        for (int c = 0; c < begun; c++) {
            if ((inCut >>> c & 1) == 0 || !isLive(checkpoint(c))) {
                continue;
            }
            if ((messages >>> c & 1) == 0) {
                throw new Violation(Rule.R11, checkpointName(c) + " is not told that " + name(io)
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
                    boolean isSaved = (get(checkpoint(c), SAVED) >>> page & 1) != 0;
                    if (!isSaved && hasBytes(c, r, block)) {
                        verifyWhole(io, r, block, cell(page, frozen(checkpoint(c), page),
                                disk * BLOCKS + block));
                    }
                    if (isSaved
                            ? (get(r, BAD_SAVE) >>> c & 1) != 0
                            : !hasBytes(c, r, block)) {
                        setCheckpoint(c, BAD, 1);
                    }
                } else {
                    areLabelsNew = true;
                    mayShow(c, disk, block, mayShow(c, disk, block) & ~get(r, mask(block)));
                }
            }
        }
        for (int c = 0; c < begun; c++) {
            if (get(checkpoint(c), OVER) != 0) {
                messages &= ~(1 << c);
            }
        }
        // Nothing is left of it but what is on the way to the checkpoints.
        w[layout.firstRequest + io] = set(set(0, SETTLED, 1), MESSAGE, messages);
        areLabelsNew = true;
    }

    /** Whether the checkpoint's frame has what the read promised for the block. */
    private boolean hasBytes(int c, long r, int block) {
        int page = get(r, PAGE);
        int disk = get(r, DISK);
        int shown = cell(page, frozen(checkpoint(c), page), disk * BLOCKS + block);
        int labels = get(r, mask(block)) & ~writtenSince(c, disk, block);
        return shown != STALE && (labels >>> shown & 1) != 0;
    }

    // The strand: carries out what the cores say.

    private void tellPending(int input) {
        global(PENDING, cores.stepPending(global(PENDING), input));
        for (var output : cores.pendingOutputs()) {
            switch (output) {
                case PendingSet.Output.Pay(var ioId, var from, var to, var offset, var cells) -> {
                    note("its bytes are copied to the other frame of the page, for %s", (int) ioId);
                    int page = from / Cores.FRAMES_A_PAGE;
                    for (int cell = offset; cell < offset + cells; cell++) {
                        writeCell(page, to % Cores.FRAMES_A_PAGE, cell,
                                cell(page, from % Cores.FRAMES_A_PAGE, cell));
                    }
                }
                case PendingSet.Output.Owe(var ioId, var frame) -> {
                    note("%s owes its bytes to the copy", (int) ioId);
                    long r = request((int) ioId);
                    setRequest((int) ioId, OWED,
                            get(r, OWED) | 1 << frame % Cores.FRAMES_A_PAGE);
                }
                case PendingSet.Output.Forgive(var ioId, var frame) -> {
                    note("%s owes nothing more to a copy that nobody shows", (int) ioId);
                    long r = request((int) ioId);
                    int bit = 1 << frame % Cores.FRAMES_A_PAGE;
                    if ((get(r, OWED) & bit) == 0) {
                        throw new Violation(Rule.R6, name((int) ioId)
                                + " was forgiven what it did not owe");
                    }
                    setRequest((int) ioId, OWED, get(r, OWED) & ~bit);
                }
                case PendingSet.Output.Reissue(var ioId, var copies) -> {
                    note("%s is issued again, for the copies", (int) ioId);
                    int io = (int) ioId;
                    int frames = 0;
                    for (var copy : copies) {
                        frames |= 1 << copy.frame() % Cores.FRAMES_A_PAGE;
                    }
                    setRequest(io, COPIES, frames);
                    setRequest(io, REISSUE, 1);
                    long r = request(io);
                    tellDisk(get(r, DISK),
                            Cores.submit(io, READ, get(r, LAYER), get(r, EXTENT)));
                }
                case PendingSet.Output.Deliver(var ioId, var status) ->
                    deliver((int) ioId, status == IoStatus.OK);
                case PendingSet.Output.Settled settled ->
                    settled((int) settled.ioId(), settled.status() == IoStatus.OK, settled);
                case PendingSet.Output.CopyTarget(_, var page, var frame) -> {
                    int current = page(page, FRAME_COUNT) - 1;
                    if (current == frame % Cores.FRAMES_A_PAGE) {
                        note("page %d is copied, for the guest to have its own", page);
                        copyFrame(page);
                        tellPending(Cores.copied(page, current, current + 1));
                    }
                }
            }
        }
    }

    private void tellDisk(int disk, int input) {
        setDisk(disk, ORDER, cores.stepOrder(disk(disk, ORDER), input, holds(disk)));
        for (var output : cores.orderOutputs()) {
            switch (output) {
                case DiskOrder.Output.StartRead(var ioId, var view) ->
                    startOp((int) ioId, view, 0);
                case DiskOrder.Output.StartFlush(var ioId, var view) ->
                    startOp((int) ioId, view, 0);
                case DiskOrder.Output.StartSync(var ioId, var layer) ->
                    startOp((int) ioId, layer, 1);
                case DiskOrder.Output.StartWrite(var ioId, var layer, _) -> {
                    note("%s starts", (int) ioId);
                    startOp((int) ioId, layer, 0);
                }
                case DiskOrder.Output.StartFault(var ioId, var layer, _) -> {
                    note("%s starts, with a copy of its group", (int) ioId);
                    startOp((int) ioId, layer, 1);
                }
                case DiskOrder.Output.Delayed(var ioId, _) ->
                    note("%s has to wait for a write to a lower layer", (int) ioId);
                case DiskOrder.Output.Complete(var ioId, var status) -> {
                    int io = (int) ioId;
                    boolean isOk = status == IoStatus.OK;
                    setRequest(io, OP, OP_NONE);
                    boolean isReissue = get(request(io), REISSUE) != 0;
                    setRequest(io, REISSUE, 0);
                    setRequest(io, COPIES, 0);
                    tellPending(Cores.withStatus(isReissue ? Cores.REISSUED : Cores.LANDED, io,
                            isOk));
                }
            }
        }
    }

    private void startOp(int io, int layer, int special) {
        clearOp(io);
        setRequest(io, OP, OP_RUNNING);
        setRequest(io, OP_LAYER, layer);
        setRequest(io, SPECIAL, special);
    }

    private void clearOp(int io) {
        long r = request(io);
        w[layout.firstRequest + io] =
                set(set(set(set(r, PROGRESS, 0), COPIED, 0), COPIED_LABEL, 0), OP_LAYER, 0);
    }

    /** A bit for each layer whose image has the group. */
    private int holds(int disk) {
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

    private static boolean isMerged(long layers, int layer) {
        return layer > 0 && (get(layers, MERGED) >>> layer - 1 & 1) != 0;
    }

    /** The lowest layer that the layer's image stands for. */
    private static int imageOf(long layers, int layer) {
        int image = layer;
        while (isMerged(layers, image)) {
            image--;
        }
        return image;
    }

    // The devices.

    private void move(int io, int block) {
        long r = request(io);
        int kind = get(r, KIND);
        int disk = get(r, DISK);
        if (kind == FLUSH) {
            flush(disk, get(r, SPECIAL) != 0 ? get(r, OP_LAYER) : 0, get(r, OP_LAYER));
            ended(io);
            return;
        }
        areLabelsNew = true;
        if (kind == READ) {
            int label = content(disk, get(r, OP_LAYER), block, HELD_BIT, CONTENT_SHIFT);
            int page = get(r, PAGE);
            int frames = get(r, REISSUE) != 0 ? get(r, COPIES) : 1 << get(r, FRAME);
            for (int frame = 0; frame < FRAMES_MAX; frame++) {
                if ((frames >>> frame & 1) != 0) {
                    writeCell(page, frame, disk * BLOCKS + block, label);
                }
            }
            moved(io, block);
            return;
        }
        if (!isR4On && get(r, SPECIAL) == 0 && get(r, OP_LAYER) != disk(disk, TOP)) {
            bindLate(io, disk);
            r = request(io);
            if (get(r, SPECIAL) != 0) {
                return;
            }
        }
        long layers = w[layout.firstDisk + 2 * disk];
        int image = imageOf(layers, get(r, OP_LAYER));
        int at = image * LAYER_BITS;
        int extent = get(r, EXTENT);
        if (get(r, SPECIAL) == 0) {
            if ((layers >>> at + HELD_BIT & 1) == 0) {
                throw new Violation(Rule.R8, name(io) + " was sent to a layer without its group");
            }
            w[layout.firstDisk + 2 * disk] =
                    withLabel(layers, at + CONTENT_SHIFT + LABEL_BITS * block, label(r, block));
            moved(io, block);
        } else if ((extent >>> block & 1) == 0) {
            setRequest(io, COPIED, 1);
            setRequest(io, COPIED_LABEL,
                    content(disk, image - 1, block, HELD_BIT, CONTENT_SHIFT));
        } else {
            for (int each = 0; each < BLOCKS; each++) {
                boolean isWritten = (extent >>> each & 1) != 0;
                layers = withLabel(layers, at + CONTENT_SHIFT + LABEL_BITS * each,
                        isWritten ? label(r, each) : get(r, COPIED_LABEL));
            }
            w[layout.firstDisk + 2 * disk] = layers | 1L << at + HELD_BIT;
            ended(io);
        }
    }

    /** R4 broken: the write goes to the layer that is on top when it runs, not to the one it was issued to. */
    private void bindLate(int io, int disk) {
        int top = disk(disk, TOP);
        setRequest(io, OP_LAYER, top);
        if ((holds(disk) >>> top & 1) == 0) {
            setRequest(io, SPECIAL, 1);
            setRequest(io, PROGRESS, 0);
            if (get(request(io), EXTENT) == 3) {
                setRequest(io, COPIED, 1);
            }
        }
    }

    private static long withLabel(long layers, int at, int label) {
        return layers & ~(7L << at) | (long) label << at;
    }

    private void moved(int io, int block) {
        long r = request(io);
        int progress = get(r, PROGRESS) | 1 << block;
        setRequest(io, PROGRESS, progress);
        if (progress == get(r, EXTENT)) {
            ended(io);
        }
    }

    private void ended(int io) {
        clearOp(io);
        setRequest(io, OP, OP_DONE);
    }

    private void report(int io) {
        long r = request(io);
        boolean isOk = get(r, OP) == OP_DONE;
        setRequest(io, OP, OP_NONE);
        int arguments = io << 1 | (isOk ? 1 : 0);
        tellDisk(get(r, DISK),
                Cores.onOrder(isWrite(r) ? Cores.PART_DONE : Cores.DONE, arguments));
    }

    /** What the layers up to this one show of a block; with other fields, what a crash would leave of it. */
    private int content(int disk, int view, int block, int heldBit, int labelShift) {
        long layers = w[layout.firstDisk + 2 * disk];
        for (int layer = view; layer > 0; layer--) {
            int at = layer * LAYER_BITS;
            if ((layers >>> at + heldBit & 1) != 0) {
                return (int) (layers >>> at + labelShift + LABEL_BITS * block & 7);
            }
        }
        return (int) (layers >>> labelShift + LABEL_BITS * block & 7);
    }

    private void flush(int disk, int firstLayer, int lastLayer) {
        areLabelsNew = true;
        long layers = w[layout.firstDisk + 2 * disk];
        for (int layer = firstLayer; layer <= lastLayer; layer++) {
            int at = layer * LAYER_BITS;
            long content = layers >>> at & 0x7f;
            layers = layers & ~(0x7fL << at + DURABLE_HELD_BIT) | content << at + DURABLE_HELD_BIT;
        }
        w[layout.firstDisk + 2 * disk] = layers;
    }

    /** A device, or a read's debt being paid, writes to memory: only where somebody waits for it. */
    private void writeCell(int page, int frame, int cell, int label) {
        if (frame == page(page, FRAME_COUNT) - 1 && !isTarget(page, cell, -1)) {
            throw new Violation(Rule.R6, "page " + page + " of the running guest was written to, "
                    + "though it waits for no read into it");
        }
        int begun = global(BEGUN);
        for (int c = 0; c < begun; c++) {
            if (isLive(checkpoint(c)) && frozen(checkpoint(c), page) == frame
                    && get(checkpoint(c), RELEASED) == 0 && !isTarget(page, cell, c)) {
                throw new Violation(Rule.R7, "page " + page + " of " + checkpointName(c)
                        + " was written to after its instant, and not by a read of its own");
            }
        }
        setCell(page, frame, cell, label);
    }

    /** Whether the ongoing guest (-1), or the checkpoint's, waits for a read into the cell. */
    private boolean isTarget(int page, int cell, int c) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, KIND) == READ && get(r, PAGE) == page
                    && get(r, DISK) == cell / BLOCKS
                    && (get(r, EXTENT) >>> cell % BLOCKS & 1) != 0
                    && (c < 0 ? isAwaited(r) : (get(r, IN_CUT) >>> c & 1) != 0)) {
                return true;
            }
        }
        return false;
    }

    private void commit(int disk, int layer) {
        global(COMMITS, global(COMMITS) + 1);
        areLabelsNew = true;
        long layers = w[layout.firstDisk + 2 * disk];
        int from = layer * LAYER_BITS;
        int to = imageOf(layers, layer - 1) * LAYER_BITS;
        if ((layers >>> from + HELD_BIT & 1) != 0) {
            layers = layers & ~(0x7fL << to) | (layers >>> from & 0x7f) << to;
        }
        w[layout.firstDisk + 2 * disk] = set(layers, COMMITTING, layer);
    }

    private void drop(int disk) {
        areLabelsNew = true;
        long layers = w[layout.firstDisk + 2 * disk];
        int layer = get(layers, COMMITTING);
        int lower = imageOf(layers, layer - 1);
        flush(disk, lower, lower);
        layers = w[layout.firstDisk + 2 * disk] & ~(0x3fffL << layer * LAYER_BITS);
        layers = set(layers, MERGED, get(layers, MERGED) | 1 << layer - 1);
        w[layout.firstDisk + 2 * disk] = set(layers, COMMITTING, 0);
    }

    // Checkpoints.

    private void begin() {
        int c = global(BEGUN);
        global(BEGUN, c + 1);
        w[layout.firstCheckpoint + 2 * c] = set(0, PHASE, idlePhases[global(POLICY)]);
        told(c, Cores.BEGIN);
    }

    private void told(int c, int input) {
        setCheckpoint(c, PHASE, cores.stepPhase(get(checkpoint(c), PHASE), input));
        for (var output : cores.phaseOutputs()) {
            switch (output) {
                case CheckpointPhase.Output.PrepareOverlays _ -> {
                    for (int disk = 0; disk < layout.disks; disk++) {
                        overlay(c, disk, OVERLAY_BEING_MADE);
                    }
                }
                case CheckpointPhase.Output.Stun _ -> setCheckpoint(c, STUN_ASKED, 1);
                case CheckpointPhase.Output.Resume _ -> {
                    if (global(STOPPED) != c + 1) {
                        throw new Violation(Rule.R9,
                                checkpointName(c) + " resumes a VM that runs");
                    }
                    global(STOPPED, 0);
                    answerResumed(c);
                }
                case CheckpointPhase.Output.SaveFree _ -> startSaving(c, 1);
                case CheckpointPhase.Output.SaveLate _ -> startSaving(c, 2);
                case CheckpointPhase.Output.StopSaving _ -> setCheckpoint(c, STOP_SAVING, 1);
                case CheckpointPhase.Output.SyncChain _ -> setCheckpoint(c, SYNC, 1);
                case CheckpointPhase.Output.CopyDisks _,CheckpointPhase.Output.StopCopying _ ->
                    throw new IllegalStateException("checkpoints point to layers here");
                case CheckpointPhase.Output.WriteManifest _ -> setCheckpoint(c, MANIFEST, 1);
                case CheckpointPhase.Output.ReportSealed _ -> {
                    reported(c);
                    note("%s", checkpointName(c) + " is sealed");
                    verifySealed(c);
                    setCheckpoint(c, SEALED, 1);
                    ended();
                    tellPending(Cores.ENDED | c);
                }
                case CheckpointPhase.Output.ReportAborted _ -> {
                    reported(c);
                    note("%s", checkpointName(c) + " is aborted");
                    setCheckpoint(c, ABORTED, 1);
                    w[layout.firstCheckpoint + 2 * c + 1] = 0;
                    areLabelsNew = true;
                    leaveCut(c);
                    tellPending(Cores.ENDED | c);
                    ended();
                }
                case CheckpointPhase.Output.DiscardOverlays(var which) -> {
                    for (int disk : which) {
                        if (overlay(checkpoint(c), disk) != OVERLAY_READY) {
                            throw new Violation(Rule.R12,
                                    checkpointName(c) + " discards an overlay that is not unused");
                        }
                        overlay(c, disk, OVERLAY_NONE);
                    }
                }
                case CheckpointPhase.Output.DiscardSaved _ -> setCheckpoint(c, SAVED, 0);
                case CheckpointPhase.Output.ReleaseFrozen _ -> {
                    if (get(checkpoint(c), RELEASED) != 0) {
                        throw new Violation(Rule.R12,
                                checkpointName(c) + " gives its memory back twice");
                    }
                    setCheckpoint(c, RELEASED, 1);
                }
            }
        }
        if (cores.isOver(get(checkpoint(c), PHASE))) {
            over(c);
        }
    }

    private void reported(int c) {
        long k = checkpoint(c);
        if (get(k, SEALED) != 0 || get(k, ABORTED) != 0) {
            throw new Violation(Rule.R12, checkpointName(c) + " ends twice");
        }
    }

    /** Nothing is left to do for it. */
    private void over(int c) {
        long k = checkpoint(c);
        if (get(k, ABORTED) != 0) {
            // Stunned after it was aborted: only now it is known that its cut is nobody's.
            tellPending(Cores.ENDED | c);
            boolean isPrepared = get(k, OVERLAYS) != 0;
            if (isPrepared) {
                throw new Violation(Rule.R12, checkpointName(c) + " leaves an overlay behind");
            }
            w[layout.firstCheckpoint + 2 * c] = set(set(0, OVER, 1), ABORTED, 1);
            if (get(k, STUNNED) != 0) {
                ended();
            }
        } else {
            long kept = set(set(set(0, OVER, 1), SEALED, 1), STUNNED, 1);
            w[layout.firstCheckpoint + 2 * c] = set(kept, VIEWS, get(k, VIEWS));
        }
        leaveCut(c);
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            setRequest(i, MESSAGE, get(request(i), MESSAGE) & ~(1 << c));
        }
    }

    private void leaveCut(int c) {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            setRequest(i, IN_CUT, get(r, IN_CUT) & ~(1 << c));
            setRequest(i, BAD_SAVE, get(r, BAD_SAVE) & ~(1 << c));
        }
    }

    /** A checkpoint ended: what must not change is another set of views. */
    private void ended() {
        for (int disk = 0; disk < layout.disks; disk++) {
            tellDisk(disk, Cores.onOrder(Cores.NEEDED, neededViews(disk)));
        }
    }

    private int neededViews(int disk) {
        int views = 0;
        int begun = global(BEGUN);
        for (int c = 0; c < begun; c++) {
            long k = checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, ABORTED) == 0) {
                views |= 1 << view(k, disk);
            }
        }
        return views;
    }

    private void stun(int c) {
        setCheckpoint(c, STUN_ASKED, 0);
        boolean hasConflict = cores.hasConflict(global(PENDING));
        var policy = ExploreConfig.Policy.values()[global(POLICY)];
        if (hasConflict && policy == ExploreConfig.Policy.DISK_PUT_OFF) {
            setCheckpoint(c, ANSWER, ANSWER_CONFLICTED);
            return;
        }
        long k = set(checkpoint(c), STUNNED, 1);
        boolean isWanted = get(k, ABORTED) == 0;
        int views = 0;
        long show = 0;
        for (int disk = 0; disk < layout.disks; disk++) {
            if (overlay(k, disk) != OVERLAY_READY) {
                throw new Violation(Rule.R1,
                        checkpointName(c) + " is stunned before overlay " + disk + " is there");
            }
            int top = disk(disk, TOP);
            views |= top << 2 * disk;
            for (int block = 0; block < BLOCKS; block++) {
                show |= (long) candidates(disk, block) << 8 * (disk * BLOCKS + block);
            }
        }
        int frozen = 0;
        for (int page = 0; page < layout.pages; page++) {
            frozen |= page(page, FRAME_COUNT) - 1 << 3 * page;
            setPage(page, IS_FROZEN, 1);
        }
        k = set(set(set(k, OVERLAYS, 0), VIEWS, views), FROZEN, frozen);
        w[layout.firstCheckpoint + 2 * c] = k;
        if (isWanted) {
            w[layout.firstCheckpoint + 2 * c + 1] = show;
            int count = global(COUNT);
            for (int i = 0; i < count; i++) {
                long r = request(i);
                if (isAwaited(r)) {
                    setRequest(i, IN_CUT, get(r, IN_CUT) | 1 << c);
                }
            }
        }
        tellPending(Cores.STUNNED | c);
        for (int disk = 0; disk < layout.disks; disk++) {
            int top = disk(disk, TOP) + 1;
            setDisk(disk, TOP, top);
            tellDisk(disk, Cores.onOrder(Cores.SWITCHED, top));
        }
        if (hasConflict) {
            global(STOPPED, c + 1);
            setCheckpoint(c, ANSWER, ANSWER_HELD);
            setCheckpoint(c, ANSWER_IDS, cores.waitedFor(global(PENDING), c));
        } else {
            answerResumed(c);
        }
    }

    private void answerResumed(int c) {
        setCheckpoint(c, ANSWER, ANSWER_RESUMED);
        setCheckpoint(c, ANSWER_IDS, cores.waitedFor(global(PENDING), c));
    }

    private void answer(int c) {
        long k = checkpoint(c);
        int ids = get(k, ANSWER_IDS);
        w[layout.firstCheckpoint + 2 * c] = set(set(k, ANSWER, ANSWER_NONE), ANSWER_IDS, 0);
        switch (get(k, ANSWER)) {
            case ANSWER_RESUMED -> told(c, Cores.RESUMED | ids);
            case ANSWER_HELD -> told(c, Cores.RESUME_HELD | ids);
            case ANSWER_CONFLICTED -> {
                setCheckpoint(c, PUT_OFF, get(k, ABORTED) == 0 ? 1 : 0);
                told(c, Cores.CONFLICTED);
            }
            default -> throw new IllegalStateException("no answer");
        }
    }

    private void startSaving(int c, int pass) {
        setCheckpoint(c, SAVER, pass);
        setCheckpoint(c, VISITED, get(checkpoint(c), SAVED));
    }

    private void save(int c, int page) {
        long k = checkpoint(c);
        if (get(k, RELEASED) != 0) {
            throw new Violation(Rule.R12, checkpointName(c) + " saves memory that it gave back");
        }
        setCheckpoint(c, VISITED, get(k, VISITED) | 1 << page);
        if (cores.isBlocked(global(PENDING), c, page, frozen(k, page))) {
            note("page %d is left for later", page);
            return;
        }
        setCheckpoint(c, SAVED, get(k, SAVED) | 1 << page);
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if ((get(r, IN_CUT) >>> c & 1) == 0 || get(r, KIND) != READ || get(r, PAGE) != page) {
                continue;
            }
            for (int block = 0; block < BLOCKS; block++) {
                if ((get(r, EXTENT) >>> block & 1) != 0 && !hasBytes(c, r, block)) {
                    setRequest(i, BAD_SAVE, get(request(i), BAD_SAVE) | 1 << c);
                }
            }
        }
    }

    private void saved(int c) {
        long k = checkpoint(c);
        int pass = get(k, SAVER);
        setCheckpoint(c, SAVER, 0);
        setCheckpoint(c, VISITED, 0);
        told(c, get(k, STOP_SAVING) != 0
                ? Cores.SAVE_FAILED
                : pass == 1 ? Cores.PAGES_SAVED : Cores.LATE_PAGES_SAVED);
    }

    private void synced(int c) {
        long k = checkpoint(c);
        setCheckpoint(c, SYNC, 0);
        for (int disk = 0; disk < layout.disks; disk++) {
            flush(disk, 0, view(k, disk));
        }
        told(c, Cores.CHAIN_SYNCED);
    }

    private void deadline(int c) {
        told(c, Cores.DEADLINE);
        if (get(checkpoint(c), ABORTED) == 0) {
            throw new Violation(Rule.R15, "the deadline of " + checkpointName(c)
                    + " passed, and it goes on waiting");
        }
    }

    private void verifySealed(int c) {
        long k = checkpoint(c);
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            if ((get(request(i), IN_CUT) >>> c & 1) != 0) {
                throw new Violation(Rule.R12, checkpointName(c) + " was sealed before " + name(i)
                        + ", which it carries, has ended");
            }
        }
        if (get(k, SAVED) != (1 << layout.pages) - 1) {
            throw new Violation(Rule.R12, checkpointName(c) + " was sealed without all its pages");
        }
        if (get(k, BAD) != 0) {
            throw new Violation(Rule.R10, checkpointName(c)
                    + " was sealed with a page that lacks the bytes of a read it carries");
        }
        for (int disk = 0; disk < layout.disks; disk++) {
            int view = view(k, disk);
            for (int block = 0; block < BLOCKS; block++) {
                int shown = content(disk, view, block, HELD_BIT, CONTENT_SHIFT);
                if ((mayShow(c, disk, block) >>> shown & 1) == 0) {
                    throw new Violation(Rule.R4,
                            checkpointName(c) + " was sealed with a disk whose "
                                    + "block " + block + " is not that of its instant");
                }
                if (shown != content(disk, view, block, DURABLE_HELD_BIT, DURABLE_SHIFT)) {
                    throw new Violation(Rule.R12,
                            checkpointName(c) + " was sealed, but a crash would "
                                    + "undo a write to block " + block + " of its disk");
                }
                mayShow(c, disk, block, 1 << shown);
                writtenSince(c, disk, block, 0);
            }
        }
        areLabelsNew = true;
    }

    // After each act.

    private void verify() {
        int begun = global(BEGUN);
        for (int disk = 0; disk < layout.disks; disk++) {
            int top = disk(disk, TOP);
            for (int block = 0; block < BLOCKS; block++) {
                int shown = content(disk, top, block, HELD_BIT, CONTENT_SHIFT);
                if ((candidates(disk, block) >>> shown & 1) == 0) {
                    throw new Violation(Rule.R8, "the running guest's disk " + disk
                            + " has lost a completed write to block " + block);
                }
                for (int c = 0; c < begun; c++) {
                    long k = checkpoint(c);
                    if (get(k, SEALED) == 0) {
                        continue;
                    }
                    int kept = content(disk, view(k, disk), block, HELD_BIT, CONTENT_SHIFT);
                    if ((mayShow(c, disk, block) >>> kept & 1) == 0) {
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
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = request(i);
            if (get(r, SETTLED) != 0) {
                continue;
            }
            if (get(r, KIND) == READ) {
                int owed = get(r, OWED);
                for (int frame = 0; owed >>> frame != 0; frame++) {
                    if ((owed >>> frame & 1) != 0 && !isShown(r, frame)) {
                        throw new Violation(Rule.R15, name(i)
                                + " keeps a copied frame that nobody shows");
                    }
                }
            } else if (isWrite(r) && get(r, OP) == OP_NONE && !config.ordered()
                    && !mayWait(i, r)) {
                throw new Violation(Rule.R15, name(i) + " waits for a lower layer that no "
                        + "checkpoint needs");
            }
        }
    }

    private boolean isShown(long r, int frame) {
        int page = get(r, PAGE);
        if (get(r, DETACHED) == 0 && frame == page(page, FRAME_COUNT) - 1) {
            return true;
        }
        if (get(r, REISSUE) != 0) {
            return true; // it is being read into
        }
        int begun = global(BEGUN);
        for (int c = 0; c < begun; c++) {
            long k = checkpoint(c);
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
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            long other = request(i);
            if (i == io || get(other, SETTLED) != 0 || !isWrite(other)
                    || get(other, DISK) != disk) {
                continue;
            }
            boolean isFault = get(other, OP) != OP_NONE && get(other, SPECIAL) != 0;
            if (get(other, DETACHED) > get(r, DETACHED) || isFault) {
                return true; // behind what a reset left, or one that joined a fault
            }
            lowest = Math.min(lowest, get(other, LAYER));
        }
        int layer = get(r, LAYER);
        int between = lowest < layer ? (1 << layer) - (1 << lowest) : 0;
        int views = neededViews(disk);
        for (int c = 0; c < global(BEGUN); c++) {
            long k = checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0) {
                views |= 1 << view(k, disk); // aborted, but its end has not come to the disk yet
            }
        }
        return (views & between) != 0;
    }

    /** Called where nothing is due: then all must be done. */
    void verifyDone() {
        int count = global(COUNT);
        for (int i = 0; i < count; i++) {
            if (get(request(i), SETTLED) == 0) {
                throw new Violation(Rule.R15, "nothing more can happen, and " + name(i)
                        + " has not ended");
            }
        }
        for (int c = 0; c < global(BEGUN); c++) {
            if (get(checkpoint(c), OVER) == 0) {
                throw new Violation(Rule.R15, "nothing more can happen, and " + checkpointName(c)
                        + " neither seals nor aborts; it is "
                        + cores.nameOf(get(checkpoint(c), PHASE)));
            }
        }
        if (global(STOPPED) != 0) {
            throw new Violation(Rule.R15, "nothing more can happen, and the guest stays stopped");
        }
    }

    // Canonical form.

    private void canonical() {
        forgetRequests();
        for (int page = 0; page < layout.pages; page++) {
            forgetFrames(page);
            forgetCells(page);
        }
        if (areLabelsNew) {
            for (int disk = 0; disk < layout.disks; disk++) {
                renameLabels(disk, 0);
                renameLabels(disk, 1);
            }
        }
    }

    /** Those that nothing is left of make room; later ones move down. */
    private void forgetRequests() {
        for (int i = global(COUNT) - 1; i >= 0; i--) {
            long r = request(i);
            if (get(r, SETTLED) == 0 || get(r, MESSAGE) != 0 || isNamed(i)) {
                continue;
            }
            int count = global(COUNT);
            int first = layout.firstRequest;
            if (i < count - 1) {
                System.arraycopy(w, first + i + 1, w, first + i, count - 1 - i);
                global(PENDING, cores.stepPending(global(PENDING), Cores.FORGET | i));
                for (int disk = 0; disk < layout.disks; disk++) {
                    setDisk(disk, ORDER, cores.stepOrder(disk(disk, ORDER),
                            Cores.onOrder(Cores.FORGET_IO, i), 0));
                }
                for (int c = 0; c < global(BEGUN); c++) {
                    long k = checkpoint(c);
                    if (get(k, OVER) == 0) {
                        int ids = get(k, ANSWER_IDS);
                        setCheckpoint(c, ANSWER_IDS, ids >>> i + 1 << i | ids & (1 << i) - 1);
                        setCheckpoint(c, PHASE,
                                cores.stepPhase(get(k, PHASE), Cores.FORGET_ID | i));
                    }
                }
            }
            w[first + count - 1] = 0;
            global(COUNT, count - 1);
            forgotten(i);
        }
    }

    private boolean isNamed(int io) {
        for (int c = 0; c < global(BEGUN); c++) {
            long k = checkpoint(c);
            if (get(k, OVER) == 0
                    && ((get(k, ANSWER_IDS) | cores.refs(get(k, PHASE))) >>> io & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    private void forgetFrames(int page) {
        int count = page(page, FRAME_COUNT);
        if (count == 1) {
            return;
        }
        int live = 1 << count - 1;
        for (int i = 0; i < global(COUNT); i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, KIND) == READ && get(r, PAGE) == page) {
                live |= 1 << get(r, FRAME) | get(r, OWED) | get(r, COPIES);
            }
        }
        for (int c = 0; c < global(BEGUN); c++) {
            long k = checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0 && get(k, RELEASED) == 0) {
                live |= 1 << frozen(k, page);
            }
        }
        if (live == (1 << count) - 1) {
            return;
        }
        global(PENDING, cores.stepPending(global(PENDING), Cores.renameFrames(page, live)));
        for (int i = 0; i < global(COUNT); i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, KIND) == READ && get(r, PAGE) == page) {
                r = set(r, FRAME, rank(live, get(r, FRAME)));
                r = set(r, OWED, compressed(live, get(r, OWED)));
                w[layout.firstRequest + i] = set(r, COPIES, compressed(live, get(r, COPIES)));
            }
        }
        for (int c = 0; c < global(BEGUN); c++) {
            long k = checkpoint(c);
            if (get(k, STUNNED) != 0 && get(k, OVER) == 0) {
                int frozen = get(k, FROZEN);
                int renamed = get(k, RELEASED) != 0 ? 0 : rank(live, frozen(k, page));
                setCheckpoint(c, FROZEN, frozen & ~(7 << 3 * page) | renamed << 3 * page);
            }
        }
        long old = w[layout.firstPage + page];
        long kept = old >>> 60 << 60;
        int to = 0;
        for (int frame = 0; frame < count; frame++) {
            if ((live >>> frame & 1) != 0) {
                kept |= (old >>> frame * FRAME_BITS & (1L << FRAME_BITS) - 1) << to * FRAME_BITS;
                to++;
            }
        }
        w[layout.firstPage + page] = set(kept, FRAME_COUNT, to);
    }

    private static int rank(int live, int frame) {
        return Integer.bitCount(live & (1 << frame) - 1);
    }

    private static int compressed(int live, int frames) {
        return Integer.compress(frames, live);
    }

    /** What a cell shows matters only while a read into it is on the way. */
    private void forgetCells(int page) {
        long cells = w[layout.firstPage + page];
        if ((cells & (1L << 60) - 1) == 0) {
            return;
        }
        int kept = 0;
        for (int i = 0; i < global(COUNT); i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, KIND) == READ && get(r, PAGE) == page) {
                int extent = get(r, EXTENT);
                kept |= ((extent & 1) * 7 | (extent >>> 1) * 7 << LABEL_BITS)
                        << LABEL_BITS * BLOCKS * get(r, DISK);
            }
        }
        long keptInAll = 0;
        for (int frame = 0; frame < page(page, FRAME_COUNT); frame++) {
            keptInAll |= (long) kept << frame * FRAME_BITS;
        }
        w[layout.firstPage + page] = cells & (keptInAll | ~((1L << 60) - 1));
    }

    /** A block's labels in the order in which they are met; those that are nowhere any more leave all sets. */
    private void renameLabels(int disk, int block) {
        Arrays.fill(renaming, -1);
        renaming[STALE] = STALE;
        int count = 0;
        boolean isSame = true;
        int diskAt = layout.firstDisk + 2 * disk;
        long layers = w[diskAt];
        int top = disk(disk, TOP);
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
        int requests = global(COUNT);
        for (int i = 0; i < requests; i++) {
            long r = request(i);
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
        for (int page = 0; page < layout.pages; page++) {
            int frames = page(page, FRAME_COUNT);
            for (int frame = 0; frame < frames; frame++) {
                int label = cell(page, frame, cell);
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
        if (isSame && candidates(disk, block) >>> count == 0 && areSetsWithin(disk, block, count)) {
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
        w[diskAt] = layers;
        candidates(disk, block, renamed(candidates(disk, block)));
        for (int i = 0; i < requests; i++) {
            long r = request(i);
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
            w[layout.firstRequest + i] = set(r, mask(block), renamed(get(r, mask(block))));
        }
        for (int c = 0; c < global(BEGUN); c++) {
            mayShow(c, disk, block, renamed(mayShow(c, disk, block)));
            writtenSince(c, disk, block, renamed(writtenSince(c, disk, block)));
        }
        for (int page = 0; page < layout.pages; page++) {
            int frames = page(page, FRAME_COUNT);
            for (int frame = 0; frame < frames; frame++) {
                int label = cell(page, frame, cell);
                setCell(page, frame, cell, renaming[label] < 0 ? 0 : renaming[label]);
            }
        }
        if (!isSame) {
            forgetCells(disk, block);
        }
    }

    /** Cells that nobody looks at were renamed too; they are 0 again. */
    private void forgetCells(int disk, int block) {
        int cell = disk * BLOCKS + block;
        for (int page = 0; page < layout.pages; page++) {
            if (!isLookedAt(page, cell)) {
                for (int frame = 0; frame < page(page, FRAME_COUNT); frame++) {
                    setCell(page, frame, cell, 0);
                }
            }
        }
    }

    private boolean isLookedAt(int page, int cell) {
        for (int i = 0; i < global(COUNT); i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, KIND) == READ && get(r, PAGE) == page
                    && get(r, DISK) == cell / BLOCKS
                    && (get(r, EXTENT) >>> cell % BLOCKS & 1) != 0) {
                return true;
            }
        }
        return false;
    }

    private boolean areSetsWithin(int disk, int block, int count) {
        for (int i = 0; i < global(COUNT); i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && get(r, DISK) == disk
                    && get(r, mask(block)) >>> count != 0) {
                return false;
            }
        }
        for (int c = 0; c < global(BEGUN); c++) {
            if ((mayShow(c, disk, block) | writtenSince(c, disk, block)) >>> count != 0) {
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
    private int unusedLabel(int disk, int block) {
        int used = 0;
        long layers = w[layout.firstDisk + 2 * disk];
        int top = disk(disk, TOP);
        for (int layer = 0; layer <= top; layer++) {
            int at = layer * LAYER_BITS + LABEL_BITS * block;
            used |= 1 << (layers >>> at + CONTENT_SHIFT & 7);
            used |= 1 << (layers >>> at + DURABLE_SHIFT & 7);
        }
        for (int i = 0; i < global(COUNT) - 1; i++) {
            long r = request(i);
            if (get(r, SETTLED) == 0 && isWrite(r) && get(r, DISK) == disk) {
                used |= (get(r, EXTENT) >>> block & 1) != 0
                        ? 1 << label(r, block)
                        : 1 << get(r, COPIED_LABEL);
            }
        }
        for (int page = 0; page < layout.pages; page++) {
            for (int frame = 0; frame < page(page, FRAME_COUNT); frame++) {
                used |= 1 << cell(page, frame, disk * BLOCKS + block);
            }
        }
        int label = Integer.numberOfTrailingZeros(~used);
        if (label >= LABELS_MAX) {
            throw new TooLargeException("a block has more than " + LABELS_MAX
                    + " different contents at once");
        }
        return label;
    }

    // Words.

    /** A requests's number went; the story renames too. */
    private void forgotten(int io) {
        if (log instanceof Names names) {
            names.forget(io);
        }
    }

    /** A log that knows what the requests are called. */
    interface Names extends Log {
        String name(int io);

        void forget(int io);
    }

    private String name(int io) {
        return log instanceof Names names ? names.name(io) : "a request";
    }

    private String checkpointName(int c) {
        return "checkpoint " + (c + 1);
    }

    private void note(String what, int io) {
        if (log != null) {
            log.note(what.contains("%s") ? what.replace("%s", name(io)) : what.formatted(io));
        }
    }

    private void note(String what, String name) {
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

    String describeCheckpoint(int c) {
        long k = checkpoint(c);
        return get(k, OVER) != 0
                ? get(k, SEALED) != 0 ? "Sealed" : "Aborted"
                : cores.nameOf(get(k, PHASE));
    }

    // Fields.

    int global(int field) {
        return get(w[0], field);
    }

    private void global(int field, int value) {
        w[0] = set(w[0], field, value);
    }

    long request(int io) {
        return w[layout.firstRequest + io];
    }

    private void setRequest(int io, int field, int value) {
        w[layout.firstRequest + io] = set(w[layout.firstRequest + io], field, value);
    }

    long checkpoint(int c) {
        return w[layout.firstCheckpoint + 2 * c];
    }

    private void setCheckpoint(int c, int field, int value) {
        int at = layout.firstCheckpoint + 2 * c;
        w[at] = set(w[at], field, value);
    }

    /** Stunned, and neither sealed nor aborted: its memory is looked at. */
    private static boolean isLive(long k) {
        return get(k, STUNNED) != 0 && get(k, SEALED) == 0 && get(k, ABORTED) == 0;
    }

    private static int overlay(long k, int disk) {
        return get(k, OVERLAYS) >>> 2 * disk & 3;
    }

    private void overlay(int c, int disk, int state) {
        int others = get(checkpoint(c), OVERLAYS) & ~(3 << 2 * disk);
        setCheckpoint(c, OVERLAYS, others | state << 2 * disk);
    }

    private static int view(long k, int disk) {
        return get(k, VIEWS) >>> 2 * disk & 3;
    }

    private static int frozen(long k, int page) {
        return get(k, FROZEN) >>> 3 * page & 7;
    }

    private int mayShow(int c, int disk, int block) {
        return (int) (w[layout.firstCheckpoint + 2 * c + 1] >>> 8 * (disk * BLOCKS + block) & 255);
    }

    private void mayShow(int c, int disk, int block, int labels) {
        int at = layout.firstCheckpoint + 2 * c + 1;
        int shift = 8 * (disk * BLOCKS + block);
        w[at] = w[at] & ~(255L << shift) | (long) labels << shift;
    }

    private int writtenSince(int c, int disk, int block) {
        return (int) (w[layout.firstCheckpoint + 2 * c + 1] >>> 32 + 8 * (disk * BLOCKS + block)
                & 255);
    }

    private void writtenSince(int c, int disk, int block, int labels) {
        int at = layout.firstCheckpoint + 2 * c + 1;
        int shift = 32 + 8 * (disk * BLOCKS + block);
        w[at] = w[at] & ~(255L << shift) | (long) labels << shift;
    }

    int disk(int disk, int field) {
        return get(w[layout.firstDisk + 2 * disk + 1], field);
    }

    private void setDisk(int disk, int field, int value) {
        int at = layout.firstDisk + 2 * disk + 1;
        w[at] = set(w[at], field, value);
    }

    int page(int page, int field) {
        return get(w[layout.firstPage + page], field);
    }

    private void setPage(int page, int field, int value) {
        int at = layout.firstPage + page;
        w[at] = set(w[at], field, value);
    }

    private int cell(int page, int frame, int cell) {
        return (int) (w[layout.firstPage + page] >>> frame * FRAME_BITS + cell * LABEL_BITS & 7);
    }

    private void setCell(int page, int frame, int cell, int label) {
        int at = layout.firstPage + page;
        int shift = frame * FRAME_BITS + cell * LABEL_BITS;
        w[at] = w[at] & ~(7L << shift) | (long) label << shift;
    }

    static Kind kind(long r) {
        return KINDS[get(r, KIND)];
    }
}
