package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.IoStatus;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.pattern.StatusReply;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint that is kept in memory instead of being written: the same protocol up to the point where all of P has settled,
 * decided by the same {@link CheckpointPhase}; then, instead of a manifest, a {@link Snapshot}, which this actor keeps until
 * nobody needs it.
 *
 * <p>Nothing is synced, since it does not outlive the process anyway: what is answered to {@code SyncChain} and to the savers'
 * outputs is answered at once.
 */
final class SnapshotActor extends AbstractMatchingBehavior<CheckpointActor.Command> {
    private static final String UNUSED = "nobody needs it";

    private final ActorContext<CheckpointActor.Command> context;
    private final CheckpointRef ref;
    private final ActorRef<StatusReply<Snapshot>> requester;
    private final ActorRef<VmActor.Command> vm;
    private final Machine machine;
    private final VmServices services;
    private final TimerScheduler<CheckpointActor.Command> timers;
    private final TreeMap<Long, IoStatus> statuses = new TreeMap<>();
    // Answers to outputs of the step under way.
    private final ArrayDeque<CheckpointPhase.Input> next = new ArrayDeque<>();
    private CheckpointPhase phase;
    private CheckpointActor.@Nullable Cut cut;
    private long stunNs = -1;
    private boolean feeding;
    private boolean aborted;
    private boolean frozenReleased;
    private boolean viewsReleased;
    private @Nullable Snapshot kept;
    private boolean closing;

    private SnapshotActor(
            ActorContext<CheckpointActor.Command> context,
            TimerScheduler<CheckpointActor.Command> timers,
            CheckpointRef ref,
            ActorRef<StatusReply<Snapshot>> requester,
            ActorRef<VmActor.Command> vm,
            Machine machine,
            VmServices services) {
        super(context);
        this.context = context;
        this.timers = timers;
        this.ref = ref;
        this.requester = requester;
        this.vm = vm;
        this.machine = machine;
        this.services = services;
        var disks = new TreeSet<Integer>();
        for (int i = 0; i < machine.diskActors.size(); i++) {
            disks.add(i);
        }
        phase = CheckpointPhase.idle(
                new CheckpointPhase.Plan(disks, services.conflict(), services.rules()));
    }

