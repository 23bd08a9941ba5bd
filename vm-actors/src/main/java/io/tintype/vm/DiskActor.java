package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.actors.DiskId;
import io.tintype.actors.strand.Urgent;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.PreparedOverlay;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.DiskUpkeep;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.scheduler.Step;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.agrona.collections.Long2ObjectHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * One virtual disk of a VM: puts requests in order, starts them on its chain of layers, and changes the
 * chain: overlays prepared before a stun, switched to in it, committed when no checkpoint needs them.
 *
 * <p>What may start when is decided by {@link DiskOrder}; the bytes are moved by {@link DiskTransfer}
 * through the {@link DiskIo} port. What is long (creating an overlay, syncing, committing) runs on the
 * blocking executor and comes back as a message.
 */
final class DiskActor extends AbstractMatchingBehavior<DiskActor.Command> {
    sealed interface Command {}

    /** A bound request; {@code replyTo} hears {@link PendingIoActor.Landed} once. */
    record Submit(IoRequest request, ActorRef<PendingIoActor.Command> replyTo) implements Command {}

    /**
     * Read once more what a landed read was bound to (R9); {@code replyTo} hears {@link PendingIoActor.Landed} once, with an
     * error if a commit or a flatten has begun on it meanwhile.
     */
    record ReadAgain(IoRequest request, ActorRef<PendingIoActor.Command> replyTo)
            implements
                Command {}

    /**
     * Create an overlay on the current top, durably in the chain (R1). {@code replyTo} hears {@link
     * CheckpointActor.OverlayReady} or {@link CheckpointActor.OverlayFailed} once, after earlier
     * prepared overlays of this disk were switched to or discarded.
     */
    record Prepare(long checkpoint, @Nullable ActorRef<CheckpointActor.Command> replyTo)
            implements
                Command {}

    /** The overlay prepared for {@code checkpoint} is not wanted any more. No reply. */
    record Discard(long checkpoint) implements Command {}

    /**
     * In the stun: put the prepared overlay on top; {@code replyTo} hears {@link VmActor.DiskSwitched}.
     *
     * @param lastIssued the last request bound to the layers below; it may still be in the mailbox, which this overtook
     */
    record Switch(long checkpoint, long lastIssued, ActorRef<VmActor.Command> replyTo)
            implements
                Command,
                Urgent {}

    /** Make every layer up to {@code view} durable; {@code replyTo} hears {@link CheckpointActor.ChainSynced}. */
    record Sync(int view, ActorRef<CheckpointActor.Command> replyTo) implements Command {}

    /**
     * A checkpoint that ended at {@code view} needs it no more: aborted, deleted, or sealed with a copy. No reply.
     *
     * @param copied the last of these: what came since is to be committed at once
     */
    record ReleaseView(int view, boolean copied) implements Command {}

    /** Make all below the top one image; {@code replyTo} hears once. */
    record MakeFlat(ActorRef<DiskFlattened> replyTo) implements Command {}

    /** Give up what {@link MakeFlat} began; its {@code replyTo} hears of it. */
    enum CancelFlatten implements Command {
        INSTANCE
    }

    /** From the VM: it binds new requests to the new top; {@code lastIssued} is the last that it may have bound below. */
    record TopKnown(long lastIssued) implements Command {}

    /**
     * From the VM: it was rolled back, and of this life nothing is in flight and no checkpoint in progress. When no checkpoint of it
     * is left either, and nothing is under way on the chain, the VM hears {@link VmActor.DiskRetired} and this ends.
     */
    enum Retire implements Command {
        NOW
    }

    /** The device was reset: what is in flight is no longer the guest's (R17). No reply. */
    record Detach() implements Command {}

    private record PartFinished(long ioId, long group, IoStatus status) implements Command {}

    private record Finished(long ioId, IoStatus status) implements Command {}

    private record Prepared(
            Prepare request, @Nullable PreparedOverlay overlay, @Nullable Throwable failure)
            implements
                Command {}

