package io.tintype.actors.strand;

import com.typesafe.config.Config;
import java.util.concurrent.ThreadFactory;
import org.apache.pekko.actor.AbstractScheduler;
import org.apache.pekko.actor.Cancellable;
import org.apache.pekko.event.LoggingAdapter;
import scala.concurrent.ExecutionContext;
import scala.concurrent.duration.FiniteDuration;

/** Named in the configuration of a simulated system; Pekko creates it. Its timers are those of the simulation. */
public final class SimulatedScheduler extends AbstractScheduler {
    // More often than any timer of ours: the clock is virtual, and each tick costs only itself.
    private static final double FREQUENCY_MAX = 1e9;

    private final VirtualTimers timers;

    /** As Pekko wants it; neither the log nor the threads are used. */
    public SimulatedScheduler(Config config, LoggingAdapter log, ThreadFactory threads) {
        this.timers = SimulatedSystem.parts(config).timers();
    }

    @Override
    @SuppressWarnings("deprecation") // what Pekko's newer methods call
    public Cancellable schedule(FiniteDuration delay, FiniteDuration interval, Runnable task,
            ExecutionContext executor) {
        return timers.repeat(delay.toNanos(), Math.max(1, interval.toNanos()), task);
    }

    @Override
    public Cancellable scheduleOnce(FiniteDuration delay, Runnable task,
            ExecutionContext executor) {
        return timers.once(delay.toNanos(), task);
    }

    @Override
    public double maxFrequency() {
        return FREQUENCY_MAX;
    }
}
