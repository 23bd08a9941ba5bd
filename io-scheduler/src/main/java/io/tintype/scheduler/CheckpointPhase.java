package io.tintype.scheduler;

import io.tintype.scheduler.PendingSet.Conflict;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;

/**
 * Where one checkpoint of one VM stands: the coordinator's decisions, rules R12 and R15, and the order of R1.
 *
 * <pre>
 *  Idle ──Begin──▶ Preparing ──last OverlayReady──▶ Stunned ──Resumed──▶ Draining ──all safe──▶ Writing ──▶ Sealed
 *                                                   │  ▲ │            drain ∥ save, copy disks  manifest
 *                                        Conflicted ▼  │ └─ResumeHeld─▶ Held ──P done, Resumed──▶ Draining
 *                                                 PutOff   (DELAY_RESUME)
 *                                              (PUT_OFF)
 *  any of them but Writing and Sealed ──failure, Deadline, Cancel──▶ Aborted
 * </pre>
 *
 * <p>What holds:
 * <ul>
 *   <li>the VM is asked to stun only when every overlay is durably in its chain (R1), and never waits in it for anything but,
 *       under {@code DELAY_RESUME}, the end of its pending requests, bounded by the deadline;
 *   <li>the chain is synced only after the last of P has ended, the manifest is written only after that and after everything
 *       else is stored (R12);
 *   <li>disks are copied only after the last of P has ended and the chain is synced: then what the copy is made from changes
 *       no more;
 *   <li>exactly one of {@link Output.ReportSealed} and {@link Output.ReportAborted} is given, once;
 *   <li>from the moment the manifest is being written there is no way back: whether it is visible is the store's answer, not
 *       the clock's;
 *   <li>overlays are discarded only if the VM never switched to them, and then all, those that come ready late too;
 *   <li>frozen memory is released only when no saver reads it any more.
 * </ul>
 *
 * <p>An input that comes too late, or twice, changes nothing; it has its own line in each phase. Requests may settle before
 * the coordinator has heard of the resume, since the two come by different ways.
 *
 * <p>Pure and immutable: equal phase and input give an equal step. Safe to share between threads.
 */
public sealed interface CheckpointPhase {
    /**
     * What does not change while a checkpoint is taken.
     *
     * @param disks indices of the VM's disks, each of which gets an overlay; may be empty
     * @param conflict what the stun is to do about R9
     * @param copiesDisks whether the checkpoint gets a copy of each disk; otherwise it points to layers of the chain
     */
    record Plan(SortedSet<Integer> disks, Conflict conflict, boolean copiesDisks, Rules rules) {
        public Plan {
            disks = sorted(disks);
        }

        /** A checkpoint that points to layers. */
        public Plan(SortedSet<Integer> disks, Conflict conflict, Rules rules) {
            this(disks, conflict, false, rules);
        }
    }

    /** Not begun. */
    record Idle(Plan plan) implements CheckpointPhase {}

    /** Overlays are being made, the VM runs. */
    record Preparing(Plan plan, SortedSet<Integer> missing) implements CheckpointPhase {}

    /** The VM runs; the stun is to be tried again. The overlays stay ready meanwhile. */
    record PutOff(Plan plan) implements CheckpointPhase {}

    /**
     * The VM was asked to stun, and has not answered. It may or may not have switched to the overlays.
     *
     * @param settledEarly requests that settled before the answer came
     */
    record Stunned(Plan plan, IoIds settledEarly) implements CheckpointPhase {}

    /** The VM is stopped until its requests are done; with none left it was told to resume, and has not answered. */
    record Held(Plan plan, IoIds waitingFor) implements CheckpointPhase {}

    /** The VM runs; its requests of the cut end, its memory is saved, side by side. */
    record Draining(Plan plan, long stunNs, IoIds waitingFor, Saving saving, Syncing syncing)
            implements
                CheckpointPhase {}

    /** The manifest is being written. */
    record Writing(Plan plan, long stunNs) implements CheckpointPhase {}

    /** Visible, restorable. */
    record Sealed(long stunNs) implements CheckpointPhase {}

