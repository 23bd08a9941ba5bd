package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.catalogue.Catalogue;
import io.tintype.catalogue.CatalogueEvent;
import io.tintype.catalogue.OperationRecord;
import io.tintype.catalogue.StoreScan;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.IoIds;
import io.tintype.scheduler.IoStatus;
import io.tintype.store.CheckpointSink;
import io.tintype.store.Sealed;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.jspecify.annotations.Nullable;

/**
 * Coordinates one checkpoint from the first overlay to the manifest.
 *
 * <pre>
 * Idle → Preparing → (put off) → Stunned → Draining and saving → Sealed
 *            └───────────┴───────────┴──────────────┴──────────→ Aborted
 * </pre>
 *
 * <p>{@link CheckpointPhase} decides; this actor carries out. It lives on the VM's strand, but never
 * blocks it: the store is written by {@link MemorySaver} on other threads. The frozen memory goes back
 * only when no saver reads it any more.
 */
final class CheckpointActor extends AbstractMatchingBehavior<CheckpointActor.Command> {
    sealed interface Command {}

    record OverlayReady(int disk) implements Command {}

    record OverlayFailed(int disk, String reason) implements Command {}

    /** From the VM: not now, a read and a write of one block are pending; the guest runs (R9). */
    enum Conflicted implements Command {
        INSTANCE
    }

    /** From the VM, once after {@link Conflicted}: no such pair is pending any more. */
    enum ConflictOver implements Command {
        INSTANCE
    }

    /**
     * From the VM: what was frozen and captured at T.
     *
     * @param views what each disk showed at T
     * @param blocked frames of the frozen memory that reads of P still owe, ascending
     */
    @SuppressWarnings("ArrayRecordComponent") // made for this message, not shared
    record Cut(CapturedState captured, List<FrozenMemory> frozen, int[] views, int[] blocked)
            implements
                Command {}

    /** From the VM, after {@link Cut}: the guest stays stopped until its requests are done (R9). */
    record ResumeHeld(IoIds pending) implements Command {}

    /** From the VM, after {@link Cut}: the guest runs again. */
    record Resumed(long stunNs, IoIds pending) implements Command {}

    /** From a request of P: its status is final and all its bytes are where they belong. */
    record IoSettled(long ioId, IoStatus status) implements Command {}

    record ChainSynced(int disk) implements Command {}

    record ChainSyncFailed(int disk, String reason) implements Command {}

    record Cancel(String reason) implements Command {}

    /** To a checkpoint that stays in memory: somebody wants to read its frozen memory. {@link Snapshot#memory} hears of it. */
    enum Settle implements Command {
        MEMORY
    }

    private record Staged(CheckpointSink.@Nullable Draft staged, @Nullable Throwable failure)
            implements
                Command {}

    private record FreeSaved(@Nullable Throwable failure) implements Command {}

    private record LateSaved(@Nullable Throwable failure) implements Command {}

    private record DisksCopied(@Nullable Throwable failure) implements Command {}

    private record ManifestWritten(@Nullable Sealed sealed, @Nullable Throwable failure)
            implements
                Command {}

    private record SavedDiscarded(@Nullable Throwable failure) implements Command {}

    private enum Deadline implements Command {
        PASSED
    }

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final CheckpointRef ref;
    private final CheckpointSink store;
    private final ActorRef<CheckpointOutcome> requester;
    private final ActorRef<VmActor.Command> vm;
    private final Machine machine;
    private final VmServices services;
    // What copies of disks need is left there: nobody is woken by it in a turn.
    private final Executor later;
    private final boolean copiesDisks;
    private final long beginNs;
    // The status of each request of P, once final. The manifest is written from it on another thread, which gets it for itself.
    private TreeMap<Long, IoStatus> statuses = new TreeMap<>();
    private CheckpointPhase phase;
    private final Catalogue.Told begun;
    private CheckpointSink.@Nullable Draft staged;
    private @Nullable MemorySaver saver;
    private @Nullable Cut cut;
    private @Nullable DiskCopier copier;
    private boolean isCopying;
    private int disksToSync;
    private long stunNs = -1;
    private long resumedNs;
    private long drainedNs;
    private long bytes;
    // The staged files are being opened or removed: the last message is still to come.
    private boolean staging;
    private boolean viewsReleased;
    private @Nullable CheckpointOutcome outcome;

