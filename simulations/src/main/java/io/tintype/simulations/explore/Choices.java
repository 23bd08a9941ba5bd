package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.ABORTED;
import static io.tintype.simulations.explore.Layout.ANSWER;
import static io.tintype.simulations.explore.Layout.ANSWER_NONE;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.CANDIDATES_0;
import static io.tintype.simulations.explore.Layout.CANDIDATES_1;
import static io.tintype.simulations.explore.Layout.COMMITS;
import static io.tintype.simulations.explore.Layout.COMMITTING;
import static io.tintype.simulations.explore.Layout.CONTENT_SHIFT;
import static io.tintype.simulations.explore.Layout.COPIED;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.DISK;
import static io.tintype.simulations.explore.Layout.DURABLE_SHIFT;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FAULTS;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.ISSUED;
import static io.tintype.simulations.explore.Layout.IS_FROZEN;
import static io.tintype.simulations.explore.Layout.KIND;
import static io.tintype.simulations.explore.Layout.LABELS;
import static io.tintype.simulations.explore.Layout.LAYER_BITS;
import static io.tintype.simulations.explore.Layout.MANIFEST;
import static io.tintype.simulations.explore.Layout.MASK_0;
import static io.tintype.simulations.explore.Layout.MASK_1;
import static io.tintype.simulations.explore.Layout.MESSAGE;
import static io.tintype.simulations.explore.Layout.OP;
import static io.tintype.simulations.explore.Layout.OP_DONE;
import static io.tintype.simulations.explore.Layout.OP_NONE;
import static io.tintype.simulations.explore.Layout.OP_RUNNING;
import static io.tintype.simulations.explore.Layout.ORDER;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OVERLAY_BEING_MADE;
import static io.tintype.simulations.explore.Layout.PAGES;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.PHASE;
import static io.tintype.simulations.explore.Layout.PROGRESS;
import static io.tintype.simulations.explore.Layout.PUT_OFF;
import static io.tintype.simulations.explore.Layout.RESETS;
import static io.tintype.simulations.explore.Layout.ROLLED;
import static io.tintype.simulations.explore.Layout.SAVER;
import static io.tintype.simulations.explore.Layout.SEALED;
import static io.tintype.simulations.explore.Layout.SETTLED;
import static io.tintype.simulations.explore.Layout.SPECIAL;
import static io.tintype.simulations.explore.Layout.STOPPED;
import static io.tintype.simulations.explore.Layout.STOP_SAVING;
import static io.tintype.simulations.explore.Layout.STUN_ASKED;
import static io.tintype.simulations.explore.Layout.SYNC;
import static io.tintype.simulations.explore.Layout.SYNCING;
import static io.tintype.simulations.explore.Layout.TOP;
import static io.tintype.simulations.explore.Layout.VISITED;
import static io.tintype.simulations.explore.Layout.get;
import static io.tintype.simulations.explore.VmState.FLUSH;
import static io.tintype.simulations.explore.VmState.READ;
import static io.tintype.simulations.explore.VmState.imageOf;
import static io.tintype.simulations.explore.VmState.isAwaited;
import static io.tintype.simulations.explore.VmState.isMerged;
import static io.tintype.simulations.explore.VmState.overlay;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.Program.Request;

