package io.tintype.simulations.run;

import io.tintype.simulations.run.RunResult.PercentilePoint;
import io.tintype.simulations.run.RunResult.StunMicros;
import java.util.ArrayList;
import java.util.List;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * How long the stuns of a run were, to three significant digits. Any thread may record and read; recording neither locks nor
 * allocates, and memory does not grow with the number of stuns.
 */
public final class StunStats {
    private static final double NS_PER_MICRO = 1_000.0;
    /** 2^21 points of a percentile plot would be one in two million: enough for a drawn line to end where its data does. */
    private static final int PLOT_TICKS_PER_HALF = 5;

    private final ConcurrentHistogram nanoseconds = new ConcurrentHistogram(3);

    /** One stun. A negative one, which only a clock that goes back can give, counts as 0. */
    public void record(long stunNs) {
        nanoseconds.recordValue(Math.max(0, stunNs));
    }

    /** How many were recorded. */
    public long count() {
        return nanoseconds.getTotalCount();
    }

    /** In microseconds; NaN when nothing was recorded. */
    public double p99Micros() {
        return count() == 0 ? Double.NaN : nanoseconds.getValueAtPercentile(99) / NS_PER_MICRO;
    }

    /** The figures of the result. */
    public StunMicros summary() {
        var all = nanoseconds.copy();
        if (all.getTotalCount() == 0) {
            return StunMicros.NONE;
        }
        return new StunMicros(
                all.getTotalCount(),
                all.getMinValue() / NS_PER_MICRO,
                Math.min(all.getMean(), (double) all.getMaxValue()) / NS_PER_MICRO,
                micros(all, 50),
                micros(all, 90),
                micros(all, 99),
                micros(all, 99.9),
                all.getMaxValue() / NS_PER_MICRO);
    }

    /** The curve of a percentile plot, from the shortest stun to the longest. */
    public List<PercentilePoint> percentiles() {
        var all = nanoseconds.copy();
        var points = new ArrayList<PercentilePoint>();
        for (var step : all.percentiles(PLOT_TICKS_PER_HALF)) {
            points.add(new PercentilePoint(
                    step.getPercentileLevelIteratedTo(),
                    Math.min(step.getValueIteratedTo(), all.getMaxValue()) / NS_PER_MICRO,
                    step.getTotalCountToThisValue()));
        }
        return points;
    }

    /** The histogram names a bucket by its upper end, which may lie above anything that was recorded. */
    private static double micros(Histogram all, double percentile) {
        return Math.min(all.getValueAtPercentile(percentile), all.getMaxValue()) / NS_PER_MICRO;
    }
}
