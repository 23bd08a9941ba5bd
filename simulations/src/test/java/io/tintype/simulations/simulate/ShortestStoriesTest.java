package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A shrunk story has at most twice the events of the shortest one: of all that the failing run did, every choice of fewer than half as
 * many events is run, and none fails. Messages are handled before each event, or wait where they waited in the run; if the story names its
 * messages, every choice of events and messages is run as well. A choice with an event that is not possible then, such as the end of an
 * operation that was never begun, runs as it does without that event; so whatever goes on from there is left out, which is most of all
 * there is.
 *
 * <p>Of each rule that is so for the first seeds that show it, with none passed over: runs are kept small enough for that, and one that is
 * not fails the test.
 *
 * <p>R14 is not among them: it takes three checkpoints, each with three events up to its stun, and a store after each, so its stories have
 * 13 events, and there are too many choices of 6. {@code ShrunkRunsTest} knows the shortest run that breaks it, on the pure core.
 */
class ShortestStoriesTest {
    private static final int STORIES = 2;
    private static final int SEEDS_MAX = 4_000;
    /** At about 1,000 runs a second. */
    private static final int RUNS_MAX = 8_000;

    /** Requests take longer than a whole checkpoint, and a checkpoint's tasks less than a guest needs for its next step. */
    private static final Map<String, Integer> SLOW = Map.of("latencyMinNs", 5_000_000,
            "latencyMaxNs", 6_000_000, "gapNs", 30_000, "taskMaxNs", 2_000, "burstPercent", 0);

    /** What a run of a seed showed. */
    private record Failing(SimulatedMachine machine, Knobs knobs, Violation violation) {
        /** A choice, and where it goes on. */
        private record Choice(List<String> names, int next) {}

        boolean fails(RunRecord run) {
            return Finding.isSame(run, violation);
        }

        RunRecord run(List<String> names, boolean settles) {
            return Simulation.scheduled(machine, knobs, new Schedule(names, settles), false);
        }

        /** The fewest of these events that fail, if they are fewer than {@code bound}, else that. */
        int fewest(List<String> events, boolean settles, int bound) {
            if (bound == 0 || fails(run(List.of(), settles))) {
                return 0;
            }
            var possible = List.of(new Choice(List.of(), 0));
            int runs = 0;
            for (int count = 1; count < bound; count++) {
                var longer = new ArrayList<Choice>();
                for (var choice : possible) {
                    var tried = new HashSet<String>();
                    for (int next = choice.next; next < events.size(); next++) {
                        for (var name : ways(events.get(next))) {
                            if (!tried.add(name)) {
                                continue; // what can follow it could follow the first of that name
                            }
                            var more = new ArrayList<>(choice.names);
                            more.add(name);
                            if (++runs > RUNS_MAX) {
                                fail("seed " + knobs.seed() + ": too many choices of fewer than "
                                        + bound + " events of " + events.size());
                            }
                            var run = run(more, settles);
                            if (fails(run)) {
                                return count;
                            }
                            if (run.unfitting() < 0) {
                                longer.add(new Choice(more, next + 1));
                            }
                        }
                    }
                }
                possible = longer;
            }
            return bound;
        }

        /** As the schedule takes it: messages that wait or not; and a message means the next one of that kind. */
        private static Set<String> ways(String name) {
            int number = name.startsWith("deliver ") ? name.lastIndexOf(" #") : -1;
            return number < 0
                    ? new LinkedHashSet<>(List.of(Simulation.plainWorld(name), name))
                    : Set.of(name.substring(0, number));
        }
    }

    /** Small ones, of what the rule is about. */
    private static Scenario scenario(Rule rule) {
        return switch (rule) {
            case R1, R2, R3, R4, R5, R10, R12 -> small("swarm", 6, 1, Map.of());
            case R6, R11 -> small("swarm", 6, 1, SLOW);
            case R7 -> small("ring", 15, 1, Map.of("bellWeight", 4));
            case R8 -> small("conflicts", 6, 1, Map.of());
            case R9 -> small("disk-reissue", 6, 1, SLOW);
            case R13 -> small("flushes", 10, 1, Map.of("crashAt", 25));
            case R14 -> throw new IllegalArgumentException("its stories are too long for this");
            case R15 -> small("swarm", 8, 1, Map.of("hangPerMille", 60));
            case R16 -> small("swarm", 6, 2, Map.of());
            case R17 -> small("resets", 6, 1, Map.of());
        };
    }

    private static Scenario small(String name, int actions, int checkpoints,
            Map<String, Integer> more) {
        var about = Objects.requireNonNull(Scenario.named(name));
        return new Scenario("small " + name, about.words(), (draw, dice) -> {
            Scenario.SMALL.fix().accept(draw, dice);
            about.fix().accept(draw, dice);
            draw.put("actions", actions).put("checkpoints", checkpoints).put("bellWeight", 0)
                    .put("eraseWeight", 0).put("heapWeight", 0).put("slots", 4);
            more.forEach(draw::put);
        });
    }

    @ParameterizedTest
    @EnumSource(names = "R14", mode = EnumSource.Mode.EXCLUDE)
    void shouldTellNoStoryOfMoreThanTwiceTheShortest(Rule rule) {
        int stories = 0;
        try (var machine = new SimulatedMachine()) {
            for (long seed = 1; stories < STORIES; seed++) {
                assertTrue(seed <= SEEDS_MAX, "too few seeds show " + rule);
                var knobs =
                        Knobs.draw(seed, scenario(rule), Strategy.RANDOM, Faults.ALL, rule);
                if (Simulation.free(machine, knobs, false).violations().isEmpty()) {
                    continue;
                }
                stories++;
                var run = Simulation.free(machine, knobs, true);
                var violation = run.violations().getFirst();

                var finding = Finding.of(machine, knobs, violation);

                var which = rule + ", seed " + seed;
                var told = Finding.schedule(finding.story());
                assertNotNull(told, which + ": its story is the whole run");
                var failing = new Failing(machine, knobs, violation);
                int half = (finding.events() + 1) / 2;
                int fewest = failing.fewest(run.world(), true, half);
                if (!Objects.requireNonNull(told).settles()) {
                    fewest = Math.min(fewest, failing.fewest(run.events(), false, half));
                }
                assertTrue(fewest >= half,
                        which + ": " + fewest + " events are enough, not " + finding.events());
            }
        }
    }
}
