package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A shrunk story has at most twice the events of the shortest one: of all that the failing run did, every choice of fewer than half as
 * many events is run, and none fails. For each rule that is the first story for which this is not too much.
 *
 * <p>Stories of R9, R13 and R14 have more events than that: for these see {@code ShrunkRunsTest}, which knows the shortest otherwise.
 */
class ShortestStoriesTest {
    private static final int SEEDS_MAX = 1_500;
    /** At about 1,000 runs a second. */
    private static final long CHOICES_MAX = 10_000;

    /** What a run of a seed did and came to. */
    private record Failing(Knobs knobs, Violation violation, List<String> events) {
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

        /** How many choices of fewer than half of so many events there are. */
        long choices(int of) {
            long sum = 0;
            long choices = 1;
            for (int count = 0; 2 * count < of && sum <= CHOICES_MAX; count++) {
                sum += choices;
                choices = choices * (events.size() - count) / (count + 1);
            }
            return sum;
        }
    }

    private static String scenario(Rule rule) {
        return switch (rule) {
            case R7 -> "ring"; // where the swarm seldom shows it
            default -> Scenario.SWARM.name();
        };
    }

    @ParameterizedTest
    @EnumSource(names = {"R9", "R13", "R14"}, mode = EnumSource.Mode.EXCLUDE)
    void shouldTellNoStoryOfMoreThanTwiceTheShortest(Rule rule) {
        try (var machine = new SimulatedMachine()) {
            for (long seed = 1; seed <= SEEDS_MAX; seed++) {
                var knobs = Knobs.draw(seed,
                        Objects.requireNonNull(Scenario.named(scenario(rule))), Strategy.RANDOM,
                        Faults.ALL, rule);
                var run = Simulation.free(machine, knobs, true);
                if (run.violations().isEmpty()) {
                    continue;
                }
                var failing = new Failing(knobs, run.violations().getFirst(), run.events()
                        .stream().filter(name -> !name.startsWith("deliver ")).toList());
                if (!failing.fails(machine, failing.events)) {
                    continue; // it needs an exact order of messages
                }
                int events = Finding.of(machine, knobs, failing.violation).events();
                if (failing.choices(events) > CHOICES_MAX) {
                    continue;
                }
                for (int count = 0; 2 * count < events; count++) {
                    int chosen = count;
                    long of = seed;
                    assertFalse(failing.anyFails(machine, count, 0, new ArrayList<>()),
                            () -> rule + ", seed " + of + ": " + chosen
                                    + " events are enough, not " + events);
                }
                return;
            }
        }
        fail("no story of " + rule + " among " + SEEDS_MAX + " seeds is short enough");
    }
}