    /** Over. {@code left} says what has to be tidied up when late answers come. */
    record Aborted(Plan plan, String reason, Left left) implements CheckpointPhase {}

    /** How far saving memory has got. */
    enum Saving {
        /** All pages that no pending read targets. */
        FREE_PAGES, FREE_PAGES_DONE,
        /** The others. */
        LATE_PAGES, DONE
    }

    /** How far making the chain durable has got. */
    enum Syncing {
        NOT_BEGUN, RUNNING,
        /** It is durable, and the disks are being copied from it. */
        COPYING, DONE
    }

    /**
     * What an aborted checkpoint still waits for, so that it leaves nothing behind.
     *
     * @param overlays disks whose overlay is still being made
     * @param stun whether the VM has yet to answer the stun, or the resume
     * @param saver whether a saver still reads frozen memory
     * @param copier whether disks are still being copied
     */
    record Left(SortedSet<Integer> overlays, boolean stun, boolean saver, boolean copier) {
        static final Left NOTHING = new Left(sorted(List.of()), false, false, false);

        public Left {
            overlays = sorted(overlays);
        }

        static Left ofOverlays(SortedSet<Integer> overlays) {
            return new Left(overlays, false, false, false);
        }

        static Left ofStun() {
            return new Left(sorted(List.of()), true, false, false);
        }

        static Left ofWorkers(boolean saver, boolean copier) {
            return new Left(sorted(List.of()), false, saver, copier);
        }
    }

    sealed interface Input {
        record Begin() implements Input {}

        /** The overlay is durably in the disk's chain (R1). */
        record OverlayReady(int disk) implements Input {}

        record OverlayFailed(int disk, String reason) implements Input {}

        /** Answer to {@link Output.Stun}: not now, the VM was not stopped, for R9 and {@code PUT_OFF}. */
        record Conflicted() implements Input {}

        /** What put the stun off is over; the VM says so once. */
        record ConflictOver() implements Input {}

        /** Answer to {@link Output.Stun}: stunned, and the VM stays stopped, for R9 and {@code DELAY_RESUME}. */
        record ResumeHeld(IoIds pendingIoIds) implements Input {}

        /**
         * Answer to {@link Output.Stun} or {@link Output.Resume}: all is frozen, the VM runs.
         *
         * @param stunNs from stop to resume
         * @param pendingIoIds {@link PendingSet#pendingOf}, taken at the stun or later
         */
        record Resumed(long stunNs, IoIds pendingIoIds) implements Input {
            /** The same, from whatever the ids are in. */
            public Resumed(long stunNs, Collection<Long> pendingIoIds) {
                this(stunNs, IoIds.of(pendingIoIds));
            }
        }

        /** A request of the cut ended, however, and its debts are paid. */
        record IoSettled(long ioId, IoStatus status) implements Input {}

        /** Answer to {@link Output.SaveFree}. */
        record PagesSaved() implements Input {}

        /** Answer to {@link Output.SaveLate}. */
        record LatePagesSaved() implements Input {}

        /** The other answer to both, and the answer to {@link Output.StopSaving}. */
        record SaveFailed(String reason) implements Input {}

        record ChainSynced() implements Input {}

        record SyncFailed(String reason) implements Input {}

        /** Answer to {@link Output.CopyDisks}: all copies are durable. */
        record DisksCopied() implements Input {}

        /** The other answer to it, and the answer to {@link Output.StopCopying}. */
        record CopyFailed(String reason) implements Input {}

        record ManifestWritten() implements Input {}

        /** The manifest is not there, and will not be. */
        record ManifestFailed(String reason) implements Input {}

        /** Time is up. Started with {@link Begin}; it bounds everything up to the manifest. */
        record Deadline() implements Input {}

        /** Nobody wants it any more. */
        record Cancel(String reason) implements Input {}
    }

    sealed interface Output {
        /** Make an overlay for every disk, the VM running. */
        record PrepareOverlays() implements Output {}

        /** Stun the VM, if nothing speaks against it: freeze, capture, switch. */
        record Stun(Conflict ifConflict) implements Output {}