    /** The overlay of no checkpoint is prepared; {@code seen} is what the chain was like with it. */
    private record OwnPrepared(@Nullable PreparedOverlay overlay, ChainWork.@Nullable Seen seen,
            @Nullable Throwable failure)
            implements
                Command {}

    /** @param released whether a view was let go of before */
    private record Looked(ChainWork.@Nullable Seen seen, boolean released,
            @Nullable Throwable failure)
            implements
                Command {}

    private record Discarded(@Nullable Throwable failure) implements Command {}

    private record Synced(
            ActorRef<CheckpointActor.Command> replyTo, @Nullable Throwable failure)
            implements
                Command {}

    private record CommitFinished(
            int layer, ChainWork.@Nullable Committed committed, ChainWork.@Nullable Seen seen,
            @Nullable Throwable failure)
            implements
                Command {}

    private record FlattenFinished(ChainWork.@Nullable Seen seen, @Nullable Throwable failure)
            implements
                Command {}

    private record UnseenDropped(ChainWork.@Nullable Seen seen, @Nullable Throwable failure)
            implements
                Command {}

    private record Submitted(IoRequest request, ActorRef<PendingIoActor.Command> replyTo) {}

    /** In place of a checkpoint's number: an overlay for no checkpoint. */
    private static final long NO_CHECKPOINT = -1;

    private final ActorContext<Command> context;
    private final DiskId id;
    private final String name;
    private final DiskChain chain;
    private final DiskTransfer transfer;
    private final DiskIo io;
    private final Executor blocking;
    private final Executor upkeepLater;
    private final ChainWork work;
    private final VmProbe probe;
    private final Clock clock;
    private final @Nullable CoreProbe cores;
    private final VmCounters counters;
    private final Rules rules;
    private final ActorRef<VmActor.Command> vm;
    private final int layersMax;
    private final int topGroupsMin;
    private final Long2ObjectHashMap<Submitted> submitted = new Long2ObjectHashMap<>();
    private final ArrayDeque<DiskOrder.Input> inputs = new ArrayDeque<>();
    private final ArrayDeque<Prepare> waitingPrepares = new ArrayDeque<>();
    private final DiskOrder.Holds holds;
    private DiskOrder order;
    private boolean stepping;
    private @Nullable Prepare preparing;
    // The overlay under way is for a checkpoint that gave up meanwhile.
    private boolean abandoned;
    private @Nullable PreparedOverlay prepared;
    private DiskUpkeep upkeep = DiskUpkeep.IDLE;
    private boolean isKeeping;
    private @Nullable String flattenFailure;
    private final List<ActorRef<DiskFlattened>> waitingForFlat = new ArrayList<>();
    // The chain may have become one that something can be done about; not looked at in a stun.
    private boolean lookSoon;
    // What it was like when another thread looked last.
    private ChainWork.@Nullable Seen seen;
    // Threads that are asked for it and have not answered.
    private int looksUnderWay;
    // A view was let go of, and the order does not know it.
    private boolean isOrderBehind;
    // A switch overtakes requests in the mailbox: until the last of them is seen, the order does not know all that is bound
    // below the top.
    private long lastBelowTop;
    private long lastSeen;
    // Views below this one may be gone: some of them are part of what was committed or made flat, or is about to be.
    private int wholeFrom;
    // Views that checkpoints of this life ended at, in progress and sealed, and that nobody let go of.
    private int ownViews;
    private int syncsUnderWay;
    // The guest has another disk since it was rolled back.
    private boolean isRetiring;

