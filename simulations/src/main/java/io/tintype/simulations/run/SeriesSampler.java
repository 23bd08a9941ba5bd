package io.tintype.simulations.run;

import io.tintype.simulations.run.RunResult.Sample;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns counters that only grow, read now and then, into rates over time. However long the run, at most {@link #SAMPLES_MAX} samples
 * are held: when full, each two neighbours become one, and from then on twice as many readings make a sample.
 *
 * <p>Used by one thread at a time.
 */
public final class SeriesSampler {
    /** More than a chart is wide in pixels. Even, since pairs are merged: an odd one would be left over. */
    static final int SAMPLES_MAX = 2_000;

    private static final double NS_PER_SECOND = 1e9;

    /**
     * All counters at one moment; those that count something that happened never go down.
     *
     * @param guestEvents what the guests of all VMs got done: stores and requests
     * @param storeBytes written to the checkpoint store
     * @param framesInUse at this moment, of 4 KiB
     * @param framesHeld of those, the ones that only checkpoints still need
     * @param inProgress checkpoints at this moment
     * @param gauges of the store and of chains at this moment
     */
    public record Counters(
            long ioCompleted,
            long guestEvents,
            long memoryFaults,
            long diskFaults,
            long readsReissued,
            long writesDelayed,
            long storeBytes,
            long framesInUse,
            long framesHeld,
            int inProgress,
            Gauges gauges) {}

    /**
     * Levels.
     *
     * @param usableBytes that can still be written where the store is
     * @param imageBytes that the images of disks take
     * @param chainLayers files of the longest chain
     */
    public record Gauges(long usableBytes, long imageBytes, int chainLayers) {
        /** Where there is nothing. */
        public static final Gauges NONE = new Gauges(0, 0, 0);

        /** The worse of each. */
        public Gauges worse(Gauges other) {
            return new Gauges(Math.min(usableBytes, other.usableBytes),
                    Math.max(imageBytes, other.imageBytes),
                    Math.max(chainLayers, other.chainLayers));
        }
    }

    private record Reading(long atNs, Counters counters, long framesInUseMax, long framesHeldMax,
            int inProgressMax, Gauges gauges) {}

    private final long beginNs;
    private final List<Reading> readings = new ArrayList<>();
    private @Nullable Reading gathering;
    private int gathered;
    private int readingsPerSample = 1;

    /** {@code beginNs}: when the VMs began to run; all counters must be read for the first time then. */
    public SeriesSampler(long beginNs, Counters atBegin) {
        this.beginNs = beginNs;
        readings.add(reading(beginNs, atBegin));
    }

    /** One reading, later than the one before; one that is not is ignored. */
    public void read(long nowNs, Counters counters) {
        var last = readings.getLast();
        var pending = gathering;
        if (nowNs <= (pending == null ? last.atNs() : pending.atNs())) {
            return;
        }
        var merged = merge(pending, reading(nowNs, counters));
        gathered++;
        if (gathered < readingsPerSample) {
            gathering = merged;
            return;
        }
        gathering = null;
        gathered = 0;
        readings.add(merged);
        if (readings.size() > SAMPLES_MAX) {
            halve();
        }
    }

    /** All samples so far, the unfinished last one included. */
    public List<Sample> samples() {
        var samples = new ArrayList<Sample>();
        for (int i = 1; i < readings.size(); i++) {
            samples.add(sample(readings.get(i - 1), readings.get(i)));
        }
        if (gathering != null) {
            samples.add(sample(readings.getLast(), gathering));
        }
        return samples;
    }

    private void halve() {
        var kept = new ArrayList<Reading>();
        kept.add(readings.getFirst());
        for (int i = 2; i < readings.size(); i += 2) {
            kept.add(merge(readings.get(i - 1), readings.get(i)));
        }
        readings.clear();
        readings.addAll(kept);
        readingsPerSample *= 2;
    }

    private static Reading reading(long atNs, Counters counters) {
        return new Reading(atNs, counters, counters.framesInUse(), counters.framesHeld(),
                counters.inProgress(), counters.gauges());
    }

    /** Sums are the later one's; of levels the highest is kept, since a peak is what matters in them. */
    private static Reading merge(@Nullable Reading earlier, Reading later) {
        if (earlier == null) {
            return later;
        }
        return new Reading(
                later.atNs(),
                later.counters(),
                Math.max(earlier.framesInUseMax(), later.framesInUseMax()),
                Math.max(earlier.framesHeldMax(), later.framesHeldMax()),
                Math.max(earlier.inProgressMax(), later.inProgressMax()),
                earlier.gauges().worse(later.gauges()));
    }

    private Sample sample(Reading from, Reading to) {
        var seconds = (to.atNs() - from.atNs()) / NS_PER_SECOND;
        var before = from.counters();
        var after = to.counters();
        return new Sample(
                (to.atNs() - beginNs) / NS_PER_SECOND,
                seconds,
                (after.ioCompleted() - before.ioCompleted()) / seconds,
                (after.guestEvents() - before.guestEvents()) / seconds,
                (after.memoryFaults() - before.memoryFaults()) / seconds,
                (after.diskFaults() - before.diskFaults()) / seconds,
                (after.readsReissued() - before.readsReissued()) / seconds,
                (after.writesDelayed() - before.writesDelayed()) / seconds,
                (after.storeBytes() - before.storeBytes()) / seconds / 1e6,
                to.framesInUseMax(),
                to.framesHeldMax(),
                to.inProgressMax(),
                to.gauges().usableBytes(),
                to.gauges().imageBytes(),
                to.gauges().chainLayers());
    }
}
