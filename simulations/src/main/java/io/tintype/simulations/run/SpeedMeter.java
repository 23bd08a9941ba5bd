package io.tintype.simulations.run;

import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * How fast guests get on while they are checkpointed, against how fast they do otherwise. A span of one VM's time belongs to one of
 * the two; what a guest does in it is counted in events of its own: stores, requests. Any thread may call.
 */
public final class SpeedMeter {
    private final LongAdder eventsDuring = new LongAdder();
    private final LongAdder nsDuring = new LongAdder();
    private final LongAdder eventsOutside = new LongAdder();
    private final LongAdder nsOutside = new LongAdder();

    /** A VM got {@code events} done in {@code ns} nanoseconds, all of them while a checkpoint of it was in progress, or none. */
    public void record(boolean duringCheckpoint, long events, long ns) {
        (duringCheckpoint ? eventsDuring : eventsOutside).add(events);
        (duringCheckpoint ? nsDuring : nsOutside).add(ns);
    }

    /** 1.0 = unhindered; null when there is nothing to compare: no checkpoint, or no time or no event without one. */
    public @Nullable Double speedDuringCheckpoint() {
        var spanDuring = nsDuring.sum();
        var spanOutside = nsOutside.sum();
        var unhindered = eventsOutside.sum();
        if (spanDuring == 0 || spanOutside == 0 || unhindered == 0) {
            return null;
        }
        return ((double) eventsDuring.sum() / spanDuring) / ((double) unhindered / spanOutside);
    }
}
