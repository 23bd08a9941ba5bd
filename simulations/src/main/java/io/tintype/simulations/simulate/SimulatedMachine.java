package io.tintype.simulations.simulate;

import io.tintype.actors.strand.SimulatedSystem;
import io.tintype.cow.memory.FramePool;
import io.tintype.simulations.oracle.OracleScratch;
import io.tintype.store.StoreFiles;
import io.tintype.vm.CoreProbe;
import io.tintype.vm.HostActor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;

/**
 * What runs have in common, since making it is dear: the actor system and the memory. One run after another, all on the thread that
 * made it.
 */
public final class SimulatedMachine implements AutoCloseable {
    /** What the root actor does: spawn and stop the parent of a host's VMs. */
    private sealed interface Command {
        record Start(String name, CompletableFuture<ActorRef<HostActor.Command>> started)
                implements
                    Command {}

        record Stop(ActorRef<HostActor.Command> host) implements Command {}
    }

    /** 16 MiB: more than the largest run, with its clones, ever uses. */
    private static final long POOL_BYTES = 16 << 20;

    private static final List<String> LOGS = List.of(
            "org.slf4j.simpleLogger.log.io.tintype.vm",
            "org.slf4j.simpleLogger.log.org.apache.pekko",
            "org.slf4j.simpleLogger.log.SupervisorStrategy");
    private static final long SCRATCH_BYTES = 2 << 20;

    private final SimulatedSystem<Command> system;
    private final MemorySegment scratch = Arena.ofAuto().allocate(SCRATCH_BYTES, 4096);
    private final OracleScratch oracleScratch = new OracleScratch();
    private FramePool pool = new FramePool(POOL_BYTES, POOL_BYTES);
    private long heldFrames = -1;
    private @Nullable CoreProbe cores;
    private UnaryOperator<StoreFiles> planted = UnaryOperator.identity();

    /** Starts the actor system. */
    public SimulatedMachine() {
        // What goes wrong here is made to, thousands of times; before the first logger of the engine is made.
        for (var log : LOGS) {
            if (System.getProperty(log) == null) {
                System.setProperty(log, "off");
            }
        }
        system = SimulatedSystem.create("simulation", root());
    }

    /** From now on {@code watcher} hears of the pure steps of all actors in all runs. */
    void watchCores(CoreProbe watcher) {
        cores = watcher;
    }

    /** From now on hosts have files that {@code defect} makes of the right ones: for tests that look whether it is noticed. */
    void plant(UnaryOperator<StoreFiles> defect) {
        planted = defect;
    }

    StoreFiles planted(StoreFiles files) {
        return planted.apply(files);
    }

    @Nullable
    CoreProbe cores() {
        return cores;
    }

    private static Behavior<Command> root() {
        return Behaviors.setup(context -> Behaviors.receiveMessage(command -> {
            switch (command) {
                case Command.Start(var name, var started) ->
                    started.complete(context.spawn(HostActor.create(), name));
                case Command.Stop(var host) -> context.stop(host);
            }
            return Behaviors.same();
        }));
    }

    SimulatedSystem<?> system() {
        return system;
    }

    /** The frames, with that many that checkpoints may hold. */
    FramePool pool(int newHeldFrames) {
        if (newHeldFrames != heldFrames) {
            pool.discard();
            heldFrames = newHeldFrames;
            pool = new FramePool(POOL_BYTES, newHeldFrames * 4096L);
        }
        return pool;
    }

    /** A run left frames behind: the next one must not find them missing. */
    void discardPool() {
        pool.discard();
        pool = new FramePool(POOL_BYTES, heldFrames * 4096L);
    }

    /** For the oracles of all runs, one of which compares at a time. */
    OracleScratch oracleScratch() {
        return oracleScratch;
    }

    /** Memory for one reader at a time. */
    MemorySegment scratch() {
        return scratch;
    }

    ActorRef<HostActor.Command> startHost(String name) {
        var started = new CompletableFuture<ActorRef<HostActor.Command>>();
        system.system().tell(new Command.Start(name, started));
        system.drain();
        return started.join();
    }

    void stopHost(ActorRef<HostActor.Command> host) {
        system.system().tell(new Command.Stop(host));
        system.drain();
    }

    /** Messages handled since the start, by all runs. */
    public long messages() {
        return system.runs();
    }

    @Override
    public void close() {
        system.close();
        pool.discard();
    }
}