        /** Let a VM run whose resume is held. */
        record Resume() implements Output {}

        /** Store device state, and all pages but those that are blocked (R10). */
        record SaveFree() implements Output {}

        /** Store the pages that were left out. */
        record SaveLate() implements Output {}

        /** The saver is to give up soon, and to answer as always. */
        record StopSaving() implements Output {}

        /** Make the frozen chain durable. */
        record SyncChain() implements Output {}

        /** Copy what each disk showed at T into the checkpoint, from the frozen chain. */
        record CopyDisks() implements Output {}

        /** The copying is to give up soon, and to answer as always. */
        record StopCopying() implements Output {}

        /** Make everything stored durable, then the manifest, then make it visible. */
        record WriteManifest() implements Output {}

        record ReportSealed(long stunNs) implements Output {}

        record ReportAborted(String reason) implements Output {}

        /** Take back overlays that the VM never switched to. */
        record DiscardOverlays(SortedSet<Integer> disks) implements Output {
            public DiscardOverlays {
                disks = sorted(disks);
            }
        }

        /** Remove what was stored of a checkpoint that will not be. */
        record DiscardSaved() implements Output {}

        /** Give the frozen memory back; the chain keeps its overlays (R12). */
        record ReleaseFrozen() implements Output {}
    }

    /** A checkpoint not begun. */
    static CheckpointPhase idle(Plan plan) {
        return new Idle(plan);
    }

    static Step<CheckpointPhase, Output> step(CheckpointPhase phase, Input input) {
        return switch (phase) {
            case Idle idle -> whenIdle(idle, input);
            case Preparing preparing -> whenPreparing(preparing, input);
            case PutOff putOff -> whenPutOff(putOff, input);
            case Stunned stunned -> whenStunned(stunned, input);
            case Held held -> whenHeld(held, input);
            case Draining draining -> whenDraining(draining, input);
            case Writing writing -> whenWriting(writing, input);
            case Sealed sealed -> to(sealed); // whatever comes is too late to matter
            case Aborted aborted -> whenAborted(aborted, input);
        };
    }

    /**
     * Whether this checkpoint has prepared overlays, or is about to, that the VM has not switched to. There may be one such
     * checkpoint for a VM (R1): others wait with {@link Input.Begin} until it answers no.
     */
    default boolean ownsOverlays() {
        return switch (this) {
            case Preparing _,PutOff _,Stunned _ -> true;
            case Aborted aborted -> !aborted.left.overlays.isEmpty() || aborted.left.stun;
            case Idle _,Held _,Draining _,Writing _,Sealed _ -> false;
        };
    }

    /** Whether nothing can happen any more that this coordinator has to act on. */
    default boolean isOver() {
        return switch (this) {
            case Sealed _ -> true;
            case Aborted aborted -> aborted.left.equals(Left.NOTHING);
            case Idle _,Preparing _,PutOff _,Stunned _,Held _,Draining _,Writing _ -> false;
        };
    }

    private static Step<CheckpointPhase, Output> whenIdle(Idle idle, Input input) {
        var plan = idle.plan;
        return switch (input) {
            case Input.Begin() -> plan.disks.isEmpty()
                    ? stun(plan)
                    : to(new Preparing(plan, plan.disks), new Output.PrepareOverlays());
            case Input.Deadline() -> onDeadline(idle, plan, Left.NOTHING);
            case Input.Cancel(var reason) -> abort(plan, reason, Left.NOTHING);
            case Input.OverlayReady _,Input.OverlayFailed _,Input.Conflicted _,Input.ConflictOver _,Input.ResumeHeld _,Input.Resumed _,Input.IoSettled _,Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _,Input.ChainSynced _,Input.SyncFailed _,Input.DisksCopied _,Input.CopyFailed _,Input.ManifestWritten _,Input.ManifestFailed _ ->
                to(idle);
        };
    }

