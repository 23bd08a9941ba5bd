package io.tintype.simulations.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.simulations.run.MadeUpRun;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EndTableTest {
    @Test
    void shouldShowTheFiguresAlignedWithTheirUnits() {
        var text = EndTable.of(MadeUpRun.of(640, false, false),
                Map.of("report", "/tmp/report.html"), false);

        assertTrue(text.startsWith(
                "64 VMs ran 20.0 s: every sealed checkpoint was verified, nothing was violated\n\n"),
                text);
        assertTrue(text.contains(
                "  checkpoints   begun 640   sealed 634   aborted 6   verified 634   violations 0\n"),
                text);
        assertTrue(text.contains("  guest speed   96.7 % of its own while a checkpoint is taken\n"),
                text);
        assertTrue(text.endsWith("  report        /tmp/report.html\n"), text);
        assertFalse(text.contains("\u001b"));
    }

    @Test
    void shouldListViolationsFirstWithRuleAndPlace() {
        var text = EndTable.of(MadeUpRun.of(640, true, true), Map.of(), false);

        assertTrue(text.startsWith("""
                64 VMs ran 7.2 s until interrupted: 2 violations

                  R5  vm-5 checkpoint 1, disk 0 sector 20,480
                      expected version 12 of the block
                      found    version 13, written 1.2 ms after the instant
                  R11 vm-5 while it ran, request 812
                """), text);
    }

    @Test
    void shouldGroupAbortedCheckpointsByReason() {
        var text = EndTable.of(MadeUpRun.of(640, false, false), Map.of(), false);

        assertTrue(text.contains(
                "  3 × deadline of 10 s: request 4711 of disk 0 never completed  (vm-32 #2, "),
                text);
        assertTrue(text.contains("  3 × no space left on device: overlay of disk 0  ("), text);
    }

    @Test
    void shouldNotCallARunFineThatVerifiedNothing() {
        var text = EndTable.of(MadeUpRun.of(0, false, true), Map.of(), false);

        assertTrue(text.startsWith(
                "64 VMs ran 7.2 s until interrupted: no checkpoint was begun, so nothing was verified\n"),
                text);
        assertTrue(text.contains("stun          no VM was stunned\n"), text);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0 B", "1023, 1023 B", "1536, 1.5 KiB", "67108864, 64 MiB", "68719476736, 64 GiB"
    })
    void shouldWriteSizesShort(long bytes, String text) {
        assertEquals(text.replace("1023", "1,023"), Units.bytes(bytes));
    }

    @ParameterizedTest
    @CsvSource({
        "0.25, 0.25 µs", "9.996, 10 µs", "41.25, 41.3 µs", "104.6, 105 µs", "1300, 1.3 ms",
        "2050000, 2.05 s"
    })
    void shouldWriteTimesShort(double micros, String text) {
        assertEquals(text, Units.micros(micros));
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "9999, '9,999'", "10000, 10k", "12345, 12.3k", "1234567, 1.23M"})
    void shouldWriteCountsShort(double count, String text) {
        assertEquals(text, Units.count(count));
    }

    @ParameterizedTest
    @CsvSource({"500, 500 ms", "1000, 1 s", "1500, 1.5 s", "120000, 2 min", "3600000, 1 h",
        "90000, 90 s"})
    void shouldWriteSpansExactly(long ms, String text) {
        assertEquals(text, Units.span(Duration.ofMillis(ms)));
    }

    @ParameterizedTest
    @CsvSource({"7.26, 7.2 s", "59.99, 59.9 s", "125, 2:05", "3725, 1:02:05"})
    void shouldWriteClockTimes(double seconds, String text) {
        assertEquals(text, Units.seconds(seconds));
    }
}