    private DiskActor(ActorContext<Command> context, DiskId id, DiskChain chain,
            VmServices services, ActorRef<VmActor.Command> vm) {
        super(context);
        this.vm = vm;
        this.layersMax = services.chainDepthMax();
        this.topGroupsMin =
                Math.clamp(chain.geometry().groupCount() / 64, 1, DiskUpkeep.TOP_GROUPS_MIN);
        this.context = context;
        this.id = id;
        this.name = id.toString();
        this.chain = chain;
        this.transfer = new DiskTransfer(chain, services.pool().segment());
        this.io = services.diskIo();
        this.clock = services.clock();
        this.blocking = services.blocking();
        this.upkeepLater = services.later().apply(services.upkeep());
        this.work = new ChainWork(id, chain, services.upkeep(), upkeepLater, services.copying(),
                clock,
                services.operations());
        this.probe = services.probe();
        this.cores = probe.cores();
        this.counters = services.counters();
        this.rules = services.rules();
        this.holds = chain::holds;
        this.order =
                DiskOrder.of(
                        chain.top(),
                        chain.geometry().groupBytes() / 512,
                        services.orderedDisks(),
                        services.rules());
    }

    static Behavior<Command> create(
            DiskId id, DiskChain chain, VmServices services, ActorRef<VmActor.Command> vm) {
        return Behaviors.setup(context -> new DiskActor(context, id, chain, services, vm));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        if (isUpkeep(command)) {
            keeping(() -> handle(command));
        } else {
            handle(command);
        }
        return isRetiring ? endIfUnused() : this;
    }

    /** Whether a turn is for the sake of the chain, and for nothing that the guest or a stun waits for. */
    private static boolean isUpkeep(Command command) {
        return switch (command) {
            case ReleaseView _,MakeFlat _,CancelFlatten _,TopKnown _,Looked _,OwnPrepared _,CommitFinished _,FlattenFinished _,UnseenDropped _,Retire _ ->
                true;
            case Submit _,ReadAgain _,PartFinished _,Finished _,Prepare _,Prepared _,Discard _,Switch _,Detach _,Sync _,Discarded _,Synced _ ->
                false;
        };
    }

    /** Runs a part of the work on the chain, and tells how long it kept the strand. */
    private void keeping(Runnable part) {
        if (isKeeping) {
            part.run();
            return;
        }
        isKeeping = true;
        long fromNs = clock.nanoTime();
        try {
            part.run();
        } finally {
            isKeeping = false;
            probe.keptUp(clock.nanoTime() - fromNs);
        }
    }

    private void handle(Command command) {
        switch (command) {
            case Submit submit -> onSubmit(submit);
            case ReadAgain again -> onReadAgain(again);
            case PartFinished(var ioId, var group, var status) ->
                feed(new DiskOrder.Input.PartDone(ioId, group, status));
            case Finished(var ioId, var status) -> feed(new DiskOrder.Input.Done(ioId, status));
            case Prepare prepare -> onPrepare(prepare);
            case Prepared ready -> onPrepared(ready);
            case OwnPrepared ready -> onOwnPrepared(ready);
            case Looked looked -> onLooked(looked);
            case Discard(var checkpoint) -> onDiscard(checkpoint);
            case Switch(var checkpoint, var lastIssued, var replyTo) ->
                onSwitch(checkpoint, lastIssued, replyTo);
            case Detach _ -> feed(new DiskOrder.Input.Detached());
            case Sync(var view, var replyTo) -> onSync(view, replyTo);
            case ReleaseView(var view, var copied) -> onReleaseView(view, copied);
            case MakeFlat(var replyTo) -> onMakeFlat(replyTo);
            case CancelFlatten _ -> onCancelFlatten();
            case TopKnown(var lastIssued) -> onTopKnown(lastIssued);
            case Retire _ -> onRetire();
            case Discarded _ -> nextPrepare();
            case Synced synced -> onSynced(synced);
            case CommitFinished finished -> onCommitFinished(finished);
            case FlattenFinished finished -> onFlattenFinished(finished);
            case UnseenDropped(var now, var failure) -> {
                warn("files that nobody needs stay", failure);
                note(now);
                keepUp(new DiskUpkeep.Input.Dropped(failure == null));
            }
        }
    }

    private void onSubmit(Submit submit) {
        lastSeen = Math.max(lastSeen, submit.request().ioId());
        take(submit.request(), submit.replyTo());
    }

