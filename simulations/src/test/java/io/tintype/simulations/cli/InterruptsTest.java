package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tintype.simulations.run.Progress;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class InterruptsTest {
    @TempDir
    private Path temporary;

    @Test
    void shouldEndOrderlyFirstAndAtOnceAfterwards() {
        var progress = new Progress();
        var said = new ArrayList<String>();
        var ends = new AtomicInteger();
        try (var interrupts =
                Interrupts.unattached(progress::cancel, said::add, ends::incrementAndGet)) {
            interrupts.signalled();

            assertTrue(progress.cancelled());
            assertEquals(0, ends.get());

            interrupts.signalled();

            assertEquals(1, ends.get());
            assertEquals(2, said.size());
        }
    }

    @Test
    void shouldTellWhoeverWaitsForACancellationOnce() {
        var progress = new Progress();
        var calls = new AtomicInteger();
        progress.onCancel(calls::incrementAndGet);

        progress.cancel();
        progress.cancel();
        assertEquals(1, calls.get());

        progress.onCancel(calls::incrementAndGet);
        assertEquals(2, calls.get(), "one that comes late is told at once");
    }

    @Test
    @Timeout(60)
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no kill to send a signal with")
    void shouldShowTheResultsOfARunThatIsInterrupted() throws Exception {
        var process = start("run", "--for", "10m", "--no-report");
        var err = new BufferedReader(
                new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
        awaitLine(err, "I/O/s");

        signal(process, "INT");

        var out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(0, process.exitValue(), out);
        assertTrue(out.contains("until interrupted: every sealed checkpoint was verified"), out);
        try (var files = Files.list(temporary)) {
            assertEquals(0, files.count(), "the temporary store is removed");
        }
    }

    @Test
    @Timeout(60)
    @DisabledOnOs(value = OS.WINDOWS, disabledReason = "there is no kill to send a signal with")
    void shouldStopAtOnceWhenInterruptedTwice() throws Exception {
        var process = start("run", "--for", "10m", "--no-report");
        var err = new BufferedReader(
                new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8));
        awaitLine(err, "I/O/s");

        signal(process, "INT");
        awaitLine(err, "ending: ");
        signal(process, "INT");

        assertTrue(process.waitFor(30, TimeUnit.SECONDS));
        assertEquals(Interrupts.EXIT_INTERRUPTED, process.exitValue());
        assertFalse(new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .contains("stun"));
    }

    /** A shell that runs a script's background jobs has them ignore SIGINT, and so do their children: nothing would come. */
    private static void assumeInterruptsCome() throws IOException {
        var status = Path.of("/proc/self/status");
        if (Files.exists(status)) {
            var ignored = Files.readAllLines(status).stream()
                    .filter(line -> line.startsWith("SigIgn:")).findFirst().orElse("SigIgn: 0");
            var mask = Long.parseUnsignedLong(ignored.substring(7).strip(), 16);
            assumeTrue((mask & 2) == 0, "SIGINT is ignored here, as in background jobs of scripts");
        }
    }

    /** The command line with a run that only looks like one, in a process of its own. */
    private Process start(String... arguments) throws IOException {
        assumeInterruptsCome();
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.add("--enable-native-access=ALL-UNNAMED");
        command.add("-Djava.io.tmpdir=" + temporary);
        command.add("-cp");
        command.add(System.getProperty("java.class.path"));
        command.add(FakeRunner.class.getName());
        command.addAll(java.util.List.of(arguments));
        return new ProcessBuilder(command).start();
    }

    private static void awaitLine(BufferedReader lines, String part) throws IOException {
        var all = new StringBuilder();
        for (var line = lines.readLine(); line != null; line = lines.readLine()) {
            all.append(line).append('\n');
            if (line.contains(part)) {
                return;
            }
        }
        throw new AssertionError("no line with '" + part + "' in:\n" + all);
    }

    private static void signal(Process process, String name) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                .start().waitFor());
    }
}