    private CheckpointActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            CheckpointRef ref,
            CheckpointSink store,
            ActorRef<CheckpointOutcome> requester,
            ActorRef<VmActor.Command> vm,
            Machine machine,
            VmServices services,
            boolean copiesDisks) {
        super(context);
        this.copiesDisks = copiesDisks;
        this.context = context;
        this.timers = timers;
        this.ref = ref;
        this.store = store;
        this.requester = requester;
        this.vm = vm;
        this.machine = machine;
        this.services = services;
        this.later = services.later().apply(services.upkeep());
        this.beginNs = services.clock().nanoTime();
        this.begun = services.catalogue()
                .tell(new CatalogueEvent.CheckpointBegun(ref, services.wall().instant()));
        var disks = new TreeSet<Integer>();
        for (int i = 0; i < machine.diskActors.size(); i++) {
            disks.add(i);
        }
        this.phase =
                CheckpointPhase.idle(
                        new CheckpointPhase.Plan(
                                disks, services.conflict(), copiesDisks, services.rules()));
    }

    static Behavior<Command> create(
            CheckpointRef ref,
            CheckpointSink store,
            ActorRef<CheckpointOutcome> requester,
            ActorRef<VmActor.Command> vm,
            Machine machine,
            VmServices services,
            boolean copiesDisks) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(
                        timers -> new CheckpointActor(
                                context,
                                timers,
                                ref,
                                store,
                                requester,
                                vm,
                                machine,
                                services,
                                copiesDisks)
                                .begin()));
    }

    private CheckpointActor begin() {
        timers.startSingleTimer(
                Deadline.PASSED, Deadline.PASSED, Duration.ofNanos(services.deadlineNs()));
        staging = true;
        context.pipeToSelf(
                Blocking.call(services.blocking(), () -> store.begin(ref)), Staged::new);
        return this;
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Staged(var opened, var failure) -> onStaged(opened, failure);
            case OverlayReady(var disk) -> feed(new CheckpointPhase.Input.OverlayReady(disk));
            case OverlayFailed(var disk, var reason) ->
                feed(new CheckpointPhase.Input.OverlayFailed(disk, reason));
            case Conflicted _ -> feed(new CheckpointPhase.Input.Conflicted());
            case ConflictOver _ -> feed(new CheckpointPhase.Input.ConflictOver());
            case Cut told -> onCut(told);
            case ResumeHeld(var pending) -> feed(new CheckpointPhase.Input.ResumeHeld(pending));
            case Resumed(var ns, var pending) -> onResumed(ns, pending);
            case IoSettled(var ioId, var status) -> onIoSettled(ioId, status);
            case ChainSynced _ -> onChainSynced();
            case ChainSyncFailed(_, var reason) ->
                feed(new CheckpointPhase.Input.SyncFailed(reason));
            case FreeSaved(var failure) -> onSaved(failure, new CheckpointPhase.Input.PagesSaved());
            case LateSaved(var failure) ->
                onSaved(failure, new CheckpointPhase.Input.LatePagesSaved());
            case DisksCopied(var failure) -> {
                long fromNs = services.clock().nanoTime();
                onDisksCopied(failure);
                services.probe().keptUp(services.clock().nanoTime() - fromNs);
            }
            case ManifestWritten written -> onManifestWritten(written);
            case SavedDiscarded _ -> staging = false;
            case Cancel(var reason) -> feed(new CheckpointPhase.Input.Cancel(reason));
            case Deadline _ -> feed(new CheckpointPhase.Input.Deadline());
            case Settle _ -> throw new IllegalStateException(
                    "what checkpoint " + ref + " froze was settled from the start");
        }
        return endIfOver();
    }

    private void onStaged(CheckpointSink.@Nullable Draft opened, @Nullable Throwable failure) {
        staging = false;
        staged = opened;
        feed(
                opened == null
                        ? new CheckpointPhase.Input.Cancel(Blocking.reason(failure))
                        : new CheckpointPhase.Input.Begin());
    }

    private void onCut(Cut told) {
        cut = told;
        if (outcome != null) {
            releaseViews();
        }
    }

    private void onResumed(long ns, IoIds pending) {
        stunNs = ns;
        resumedNs = services.clock().nanoTime();
        services.catalogue().tell(new CatalogueEvent.CheckpointStunned(ref, ns,
                theCut().captured().pending().size()));
        drainedNs = Math.max(drainedNs, resumedNs);
        feed(new CheckpointPhase.Input.Resumed(ns, pending));
    }

    private void onIoSettled(long ioId, IoStatus status) {
        statuses.put(ioId, status);
        drainedNs = services.clock().nanoTime();
        feed(new CheckpointPhase.Input.IoSettled(ioId, status));
    }

    private void onChainSynced() {
        disksToSync--;
        if (disksToSync == 0) {
            feed(new CheckpointPhase.Input.ChainSynced());
        }
    }

    private void onSaved(@Nullable Throwable failure, CheckpointPhase.Input saved) {
        feed(
                failure == null
                        ? saved
                        : new CheckpointPhase.Input.SaveFailed(Blocking.reason(failure)));
    }

    private void onManifestWritten(ManifestWritten written) {
        var sealed = written.sealed();
        if (sealed != null) {
            bytes = sealed.bytes();
            // After the manifest, which is what counts: a crash in between is made good when the host starts.
            services.catalogue().tell(new CatalogueEvent.CheckpointSealed(ref,
                    StoreScan.facts(sealed.manifest())));
        }
        feed(
                sealed != null
                        ? new CheckpointPhase.Input.ManifestWritten()
                        : new CheckpointPhase.Input.ManifestFailed(
                                Blocking.reason(written.failure())));
    }

    private void feed(CheckpointPhase.Input input) {
        var step = CheckpointPhase.step(phase, input);
        var cores = services.probe().cores();
        if (cores != null) {
            cores.stepped(this,
                    new CoreProbe.PhaseStep(phase, input, step.next(), step.outputs()));
        }
        phase = step.next();
        step.outputs().forEach(this::carryOut);
    }

    private void carryOut(CheckpointPhase.Output output) {
        switch (output) {
            case CheckpointPhase.Output.PrepareOverlays _ ->
                machine.diskActors.forEach(
                        disk -> disk.tell(
                                new DiskActor.Prepare(
                                        ref.id().value(), context.getSelf())));
            case CheckpointPhase.Output.Stun(var ifConflict) ->
                vm.tell(new VmActor.Stun(ref.id().value(), machine.incarnation, true, ifConflict,
                        context.getSelf()));
            case CheckpointPhase.Output.Resume _ ->
                vm.tell(new VmActor.ResumeHeld(ref.id().value()));
            case CheckpointPhase.Output.SaveFree _ -> saveFree();
            case CheckpointPhase.Output.SaveLate _ -> saveLate();
            case CheckpointPhase.Output.StopSaving _ -> theSaver().cancel();
            case CheckpointPhase.Output.SyncChain _ -> syncChain();
            case CheckpointPhase.Output.CopyDisks _ -> copyDisks();
            case CheckpointPhase.Output.StopCopying _ -> theCopier().cancel();
            case CheckpointPhase.Output.WriteManifest _ -> writeManifest();
            case CheckpointPhase.Output.DiscardOverlays(var disks) ->
                disks.forEach(
                        disk -> machine.diskActors
                                .get(disk)
                                .tell(new DiskActor.Discard(ref.id().value())));
            case CheckpointPhase.Output.ReleaseFrozen _ -> releaseFrozen();
            // The files are removed at the end in any case, see endIfOver.
            case CheckpointPhase.Output.DiscardSaved _ -> {}
            case CheckpointPhase.Output.ReportSealed _ -> {
                machine.sealed(MemoryLine.of(ref, theCut().frozen()));
                report(null);
            }
            case CheckpointPhase.Output.ReportAborted(var reason) -> report(reason);
        }
    }

    private Cut theCut() {
        if (cut == null) {
            throw new IllegalStateException(ref + " has no cut yet");
        }
        return cut;
    }

    private MemorySaver theSaver() {
        if (saver == null) {
            throw new IllegalStateException(ref + " has no saver yet");
        }
        return saver;
    }

    private CheckpointSink.Draft theStaged() {
        if (staged == null) {
            throw new IllegalStateException(ref + " is not staged yet");
        }
        return staged;
    }

    private void saveFree() {
        var of = new MemorySaver(
                theStaged(), theCut().frozen(), theCut().blocked(),
                machine.lineBefore(theCut().frozen()), services.clock());
        saver = of;
        context.pipeToSelf(
                Blocking.call(services.saving(), () -> {
                    // The seal waits for the record, which is written beside the memory. Asked for here: on a strand a guest would wait.
                    var _ = begun.durable();
                    return of.saveFree();
                }),
                (_, failure) -> new FreeSaved(failure));
    }

    private void saveLate() {
        var of = theSaver();
        context.pipeToSelf(
                Blocking.call(services.saving(), of::saveLate),
                (_, failure) -> new LateSaved(failure));
    }

    private void syncChain() {
        disksToSync = machine.diskActors.size();
        if (disksToSync == 0) {
            feed(new CheckpointPhase.Input.ChainSynced());
        }
        for (int i = 0; i < machine.diskActors.size(); i++) {
            machine.diskActors
                    .get(i)
                    .tell(new DiskActor.Sync(theCut().views()[i], context.getSelf()));
        }
    }

    private DiskCopier theCopier() {
        if (copier == null) {
            throw new IllegalStateException(ref + " copies no disks");
        }
        return copier;
    }

    private void copyDisks() {
        var of = new DiskCopier(theStaged(), machine.state.chains(), theCut().views());
        copier = of;
        isCopying = true;
        context.pipeToSelf(
                // The strand hears of the end only: each message is a turn in which its guest cannot run.
                Blocking.call(later, () -> of)
                        .thenCompose(_ -> services.operations().during("copy disks of " + ref,
                                OperationRecord.Kind.DISK_COPY, ref.vm(),
                                OperationRecord.CHECKPOINT, ref.toString(),
                                () -> copyAll(services, of))),
                (_, failure) -> new DisksCopied(failure));
    }

    private static CompletableFuture<Boolean> copyAll(VmServices services, DiskCopier of) {
        return Blocking.repeat(services.copying(), () -> ChainWork.copySome(services.clock(), of))
                .thenCompose(_ -> Blocking.call(services.upkeep(), of::finishDisk))
                .thenCompose(more -> more
                        ? copyAll(services, of)
                        : CompletableFuture.completedFuture(false));
    }

    private void onDisksCopied(@Nullable Throwable failure) {
        isCopying = false;
        feed(
                failure == null
                        ? new CheckpointPhase.Input.DisksCopied()
                        : new CheckpointPhase.Input.CopyFailed(
                                "copy of a disk: " + Blocking.reason(failure)));
        if (outcome != null) {
            // It was given up meanwhile; only now does nobody read the views any more.
            releaseViews();
        }
    }

    private void writeManifest() {
        var of = theStaged();
        var state = theCut();
        var known = statuses;
        statuses = new TreeMap<>();
        var sealed = new CompletableFuture<Sealed>();
        context.pipeToSelf(sealed, ManifestWritten::new);
        // A copy ends in a turn of its own, of which no guest is to notice anything: so that turn only asks for it.
        (copiesDisks ? later : (Executor) Runnable::run)
                .execute(() -> seal(of, state, known, sealed));
    }

    /** On any thread: of this actor it uses what never changes, and what it is given. */
    private void seal(CheckpointSink.Draft of, Cut state, SortedMap<Long, IoStatus> known,
            CompletableFuture<Sealed> sealed) {
        var at = services.wall().instant();
        // Not visible before there is a record that it was begun: what is sealed and was never begun is not ours.
        CompletableFuture<Sealed> work = begun.durable()
                .thenCompose(_ -> Blocking.call(
                        services.blocking(),
                        () -> StoredMachine.seal(
                                of, ref, machine, state, known, copiesDisks, at, stunNs)));
        var _ = work.whenComplete((written, failure) -> {
            if (failure == null) {
                sealed.complete(written);
            } else {
                sealed.completeExceptionally(failure);
            }
        });
    }

    private void report(@Nullable String reason) {
        timers.cancel(Deadline.PASSED);
        outcome = outcome(reason);
        if ((reason != null || copiesDisks) && cut != null) {
            releaseViews();
        }
    }

    /**
     * The overlays of an aborted checkpoint stay: they hold the guest's writes; only a commit removes them (R12). So do those of
     * a checkpoint that has copies, and then they are committed at once.
     */
    private void releaseViews() {
        if (!viewsReleased && !isCopying) {
            viewsReleased = true;
            boolean hasCopies = copiesDisks && outcome != null && outcome.sealed();
            for (int i = 0; i < machine.diskActors.size(); i++) {
                machine.diskActors.get(i)
                        .tell(new DiskActor.ReleaseView(theCut().views()[i], hasCopies));
            }
        }
    }

    private void releaseFrozen() {
        for (int i = 0; i < machine.regionActors.size(); i++) {
            machine.regionActors
                    .get(i)
                    .tell(new MemoryRegionActor.Release(theCut().frozen().get(i)));
        }
    }

    private CheckpointOutcome outcome(@Nullable String reason) {
        long now = services.clock().nanoTime();
        return new CheckpointOutcome(
                ref,
                reason == null,
                reason,
                stunNs,
                cut == null ? 0 : cut.captured().pending().size(),
                drainedNs - resumedNs,
                now - beginNs,
                saver == null ? 0 : saver.pages(),
                bytes,
                saver == null ? 0 : saver.spentNs());
    }

    /** The last act: nothing is read, written or awaited for this checkpoint any more. */
    private Behavior<Command> endIfOver() {
        var ended = outcome;
        if (ended == null || !phase.isOver() || staging) {
            return this;
        }
        if (!ended.sealed() && staged != null) {
            var of = staged;
            staged = null;
            staging = true;
            context.pipeToSelf(
                    Blocking.call(
                            services.blocking(),
                            () -> {
                                of.abort();
                                return of;
                            }),
                    (_, failure) -> new SavedDiscarded(failure));
            return this;
        }
        if (!ended.sealed()) {
            services.catalogue().tell(new CatalogueEvent.CheckpointAborted(ref,
                    Objects.requireNonNullElse(ended.reason(), "unknown")));
        }
        vm.tell(new VmActor.CheckpointEnded(ref.id().value(), machine));
        requester.tell(ended);
        return Behaviors.stopped();
    }
}
