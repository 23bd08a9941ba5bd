package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.actors.strand.StrandOptions;
import io.tintype.actors.strand.StrandSystem;
import io.tintype.cow.memory.FramePool;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.LongSupplier;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Scheduler;
import scala.concurrent.ExecutionContext;

/** This machine: its clock, its memory, and threads for strands. */
final class LiveWorld implements HostWorld {
    private static final Duration NEXT_TICK = Duration.ofNanos(1);

    private final FramePool pool;
    private final ActorSystem<HostActor.Command> system;
    private final SecureRandom random = new SecureRandom();
    private final BackgroundExecutor loading = new BackgroundExecutor("tintype-load");

    LiveWorld(HostOptions options) {
        pool = new FramePool(options.memoryBytes(), options.heldBytesMax());
        int strandThreads =
                options.threads() > 0
                        ? options.threads()
                        : Math.max(2, Runtime.getRuntime().availableProcessors());
        system =
                StrandSystem.create(
                        "tintype",
                        HostActor.create(),
                        StrandOptions.defaults().withThreadCount(strandThreads));
    }

    @Override
    public Clock clock() {
        return Clock.system();
    }

    @Override
    public InstantSource wall() {
        return InstantSource.system();
    }

    @Override
    public LongSupplier random() {
        return random::nextLong;
    }

    @Override
    public Executor loading() {
        return loading;
    }

    /** The timer's next tick, a millisecond at most, wakes them. */
    @Override
    public Executor later(Executor threads) {
        var context = ExecutionContext.fromExecutor(threads);
        return task -> {
            try {
                system.scheduler().scheduleOnce(NEXT_TICK, task, context);
            } catch (IllegalStateException _) {
                // The system ends, and its timer with it: nobody's guest runs any more.
                threads.execute(task);
            }
        };
    }

    @Override
    public FramePool frames() {
        return pool;
    }

    @Override
    public ActorRef<HostActor.Command> host() {
        return system;
    }

    @Override
    public Scheduler scheduler() {
        return system.scheduler();
    }

    @Override
    public Executor answers() {
        return ForkJoinPool.commonPool();
    }

    @Override
    public void end() {
        system.terminate();
        TintypeHost.await(system.getWhenTerminated().toCompletableFuture());
        loading.close();
    }
}