    private static Step<CheckpointPhase, Output> whenPreparing(Preparing preparing, Input input) {
        var plan = preparing.plan;
        var ready = without(plan.disks, preparing.missing);
        return switch (input) {
            case Input.OverlayReady(var disk) -> {
                var missing = without(preparing.missing, disk);
                yield missing.isEmpty() ? stun(plan) : to(new Preparing(plan, missing));
            }
            case Input.OverlayFailed(var disk, var reason) -> {
                // One that fails after it was ready is not there to be discarded.
                var missing = without(preparing.missing, disk);
                yield abort(plan, reason, Left.ofOverlays(missing), discard(without(ready, disk)));
            }
            case Input.Deadline() -> onDeadline(preparing, plan, Left.ofOverlays(preparing.missing),
                    discard(ready));
            case Input.Cancel(var reason) ->
                abort(plan, reason, Left.ofOverlays(preparing.missing), discard(ready));
            case Input.Begin _,Input.Conflicted _,Input.ConflictOver _,Input.ResumeHeld _,Input.Resumed _,Input.IoSettled _,Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _,Input.ChainSynced _,Input.SyncFailed _,Input.DisksCopied _,Input.CopyFailed _,Input.ManifestWritten _,Input.ManifestFailed _ ->
                to(preparing);
        };
    }

    private static Step<CheckpointPhase, Output> whenPutOff(PutOff putOff, Input input) {
        var plan = putOff.plan;
        return switch (input) {
            case Input.ConflictOver() -> stun(plan);
            case Input.Deadline() -> onDeadline(putOff, plan, Left.NOTHING, discard(plan.disks));
            case Input.Cancel(var reason) ->
                abort(plan, reason, Left.NOTHING, discard(plan.disks));
            case Input.Begin _,Input.OverlayReady _,Input.OverlayFailed _,Input.Conflicted _,Input.ResumeHeld _,Input.Resumed _,Input.IoSettled _,Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _,Input.ChainSynced _,Input.SyncFailed _,Input.DisksCopied _,Input.CopyFailed _,Input.ManifestWritten _,Input.ManifestFailed _ ->
                to(putOff);
        };
    }

    private static Step<CheckpointPhase, Output> whenStunned(Stunned stunned, Input input) {
        var plan = stunned.plan;
        return switch (input) {
            case Input.Resumed(var stunNs, var pendingIoIds) ->
                drain(plan, stunNs, pendingIoIds.withoutAll(stunned.settledEarly));
            case Input.ResumeHeld(var pendingIoIds) ->
                hold(plan, pendingIoIds.withoutAll(stunned.settledEarly));
            case Input.Conflicted() -> to(new PutOff(plan));
            case Input.IoSettled(var ioId, _) ->
                to(new Stunned(plan, stunned.settledEarly.with(ioId)));
            // Whether the overlays are in use only the answer tells: they must not be touched before.
            case Input.Deadline() -> onDeadline(stunned, plan, Left.ofStun());
            case Input.Cancel(var reason) -> abort(plan, reason, Left.ofStun());
            case Input.Begin _,Input.OverlayReady _,Input.OverlayFailed _,Input.ConflictOver _,Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _,Input.ChainSynced _,Input.SyncFailed _,Input.DisksCopied _,Input.CopyFailed _,Input.ManifestWritten _,Input.ManifestFailed _ ->
                to(stunned);
        };
    }

    private static Step<CheckpointPhase, Output> whenHeld(Held held, Input input) {
        var plan = held.plan;
        return switch (input) {
            case Input.IoSettled(var ioId, _) -> {
                // Once empty the VM has been told; a late report must not tell it twice.
                var left = held.waitingFor.without(ioId);
                yield left.size() == held.waitingFor.size() ? to(held) : hold(plan, left);
            }
            case Input.Resumed(var stunNs, _) -> drain(plan, stunNs, held.waitingFor);
            case Input.Deadline() -> onDeadline(held, plan, Left.ofStun(), letGo(held));
            case Input.Cancel(var reason) -> abort(plan, reason, Left.ofStun(), letGo(held));
            case Input.Begin _,Input.OverlayReady _,Input.OverlayFailed _,Input.Conflicted _,Input.ConflictOver _,Input.ResumeHeld _,Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _,Input.ChainSynced _,Input.SyncFailed _,Input.DisksCopied _,Input.CopyFailed _,Input.ManifestWritten _,Input.ManifestFailed _ ->
                to(held);
        };
    }

