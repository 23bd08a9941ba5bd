package io.tintype.vm;

import io.tintype.actors.DiskId;
import io.tintype.actors.strand.Urgent;
import io.tintype.cow.disk.Commit;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.PreparedOverlay;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.scheduler.Step;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import org.agrona.collections.Long2ObjectHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
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

    /** A bound request, or a reissue; {@code replyTo} hears {@link PendingIoActor.Landed} once. */
    record Submit(IoRequest request, ActorRef<PendingIoActor.Command> replyTo) implements Command {}

    /**
     * Create an overlay on the current top, durably in the chain (R1). {@code replyTo} hears {@link
     * CheckpointActor.OverlayReady} or {@link CheckpointActor.OverlayFailed} once, after earlier
     * prepared overlays of this disk were switched to or discarded.
     */
    record Prepare(long checkpoint, ActorRef<CheckpointActor.Command> replyTo) implements Command {}

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

    /** A checkpoint that ended at {@code view} is gone: aborted or deleted. No reply. */
    record ReleaseView(int view) implements Command {}

    /** The device was reset: what is in flight is no longer the guest's (R17). No reply. */
    record Detach() implements Command {}

    private record PartFinished(long ioId, long group, IoStatus status) implements Command {}

    private record Finished(long ioId, IoStatus status) implements Command {}

    private record Prepared(
            Prepare request, @Nullable PreparedOverlay overlay, @Nullable Throwable failure)
            implements
                Command {}

    private record Discarded(@Nullable Throwable failure) implements Command {}

    private record Synced(
            ActorRef<CheckpointActor.Command> replyTo, @Nullable Throwable failure)
            implements
                Command {}

    private record CommitBegun(
            DiskChain.Candidate candidate, @Nullable Commit commit, @Nullable Throwable failure)
            implements
                Command {}

    private record CommitAdvanced(
            int layer, Commit commit, boolean more, @Nullable Throwable failure)
            implements
                Command {}

    private record CommitFinished(int layer, @Nullable Throwable failure) implements Command {}

    private record Submitted(IoRequest request, ActorRef<PendingIoActor.Command> replyTo) {}

    // 16 groups × 64 KiB = 1 MiB a step, about a millisecond of one thread of the blocking executor.
    private static final int COMMIT_GROUPS_A_STEP = 16;

    private final ActorContext<Command> context;
    private final DiskId id;
    private final String name;
    private final DiskChain chain;
    private final DiskTransfer transfer;
    private final DiskIo io;
    private final Executor blocking;
    private final VmProbe probe;
    private final @Nullable CoreProbe cores;
    private final VmCounters counters;
    private final Rules rules;
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
    private boolean committing;
    // A switch overtakes requests in the mailbox: until the last of them is seen, the order does not know all that is bound
    // below the top.
    private long lastBelowTop;
    private long lastSeen;
    // After a failed commit nothing is lost, but trying again at once would fail again.
    private boolean commitFailed;

    private DiskActor(ActorContext<Command> context, DiskId id, DiskChain chain,
            VmServices services) {
        super(context);
        this.context = context;
        this.id = id;
        this.name = id.toString();
        this.chain = chain;
        this.transfer = new DiskTransfer(chain, services.pool().segment());
        this.io = services.diskIo();
        this.blocking = services.blocking();
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

    static Behavior<Command> create(DiskId id, DiskChain chain, VmServices services) {
        return Behaviors.setup(context -> new DiskActor(context, id, chain, services));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Submit submit -> onSubmit(submit);
            case PartFinished(var ioId, var group, var status) ->
                feed(new DiskOrder.Input.PartDone(ioId, group, status));
            case Finished(var ioId, var status) -> feed(new DiskOrder.Input.Done(ioId, status));
            case Prepare prepare -> onPrepare(prepare);
            case Prepared ready -> onPrepared(ready);
            case Discard(var checkpoint) -> onDiscard(checkpoint);
            case Switch(var checkpoint, var lastIssued, var replyTo) ->
                onSwitch(checkpoint, lastIssued, replyTo);
            case Detach _ -> feed(new DiskOrder.Input.Detached());
            case Sync(var view, var replyTo) -> onSync(view, replyTo);
            case ReleaseView(var view) -> onReleaseView(view);
            case Discarded _ -> nextPrepare();
            case Synced synced -> onSynced(synced);
            case CommitBegun begun -> onCommitBegun(begun);
            case CommitAdvanced advanced -> onCommitAdvanced(advanced);
            case CommitFinished(var layer, var failure) -> onCommitFinished(layer, failure);
        }
        return this;
    }

    private void onSubmit(Submit submit) {
        var request = submit.request();
        lastSeen = Math.max(lastSeen, request.ioId());
        submitted.put(request.ioId(), new Submitted(request, submit.replyTo()));
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
        if (!committing && chain.depth() > 1) {
            tryCommit();
        }
    }

    private void onPrepare(Prepare prepare) {
        if (preparing != null) {
            waitingPrepares.add(prepare);
            return;
        }
        preparing = prepare;
        context.pipeToSelf(
                blocking(chain::prepareOverlay),
                (overlay, failure) -> new Prepared(prepare, overlay, failure));
    }

    private void onPrepared(Prepared ready) {
        var overlay = ready.overlay();
        if (overlay == null) {
            ready.request()
                    .replyTo()
                    .tell(
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
            ready.request().replyTo().tell(new CheckpointActor.OverlayReady(id.index()));
        }
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
        if (rules.on(Rule.R16)) {
            chain.hold(frozenView);
        }
        chain.switchTo(overlay);
        // Counts the old top as needed; the list of all views is not for the stun.
        feed(new DiskOrder.Input.Switched(chain.top()));
        replyTo.tell(new VmActor.DiskSwitched(id.index(), chain.top(), frozenView));
        // The next overlay's parent is this one, so only now may it be made (R1).
        nextPrepare();
    }

    private void onSync(int view, ActorRef<CheckpointActor.Command> replyTo) {
        context.pipeToSelf(
                blocking(
                        () -> {
                            chain.sync(view);
                            return view;
                        }),
                (_, failure) -> new Synced(replyTo, failure));
    }

    private void onSynced(Synced synced) {
        var failure = synced.failure();
        synced.replyTo()
                .tell(
                        failure == null
                                ? new CheckpointActor.ChainSynced(id.index())
                                : new CheckpointActor.ChainSyncFailed(
                                        id.index(), "sync of " + name + ": " + reason(failure)));
    }

    private void onReleaseView(int view) {
        if (rules.on(Rule.R16)) {
            chain.release(view);
        }
        feed(new DiskOrder.Input.Needed(chain.heldViews()));
        tryCommit();
    }

    /**
     * Commits the lowest overlay that nobody needs apart from its parent (R16), one at a time. Called
     * when a view is released and when requests that stood in the way have completed.
     */
    private void tryCommit() {
        if (committing || commitFailed) {
            return;
        }
        var candidate = chain.nextCommit();
        if (candidate == null || !requestsAllow(candidate)) {
            return;
        }
        committing = true;
        context.pipeToSelf(
                blocking(() -> chain.commit(candidate.lastUpper())),
                (commit, failure) -> new CommitBegun(candidate, commit, failure));
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

    private void onCommitBegun(CommitBegun begun) {
        var commit = begun.commit();
        if (commit == null) {
            onCommitFinished(begun.candidate().lastUpper(), begun.failure());
        } else {
            advance(begun.candidate().lastUpper(), commit);
        }
    }

    private void advance(int layer, Commit commit) {
        context.pipeToSelf(
                blocking(() -> commit.copyNext(COMMIT_GROUPS_A_STEP)),
                (more, failure) -> new CommitAdvanced(layer, commit, more != null && more,
                        failure));
    }

    private void onCommitAdvanced(CommitAdvanced advanced) {
        int layer = advanced.layer();
        var commit = advanced.commit();
        if (advanced.failure() != null) {
            onCommitFinished(layer, advanced.failure());
        } else if (advanced.more()) {
            advance(layer, commit);
        } else {
            context.pipeToSelf(
                    blocking(
                            () -> {
                                commit.finish();
                                return layer;
                            }),
                    (_, failure) -> new CommitFinished(layer, failure));
        }
    }

    private void onCommitFinished(int layer, @Nullable Throwable failure) {
        committing = false;
        if (failure != null) {
            commitFailed = true;
            context.getLog().warn("{}: layer {} stays: {}", name, layer, reason(failure));
            return;
        }
        probe.committed(id, layer);
        tryCommit();
    }

    private <T> CompletableFuture<T> blocking(Callable<T> call) {
        return Blocking.call(blocking, call);
    }

    private static String reason(@Nullable Throwable failure) {
        return Blocking.reason(failure);
    }
}
