package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.TraceFile;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a story asks for is all that its run did: on another machine, from its file, it comes to the same, to the last message. */
class StoriesReplayTest {
    private static final int SEEDS_MAX = 2_000;
    private static final int STORIES = 2;
    private static final int SEEDS = 17;
    private static final List<Rule> RULES = List.of(Rule.values());
    /** Where the swarm seldom shows the rule. */
    private static final Map<Rule, String> SCENARIOS = new EnumMap<>(Map.of(
            Rule.R6, "across", Rule.R7, "ring", Rule.R8, "conflicts", Rule.R9, "disk-reissue",
            Rule.R13, "flushes", Rule.R14, "across"));

    @TempDir
    private Path directory;

    private static Scenario scenario(String name) {
        return Objects.requireNonNull(Scenario.named(name));
    }

    @ParameterizedTest
    @EnumSource
    void shouldReproduceWhatItTellsOfEachRule(Rule rule) throws Exception {
        var scenario = scenario(SCENARIOS.getOrDefault(rule, Scenario.SWARM.name()));
        int stories = 0;
        try (var machine = new SimulatedMachine(); var fresh = new SimulatedMachine()) {
            for (long seed = 1; stories < STORIES; seed++) {
                assertTrue(seed <= SEEDS_MAX, rule + ": too few seeds show it");
                var knobs = Knobs.draw(seed, scenario, Strategy.RANDOM, Faults.ALL, rule);
                var run = Simulation.free(machine, knobs, false);
                if (run.violations().isEmpty()) {
                    continue;
                }
                stories++;
                var story = Finding.of(machine, knobs, run.violations().getFirst(), 0).story();

                var replayed = Finding.replay(fresh, read(story));

                var again = assertInstanceOf(Finding.Replayed.Reproduced.class, replayed,
                        rule + ", seed " + seed);
                assertEquals(run.violations().getFirst().rule(), story.rule());
                assertEquals(story, again.story(), rule + ", seed " + seed);
            }
        }
    }

    /**
     * Of runs as they are, which have hundreds of events, with failures of power between and within these, and with VMs of several lives:
     * with every message named and without.
     */
    @ParameterizedTest
    @ValueSource(strings = {"swarm", "crashes", "garbage", "rollbacks", "lineages", "flushes"})
    void shouldAskForAllThatARunDid(String name) throws Exception {
        var noViolation = new Violation(null, "", 0, "", "", "");
        try (var machine = new SimulatedMachine(); var fresh = new SimulatedMachine()) {
            for (long seed = 1; seed <= SEEDS; seed++) {
                var rule = RULES.get((int) (seed % RULES.size()));
                var knobs = Knobs.draw(seed, scenario(name), Strategy.RANDOM, Faults.ALL, rule);
                var recorded = Simulation.free(machine, knobs, true);
                for (var schedule : List.of(new Schedule(recorded.events(), false),
                        new Schedule(recorded.world(), true))) {
                    var first = Simulation.scheduled(machine, knobs, schedule, false);
                    var story = Finding.told(machine, knobs, schedule, noViolation);

                    var asked = Objects.requireNonNull(Finding.schedule(read(story)));
                    var second = Simulation.scheduled(fresh, knobs, asked, false);

                    var which = name + ", seed " + seed + ", settles " + schedule.settles();
                    assertEquals(schedule.settles(), asked.settles());
                    assertEquals(-1, second.unfitting(), which);
                    assertEquals(first.traceHash(), second.traceHash(), which);
                    assertEquals(first.violations(), second.violations(), which);
                    assertEquals(story, Finding.told(fresh, knobs, asked, noViolation), which);
                }
            }
        }
    }

    @Test
    void shouldNameWhereThePowerFails() {
        var crashes = new ArrayList<String>();
        try (var machine = new SimulatedMachine()) {
            for (long seed = 1; seed <= 60; seed++) {
                var knobs = Knobs.draw(seed, scenario("crashes"), Strategy.RANDOM, Faults.ALL,
                        null);
                var recorded = Simulation.free(machine, knobs, true);
                var exact = new Schedule(recorded.events(), false);
                if (recorded.traceHash() != Simulation.scheduled(machine, knobs, exact, false)
                        .traceHash()) {
                    continue; // a schedule has no times, and a deadline may need them
                }
                var crash = recorded.world().stream().filter(each -> each.contains("crash"))
                        .findFirst();
                if (crash.isPresent()) {
                    crashes.add(crash.get());
                    var story = Finding.told(machine, knobs, exact,
                            new Violation(null, "", 0, "", "", ""));
                    assertTrue(Objects.requireNonNull(Finding.schedule(story)).events().getLast()
                            .startsWith("crash"), () -> "seed " + knobs.seed());
                }
            }
        }
        assertTrue(crashes.stream().anyMatch(each -> each.contains(" changes in ")));
        assertTrue(crashes.stream().anyMatch(each -> each.endsWith("crash")));
    }

    private Story read(Story story) throws Exception {
        var file = directory.resolve("story.json");
        TraceFile.write(file, story);
        return TraceFile.read(file);
    }
}