    private static Step<CheckpointPhase, Output> whenDraining(Draining draining, Input input) {
        return switch (input) {
            case Input.IoSettled(var ioId, _) -> advance(waitingFor(draining,
                    draining.waitingFor.without(ioId)));
            case Input.PagesSaved() -> draining.saving == Saving.FREE_PAGES
                    ? advance(at(draining, Saving.FREE_PAGES_DONE))
                    : to(draining);
            case Input.LatePagesSaved() -> draining.saving == Saving.LATE_PAGES
                    ? advance(at(draining, Saving.DONE))
                    : to(draining);
            case Input.ChainSynced() -> draining.syncing == Syncing.RUNNING
                    ? synced(draining)
                    : to(draining);
            case Input.DisksCopied() -> draining.syncing == Syncing.COPYING
                    ? advance(at(draining, Syncing.DONE))
                    : to(draining);
            case Input.CopyFailed(var reason) ->
                abortFrozen(at(draining, Syncing.DONE), reason); // the copying has answered
            case Input.SaveFailed(var reason) ->
                abortFrozen(at(draining, Saving.DONE), reason); // the saver has answered
            case Input.SyncFailed(var reason) -> abortFrozen(draining, reason);
            case Input.Cancel(var reason) -> abortFrozen(draining, reason);
            case Input.Deadline() -> draining.plan.rules.on(Rule.R15)
                    ? abortFrozen(draining, deadlineReason(draining))
                    : to(draining);
            case Input.Begin _,Input.OverlayReady _,Input.OverlayFailed _,Input.Conflicted _,Input.ConflictOver _,Input.ResumeHeld _,Input.Resumed _,Input.ManifestWritten _,Input.ManifestFailed _ ->
                to(draining);
        };
    }

    private static Step<CheckpointPhase, Output> whenWriting(Writing writing, Input input) {
        return switch (input) {
            case Input.ManifestWritten() -> to(new Sealed(writing.stunNs),
                    new Output.ReportSealed(writing.stunNs), new Output.ReleaseFrozen());
            case Input.ManifestFailed(var reason) -> abort(writing.plan, reason, Left.NOTHING,
                    new Output.DiscardSaved(), new Output.ReleaseFrozen());
            // Too late: the manifest may be visible already, and a checkpoint that was reported aborted must not be.
            case Input.Deadline _,Input.Cancel _ -> to(writing);
            case Input.Begin _,Input.OverlayReady _,Input.OverlayFailed _,Input.Conflicted _,Input.ConflictOver _,Input.ResumeHeld _,Input.Resumed _,Input.IoSettled _,Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _,Input.ChainSynced _,Input.SyncFailed _,Input.DisksCopied _,Input.CopyFailed _ ->
                to(writing);
        };
    }

    private static Step<CheckpointPhase, Output> whenAborted(Aborted aborted, Input input) {
        var left = aborted.left;
        return switch (input) {
            case Input.OverlayReady(var disk) -> left.overlays.contains(disk)
                    ? tidied(aborted, overlayAnswered(left, disk),
                            new Output.DiscardOverlays(sorted(List.of(disk))))
                    : to(aborted);
            case Input.OverlayFailed(var disk, _) -> tidied(aborted, overlayAnswered(left, disk));
            case Input.Conflicted() -> left.stun
                    ? tidied(aborted, Left.NOTHING, discard(aborted.plan.disks))
                    : to(aborted);
            case Input.ResumeHeld _ ->
                left.stun ? to(aborted, new Output.Resume()) : to(aborted);
            case Input.Resumed _ -> left.stun
                    ? tidied(aborted, Left.NOTHING, new Output.ReleaseFrozen())
                    : to(aborted);
            case Input.PagesSaved _,Input.LatePagesSaved _,Input.SaveFailed _ -> left.saver
                    ? workerAnswered(aborted, Left.ofWorkers(false, left.copier))
                    : to(aborted);
            case Input.DisksCopied _,Input.CopyFailed _ -> left.copier
                    ? workerAnswered(aborted, Left.ofWorkers(left.saver, false))
                    : to(aborted);
            case Input.Begin _,Input.ConflictOver _,Input.IoSettled _,Input.ChainSynced _,Input.SyncFailed _,Input.ManifestWritten _,Input.ManifestFailed _,Input.Deadline _,Input.Cancel _ ->
                to(aborted);
        };
    }

