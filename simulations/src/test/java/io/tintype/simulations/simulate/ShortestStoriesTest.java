package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A shrunk story has at most twice the events of the shortest one: of all that the failing run did, every choice of fewer than half as
 * many events is run, and none fails. Seeds are chosen for which that is not too many runs.
 */
class ShortestStoriesTest {
    /** What a run of a seed did and came to. */
    record Failing(Knobs knobs, Violation violation, List<String> events) {
        static Failing of(SimulatedMachine machine, String scenario, long seed, Rule broken) {
            var knobs = Knobs.draw(seed, Objects.requireNonNull(Scenario.named(scenario)),
                    Strategy.RANDOM, Faults.ALL, broken);
            var run = Simulation.free(machine, knobs, true);
            return new Failing(knobs, run.violations().getFirst(), run.events().stream()
                    .filter(name -> !name.startsWith("deliver ")).toList());
        }

        boolean fails(SimulatedMachine machine, List<String> chosen) {
            return Simulation.scheduled(machine, knobs, new Schedule(chosen, true), false)
                    .violations().stream().anyMatch(found -> found.rule() == violation.rule());
        }

        /** Whether any so many of its events, in their order, fail. */
        boolean anyFails(SimulatedMachine machine, int count, int from, List<String> chosen) {
            if (chosen.size() == count) {
                return fails(machine, chosen);
            }
            for (int next = from; next < events.size(); next++) {
                chosen.add(events.get(next));
                boolean isFailing = anyFails(machine, count, next + 1, chosen);
                chosen.removeLast();
                if (isFailing) {
                    return true;
                }
            }
            return false;
        }
    }

    @ParameterizedTest
    @CsvSource({
    //SEEDS
    })
    void shouldTellNoStoryOfMoreThanTwiceTheShortest(Rule rule, String scenario, long seed,
            int events) {
        try (var machine = new SimulatedMachine()) {
            var failing = Failing.of(machine, scenario, seed, rule);
            var finding = Finding.of(machine, failing.knobs, failing.violation);

            assertEquals(events, finding.events());
            for (int count = 0; 2 * count < events; count++) {
                int chosen = count;
                assertFalse(failing.anyFails(machine, count, 0, new ArrayList<>()),
                        () -> rule + ": " + chosen + " events are enough, not " + events);
            }
        }
    }
}
