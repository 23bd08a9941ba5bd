package io.tintype.vm;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.store.CheckpointSink;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.scaladsl.AskPattern.Askable;
import org.apache.pekko.pattern.StatusReply;
import org.apache.pekko.util.Timeout;
import scala.concurrent.ExecutionContext;
import scala.runtime.BoxedUnit;
import scala.util.Try;

/**
 * A running VM, as callers outside its actors see it. Safe on any thread; every call is a message, every
 * answer comes as a future that fails when the VM ends first.
 */
public final class Vm {
    // Answers have deadlines of their own; this only bounds a forgotten one.
    private static final Duration ANSWER_MAX = Duration.ofDays(1);

    private final TintypeHost host;
    private final VmId id;
    private final ActorRef<VmActor.Command> actor;
    private final VmCounters counters;
    private final CompletableFuture<Void> ended;
    // Fails an answer still to come, for when the VM ends first.
    private final Set<Runnable> open = ConcurrentHashMap.newKeySet();
    private volatile boolean stopAsked;

    Vm(
            TintypeHost host,
            VmId id,
            ActorRef<VmActor.Command> actor,
            VmCounters counters,
            CompletableFuture<Void> ended) {
        this.host = host;
        this.id = id;
        this.actor = actor;
        this.counters = counters;
        this.ended = ended;
        var _ = ended.whenComplete((_, _) -> failOpen());
    }

    /** Returns its name. */
    public VmId id() {
        return id;
    }

    /** Returns its running totals. */
    public VmCounters counters() {
        return counters;
    }

    /** Lets the guest run. */
    public void start() {
        host.started(id);
        actor.tell(new VmActor.Start());
    }

    /** Has a guest that waits for something look again. */
    public void interrupt() {
        actor.tell(new VmActor.Interrupt());
    }

    /** Stops the guest at the end of its slice; I/O in flight goes on. */
    public void pause() {
        actor.tell(new VmActor.Pause());
    }

    /** Takes a live checkpoint; the guest stands still for microseconds. Completes when it has ended. */
    public CompletableFuture<CheckpointOutcome> checkpoint() {
        return ask(replyTo -> new VmActor.BeginCheckpoint(host.store(), replyTo));
    }

    /**
     * Takes a live checkpoint that stays in memory; the guest stands still as for any other. The caller closes it. Fails with
     * the reason when it was given up.
     */
    public CompletableFuture<Snapshot> snapshot() {
        return this.<StatusReply<Snapshot>>ask(VmActor.TakeSnapshot::new)
                .thenApply(reply -> {
                    if (reply.isError()) {
                        throw new IllegalStateException(reply.getError().getMessage());
                    }
                    return reply.getValue();
                });
    }

    /** Takes the VM back to {@code snapshot}, which stays; requests in flight are lost to it, as after a reset. */
    public CompletableFuture<VmActor.Quiet> rollBack(Snapshot snapshot) {
        return host.rollBack(this, snapshot);
    }

    /** As {@link #checkpoint()}, its disks kept as {@code disks} says. */
    public CompletableFuture<CheckpointOutcome> checkpoint(CheckpointDisks disks) {
        return ask(replyTo -> new VmActor.BeginCheckpoint(host.store(), disks, replyTo));
    }

    /**
     * Takes a live checkpoint into {@code sink} instead of the host's store, which then knows nothing of it: for simulators. It
     * keeps the layers of the disks that it needs, as any other, until the VM ends.
     */
    public CompletableFuture<CheckpointOutcome> checkpoint(CheckpointSink sink) {
        return ask(replyTo -> new VmActor.BeginCheckpoint(sink, replyTo));
    }

    /**
     * Copies all below the top of a disk's chain into one image, beside the running VM, and lets the disk stand on it. Layers that
     * checkpoints point to stay until those are gone. Completes when it has ended.
     *
     * @param disk its index
     */
    public CompletableFuture<DiskFlattened> flatten(int disk) {
        return ask(replyTo -> new VmActor.FlattenDisk(disk, replyTo));
    }

    /** Gives up a flatten of that disk, if one is wanted or under way; the disk stays as it is. */
    public void cancelFlatten(int disk) {
        actor.tell(new VmActor.CancelFlatten(disk));
    }

    /** Gives up a checkpoint in progress. */
    public void cancel(CheckpointId checkpoint, String reason) {
        actor.tell(new VmActor.CancelCheckpoint(checkpoint, reason));
    }

    /**
     * Takes the VM back to {@code checkpoint}; requests in flight are lost to it, as after a reset. Blocks
     * the caller while the checkpoint is read.
     */
    public CompletableFuture<VmActor.Quiet> rollBack(CheckpointRef checkpoint) {
        return host.rollBack(this, checkpoint);
    }

    /** Stops the guest and completes when nothing is in flight. */
    public CompletableFuture<VmActor.Quiet> quiesce() {
        return ask(VmActor.Quiesce::new);
    }

    /** Runs {@code visitor} on the VM's strand, between two slices; completes after it ran. */
    public CompletableFuture<Void> visit(VmActor.Visitor visitor) {
        var done = new CompletableFuture<Void>();
        actor.tell(
                new VmActor.Visit(
                        machine -> {
                            try {
                                visitor.visit(machine);
                                done.complete(null);
                            } catch (RuntimeException | Error failure) {
                                done.completeExceptionally(failure);
                            }
                        }));
        return failIfEnded(done);
    }

    /** Ends the VM when nothing is in flight; its disks and checkpoints stay. */
    public CompletionStage<Void> stop() {
        stopAsked = true;
        if (!ended.isDone()) {
            actor.tell(new VmActor.Stop());
        }
        return ended;
    }

    /** Completes when the VM is gone: normally after {@link #stop}, or with what broke it. */
    public CompletionStage<Void> ended() {
        return ended;
    }

    boolean isStopAsked() {
        return stopAsked;
    }

    ActorRef<VmActor.Command> actor() {
        return actor;
    }

    <R> CompletableFuture<R> ask(Function<ActorRef<R>, VmActor.Command> message) {
        var answer = new CompletableFuture<R>();
        // Not the Java variant: it answers on a thread of its own choice, which no simulation may have.
        new Askable<>(actor)
                .ask(
                        (ActorRef<R> replyTo) -> message.apply(replyTo),
                        Timeout.create(ANSWER_MAX),
                        host.scheduler())
                .onComplete(
                        reply -> {
                            host.answers().execute(() -> complete(answer, reply));
                            return BoxedUnit.UNIT;
                        },
                        ExecutionContext.parasitic$.MODULE$);
        return failIfEnded(answer);
    }

    private static <R> void complete(CompletableFuture<R> answer, Try<R> reply) {
        if (reply.isSuccess()) {
            answer.complete(reply.get());
        } else {
            answer.completeExceptionally(reply.failed().get());
        }
    }

    private <R> CompletableFuture<R> failIfEnded(CompletableFuture<R> answer) {
        Runnable fail = () -> answer.completeExceptionally(endedBecause());
        open.add(fail);
        var _ = answer.whenComplete((_, _) -> open.remove(fail));
        if (ended.isDone()) {
            failOpen();
        }
        return answer;
    }

    private void failOpen() {
        open.forEach(Runnable::run);
    }

    private Throwable endedBecause() {
        return ended.isCompletedExceptionally()
                ? ended.exceptionNow()
                : new IllegalStateException(id + " has ended");
    }
}