    /** The memory is given back, and what was stored is removed, when nobody reads or writes either any more. */
    private static Step<CheckpointPhase, Output> workerAnswered(Aborted aborted, Left left) {
        return left.equals(Left.NOTHING)
                ? tidied(aborted, left, new Output.DiscardSaved(), new Output.ReleaseFrozen())
                : tidied(aborted, left);
    }

    private static Step<CheckpointPhase, Output> synced(Draining draining) {
        if (!draining.plan.copiesDisks || draining.plan.disks.isEmpty()) {
            return advance(at(draining, Syncing.DONE));
        }
        var outputs = new Outputs<Output>();
        outputs.add(new Output.CopyDisks());
        return advance(at(draining, Syncing.COPYING), outputs);
    }

    private static Step<CheckpointPhase, Output> stun(Plan plan) {
        return to(new Stunned(plan, IoIds.NONE), new Output.Stun(plan.conflict));
    }

    private static Step<CheckpointPhase, Output> hold(Plan plan, IoIds waitingFor) {
        var held = new Held(plan, waitingFor);
        return waitingFor.isEmpty() ? to(held, new Output.Resume()) : to(held);
    }

    /** What makes a stopped VM run; nothing if it has been told. */
    private static Output[] letGo(Held held) {
        return held.waitingFor.isEmpty() ? new Output[0] : new Output[] {new Output.Resume()};
    }

    private static Step<CheckpointPhase, Output> drain(Plan plan, long stunNs, IoIds waitingFor) {
        var outputs = new Outputs<Output>();
        outputs.add(new Output.SaveFree());
        Draining draining;
        if (plan.rules.on(Rule.R12)) {
            draining = new Draining(plan, stunNs, waitingFor, Saving.FREE_PAGES, Syncing.NOT_BEGUN);
        } else if (plan.copiesDisks && !plan.disks.isEmpty()) {
            draining = new Draining(plan, stunNs, IoIds.NONE, Saving.FREE_PAGES, Syncing.COPYING);
            outputs.add(new Output.CopyDisks());
        } else {
            draining = new Draining(plan, stunNs, IoIds.NONE, Saving.FREE_PAGES, Syncing.DONE);
        }
        return advance(draining, outputs);
    }

    private static Step<CheckpointPhase, Output> advance(Draining draining) {
        return advance(draining, new Outputs<>());
    }

    /** Begins whatever may begin now. */
    private static Step<CheckpointPhase, Output> advance(Draining draining,
            Outputs<Output> outputs) {
        var next = draining;
        if (next.waitingFor.isEmpty() && next.syncing == Syncing.NOT_BEGUN) {
            next = at(next, Syncing.RUNNING);
            outputs.add(new Output.SyncChain());
        }
        if (next.waitingFor.isEmpty() && next.saving == Saving.FREE_PAGES_DONE) {
            next = at(next, Saving.LATE_PAGES);
            outputs.add(new Output.SaveLate());
        }
        if (next.saving == Saving.DONE && next.syncing == Syncing.DONE) {
            outputs.add(new Output.WriteManifest());
            return new Step<>(new Writing(next.plan, next.stunNs), outputs.list());
        }
        return new Step<>(next, outputs.list());
    }

