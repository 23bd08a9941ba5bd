package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** The same seed is the same run: in one process, in another, with another garbage collector, without a compiler. */
class DeterminismTest {
    /** The steps of some seeds, a line each. */
    static final class Steps {
        private Steps() {}

        public static void main(String[] args) {
            var out = new StringBuilder();
            for (var line : of(Integer.parseInt(args[0]), args.length > 1)) {
                out.append(line).append('\n');
            }
            System.out.print(out);
        }

        static List<String> of(int seeds) {
            return of(seeds, false);
        }

        /** With call sites, where a message was sent stands behind its delivery. */
        static List<String> of(int seeds, boolean callSites) {
            var lines = new ArrayList<String>();
            try (var machine = new SimulatedMachine()) {
                for (int seed = 1; seed <= seeds; seed++) {
                    for (var strategy : Strategy.values()) {
                        // Of each kind some, such as those that destroy VMs.
                        var scenario = strategy == Strategy.RANDOM
                                ? Scenario.SWARM
                                : Scenario.ALL.get(seed % Scenario.ALL.size());
                        var knobs = Knobs.draw(seed, scenario, strategy, Faults.ALL, null);
                        var run = callSites
                                ? Simulation.withCallSites(machine, knobs)
                                : Simulation.free(machine, knobs, true);
                        run.events().forEach(event -> lines.add(strategy + " " + event));
                        lines.add("seed " + seed + " " + strategy + " hash "
                                + Long.toHexString(run.traceHash()));
                    }
                }
            }
            return lines;
        }
    }

    private static final int SEEDS = 12;
    private static final int SEEDS_WITHOUT_COMPILER = 3;
    private static final int SECONDS_MAX = 60;

    @Test
    void shouldRunTheSameInOneProcess() {
        var first = Steps.of(SEEDS);
        var second = Steps.of(SEEDS);

        assertSame(first, second, "a second time in this process");
    }

    @Test
    void shouldRunDifferentlyWithAnotherSeed() {
        try (var machine = new SimulatedMachine()) {
            var one = Simulation.free(machine, Knobs.draw(1, Scenario.SWARM, Strategy.RANDOM,
                    Faults.NONE, null), false);
            var other = Simulation.free(machine, Knobs.draw(2, Scenario.SWARM, Strategy.RANDOM,
                    Faults.NONE, null), false);

            assertNotEquals(one.traceHash(), other.traceHash());
        }
    }

    @Test
    void shouldRunTheSameInAnotherProcessWithAnotherCollector() throws Exception {
        compareWith(SEEDS, "-XX:+UseSerialGC");
    }

    @Test
    void shouldRunTheSameWithoutACompiler() throws Exception {
        compareWith(SEEDS_WITHOUT_COMPILER, "-Xint");
    }

    @Test
    void shouldNameTheFirstDivergentEvent() {
        var failure = assertThrows(AssertionError.class,
                () -> assertSame(List.of("a", "b", "c"), List.of("a", "x", "c"), "there"));

        assertTrue(String.valueOf(failure.getMessage()).contains(
                "number 2: \"b\" here, \"x\" there, after \"a\""), failure.getMessage());
    }

    @Test
    void shouldSayWhereTheMessageOfAnEventWasSent() {
        var steps = Steps.of(1, true);

        assertTrue(steps.stream().anyMatch(
                step -> step.contains("DiskActor") || step.contains(", sent at VmActor.java:")),
                steps.toString());
    }

    private static void compareWith(int seeds, String option) throws Exception {
        var here = Steps.of(seeds);
        var there = elsewhere(seeds, option);
        if (!here.equals(there)) {
            // Once more, with the place in the source that sent each message.
            assertSame(Steps.of(seeds, true), elsewhere(seeds, option, "call-sites"),
                    "with " + option);
            assertSame(here, there, "with " + option);
        }
    }

    private static void assertSame(List<String> here, List<String> there, String where) {
        for (int i = 0; i < Math.min(here.size(), there.size()); i++) {
            if (!here.get(i).equals(there.get(i))) {
                fail("the first divergent event " + where + " is number " + (i + 1) + ": \""
                        + here.get(i) + "\" here, \"" + there.get(i) + "\" there, after \""
                        + (i == 0 ? "the start" : here.get(i - 1)) + "\"");
            }
        }
        assertEquals(here.size(), there.size(), where);
    }

    private static List<String> elsewhere(int seeds, String option, String... more)
            throws IOException, InterruptedException {
        var java = Path.of(System.getProperty("java.home", ""), "bin", "java");
        var command = new ArrayList<String>(List.of(java.toString(), option, "-Xmx512m",
                "--enable-native-access=ALL-UNNAMED", "--sun-misc-unsafe-memory-access=allow",
                "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
                "--add-opens", "java.base/java.nio=ALL-UNNAMED",
                "--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED",
                "-cp", Objects.requireNonNull(System.getProperty("java.class.path")),
                Steps.class.getName(), String.valueOf(seeds)));
        command.addAll(List.of(more));
        var process = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT).start();
        var lines = new ArrayList<String>();
        try (var reader = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        }
        if (!process.waitFor(SECONDS_MAX, TimeUnit.SECONDS)) {
            process.destroy();
        }
        return lines;
    }
}
