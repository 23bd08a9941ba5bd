package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.StoryEvent;
import io.tintype.simulations.story.TraceFile;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Each rule in turn is switched off, and a few seeds must show it. */
class BrokenRulesFoundTest {
    private static final int SEEDS_MAX = 1_000;
    /** Where the swarm takes longer than a test has. */
    private static final Map<Rule, String> SCENARIOS = new EnumMap<>(Map.of(
            Rule.R7, "ring", Rule.R9, "disk-reissue", Rule.R13, "flushes", Rule.R14, "across"));

    @TempDir
    private Path directory;

    private static Scenario scenario(Rule rule) {
        return Objects.requireNonNull(
                Scenario.named(SCENARIOS.getOrDefault(rule, Scenario.SWARM.name())));
    }

    @Test
    void shouldFindEachRuleThatIsSwitchedOff() {
        try (var machine = new SimulatedMachine()) {
            for (var rule : Rule.values()) {
                assertTrue(firstFailing(machine, rule) > 0, () -> rule + " was off, and none of "
                        + SEEDS_MAX + " seeds showed it");
            }
        }
    }

    private static long firstFailing(SimulatedMachine machine, Rule rule) {
        for (long seed = 1; seed <= SEEDS_MAX; seed++) {
            var knobs = Knobs.draw(seed, scenario(rule), Strategy.RANDOM, Faults.ALL, rule);
            if (!Simulation.free(machine, knobs, false).violations().isEmpty()) {
                return seed;
            }
        }
        return -1;
    }

    @Test
    void shouldTellAShortStoryThatReplaysFromItsFile() throws Exception {
        // A checkpoint, a request at its T, and nothing else is what these need.
        for (var rule : new Rule[] {Rule.R4, Rule.R10, Rule.R12}) {
            var finding = new Campaign(new Campaign.Plan(1, 100, Long.MAX_VALUE, Scenario.SWARM,
                    Strategy.RANDOM, Faults.ALL, rule, 1)).run();
            assertNotNull(finding, rule.name());
            var found = Objects.requireNonNull(finding);
            assertTrue(found.events() <= 12, () -> rule + " took " + found.events() + " events");
            var file = directory.resolve(rule + ".json");

            TraceFile.write(file, found.story());

            try (var machine = new SimulatedMachine()) {
                var replayed = Finding.replay(machine, TraceFile.read(file));
                var again = assertInstanceOf(Finding.Replayed.Reproduced.class, replayed);
                assertEquals(told(found.story()), told(again.story()));
            }
        }
    }

    /** Without the messages: where the quiet phase begins, guests are interrupted once more, and a replay begins it later. */
    private static List<String> told(Story story) {
        return story.events().stream()
                .filter(event -> event.kind() != StoryEvent.Kind.DELIVER
                        || !event.name().startsWith(StoryEvent.NOTE))
                .map(event -> event.lane() + " " + event.kind() + " " + event.text()).toList();
    }
}