    /** Aborts after the freeze. */
    private static Step<CheckpointPhase, Output> abortFrozen(Draining draining, String reason) {
        boolean isSaving = switch (draining.saving) {
            case FREE_PAGES, LATE_PAGES -> true;
            case FREE_PAGES_DONE, DONE -> false;
        };
        boolean isCopying = draining.syncing == Syncing.COPYING;
        if (!isSaving && !isCopying) {
            return abort(draining.plan, reason, Left.NOTHING, new Output.DiscardSaved(),
                    new Output.ReleaseFrozen());
        }
        var stop = new Outputs<Output>();
        if (isSaving) {
            stop.add(new Output.StopSaving());
        }
        if (isCopying) {
            stop.add(new Output.StopCopying());
        }
        return abort(draining.plan, reason, Left.ofWorkers(isSaving, isCopying),
                stop.list().toArray(Output[]::new));
    }

    private static Step<CheckpointPhase, Output> onDeadline(CheckpointPhase phase, Plan plan,
            Left left, Output... tidy) {
        return plan.rules.on(Rule.R15) ? abort(plan, deadlineReason(phase), left, tidy) : to(phase);
    }

    /** Says what it was waiting for, since that is what somebody has to look into. */
    private static String deadlineReason(CheckpointPhase phase) {
        var waitedFor = switch (phase) {
            case Idle _ -> "its turn";
            case Preparing preparing -> "the overlays of disks " + preparing.missing;
            case PutOff _ -> "an instant without a read and a write of one block in flight";
            case Stunned _ -> "the VM to stop";
            case Held held when held.waitingFor.isEmpty() -> "the VM to resume";
            case Held held -> "requests " + held.waitingFor;
            case Draining draining when !draining.waitingFor.isEmpty() ->
                "requests " + draining.waitingFor;
            case Draining draining when draining.saving != Saving.DONE -> "its memory to be saved";
            case Draining draining when draining.syncing == Syncing.COPYING ->
                "its disks to be copied";
            case Draining _ -> "its disks to be synced";
            case Writing _,Sealed _,Aborted _ -> "nothing";
        };
        return "the deadline passed while it waited for " + waitedFor;
    }

    private static Step<CheckpointPhase, Output> abort(Plan plan, String reason, Left left,
            Output... tidy) {
        return tidied(new Aborted(plan, reason, left), left,
                prepend(new Output.ReportAborted(reason), tidy));
    }

    private static Step<CheckpointPhase, Output> tidied(Aborted aborted, Left left,
            Output... outputs) {
        return to(new Aborted(aborted.plan, aborted.reason, left), outputs);
    }

    private static Left overlayAnswered(Left left, int disk) {
        return new Left(without(left.overlays, disk), left.stun, left.saver, left.copier);
    }

    private static Output[] discard(SortedSet<Integer> disks) {
        return disks.isEmpty()
                ? new Output[0]
                : new Output[] {new Output.DiscardOverlays(disks)};
    }

    private static Output[] prepend(Output first, Output... rest) {
        var all = new Output[rest.length + 1];
        all[0] = first;
        System.arraycopy(rest, 0, all, 1, rest.length);
        return all;
    }

    private static Draining waitingFor(Draining draining, IoIds waitingFor) {
        return new Draining(draining.plan, draining.stunNs, waitingFor, draining.saving,
                draining.syncing);
    }

    private static Draining at(Draining draining, Saving saving) {
        return new Draining(draining.plan, draining.stunNs, draining.waitingFor, saving,
                draining.syncing);
    }

    private static Draining at(Draining draining, Syncing syncing) {
        return new Draining(draining.plan, draining.stunNs, draining.waitingFor, draining.saving,
                syncing);
    }

    private static Step<CheckpointPhase, Output> to(CheckpointPhase next, Output... outputs) {
        return new Step<>(next, List.of(outputs));
    }

    private static SortedSet<Integer> sorted(Collection<Integer> disks) {
        return Collections.unmodifiableSortedSet(new TreeSet<>(disks));
    }

    private static SortedSet<Integer> without(SortedSet<Integer> disks, int disk) {
        var fewer = new TreeSet<>(disks);
        fewer.remove(disk);
        return fewer;
    }

    private static SortedSet<Integer> without(SortedSet<Integer> disks, SortedSet<Integer> others) {
        var fewer = new TreeSet<>(disks);
        fewer.removeAll(others);
        return fewer;
    }
}
