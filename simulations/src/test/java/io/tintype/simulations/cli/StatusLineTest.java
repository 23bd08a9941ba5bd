package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.simulations.run.Progress.Phase;
import io.tintype.simulations.run.Progress.Snapshot;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatusLineTest {
    private static final long SECOND_NS = 1_000_000_000L;

    private static Snapshot at(long elapsedNs, long io, long violations) {
        return new Snapshot(Phase.RUNNING, elapsedNs, 20 * SECOND_NS, 64, io, 412, 3, 1, 409,
                violations, 41.2, 0, false);
    }

    private static String render(Snapshot snapshot, int width) {
        return new StatusLine(false).render(snapshot, width);
    }

    @Test
    void shouldTellOfMemoryHeldAndOfAStoreThatIsNearlyFull() {
        var held = new Snapshot(Phase.RUNNING, SECOND_NS, 20 * SECOND_NS, 64, 1, 412, 3, 1, 409, 0,
                41.2, 96L << 20, false);
        var full = new Snapshot(Phase.RUNNING, SECOND_NS, 20 * SECOND_NS, 64, 1, 412, 3, 1, 409, 0,
                41.2, 0, true);

        assertTrue(render(held, 200).contains("held 96"), render(held, 200));
        assertTrue(render(full, 80).contains("STORE NEARLY FULL"), render(full, 80));
    }

    @Test
    void shouldShowEverythingWhereThereIsRoom() {
        assertEquals(
                "[#######·············]  7.2 s of 20.0 s  64 VMs  208k I/O/s  sealed 412  in progress 3  aborted 1  "
                        + "verified 409  stun p99 41.2 µs",
                render(at(7_200_000_000L, 1_497_600, 0), 140));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|',
            textBlock = """
                    120 | [######·········]  7.2 s of 20.0 s  64 VMs  208k I/O/s  sealed 412  in progress 3  aborted 1  verified 409  stun p99 41.2 µs
                    100 | 7.2 s of 20.0 s  64 VMs  208k I/O/s  sealed 412  in progress 3  aborted 1  stun p99 41.2 µs
                     80 | 7.2 s of 20.0 s  208k I/O/s  sealed 412  aborted 1  stun p99 41.2 µs
                     60 | 7.2 s of 20.0 s  sealed 412  aborted 1  stun p99 41.2 µs
                     30 | 7.2 s of 20.0 s  sealed 412
                     15 | 7.2 s of 20.0 s
                      9 | 7.2 s of
                    """)
    void shouldLeaveOutTheLeastTellingWhenNarrow(int width, String expected) {
        var line = render(at(7_200_000_000L, 1_497_600, 0), width);

        assertTrue(line.length() <= width, line);
        // The bar takes what room is left, so it comes and goes; the rest is what is asked about.
        assertEquals(withoutBar(expected), withoutBar(line));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 10, 20, 39, 40, 79, 100, 119, 160, 1_000})
    void shouldNeverBeWiderThanTheTerminal(int width) {
        assertTrue(render(at(7_200_000_000L, 1_497_600, 0), width).length() <= width);
        assertTrue(render(at(7_200_000_000L, 1_497_600, 12), width).length() <= width);
        assertTrue(render(Snapshot.NOTHING, width).length() <= width);
    }

    @Test
    void shouldNotLeaveOutViolations() {
        for (int width = 15; width < 200; width++) {
            var line = render(at(7_200_000_000L, 1_497_600, 3), width);

            assertTrue(line.contains("VIOLATIONS 3"), width + ": " + line);
        }
    }

    @Test
    void shouldShowTheRateSinceTheLineBefore() {
        var line = new StatusLine(false);
        line.render(at(10 * SECOND_NS, 1_000_000, 0), 200);

        var next = line.render(at(10 * SECOND_NS + SECOND_NS / 2, 1_001_000, 0), 200);

        assertTrue(next.contains("  2,000 I/O/s"), next);
    }

    @Test
    void shouldSayWhatItIsDoingBeforeAndAfter() {
        var finishing = new Snapshot(Phase.FINISHING, 20 * SECOND_NS, 20 * SECOND_NS, 64, 1, 1_270,
                8, 0, 1_200, 0, 41.2, 0, false);
        var starting =
                new Snapshot(Phase.STARTING, 0, 0, 10_000, 0, 0, 0, 0, 0, 0, Double.NaN, 0, false);

        assertEquals("starting …", render(Snapshot.NOTHING, 80));
        assertEquals("starting 10,000 VMs", render(starting, 80));
        assertTrue(render(finishing, 140).contains("finishing  sealed 1,270"),
                render(finishing, 140));
    }

    @Test
    void shouldUseColourOnlyWhenAsked() {
        var snapshot = at(7_200_000_000L, 1_497_600, 3);

        assertFalse(new StatusLine(false).render(snapshot, 140).contains("\u001b"));
        assertTrue(new StatusLine(true).render(snapshot, 140)
                .contains("\u001b[1;31mVIOLATIONS 3\u001b[0m"));
    }

    @Test
    void shouldPrintAboutTenLinesWhereLinesCannotBeRedrawn() {
        assertEquals(Duration.ofSeconds(2), StatusPrinter.lineEvery(0));
        assertEquals(Duration.ofSeconds(2), StatusPrinter.lineEvery(20 * SECOND_NS));
        assertEquals(Duration.ofSeconds(12), StatusPrinter.lineEvery(120 * SECOND_NS));
        assertEquals(Duration.ofMinutes(1), StatusPrinter.lineEvery(7_200 * SECOND_NS));
    }

    private static String withoutBar(String line) {
        return line.strip().replaceAll("^\\[[#·]+\\]  ", "");
    }
}