    /**
     * From its landing until it comes again nobody counts the read as bound to its view, and a checkpoint that holds the view may
     * have ended: so a commit may have begun. Then the copies are paid from the pages that the read landed in.
     */
    private void onReadAgain(ReadAgain again) {
        if (again.request().layer() < wholeFrom) {
            again.replyTo().tell(new PendingIoActor.Landed(IoStatus.ERROR));
        } else {
            take(again.request(), again.replyTo());
        }
    }

    private void take(IoRequest request, ActorRef<PendingIoActor.Command> replyTo) {
        submitted.put(request.ioId(), new Submitted(request, replyTo));
        feed(
                new DiskOrder.Input.Submit(
                        request.ioId(),
                        request.kind(),
                        request.layer(),
                        request.sector(),
                        request.sectorCount(),
                        request.fua()));
    }

    /**
     * Steps the order with {@code input} and with all that follows from it. A loop, not a recursion: an
     * operation on a disk in memory is done when it is started.
     */
    private void feed(DiskOrder.Input input) {
        inputs.add(input);
        if (stepping) {
            return;
        }
        stepping = true;
        try {
            for (var next = inputs.poll(); next != null; next = inputs.poll()) {
                var step = cores == null ? order.step(next, holds) : watchedStep(next, cores);
                order = step.next();
                for (var output : step.outputs()) {
                    carryOut(output);
                }
            }
        } finally {
            stepping = false;
        }
    }

    private Step<DiskOrder, DiskOrder.Output> watchedStep(DiskOrder.Input input,
            CoreProbe watcher) {
        var held = new ArrayList<Boolean>();
        var step = order.step(input, (layer, group) -> {
            boolean answer = holds.holds(layer, group);
            held.add(answer);
            return answer;
        });
        watcher.stepped(this,
                new CoreProbe.DiskStep(order, input, held, step.next(), step.outputs()));
        return step;
    }

    private void carryOut(DiskOrder.Output output) {
        switch (output) {
            case DiskOrder.Output.StartRead(var ioId, var view) -> startRead(ioId, view);
            case DiskOrder.Output.StartWrite(var ioId, var layer, var group) ->
                startPart(ioId, layer, group, false);
            case DiskOrder.Output.StartFault(var ioId, var layer, var group) ->
                startPart(ioId, layer, group, true);
            case DiskOrder.Output.StartFlush(var ioId, var view) -> startFlush(ioId, view);
            case DiskOrder.Output.StartSync(var ioId, var layer) -> startLayerSync(ioId, layer);
            case DiskOrder.Output.Delayed(var ioId, var group) -> {
                counters.writeDelayed();
                probe.delayed(id, ioId, group);
            }
            case DiskOrder.Output.Complete(var ioId, var status) -> complete(ioId, status);
        }
    }

    private void startRead(long ioId, int view) {
        var request = submitted(ioId).request();
        start(
                new DiskIo.Operation(
                        DiskIo.Operation.Kind.READ,
                        name,
                        ioId,
                        view,
                        -1,
                        false,
                        () -> attempt(() -> transfer.read(request, view))));
    }

    private void startPart(long ioId, int layer, long group, boolean fault) {
        var request = submitted(ioId).request();
        if (fault) {
            counters.diskFault();
        }
        probe.started(id, ioId, layer, group, fault);
        var operation =
                new DiskIo.Operation(
                        DiskIo.Operation.Kind.WRITE,
                        name,
                        ioId,
                        layer,
                        group,
                        fault,
                        () -> attempt(() -> writePart(request, layer, group, fault)));
        var status =
                io.submit(
                        operation,
                        late -> context.getSelf().tell(new PartFinished(ioId, group, late)));
        if (status != null) {
            feed(new DiskOrder.Input.PartDone(ioId, group, status));
        }
    }

    private void writePart(IoRequest request, int layer, long group, boolean fault)
            throws IOException {
        if (!rules.on(Rule.R4)) {
            // Bound when it is performed, not when it was issued: to whatever is the top by now.
            transfer.fault(request, chain.top(), group);
        } else if (fault) {
            transfer.fault(request, layer, group);
        } else {
            transfer.write(request, layer, group);
        }
    }

