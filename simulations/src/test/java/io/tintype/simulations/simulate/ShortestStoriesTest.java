package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A shrunk story has at most twice the events of the shortest one: of all that the failing run did, every choice of fewer than half as
 * many events is run, and none fails. A choice with an event that is not possible then, such as the end of an operation that was never
 * begun, runs as it does without that event; so whatever goes on from there is left out, which is most of all there is. For each rule
 * that is the first story for which this is not too much.
 *
 * <p>Stories of R13 and R14 have more events than that: for these see {@code ShrunkRunsTest}, which knows the shortest otherwise.
 */
class ShortestStoriesTest {
    private static final int SEEDS_MAX = 1_500;
    /** At about 1,000 runs a second. */
    private static final int RUNS_MAX = 6_000;
    private static final int UNKNOWN = -1;
    /** A longer story takes too many runs anyway. */
    private static final int EVENTS_MAX = 30;

    /** What a run of a seed did and came to. */
    private record Failing(Knobs knobs, Violation violation, List<String> events) {
        RunRecord run(SimulatedMachine machine, List<Integer> chosen) {
            return Simulation.scheduled(machine, knobs,
                    new Schedule(chosen.stream().map(events::get).toList(), true), false);
        }

        boolean isSame(RunRecord run) {
            return run.violations().stream().anyMatch(found -> found.rule() == violation.rule());
        }

        boolean fails(SimulatedMachine machine) {
            return isSame(run(machine, IntStream.range(0, events.size()).boxed().toList()));
        }

        /** The fewest events that fail, if these are fewer than {@code bound}, else that; {@link #UNKNOWN} where it takes too long. */
        int fewest(SimulatedMachine machine, int bound) {
            var possible = List.of(List.<Integer>of());
            if (isSame(run(machine, List.of()))) {
                return 0;
            }
            int runs = 0;
            for (int count = 1; count < bound; count++) {
                var longer = new ArrayList<List<Integer>>();
                for (var chosen : possible) {
                    int from = chosen.isEmpty() ? 0 : chosen.getLast() + 1;
                    for (int next = from; next < events.size(); next++) {
                        var more = new ArrayList<>(chosen);
                        more.add(next);
                        if (++runs > RUNS_MAX) {
                            return UNKNOWN;
                        }
                        var run = run(machine, more);
                        if (isSame(run)) {
                            return count;
                        }
                        if (run.unfitting() < 0) {
                            longer.add(more);
                        }
                    }
                }
                possible = longer;
            }
            return bound;
        }
    }

    /** Small ones, of what these rules are about, where stories of the swarm are too long for that. */
    private static Scenario scenario(Rule rule) {
        return switch (rule) {
            case R7 -> named("ring"); // where the swarm seldom shows it
            case R9 -> small(named("disk-reissue"), 8, 1);
            default -> Scenario.SWARM;
        };
    }

    private static Scenario named(String name) {
        return Objects.requireNonNull(Scenario.named(name));
    }

    private static Scenario small(Scenario about, int actions, int checkpoints) {
        return new Scenario("small " + about.name(), about.words(), (draw, dice) -> {
            Scenario.SMALL.fix().accept(draw, dice);
            about.fix().accept(draw, dice);
            draw.put("actions", actions).put("checkpoints", checkpoints).put("bellWeight", 0)
                    .put("eraseWeight", 0).put("heapWeight", 0).put("slots", 4);
        });
    }

    @ParameterizedTest
    @EnumSource(names = {"R13", "R14"}, mode = EnumSource.Mode.EXCLUDE)
    void shouldTellNoStoryOfMoreThanTwiceTheShortest(Rule rule) {
        try (var machine = new SimulatedMachine()) {
            for (long seed = 1; seed <= SEEDS_MAX; seed++) {
                var knobs =
                        Knobs.draw(seed, scenario(rule), Strategy.RANDOM, Faults.ALL, rule);
                var run = Simulation.free(machine, knobs, true);
                if (run.violations().isEmpty()) {
                    continue;
                }
                var failing = new Failing(knobs, run.violations().getFirst(), run.events()
                        .stream().filter(name -> !name.startsWith("deliver ")).toList());
                if (!failing.fails(machine)) {
                    continue; // it needs an exact order of messages
                }
                int events = Finding.of(machine, knobs, failing.violation).events();
                int half = (events + 1) / 2;
                int fewest = events > EVENTS_MAX ? UNKNOWN : failing.fewest(machine, half);
                if (fewest == UNKNOWN) {
                    continue;
                }
                assertTrue(fewest >= half, rule + ", seed " + seed + ": " + fewest
                        + " events are enough, not " + events);
                return;
            }
        }
        fail("no story of " + rule + " among " + SEEDS_MAX + " seeds is short enough");
    }
}