    /** {@code requester} hears once: the snapshot, or why there is none. */
    static Behavior<CheckpointActor.Command> create(
            CheckpointRef ref,
            ActorRef<StatusReply<Snapshot>> requester,
            ActorRef<VmActor.Command> vm,
            Machine machine,
            VmServices services) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(
                        timers -> new SnapshotActor(
                                context, timers, ref, requester, vm, machine, services).begin()));
    }

    /** From the snapshot, once: it was closed and no clone stands on it. */
    static CheckpointActor.Command unused() {
        return new CheckpointActor.Cancel(UNUSED);
    }

    private SnapshotActor begin() {
        var late = new CheckpointActor.Cancel(
                "the deadline passed while it waited for requests in flight");
        timers.startSingleTimer(late, late, Duration.ofNanos(services.deadlineNs()));
        feed(new CheckpointPhase.Input.Begin());
        return this;
    }

    @Override
    public Behavior<CheckpointActor.Command> onMessage(CheckpointActor.Command command) {
        switch (command) {
            case CheckpointActor.OverlayReady(var disk) ->
                feed(new CheckpointPhase.Input.OverlayReady(disk));
            case CheckpointActor.OverlayFailed(var disk, var reason) ->
                feed(new CheckpointPhase.Input.OverlayFailed(disk, reason));
            case CheckpointActor.Conflicted _ -> feed(new CheckpointPhase.Input.Conflicted());
            case CheckpointActor.ConflictOver _ -> feed(new CheckpointPhase.Input.ConflictOver());
            case CheckpointActor.Cut told -> {
                cut = told;
                if (aborted) {
                    releaseViews();
                }
            }
            case CheckpointActor.ResumeHeld(var pending) ->
                feed(new CheckpointPhase.Input.ResumeHeld(pending));
            case CheckpointActor.Resumed(var ns, var pending) -> {
                stunNs = ns;
                feed(new CheckpointPhase.Input.Resumed(ns, pending));
            }
            case CheckpointActor.IoSettled(var ioId, var status) -> {
                statuses.put(ioId, status);
                feed(new CheckpointPhase.Input.IoSettled(ioId, status));
            }
            case CheckpointActor.Cancel(var reason) -> onCancel(reason);
            case CheckpointActor.Settle _ -> onSettle();
            default -> throw new IllegalStateException(
                    "a snapshot has no store, and got " + command);
        }
        return endIfOver();
    }

    private void onCancel(String reason) {
        if (kept == null) {
            feed(new CheckpointPhase.Input.Cancel(reason));
        } else if (reason.equals(UNUSED)) {
            closing = true;
        } else {
            // The VM stops, or needs the memory: its clones may need it still.
            kept.close();
        }
    }

    /** On the strand, as the guest's stores are: so none of them is moving a page now, and none will. */
    private void onSettle() {
        theCut().frozen().forEach(FrozenMemory::settle);
        if (kept != null) {
            kept.settled();
        }
    }

    private void feed(CheckpointPhase.Input input) {
        next.addLast(input);
        if (feeding) {
            return;
        }
        feeding = true;
        for (var one = next.pollFirst(); one != null; one = next.pollFirst()) {
            var step = CheckpointPhase.step(phase, one);
            phase = step.next();
            step.outputs().forEach(this::carryOut);
        }
        feeding = false;
    }

    private void carryOut(CheckpointPhase.Output output) {
        switch (output) {
            case CheckpointPhase.Output.PrepareOverlays _ ->
                machine.diskActors.forEach(disk -> disk
                        .tell(new DiskActor.Prepare(ref.id().value(), context.getSelf())));
            case CheckpointPhase.Output.Stun(var ifConflict) ->
                vm.tell(new VmActor.Stun(ref.id().value(), machine.incarnation, false,
                        ifConflict, context.getSelf()));
            case CheckpointPhase.Output.Resume _ ->
                vm.tell(new VmActor.ResumeHeld(ref.id().value()));
            case CheckpointPhase.Output.SaveFree _ -> feed(new CheckpointPhase.Input.PagesSaved());
            case CheckpointPhase.Output.SaveLate _ ->
                feed(new CheckpointPhase.Input.LatePagesSaved());
            case CheckpointPhase.Output.SyncChain _ ->
                feed(new CheckpointPhase.Input.ChainSynced());
            case CheckpointPhase.Output.WriteManifest _ ->
                feed(new CheckpointPhase.Input.ManifestWritten());
            case CheckpointPhase.Output.DiscardOverlays(var disks) ->
                disks.forEach(disk -> machine.diskActors.get(disk)
                        .tell(new DiskActor.Discard(ref.id().value())));
            case CheckpointPhase.Output.ReleaseFrozen _ -> {
                if (kept == null) {
                    releaseFrozen();
                }
            }
            case CheckpointPhase.Output.ReportSealed _ -> keep();
            case CheckpointPhase.Output.ReportAborted(var reason) -> abort(reason);
            case CheckpointPhase.Output.StopSaving _,CheckpointPhase.Output.DiscardSaved _ -> {}
            case CheckpointPhase.Output.CopyDisks _,CheckpointPhase.Output.StopCopying _ ->
                throw new IllegalStateException("a snapshot copies no disks");
        }
    }

    private void keep() {
        timers.cancelAll();
        var of = theCut();
        var made = new Snapshot(ref, StoredMachine.devices(machine, of.captured(), statuses),
                of.frozen(), StoredMachine.views(machine, of.views()),
                machine.state.chains(), stunNs, context.getSelf());
        kept = made;
        requester.tell(StatusReply.success(made));
    }

    private void abort(String reason) {
        timers.cancelAll();
        aborted = true;
        if (cut != null) {
            releaseViews();
        }
        requester.tell(StatusReply.error("snapshot " + ref + " was given up: " + reason));
    }

    private CheckpointActor.Cut theCut() {
        if (cut == null) {
            throw new IllegalStateException(ref + " has no cut yet");
        }
        return cut;
    }

    private void releaseViews() {
        if (!viewsReleased) {
            viewsReleased = true;
            var views = theCut().views();
            for (int i = 0; i < views.length; i++) {
                machine.diskActors.get(i).tell(new DiskActor.ReleaseView(views[i], false));
            }
        }
    }

    private void releaseFrozen() {
        if (!frozenReleased) {
            frozenReleased = true;
            var frozen = new ArrayList<>(theCut().frozen());
            for (int i = 0; i < frozen.size(); i++) {
                machine.regionActors.get(i).tell(new MemoryRegionActor.Release(frozen.get(i)));
            }
        }
    }

    @Override
    public Behavior<CheckpointActor.Command> onSignal(Signal signal) {
        switch (signal) {
            case PostStop _ -> {
                if (kept != null) {
                    kept.lost();
                }
            }
            default -> {}
        }
        return this;
    }

    private Behavior<CheckpointActor.Command> endIfOver() {
        var snapshot = kept;
        if (!phase.isOver() || (snapshot != null && !closing)) {
            return this;
        }
        if (snapshot != null) {
            releaseFrozen();
            releaseViews();
            snapshot.released();
        }
        vm.tell(new VmActor.CheckpointEnded(ref.id().value(), machine));
        return Behaviors.stopped();
    }
}