    private void startFlush(long ioId, int view) {
        start(syncOperation(ioId, view, () -> chain.sync(view)));
    }

    private void startLayerSync(long ioId, int layer) {
        start(syncOperation(ioId, layer, () -> chain.syncLayer(layer)));
    }

    private DiskIo.Operation syncOperation(long ioId, int layer, Transfer sync) {
        return new DiskIo.Operation(
                DiskIo.Operation.Kind.SYNC, name, ioId, layer, -1, false, () -> attempt(sync));
    }

    private void start(DiskIo.Operation operation) {
        var status =
                io.submit(
                        operation,
                        late -> context.getSelf().tell(new Finished(operation.ioId(), late)));
        if (status != null) {
            feed(new DiskOrder.Input.Done(operation.ioId(), status));
        }
    }

    private interface Transfer {
        void run() throws IOException;
    }

    private static IoStatus attempt(Transfer transfer) {
        try {
            transfer.run();
            return IoStatus.OK;
        } catch (IOException _) {
            // The guest sees a failed request (R11); the checkpoint records the same status.
            return IoStatus.ERROR;
        }
    }

    private Submitted submitted(long ioId) {
        var found = submitted.get(ioId);
        if (found == null) {
            throw new IllegalStateException("request " + ioId + " is not on " + name);
        }
        return found;
    }

    private void complete(long ioId, IoStatus status) {
        submitted(ioId).replyTo().tell(new PendingIoActor.Landed(status));
        submitted.remove(ioId);
        if (lookSoon) {
            keeping(this::look);
        } else if (upkeep.waits()) {
            keeping(this::decide);
        }
    }

    private void onPrepare(Prepare prepare) {
        if (preparing != null) {
            waitingPrepares.add(prepare);
            return;
        }
        preparing = prepare;
        if (prepare.replyTo() != null) {
            context.pipeToSelf(
                    blocking(chain::prepareOverlay),
                    (overlay, failure) -> new Prepared(prepare, overlay, failure));
            return;
        }
        // One that no checkpoint waits for is upkeep.
        context.pipeToSelf(
                Blocking.call(upkeepLater,
                        () -> new OwnPrepared(chain.prepareOverlay(), work.see(), null)),
                (ready, failure) -> ready == null ? new OwnPrepared(null, null, failure) : ready);
    }

    private void onPrepared(Prepared ready) {
        var overlay = ready.overlay();
        var replyTo = ready.request().replyTo();
        if (replyTo == null) {
            throw new IllegalStateException(name + " prepared an overlay for nobody");
        }
        if (overlay == null) {
            replyTo.tell(
                    new CheckpointActor.OverlayFailed(
                            id.index(),
                            "overlay of " + name + ": " + reason(ready.failure())));
            nextPrepare();
        } else {
            prepared = overlay;
            if (abandoned) {
                onDiscard(ready.request().checkpoint());
                return;
            }
            replyTo.tell(new CheckpointActor.OverlayReady(id.index()));
        }
    }

    /**
     * An overlay that takes new writes while the one below it is committed. The VM hears of it after the fact, so a few more
     * requests are bound below: before it knows nothing is bound to the new top, and nothing below is committed.
     */
    private void onOwnPrepared(OwnPrepared ready) {
        var overlay = ready.overlay();
        note(ready.seen());
        var before = seen;
        if (overlay == null || before == null) {
            warn("no further overlay", ready.failure());
            nextPrepare();
            keepUp(new DiskUpkeep.Input.OverlayOnTop(false));
            return;
        }
        lastBelowTop = Long.MAX_VALUE;
        chain.switchTo(overlay);
        feed(new DiskOrder.Input.Switched(chain.top()));
        // Nothing was held since by a switch: there is no other overlay to switch to.
        feed(new DiskOrder.Input.Needed(before.outlook().heldViews()));
        vm.tell(new VmActor.TopMoved(id.index(), chain.top(), context.getSelf()));
        nextPrepare();
    }

