package io.tintype.simulations.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.simulations.run.RunResult.Sample;
import io.tintype.simulations.run.RunResult.StunMicros;
import io.tintype.simulations.run.SeriesSampler.Counters;
import java.util.Objects;
import org.junit.jupiter.api.Test;

class MeasuresTest {
    private static final long SECOND_NS = 1_000_000_000L;

    private static Counters io(long completed, long held) {
        return new Counters(completed, 0, 0, 0, 0, 0, 0, 0, held, 0,
                new SeriesSampler.Gauges(1_000 - held, held, (int) held));
    }

    @Test
    void shouldHaveNoFiguresWithoutAStun() {
        var stuns = new StunStats();

        assertEquals(StunMicros.NONE, stuns.summary());
        assertTrue(Double.isNaN(stuns.p99Micros()));
        assertTrue(stuns.percentiles().isEmpty());
    }

    @Test
    void shouldTellPercentilesToThreeDigits() {
        var stuns = new StunStats();
        for (int i = 1; i <= 10_000; i++) {
            stuns.record(i * 100L);
        }

        var summary = stuns.summary();

        assertEquals(10_000, summary.count());
        assertEquals(0.1, Objects.requireNonNull(summary.min()), 0.0001);
        assertEquals(500, Objects.requireNonNull(summary.p50()), 0.6);
        assertEquals(900, Objects.requireNonNull(summary.p90()), 1);
        assertEquals(990, Objects.requireNonNull(summary.p99()), 1.1);
        assertEquals(999, Objects.requireNonNull(summary.p999()), 1.1);
        assertEquals(1_000, Objects.requireNonNull(summary.max()), 1);
        assertEquals(500, Objects.requireNonNull(summary.mean()), 1);
        assertEquals(990, stuns.p99Micros(), 1.1);
    }

    @Test
    void shouldEndThePercentileCurveAtTheLongestStun() {
        var stuns = new StunStats();
        for (int i = 1; i <= 1_000; i++) {
            stuns.record(i * 1_000L);
        }

        var points = stuns.percentiles();

        assertEquals(100, points.getLast().percentile());
        assertEquals(Objects.requireNonNull(stuns.summary().max()), points.getLast().micros());
        assertEquals(1_000, points.getLast().count());
        for (int i = 1; i < points.size(); i++) {
            assertTrue(points.get(i).micros() >= points.get(i - 1).micros());
        }
    }

    @Test
    void shouldTurnCountersIntoRates() {
        var sampler = new SeriesSampler(5 * SECOND_NS, io(100, 0));

        sampler.read(6 * SECOND_NS, io(1_100, 7));
        sampler.read(6 * SECOND_NS + SECOND_NS / 2, io(1_350, 3));

        var samples = sampler.samples();
        assertEquals(2, samples.size());
        assertEquals(1, samples.get(0).atSeconds());
        assertEquals(1_000, samples.get(0).ioPerSecond());
        assertEquals(7, samples.get(0).framesHeld());
        assertEquals(1.5, samples.get(1).atSeconds());
        assertEquals(500, samples.get(1).ioPerSecond());
    }

    @Test
    void shouldIgnoreAReadingThatIsNotLater() {
        var sampler = new SeriesSampler(0, io(0, 0));

        sampler.read(SECOND_NS, io(10, 0));
        sampler.read(SECOND_NS, io(20, 0));

        assertEquals(1, sampler.samples().size());
    }

    @Test
    void shouldCoverTheWholeRunInABoundedNumberOfSamples() {
        var sampler = new SeriesSampler(0, io(0, 0));
        int readings = 73_211;
        for (int i = 1; i <= readings; i++) {
            sampler.read(i * SECOND_NS / 10, io(i * 50L, i == 4_321 ? 99 : 1));
        }

        var samples = sampler.samples();

        assertTrue(samples.size() <= SeriesSampler.SAMPLES_MAX + 1, samples.size() + " samples");
        assertTrue(samples.size() >= SeriesSampler.SAMPLES_MAX / 2, samples.size() + " samples");
        assertEquals(readings / 10.0, samples.getLast().atSeconds(), 1e-6);
        assertEquals(readings / 10.0, samples.stream().mapToDouble(Sample::seconds).sum(), 1e-3);
        assertEquals(readings * 50.0,
                samples.stream().mapToDouble(each -> each.ioPerSecond() * each.seconds()).sum(), 1);
        assertEquals(99, samples.stream().mapToLong(Sample::framesHeld).max().orElseThrow(),
                "a peak is not lost");
        assertEquals(901, samples.stream().mapToLong(Sample::usableBytes).min().orElseThrow(),
                "nor is the least room");
        assertEquals(99, samples.stream().mapToInt(Sample::chainLayers).max().orElseThrow());
        assertTrue(samples.stream().allMatch(each -> Math.abs(each.ioPerSecond() - 500) < 1e-6));
    }

    @Test
    void shouldCompareAGuestWithItselfUnhindered() {
        var meter = new SpeedMeter();
        assertNull(meter.speedDuringCheckpoint());

        meter.record(true, 80, SECOND_NS);
        assertNull(meter.speedDuringCheckpoint(), "nothing to compare with yet");

        meter.record(false, 300, 3 * SECOND_NS);
        assertEquals(0.8, Objects.requireNonNull(meter.speedDuringCheckpoint()), 1e-9);
    }

    @Test
    void shouldCompareAGuestWithThoseBesideItAndNotWithOtherTimes() {
        var meter = new SpeedMeter();
        meter.record(false, 5_000, SECOND_NS);
        meter.endWindow();
        meter.record(true, 80, SECOND_NS);
        meter.record(false, 1_000, 10 * SECOND_NS);
        meter.endWindow();
        meter.record(true, 1, SECOND_NS);
        meter.endWindow();

        assertEquals(0.8, Objects.requireNonNull(meter.speedDuringCheckpoint()), 1e-9);
    }

    @Test
    void shouldPreferACutThatShowsMore() {
        var rich = MadeUpRun.story(16, 1);
        var poor =
                new CutStory("vm-1", 1, 0, 0, rich.requests().subList(0, 2), java.util.List.of());
        var crowded = MadeUpRun.story(256, 1);

        assertTrue(rich.interest() > poor.interest());
        assertTrue(rich.interest() > crowded.interest(), "one that nobody can read");
    }
}