/** Which {@link Act}s are possible: what the guest may do, what the device, the store and the messages may do next, what may fail. */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Choices {
    private final ExploreConfig config;
    private final Cores cores;
    private final VmState state;
    private final boolean isR1On;
    /** Whether only the first is chosen of what is alike: see {@link #tryAll}. */
    private boolean isOneOfAlike = true;

    Choices(ExploreConfig config, Cores cores, VmState state) {
        this.config = config;
        this.cores = cores;
        this.state = state;
        isR1On = config.rules().on(Rule.R1);
    }

    /** From now on acts that lead to states which differ in names only are all possible: what is left out of a run is then not missed. */
    void tryAll() {
        isOneOfAlike = false;
    }

    /**
     * Writes all acts that are possible now into {@code acts}; returns how many.
     *
     * @param issued requests of all VMs so far
     * @param mayBegin false if other VMs have used up the checkpoints
     */
    int enumerate(int[] acts, int issued, boolean mayBegin) {
        int n = 0;
        boolean runs = state.global(STOPPED) == 0;
        int count = state.global(COUNT);
        if (runs) {
            if (issued < config.requests()) {
                n = config.program().isEmpty()
                        ? enumerateIssues(acts, n)
                        : enumerateNext(acts, n, config.program().get(issued));
            }
            for (int page = 0; page < state.layout.pages; page++) {
                if (state.page(page, IS_FROZEN) != 0
                        && state.isPinned(page, state.page(page, FRAME_COUNT) - 1)) {
                    acts[n++] = Act.of(Act.STORE, page);
                }
            }
            if (state.global(RESETS) < config.resets() && isAnyInFlight(count)) {
                acts[n++] = Act.of(Act.RESET, 0);
            }
            if (state.global(ROLLED) < config.rollbacks()) {
                for (int c = 0; c < state.global(BEGUN); c++) {
                    if (get(state.checkpoint(c), SEALED) != 0) {
                        acts[n++] = Act.of(Act.ROLL_BACK, c);
                    }
                }
            }
        }
        boolean mayFail = state.global(FAULTS) < config.faults();
        n = enumerateDevices(acts, n, count, mayFail);
        n = enumerateCheckpoints(acts, n, mayFail, mayBegin);
        for (int disk = 0; disk < state.diskCount(); disk++) {
            int committing = get(state.w[state.layout.firstDisk + 2 * disk], COMMITTING);
            if (committing != 0) {
                acts[n++] = Act.of(Act.DROP, disk);
            } else if (state.global(COMMITS) < config.commits()) {
                for (int layer = 1; layer <= state.disk(disk, TOP); layer++) {
                    if (mayCommit(disk, layer)) {
                        acts[n++] = Act.of(Act.COMMIT, disk << 2 | layer);
                    }
                }
            }
        }
        return n;
    }

    /** What the program goes on with, as soon as its buffer is free. */
    private int enumerateNext(int[] acts, int from, Request next) {
        int n = from;
        int disk = state.diskInUse(next.disk());
        if (next.kind() != Kind.READ || !isBufferInUse(next.pages(), disk, next.blocks())) {
            acts[n++] = issue(next.kind(), disk, next.blocks(), next.pages());
        }
        return n;
    }

    private int enumerateIssues(int[] acts, int from) {
        int n = from;
        boolean isFirst = isOneOfAlike && state.global(ISSUED) == 0 && state.global(BEGUN) == 0;
        int disks = isFirst ? 1 : config.disks();
        int pages = isFirst ? 1 : state.layout.pages;
        for (var kind : config.kinds()) {
            for (int name = 0; name < disks; name++) {
                int disk = state.diskInUse(name);
                if (kind == Kind.FLUSH) {
                    acts[n++] = issue(kind, disk, 0, 0);
                    continue;
                }
                // While the blocks of a group are alike it does not matter which of them is meant.
                boolean isOneEnough = isOneOfAlike && areBlocksAlike(disk);
                for (int extent = 1; extent <= 3; extent++) {
                    if (extent == 2 && isOneEnough) {
                        continue;
                    }
                    if (kind != Kind.READ) {
                        acts[n++] = issue(kind, disk, extent, 0);
                        continue;
                    }
                    for (int page = 0; page < pages; page++) {
                        if (!isBufferInUse(1 << page, disk, extent)) {
                            acts[n++] = issue(kind, disk, extent, 1 << page);
                        }
                    }
                }
            }
        }
        return n;
    }

    private static int issue(Kind kind, int disk, int extent, int pages) {
        return Act.of(Act.ISSUE, kind.ordinal() << 5 | disk << 4 | extent << 2 | pages);
    }

    private boolean areBlocksAlike(int disk) {
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
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
        if (state.disk(disk, CANDIDATES_0) != state.disk(disk, CANDIDATES_1)) {
            return false;
        }
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        for (int layer = 0; layer <= state.disk(disk, TOP); layer++) {
            int at = layer * LAYER_BITS;
            if ((layers >>> at + CONTENT_SHIFT & 7) != (layers >>> at + CONTENT_SHIFT + 3 & 7)
                    || (layers >>> at + DURABLE_SHIFT & 7) != (layers >>> at + DURABLE_SHIFT + 3
                            & 7)) {
                return false;
            }
        }
        int cell = disk * BLOCKS;
        for (int checkpoint = 0; checkpoint < state.global(BEGUN); checkpoint++) {
            long sets = state.w[state.layout.firstCheckpoint + 2 * checkpoint + 1];
            if ((sets >>> 8 * cell & 255) != (sets >>> 8 * cell + 8 & 255)
                    || (sets >>> 32 + 8 * cell & 255) != (sets >>> 40 + 8 * cell & 255)) {
                return false;
            }
        }
        for (int page = 0; page < state.layout.pages; page++) {
            int frames = state.page(page, FRAME_COUNT);
            for (int frame = 0; frame < frames; frame++) {
                if (state.cell(page, frame, cell) != state.cell(page, frame, cell + 1)) {
                    return false;
                }
            }
        }
        return true;
    }

    private boolean isBufferInUse(int pages, int disk, int extent) {
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
            if (isAwaited(r) && get(r, KIND) == READ && (get(r, PAGES) & pages) != 0
                    && get(r, DISK) == disk && (get(r, EXTENT) & extent) != 0) {
                return true;
            }
        }
        return false;
    }

    private boolean isAnyInFlight(int count) {
        for (int i = 0; i < count; i++) {
            if (isAwaited(state.request(i))) {
                return true;
            }
        }
        return false;
    }

    private int enumerateDevices(int[] acts, int from, int count, boolean mayFail) {
        int n = from;
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
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
            if (kind == FLUSH || get(r, SYNCING) != 0) {
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
        int begun = state.global(BEGUN);
        boolean areOverlaysFree = true;
        for (int c = 0; c < begun; c++) {
            long k = state.checkpoint(c);
            if (get(k, OVER) != 0) {
                continue;
            }
            int phase = get(k, PHASE);
            areOverlaysFree &= !isR1On || !cores.ownsOverlays(phase);
            for (int disk = 0; disk < config.disks(); disk++) {
                if (overlay(k, disk) == OVERLAY_BEING_MADE) {
                    acts[n++] = Act.of(Act.OVERLAY, c << 1 | disk);
                    if (mayFail) {
                        acts[n++] = Act.of(Act.OVERLAY_FAILED, c << 1 | disk);
                    }
                }
            }
            if (get(k, STUN_ASKED) != 0 && state.global(STOPPED) == 0) {
                acts[n++] = Act.of(Act.STUN, c);
            }
            if (get(k, ANSWER) != ANSWER_NONE) {
                acts[n++] = Act.of(Act.ANSWER, c);
            }
            if (get(k, PUT_OFF) != 0 && !cores.hasConflict(state.global(PENDING))) {
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
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            int messages = get(state.request(i), MESSAGE);
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
            for (int page = 0; page < state.layout.pages; page++) {
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
    boolean mayCommit(int disk, int layer) {
        long layers = state.w[state.layout.firstDisk + 2 * disk];
        if (isMerged(layers, layer)) {
            return false;
        }
        int top = state.disk(disk, TOP);
        int lowerFirst = imageOf(layers, layer - 1);
        int last = layer;
        while (last < top && isMerged(layers, last + 1)) {
            last++;
        }
        int needed = state.neededViews(disk);
        int between = (1 << layer) - (1 << lowerFirst);
        return (needed & between) == 0
                && cores.mayCommit(state.disk(disk, ORDER), last, lowerFirst);
    }
}