    private void onTopKnown(long lastIssued) {
        // A stun in between said it, too.
        lastBelowTop =
                lastBelowTop == Long.MAX_VALUE ? lastIssued : Math.max(lastBelowTop, lastIssued);
        keepUp(new DiskUpkeep.Input.OverlayOnTop(true));
    }

    private void onDiscard(long checkpoint) {
        waitingPrepares.removeIf(waiting -> waiting.checkpoint() == checkpoint);
        if (preparing == null || preparing.checkpoint() != checkpoint) {
            return;
        }
        var overlay = prepared;
        if (overlay == null) {
            // Still being made: onPrepared finds that nobody wants it.
            abandoned = true;
            return;
        }
        context.pipeToSelf(
                blocking(
                        () -> {
                            chain.discardPrepared(overlay);
                            return overlay;
                        }),
                (_, failure) -> new Discarded(failure));
    }

    private void nextPrepare() {
        preparing = null;
        prepared = null;
        abandoned = false;
        var next = waitingPrepares.poll();
        if (next != null) {
            onPrepare(next);
        }
    }

    private void onSwitch(
            long checkpoint, long lastIssued, ActorRef<VmActor.Command> replyTo) {
        var overlay = prepared;
        if (overlay == null || preparing == null || preparing.checkpoint() != checkpoint) {
            throw new IllegalStateException(
                    name + " has no overlay prepared for checkpoint " + checkpoint);
        }
        lastBelowTop = lastIssued;
        int frozenView = chain.top();
        ownViews++;
        if (rules.on(Rule.R16)) {
            chain.hold(frozenView);
        }
        chain.switchTo(overlay);
        // Counts the old top as needed; the list of all views is not for the stun.
        feed(new DiskOrder.Input.Switched(chain.top()));
        replyTo.tell(new VmActor.DiskSwitched(id.index(), chain.top(), frozenView));
        lookSoon = true;
        // The next overlay's parent is this one, so only now may it be made (R1).
        nextPrepare();
    }

    private void onSync(int view, ActorRef<CheckpointActor.Command> replyTo) {
        // P has completed, and a layer that a checkpoint needs gets no other writes: so it can have checksums.
        boolean isFinal = lastSeen >= lastBelowTop && order.mayFlatten(view)
                && rules.on(Rule.R16) && rules.on(Rule.R4);
        syncsUnderWay++;
        context.pipeToSelf(
                blocking(
                        () -> {
                            if (isFinal) {
                                chain.seal(view);
                            } else {
                                chain.sync(view);
                            }
                            return view;
                        }),
                (_, failure) -> new Synced(replyTo, failure));
    }

    private void onSynced(Synced synced) {
        syncsUnderWay--;
        var failure = synced.failure();
        synced.replyTo()
                .tell(
                        failure == null
                                ? new CheckpointActor.ChainSynced(id.index())
                                : new CheckpointActor.ChainSyncFailed(
                                        id.index(), "sync of " + name + ": " + reason(failure)));
    }

    private void onReleaseView(int view, boolean copied) {
        ownViews--;
        if (copied) {
            step(new DiskUpkeep.Input.Copied());
        }
        await(rules.on(Rule.R16) ? work.release(view) : work.look(), true);
    }

    private void onMakeFlat(ActorRef<DiskFlattened> replyTo) {
        waitingForFlat.add(replyTo);
        flattenFailure = null;
        step(new DiskUpkeep.Input.FlattenWanted());
        look();
    }

    private void onCancelFlatten() {
        if (upkeep.work() == DiskUpkeep.Work.FLATTENING) {
            work.cancelFlatten();
        } else if (upkeep.flattenWanted()) {
            flattenFailure = "no longer wanted";
            keepUp(new DiskUpkeep.Input.FlattenUnwanted());
        }
    }

    // ---- After a rollback ----

    private void onRetire() {
        isRetiring = true;
        if (lookSoon) {
            look();
        }
    }

