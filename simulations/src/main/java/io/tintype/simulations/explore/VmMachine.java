package io.tintype.simulations.explore;

import static io.tintype.simulations.explore.Layout.BEGUN;
import static io.tintype.simulations.explore.Layout.FAULTS;
import static io.tintype.simulations.explore.Layout.FRAME_COUNT;
import static io.tintype.simulations.explore.Layout.ISSUED;
import static io.tintype.simulations.explore.Layout.MANIFEST;
import static io.tintype.simulations.explore.Layout.MESSAGE;
import static io.tintype.simulations.explore.Layout.OP;
import static io.tintype.simulations.explore.Layout.OP_FAILED;
import static io.tintype.simulations.explore.Layout.OVER;
import static io.tintype.simulations.explore.Layout.OVERLAY_NONE;
import static io.tintype.simulations.explore.Layout.PENDING;
import static io.tintype.simulations.explore.Layout.PHASE;
import static io.tintype.simulations.explore.Layout.POLICY;
import static io.tintype.simulations.explore.Layout.PUT_OFF;
import static io.tintype.simulations.explore.Layout.SAVER;
import static io.tintype.simulations.explore.Layout.SEALED;
import static io.tintype.simulations.explore.Layout.SYNC;
import static io.tintype.simulations.explore.Layout.VISITED;
import static io.tintype.simulations.explore.Layout.get;

import java.util.Arrays;

/**
 * One VM, hosted the way the shells do it: it feeds the pure cores and does what they say. What the guest does and when, and in
 * which order everything else happens, are {@link Act}s for others to choose.
 *
 * <pre>
 *  Choices ─── an act ──▶ VmMachine ──▶ Strand ──▶ PendingSet, DiskOrder (Cores)
 *                             │            └─────▶ Device ──▶ VmState
 *                             ├──▶ Checkpoints ──▶ CheckpointPhase (Cores)
 *                             └──▶ Renaming, then Checks, after each act
 * </pre>
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class VmMachine {
    final VmState state;
    private final Cores cores;
    private final Choices choices;
    private final Strand strand;
    private final Device device;
    private final Checkpoints checkpoints;
    private final Renaming renaming;
    private final Checks checks;
    private final int[] emptyPendings;

    VmMachine(ExploreConfig config, Cores cores) {
        this.cores = cores;
        state = new VmState(new Layout(config));
        choices = new Choices(config, cores, state);
        device = new Device(config, state);
        checks = new Checks(config, cores, state);
        renaming = new Renaming(cores, state);
        strand = new Strand(config, cores, state, device, checks, renaming);
        checkpoints = new Checkpoints(config, cores, state, strand, device, checks);
        var policies = ExploreConfig.Policy.values();
        emptyPendings = new int[policies.length];
        for (int i = 0; i < policies.length; i++) {
            emptyPendings[i] = cores.emptyPending(policies[i]);
        }
    }

    int words() {
        return state.layout.words;
    }

    void start(ExploreConfig.Policy policy) {
        Arrays.fill(state.w, 0);
        state.global(POLICY, policy.ordinal());
        state.global(PENDING, emptyPendings[policy.ordinal()]);
        for (int disk = 0; disk < state.diskCount(); disk++) {
            strand.newDisk(disk);
        }
        for (int page = 0; page < state.layout.pages; page++) {
            state.setPage(page, FRAME_COUNT, 1);
        }
    }

    // The choices.

    /** Requests issued so far, and checkpoints begun. */
    int issuedCount() {
        return state.global(ISSUED);
    }

    int begunCount() {
        return state.global(BEGUN);
    }

    /** See {@link Choices#tryAll}. */
    void tryAll() {
        choices.tryAll();
    }

    /** See {@link Choices#enumerate}. */
    int enumerate(int[] acts, int issued, boolean mayBegin) {
        return choices.enumerate(acts, issued, mayBegin);
    }

    /** Called where nothing is due: then all must be done. */
    void verifyDone() {
        checks.verifyDone();
    }

    // What happens.

    /** Does it, brings the state into its canonical form, and verifies. */
    void apply(int act) {
        state.areLabelsNew = false;
        int arguments = Act.arguments(act);
        switch (Act.what(act)) {
            case Act.ISSUE ->
                strand.issue(arguments >>> 5, arguments >>> 4 & 1, arguments >>> 2 & 3,
                        arguments & 3);
            case Act.STORE -> strand.privateFrame(arguments);
            case Act.RESET -> strand.reset();
            case Act.ROLL_BACK -> {
                checkpoints.rollBack();
                strand.rollBack();
            }
            case Act.BEGIN -> checkpoints.begin();
            case Act.COMMIT -> device.commit(arguments >>> 2, arguments & 3);
            case Act.DEADLINE -> checkpoints.deadline(arguments);
            case Act.FAIL -> {
                fault();
                state.setRequest(arguments, OP, OP_FAILED);
                device.clearOp(arguments);
            }
            case Act.OVERLAY_FAILED -> {
                fault();
                int c = arguments >>> 1;
                state.overlay(c, arguments & 1, OVERLAY_NONE);
                checkpoints.told(c, Cores.OVERLAY_FAILED | arguments & 1);
            }
            case Act.SAVE_FAILED -> {
                fault();
                state.setCheckpoint(arguments, SAVER, 0);
                state.setCheckpoint(arguments, VISITED, 0);
                checkpoints.told(arguments, Cores.SAVE_FAILED);
            }
            case Act.SYNC_FAILED -> {
                fault();
                state.setCheckpoint(arguments, SYNC, 0);
                checkpoints.told(arguments, Cores.SYNC_FAILED);
            }
            case Act.MANIFEST_FAILED -> {
                fault();
                state.setCheckpoint(arguments, MANIFEST, 0);
                checkpoints.told(arguments, Cores.MANIFEST_FAILED);
            }
            case Act.MOVE -> device.move(arguments >>> 1, arguments & 1);
            case Act.REPORT -> strand.report(arguments);
            case Act.OVERLAY -> {
                int c = arguments >>> 1;
                checkpoints.overlayReady(c, arguments & 1);
            }
            case Act.STUN -> checkpoints.stun(arguments);
            case Act.ANSWER -> checkpoints.answer(arguments);
            case Act.SETTLED -> {
                int io = arguments & 7;
                int c = arguments >>> 3;
                state.setRequest(io, MESSAGE, get(state.request(io), MESSAGE) & ~(1 << c));
                checkpoints.told(c, Cores.IO_SETTLED | io);
            }
            case Act.SAVE -> checkpoints.save(arguments >>> 1, arguments & 1);
            case Act.SAVED -> checkpoints.saved(arguments);
            case Act.SYNCED -> checkpoints.synced(arguments);
            case Act.MANIFEST -> {
                state.setCheckpoint(arguments, MANIFEST, 0);
                checkpoints.told(arguments, Cores.MANIFEST_WRITTEN);
            }
            case Act.CONFLICT_OVER -> {
                state.setCheckpoint(arguments, PUT_OFF, 0);
                checkpoints.told(arguments, Cores.CONFLICT_OVER);
            }
            case Act.DROP -> device.drop(arguments);
            default -> throw new IllegalArgumentException("act " + act);
        }
        renaming.canonical();
        checks.verify();
    }

    private void fault() {
        state.global(FAULTS, state.global(FAULTS) + 1);
    }

    String describeCheckpoint(int c) {
        long k = state.checkpoint(c);
        return get(k, OVER) != 0
                ? get(k, SEALED) != 0 ? "Sealed" : "Aborted"
                : cores.nameOf(get(k, PHASE));
    }
}
