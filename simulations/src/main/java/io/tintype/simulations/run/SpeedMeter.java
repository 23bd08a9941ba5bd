package io.tintype.simulations.run;

import org.jspecify.annotations.Nullable;

/**
 * How fast guests get on while they are checkpointed, against how fast those beside them do that are not. A span of one VM's
 * time belongs to one of the two; what a guest does in it is counted in events of its own: stores, requests.
 *
 * <p>The two are compared window by window, since a fleet does not run evenly: it starts up, fills its memory, waits for the
 * disk. Windows in which only one of the two occurred tell nothing by themselves; if there are no others, as with a single
 * VM, all time of the one is compared with all time of the other. One thread at a time.
 */
public final class SpeedMeter {
    private final Sums window = new Sums();
    private final Sums all = new Sums();
    private double weightedRatios;
    private double weights;

    private static final class Sums {
        long eventsDuring;
        long nsDuring;
        long eventsOutside;
        long nsOutside;

        void add(boolean duringCheckpoint, long events, long ns) {
            if (duringCheckpoint) {
                eventsDuring += events;
                nsDuring += ns;
            } else {
                eventsOutside += events;
                nsOutside += ns;
            }
        }

        boolean isComparable() {
            return nsDuring > 0 && nsOutside > 0 && eventsOutside > 0;
        }

        double ratio() {
            return ((double) eventsDuring / nsDuring) / ((double) eventsOutside / nsOutside);
        }

        void clear() {
            eventsDuring = 0;
            nsDuring = 0;
            eventsOutside = 0;
            nsOutside = 0;
        }
    }

    /** A VM got {@code events} done in {@code ns} nanoseconds, all of them while a checkpoint of it was in progress, or none. */
    public void record(boolean duringCheckpoint, long events, long ns) {
        window.add(duringCheckpoint, events, ns);
        all.add(duringCheckpoint, events, ns);
    }

    /** What is recorded from now on is compared among itself. */
    public void endWindow() {
        if (window.isComparable()) {
            // As much as the rarer of the two has to tell.
            long weight = Math.min(window.nsDuring, window.nsOutside);
            weightedRatios += weight * window.ratio();
            weights += weight;
        }
        window.clear();
    }

    /** 1.0 = unhindered; null when there is nothing to compare: no checkpoint, or no time or no event without one. */
    public @Nullable Double speedDuringCheckpoint() {
        if (weights > 0) {
            return weightedRatios / weights;
        }
        return all.isComparable() ? all.ratio() : null;
    }
}