    /**
     * Other disks may stand on the chain, so what makes it shorter goes on to its end. What nobody stands on is not worth the work:
     * its files can go.
     */
    private Behavior<Command> endIfUnused() {
        if (ownViews == 0 && looksUnderWay == 0 && chain.heldViews().isEmpty()
                && rules.on(Rule.R16)) {
            flattenFailure = "its VM was rolled back";
            step(new DiskUpkeep.Input.Stop());
            work.stop("its VM was rolled back");
        }
        boolean isUsed = ownViews > 0 || looksUnderWay > 0 || syncsUnderWay > 0
                || preparing != null || !submitted.isEmpty() || !waitingForFlat.isEmpty()
                || upkeep.work() != DiskUpkeep.Work.IDLE;
        if (isUsed) {
            return this;
        }
        vm.tell(new VmActor.DiskRetired(id.index(), context.getSelf()));
        return Behaviors.stopped();
    }

    // ---- Keeping the chain short ----

    /** Takes an answer, then looks what can be done next. */
    private void keepUp(DiskUpkeep.Input input) {
        step(input);
        decide();
    }

    /** Has another thread look what the chain is like, unless it is plain to see or one is about to answer. */
    private void look() {
        lookSoon = false;
        boolean isOfInterest = upkeep.flattenWanted() || upkeep.roundsLeft() > 0
                || !chain.isShort();
        if (upkeep.work() == DiskUpkeep.Work.IDLE && looksUnderWay == 0 && isOfInterest) {
            await(work.look(), false);
        }
    }

    private void await(CompletableFuture<ChainWork.Seen> look, boolean released) {
        looksUnderWay++;
        context.pipeToSelf(look, (now, failure) -> new Looked(now, released, failure));
    }

    private void onLooked(Looked looked) {
        looksUnderWay--;
        if (looked.failure() != null) {
            throw new IllegalStateException(name + ": " + reason(looked.failure()),
                    looked.failure());
        }
        isOrderBehind |= looked.released();
        note(looked.seen());
        decide();
    }

    /** Of two looks the later counts, whichever is heard of first. */
    private void note(ChainWork.@Nullable Seen now) {
        var before = seen;
        if (now != null && (before == null || before.number() < now.number())) {
            seen = now;
        }
        var of = seen;
        if (!isOrderBehind || of == null) {
            return;
        }
        if (of.outlook().top() == chain.top()) {
            isOrderBehind = false;
            feed(new DiskOrder.Input.Needed(of.outlook().heldViews()));
        } else if (looksUnderWay == 0) {
            // A switch came in between, whose view would be missing.
            await(work.look(), false);
        }
    }

    /** Whether something can be begun now, by what was seen last: the chain changes only by what is begun or switched here. */
    private void decide() {
        var of = seen;
        if (of == null || of.outlook().top() != chain.top()) {
            look();
        } else if (upkeep.work() == DiskUpkeep.Work.IDLE) {
            step(new DiskUpkeep.Input.Looked(facts(of.outlook())));
        }
    }

    private DiskUpkeep.Facts facts(DiskChain.Outlook of) {
        var candidate = of.nextCommit();
        int flattenView = of.nextFlatten();
        boolean mayRound = upkeep.roundsLeft() > 0;
        boolean isAboutFlat = upkeep.flattenWanted() || candidate == null;
        return new DiskUpkeep.Facts(
                of.files(),
                layersMax,
                candidate == null ? -1 : candidate.lastUpper(),
                flattenView,
                of.filesIfFlat(),
                mayRound ? of.topGroups() : 0,
                topGroupsMin,
                of.hasUnseen(),
                mayRound && of.mayCommitOnceCovered(),
                preparing != null,
                isAboutFlat
                        ? lastSeen >= lastBelowTop && flattenView >= 0
                                && order.mayFlatten(flattenView)
                        : candidate != null && requestsAllow(candidate));
    }

    private void step(DiskUpkeep.Input input) {
        var step = upkeep.step(input);
        upkeep = step.next();
        step.outputs().forEach(this::carryOut);
    }

