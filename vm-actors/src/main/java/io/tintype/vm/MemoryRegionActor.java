package io.tintype.vm;

import io.tintype.actors.strand.Urgent;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.MemoryRegion;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * One memory region of a VM: marks it copy-on-write at a stun and takes frozen states back.
 *
 * <p>The guest's own loads and stores, and I/O that lands, do not pass through here: they run on the
 * page table directly, on the same strand.
 */
final class MemoryRegionActor extends AbstractMatchingBehavior<MemoryRegionActor.Command> {
    sealed interface Command {}

    /**
     * In the stun: begin a new epoch; {@code replyTo} hears {@link VmActor.RegionFrozen}.
     *
     * @param isSettled whether somebody reads what is frozen right away
     */
    record Freeze(boolean isSettled, ActorRef<VmActor.Command> replyTo)
            implements
                Command,
                Urgent {}

    /** A checkpoint is done with {@code frozen}; nobody reads it any more. No reply. */
    record Release(FrozenMemory frozen) implements Command {}

    /** The machine is over: give its frames back, after all that was released before; {@code replyTo} hears and this ends. */
    record Close(ActorRef<VmActor.Command> replyTo) implements Command {}

    private final int index;
    private final MemoryRegion region;

    private MemoryRegionActor(
            ActorContext<Command> context, int index, MemoryRegion region) {
        super(context);
        this.index = index;
        this.region = region;
    }

    static Behavior<Command> create(int index, MemoryRegion region) {
        return Behaviors.setup(context -> new MemoryRegionActor(context, index, region));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Freeze(var isSettled, var replyTo) ->
                replyTo.tell(new VmActor.RegionFrozen(index,
                        isSettled ? region.freeze() : region.freezeUnsettled()));
            case Release(var frozen) -> region.release(frozen);
            case Close(var replyTo) -> {
                region.close();
                replyTo.tell(VmActor.RegionClosed.INSTANCE);
                return Behaviors.stopped();
            }
        }
        return this;
    }
}
