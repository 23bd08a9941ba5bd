package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.ABORTED;
import static io.tintype.simulations.explore.Layout.ANSWER;
import static io.tintype.simulations.explore.Layout.ANSWER_CONFLICTED;
import static io.tintype.simulations.explore.Layout.ANSWER_HELD;
import static io.tintype.simulations.explore.Layout.ANSWER_IDS;
import static io.tintype.simulations.explore.Layout.ANSWER_NONE;
import static io.tintype.simulations.explore.Layout.ANSWER_RESUMED;
import static io.tintype.simulations.explore.Layout.BAD_SAVE;
import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.BLOCKS;
import static io.tintype.simulations.explore.Layout.COUNT;
import static io.tintype.simulations.explore.Layout.EXTENT;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.FROZEN;
import static io.tintype.simulations.explore.Layout.IN_CUT;
import static io.tintype.simulations.explore.Layout.IS_FROZEN;
import static io.tintype.simulations.explore.Layout.LIFE;
import static io.tintype.simulations.explore.Layout.MANIFEST;
import static io.tintype.simulations.explore.Layout.MESSAGE;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OVERLAYS;
import static io.tintype.simulations.explore.Layout.OVERLAY_BEING_MADE;
import static io.tintype.simulations.explore.Layout.OVERLAY_NONE;
import static io.tintype.simulations.explore.Layout.OVERLAY_READY;
import static io.tintype.simulations.explore.Layout.PARENTS;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.PHASE;
import static io.tintype.simulations.explore.Layout.POLICY;
import static io.tintype.simulations.explore.Layout.PUT_OFF;
import static io.tintype.simulations.explore.Layout.RELEASED;
import static io.tintype.simulations.explore.Layout.ROLLED;
import static io.tintype.simulations.explore.Layout.SAVED;
import static io.tintype.simulations.explore.Layout.SAVER;
import static io.tintype.simulations.explore.Layout.SEALED;
import static io.tintype.simulations.explore.Layout.SKIPS;
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
import static io.tintype.simulations.explore.VmState.checkpointName;
import static io.tintype.simulations.explore.VmState.frozen;
import static io.tintype.simulations.explore.VmState.isAwaited;
import static io.tintype.simulations.explore.VmState.isLive;
import static io.tintype.simulations.explore.VmState.isReadInto;
import static io.tintype.simulations.explore.VmState.overlay;
import static io.tintype.simulations.explore.VmState.view;

import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.Rule;