    private void carryOut(DiskUpkeep.Output output) {
        switch (output) {
            case DiskUpkeep.Output.Commit(var layer) -> beginCommit(layer);
            case DiskUpkeep.Output.Flatten(var view) -> beginFlatten(view);
            case DiskUpkeep.Output.CancelFlatten _ -> work.cancelFlatten();
            case DiskUpkeep.Output.PutOverlayOnTop _ -> onPrepare(new Prepare(NO_CHECKPOINT, null));
            case DiskUpkeep.Output.DropUnseen _ ->
                context.pipeToSelf(
                        Blocking.call(
                                upkeepLater,
                                () -> {
                                    chain.dropUnseen();
                                    return work.see();
                                }),
                        UnseenDropped::new);
            case DiskUpkeep.Output.TellFlattened(var done) -> {
                var outcome = new DiskFlattened(done, done ? null : flattenFailure, chain.depth());
                var told = List.copyOf(waitingForFlat);
                waitingForFlat.clear();
                // Whoever asked is woken by the answer: not here, where the guest waits for the end of the turn.
                upkeepLater.execute(() -> told.forEach(waiting -> waiting.tell(outcome)));
            }
        }
    }

    private void beginCommit(int layer) {
        var candidate = seen == null ? null : seen.outlook().nextCommit();
        if (candidate == null || candidate.lastUpper() != layer) {
            throw new IllegalStateException(name + " has no layer " + layer + " to commit");
        }
        wholeFrom = Math.max(wholeFrom, layer);
        context.pipeToSelf(
                work.commit(candidate).handle((committed, failure) -> new CommitFinished(layer,
                        committed, work.see(), failure)),
                (finished, failure) -> finished == null
                        ? new CommitFinished(layer, null, null, failure)
                        : finished);
    }

    private void beginFlatten(int view) {
        wholeFrom = Math.max(wholeFrom, view);
        // Not what is below the top by then: requests were looked at for this view.
        context.pipeToSelf(
                work.flatten(view).handle((_, failure) -> new FlattenFinished(work.see(), failure)),
                (finished, failure) -> finished == null
                        ? new FlattenFinished(null, failure)
                        : finished);
    }

    private void onFlattenFinished(FlattenFinished finished) {
        var failure = finished.failure();
        note(finished.seen());
        if (failure == null) {
            probe.flattened(id, chain.depth());
        } else {
            flattenFailure = reason(failure);
            warn("it stays as it is, and is not made flat", failure);
        }
        keepUp(new DiskUpkeep.Input.Flattened(failure == null));
    }

    private void warn(String what, @Nullable Throwable failure) {
        if (failure != null) {
            context.getLog().warn("{}: {}: {}", name, what, reason(failure));
        }
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        if (signal instanceof PostStop) {
            work.stop("its VM ended");
        }
        return this;
    }

    /** The half of R16 that is about requests in flight; the chain knows who shows what. */
    private boolean requestsAllow(DiskChain.Candidate candidate) {
        if (rules.on(Rule.R16) && lastSeen < lastBelowTop) {
            return false;
        }
        for (int layer = candidate.firstUpper(); layer <= candidate.lastUpper(); layer++) {
            if (!order.mayCommit(layer, candidate.firstLower())) {
                return false;
            }
        }
        return true;
    }

    private void onCommitFinished(CommitFinished finished) {
        var committed = finished.committed();
        note(finished.seen());
        if (committed != null && committed.wasAllowed()) {
            probe.committed(id, finished.layer());
        } else if (committed == null && !isRetiring) {
            // Nothing is lost, but trying again at once would fail again.
            context.getLog().warn("{}: layer {} stays: {}", name, finished.layer(),
                    reason(finished.failure()));
        }
        keepUp(new DiskUpkeep.Input.Committed(committed != null,
                committed == null ? 0 : committed.groups()));
    }

    private <T> CompletableFuture<T> blocking(Callable<T> call) {
        return Blocking.call(blocking, call);
    }

    private static String reason(@Nullable Throwable failure) {
        return Blocking.reason(failure);
    }
}
