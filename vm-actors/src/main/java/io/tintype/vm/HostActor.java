package io.tintype.vm;

import io.tintype.actors.VmId;
import io.tintype.actors.strand.Strands;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** Parent of all VMs of a host: starts them, and notices when one ends, so that the others go on. */
public final class HostActor extends AbstractMatchingBehavior<HostActor.Command> {
    /** What the host says to its VMs' parent. */
    public sealed interface Command {}

    /**
     * Spawns a VM.
     *
     * @param started gets the VM's address once
     * @param ended completes when the VM is gone: normally, or with what broke it
     */
    record Spawn(
            VmId id,
            Behavior<VmActor.Command> vm,
            CompletableFuture<ActorRef<VmActor.Command>> started,
            CompletableFuture<Void> ended)
            implements
                Command {}

    private final ActorContext<Command> context;
    // Looked up by name only, never iterated: its order does not matter.
    private final Map<String, CompletableFuture<Void>> ends = new HashMap<>();

    private HostActor(ActorContext<Command> context) {
        super(context);
        this.context = context;
    }

    /** The parent of one host's VMs. */
    public static Behavior<Command> create() {
        return Behaviors.setup(HostActor::new);
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        switch (command) {
            case Spawn spawn -> onSpawn(spawn);
        }
        return this;
    }

    private void onSpawn(Spawn spawn) {
        var vm = context.spawn(spawn.vm(), spawn.id().value(), Strands.root());
        ends.put(spawn.id().value(), spawn.ended());
        context.watch(vm);
        spawn.started().complete(vm);
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        // A failed VM is a Terminated too, so the more special case comes first.
        if (signal instanceof ChildFailed failed) {
            var ended = ends.remove(failed.ref().path().name());
            if (ended != null) {
                ended.completeExceptionally(failed.cause());
            }
        } else if (signal instanceof Terminated terminated) {
            var ended = ends.remove(terminated.getRef().path().name());
            if (ended != null) {
                ended.complete(null);
            }
        }
        return this;
    }
}