/** The checkpoints: tells their coordinators what happens, and does what they say. */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Checkpoints {
    private final ExploreConfig config;
    private final Cores cores;
    private final VmState state;
    private final Strand strand;
    private final Device device;
    private final Checks checks;
    private final int[] idlePhases;
    private final boolean isR1On;
    private final boolean isR2On;
    private final boolean isR3On;

    Checkpoints(ExploreConfig config, Cores cores, VmState state, Strand strand, Device device,
            Checks checks) {
        this.config = config;
        this.cores = cores;
        isR1On = config.rules().on(Rule.R1);
        isR2On = config.rules().on(Rule.R2);
        isR3On = config.rules().on(Rule.R3);
        this.state = state;
        this.strand = strand;
        this.device = device;
        this.checks = checks;
        var policies = ExploreConfig.Policy.values();
        idlePhases = new int[policies.length];
        for (int i = 0; i < policies.length; i++) {
            idlePhases[i] = cores.idlePhase(policies[i]);
        }
    }

    // Checkpoints.

    void begin() {
        int c = state.global(BEGUN);
        state.global(BEGUN, c + 1);
        state.w[state.layout.firstCheckpoint + 2 * c] =
                set(set(0, PHASE, idlePhases[state.global(POLICY)]), LIFE, state.global(ROLLED));
        told(c, Cores.BEGIN);
    }

    void told(int c, int input) {
        state.setCheckpoint(c, PHASE, cores.stepPhase(get(state.checkpoint(c), PHASE), input));
        for (var output : cores.phaseOutputs()) {
            switch (output) {
                case CheckpointPhase.Output.PrepareOverlays _ -> {
                    for (int disk = 0; disk < config.disks(); disk++) {
                        state.overlay(c, disk, OVERLAY_BEING_MADE);
                    }
                }
                case CheckpointPhase.Output.Stun _ -> state.setCheckpoint(c, STUN_ASKED, 1);
                case CheckpointPhase.Output.Resume _ -> {
                    if (state.global(STOPPED) != c + 1) {
                        throw new Violation(Rule.R9,
                                checkpointName(c) + " resumes a VM that runs");
                    }
                    state.global(STOPPED, 0);
                    answerResumed(c);
                }
                case CheckpointPhase.Output.SaveFree _ -> startSaving(c, 1);
                case CheckpointPhase.Output.SaveLate _ -> startSaving(c, 2);
                case CheckpointPhase.Output.StopSaving _ -> state.setCheckpoint(c, STOP_SAVING, 1);
                case CheckpointPhase.Output.SyncChain _ -> state.setCheckpoint(c, SYNC, 1);
                case CheckpointPhase.Output.CopyDisks _,CheckpointPhase.Output.StopCopying _ ->
                    throw new IllegalStateException("checkpoints point to layers here");
                case CheckpointPhase.Output.WriteManifest _ -> state.setCheckpoint(c, MANIFEST, 1);
                case CheckpointPhase.Output.ReportSealed _ -> {
                    reported(c);
                    state.note("%s", checkpointName(c) + " is sealed");
                    checks.verifySealed(c);
                    state.setCheckpoint(c, SEALED, 1);
                    strand.ended();
                    strand.tellPending(Cores.ENDED | c);
                }
                case CheckpointPhase.Output.ReportAborted _ -> {
                    reported(c);
                    state.note("%s", checkpointName(c) + " is aborted");
                    state.setCheckpoint(c, ABORTED, 1);
                    state.w[state.layout.firstCheckpoint + 2 * c + 1] = 0;
                    state.areLabelsNew = true;
                    leaveCut(c);
                    strand.tellPending(Cores.ENDED | c);
                    strand.ended();
                }
                case CheckpointPhase.Output.DiscardOverlays(var which) -> {
                    for (int disk : which) {
                        if (overlay(state.checkpoint(c), disk) != OVERLAY_READY) {
                            throw new Violation(Rule.R12,
                                    checkpointName(c) + " discards an overlay that is not unused");
                        }
                        state.overlay(c, disk, OVERLAY_NONE);
                    }
                }
                case CheckpointPhase.Output.DiscardSaved _ -> state.setCheckpoint(c, SAVED, 0);
                case CheckpointPhase.Output.ReleaseFrozen _ -> {
                    if (get(state.checkpoint(c), RELEASED) != 0) {
                        throw new Violation(Rule.R12,
                                checkpointName(c) + " gives its memory back twice");
                    }
                    state.setCheckpoint(c, RELEASED, 1);
                }
            }
        }
        if (cores.isOver(get(state.checkpoint(c), PHASE))) {
            over(c);
        }
    }

    void overlayReady(int c, int name) {
        state.overlay(c, name, OVERLAY_READY);
        if (!isR1On) {
            int parents = get(state.checkpoint(c), PARENTS) & ~(3 << 2 * name);
            state.setCheckpoint(c, PARENTS,
                    parents | state.disk(state.diskInUse(name), TOP) << 2 * name);
        }
        told(c, Cores.OVERLAY_READY | name);
    }

    /** The VM is about to be another: what has not been stunned cannot be of it. */
    void rollBack() {
        for (int c = 0; c < state.global(BEGUN); c++) {
            long k = state.checkpoint(c);
            if (get(k, OVER) == 0 && get(k, ABORTED) == 0 && get(k, STUNNED) == 0) {
                state.setCheckpoint(c, PUT_OFF, 0);
                told(c, Cores.CANCEL);
            }
        }
    }

    private void reported(int c) {
        long k = state.checkpoint(c);
        if (get(k, SEALED) != 0 || get(k, ABORTED) != 0) {
            throw new Violation(Rule.R12, checkpointName(c) + " ends twice");
        }
    }

    /** Nothing is left to do for it. */
    private void over(int c) {
        long k = state.checkpoint(c);
        if (get(k, ABORTED) != 0) {
            // Stunned after it was aborted: only now it is known that its cut is nobody's.
            strand.tellPending(Cores.ENDED | c);
            boolean isPrepared = get(k, OVERLAYS) != 0;
            if (isPrepared) {
                throw new Violation(Rule.R12, checkpointName(c) + " leaves an overlay behind");
            }
            state.w[state.layout.firstCheckpoint + 2 * c] = set(set(0, OVER, 1), ABORTED, 1);
            if (get(k, STUNNED) != 0) {
                strand.ended();
            }
        } else {
            long kept = set(set(set(0, OVER, 1), SEALED, 1), STUNNED, 1);
            state.w[state.layout.firstCheckpoint + 2 * c] =
                    set(set(kept, VIEWS, get(k, VIEWS)), LIFE, get(k, LIFE));
        }
        leaveCut(c);
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            state.setRequest(i, MESSAGE, get(state.request(i), MESSAGE) & ~(1 << c));
        }
    }

    private void leaveCut(int c) {
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
            state.setRequest(i, IN_CUT, get(r, IN_CUT) & ~(1 << c));
            state.setRequest(i, BAD_SAVE, get(r, BAD_SAVE) & ~(1 << c));
        }
    }

    void stun(int c) {
        state.setCheckpoint(c, STUN_ASKED, 0);
        if (get(state.checkpoint(c), LIFE) != state.global(ROLLED)) {
            // Rolled back meanwhile: there is nothing that could be stunned.
            state.setCheckpoint(c, ANSWER, ANSWER_CONFLICTED);
            return;
        }
        boolean hasConflict = cores.hasConflict(state.global(PENDING));
        var policy = ExploreConfig.Policy.values()[state.global(POLICY)];
        if (hasConflict && policy == ExploreConfig.Policy.DISK_PUT_OFF) {
            state.setCheckpoint(c, ANSWER, ANSWER_CONFLICTED);
            return;
        }
        long k = set(state.checkpoint(c), STUNNED, 1);
        boolean isWanted = get(k, ABORTED) == 0;
        int views = 0;
        long show = 0;
        for (int name = 0; name < config.disks(); name++) {
            if (overlay(k, name) != OVERLAY_READY) {
                throw new Violation(Rule.R1,
                        checkpointName(c) + " is stunned before overlay " + name + " is there");
            }
            int disk = state.diskInUse(name);
            int top = state.disk(disk, TOP);
            if (!isR1On) {
                int skipped = top - (get(k, PARENTS) >>> 2 * name & 3);
                state.setDisk(disk, SKIPS, state.disk(disk, SKIPS) | skipped << 2 * top);
            }
            views |= top << 2 * disk;
            for (int block = 0; block < BLOCKS; block++) {
                show |= (long) state.candidates(disk, block) << 8 * (disk * BLOCKS + block);
            }
        }
        int frozen = 0;
        for (int page = 0; page < state.layout.pages; page++) {
            frozen |= state.page(page, FRAME_COUNT) - 1 << 3 * page;
            state.setPage(page, IS_FROZEN, 1);
        }
        k = set(set(set(set(k, OVERLAYS, 0), PARENTS, 0), VIEWS, views), FROZEN, frozen);
        state.w[state.layout.firstCheckpoint + 2 * c] = k;
        if (isWanted) {
            state.w[state.layout.firstCheckpoint + 2 * c + 1] = show;
            int count = state.global(COUNT);
            for (int i = 0; i < count; i++) {
                long r = state.request(i);
                if (isAwaited(r)) {
                    state.setRequest(i, IN_CUT, get(r, IN_CUT) | 1 << c);
                }
            }
        }
        strand.tellPending(Cores.STUNNED | c);
        if (isR3On && isWanted) {
            capture(c);
        }
        for (int name = 0; name < config.disks(); name++) {
            int disk = state.diskInUse(name);
            int top = state.disk(disk, TOP) + 1;
            state.setDisk(disk, TOP, top);
            strand.tellDisk(disk, Cores.onOrder(Cores.SWITCHED, top));
        }
        if (hasConflict || (!isR2On && cores.waitedFor(state.global(PENDING), c) != 0)) {
            state.global(STOPPED, c + 1);
            state.setCheckpoint(c, ANSWER, ANSWER_HELD);
            state.setCheckpoint(c, ANSWER_IDS, cores.waitedFor(state.global(PENDING), c));
        } else {
            answerResumed(c);
        }
    }

    /**
     * Device state is captured, of which P is a part: R3. It is what the core says is in flight, and must be what the guest has issued
     * and not been told the end of at the checkpoint's instant.
     */
    private void capture(int c) {
        int captured = cores.inFlight(state.global(PENDING));
        for (int i = 0; i < state.global(COUNT); i++) {
            boolean isOfInstant = (get(state.request(i), IN_CUT) >>> c & 1) != 0;
            boolean isCaptured = (captured >>> i & 1) != 0;
            if (isOfInstant && !isCaptured) {
                throw new Violation(Rule.R3, checkpointName(c) + " does not carry "
                        + state.name(i) + ", which was in flight at its instant");
            }
            if (isCaptured && !isOfInstant) {
                throw new Violation(Rule.R3, checkpointName(c) + " carries " + state.name(i)
                        + ", which was not in flight at its instant");
            }
        }
    }

    private void answerResumed(int c) {
        state.setCheckpoint(c, ANSWER, ANSWER_RESUMED);
        state.setCheckpoint(c, ANSWER_IDS, cores.waitedFor(state.global(PENDING), c));
    }

    void answer(int c) {
        long k = state.checkpoint(c);
        int ids = get(k, ANSWER_IDS);
        state.w[state.layout.firstCheckpoint + 2 * c] =
                set(set(k, ANSWER, ANSWER_NONE), ANSWER_IDS, 0);
        if (!isR3On && isLive(k)) {
            capture(c); // with what the guest did since
        }
        switch (get(k, ANSWER)) {
            case ANSWER_RESUMED -> told(c, Cores.RESUMED | ids);
            case ANSWER_HELD -> told(c, Cores.RESUME_HELD | ids);
            case ANSWER_CONFLICTED -> {
                state.setCheckpoint(c, PUT_OFF, get(k, ABORTED) == 0 ? 1 : 0);
                told(c, Cores.CONFLICTED);
            }
            default -> throw new IllegalStateException("no answer");
        }
    }

    private void startSaving(int c, int pass) {
        state.setCheckpoint(c, SAVER, pass);
        state.setCheckpoint(c, VISITED, get(state.checkpoint(c), SAVED));
    }

    void save(int c, int page) {
        long k = state.checkpoint(c);
        if (get(k, RELEASED) != 0) {
            throw new Violation(Rule.R12, checkpointName(c) + " saves memory that it gave back");
        }
        state.setCheckpoint(c, VISITED, get(k, VISITED) | 1 << page);
        if (cores.isBlocked(state.global(PENDING), c, page, frozen(k, page))) {
            state.note("page %d is left for later", page);
            return;
        }
        state.setCheckpoint(c, SAVED, get(k, SAVED) | 1 << page);
        int count = state.global(COUNT);
        for (int i = 0; i < count; i++) {
            long r = state.request(i);
            if ((get(r, IN_CUT) >>> c & 1) == 0 || !isReadInto(r, page)) {
                continue;
            }
            for (int block = 0; block < BLOCKS; block++) {
                if ((get(r, EXTENT) >>> block & 1) != 0 && !state.hasBytes(c, r, page, block)) {
                    state.setRequest(i, BAD_SAVE, get(state.request(i), BAD_SAVE) | 1 << c);
                }
            }
        }
    }

    void saved(int c) {
        long k = state.checkpoint(c);
        int pass = get(k, SAVER);
        state.setCheckpoint(c, SAVER, 0);
        state.setCheckpoint(c, VISITED, 0);
        told(c, get(k, STOP_SAVING) != 0
                ? Cores.SAVE_FAILED
                : pass == 1 ? Cores.PAGES_SAVED : Cores.LATE_PAGES_SAVED);
    }

    void synced(int c) {
        long k = state.checkpoint(c);
        state.setCheckpoint(c, SYNC, 0);
        for (int disk = 0; disk < state.diskCount(); disk++) {
            if (state.isOf(k, disk)) {
                device.flush(disk, 0, view(k, disk));
            }
        }
        told(c, Cores.CHAIN_SYNCED);
    }

    void deadline(int c) {
        told(c, Cores.DEADLINE);
        if (get(state.checkpoint(c), ABORTED) == 0) {
            throw new Violation(Rule.R15, "the deadline of " + checkpointName(c)
                    + " passed, and it goes on waiting");
        }
    }
}
