package io.tintype.vm;

import io.tintype.scheduler.IoStatus;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One request in flight, from the moment the guest issued it until its completion is settled on every
 * side.
 *
 * <pre>
 * Submitted --Landed--> Landed --Settled--> (stopped)
 *                         | ^
 *                 Reissue v | Landed
 *                       Reissuing
 * </pre>
 *
 * <p>It tells its VM of the landing, carries out a reissue, and reports to every checkpoint that it is part
 * of (R11, R14). It decides nothing: debts and delivery are the VM's pending set. The VM itself submits
 * the request to the disk in the moment of issue, so that a disk hears of writes in the order of their
 * binding whatever the order in which their actors start.
 */
final class PendingIoActor extends AbstractMatchingBehavior<PendingIoActor.Command> {
    sealed interface Command {}

    /** From the disk: the request, or its reissue, finished with {@code status}. */
    record Landed(IoStatus status) implements Command {}

    /** From the VM: read the bound layers again, into copied pages; a new landing follows. */
    record Reissue(IoRequest again) implements Command {}

    /**
     * From the VM: all debts are paid and the status is final. The last message.
     *
     * @param checkpoints those that this request is part of and that still wait for it
     */
    record Settled(IoStatus status, List<ActorRef<CheckpointActor.Command>> checkpoints)
            implements
                Command {}

    private final ActorContext<Command> context;
    private final IoRequest request;
    private final ActorRef<VmActor.Command> vm;
    private final ActorRef<DiskActor.Command> disk;
    private boolean reissuing;

    private PendingIoActor(
            ActorContext<Command> context,
            IoRequest request,
            ActorRef<VmActor.Command> vm,
            ActorRef<DiskActor.Command> disk) {
        super(context);
        this.context = context;
        this.request = request;
        this.vm = vm;
        this.disk = disk;
    }

    static Behavior<Command> create(
            IoRequest request,
            ActorRef<VmActor.Command> vm,
            ActorRef<DiskActor.Command> disk) {
        return Behaviors.setup(context -> new PendingIoActor(context, request, vm, disk));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        return switch (command) {
            case Landed(var status) -> onLanded(status);
            case Reissue(var again) -> onReissue(again);
            case Settled settled -> onSettled(settled);
        };
    }

    private Behavior<Command> onLanded(IoStatus status) {
        vm.tell(
                reissuing
                        ? new VmActor.IoReissued(request.ioId(), status)
                        : new VmActor.IoLanded(request.ioId(), status));
        return this;
    }

    private Behavior<Command> onReissue(IoRequest again) {
        reissuing = true;
        disk.tell(new DiskActor.ReadAgain(again, context.getSelf()));
        return this;
    }

    private Behavior<Command> onSettled(Settled settled) {
        for (var checkpoint : settled.checkpoints()) {
            checkpoint.tell(new CheckpointActor.IoSettled(request.ioId(), settled.status()));
        }
        return Behaviors.stopped();
    }
}
