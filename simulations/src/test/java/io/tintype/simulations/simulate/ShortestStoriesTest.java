package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
 * <p>What is not possible next is known from the run of the choice so far: what waits when its schedule is over. So it need not be run to
 * see that; one in {@value #LOOKED_AT_ONE_IN} is all the same. A story of R14 takes 13 events, three checkpoints with three events up to
 * each stun, the read, and a store after each; that way all choices of 6 can be tried.
 */
class ShortestStoriesTest {
    private static final int STORIES = 2;
    private static final int SEEDS_MAX = 4_000;
    /** At about 1,000 runs a second. */
    private static final int RUNS_MAX = 8_000;
    private static final int LOOKED_AT_ONE_IN = 50;

    /** Requests take longer than a whole checkpoint, and a checkpoint's tasks less than a guest needs for its next step. */
    private static final Map<String, Integer> SLOW = Map.of("latencyMinNs", 5_000_000,
            "latencyMaxNs", 6_000_000, "gapNs", 30_000, "taskMaxNs", 2_000, "burstPercent", 0);

    /** One read takes longer than three checkpoints, and messages are handled long before a task of theirs ends. */
    private static final Map<String, Integer> ACROSS = Map.ofEntries(
            Map.entry("latencyMinNs", 100_000_000), Map.entry("latencyMaxNs", 110_000_000),
            Map.entry("gapNs", 1_000_000), Map.entry("taskMaxNs", 20_000),
            Map.entry("burstPercent", 0), Map.entry("slots", 1), Map.entry("readWeight", 4),
            Map.entry("writeWeight", 0), Map.entry("flushWeight", 0),
            Map.entry("touchWeight", 20));

    /** What a run of a seed showed. */
    private record Failing(SimulatedMachine machine, Knobs knobs, Violation violation) {
        /** A choice, where it goes on, and what it came to. */
        private record Choice(List<String> names, int next, RunRecord run) {}

        boolean fails(RunRecord run) {
            return Finding.isSame(run, violation);
        }

        RunRecord run(List<String> names, boolean settles) {
            return Simulation.scheduled(machine, knobs, new Schedule(names, settles), false);
        }

        /** The fewest of these events that fail, if they are fewer than {@code bound}, else that. */
        int fewest(List<String> events, boolean settles, int bound) {
            var nothing = run(List.of(), settles);
            if (bound == 0 || fails(nothing)) {
                return 0;
            }
            var possible = List.of(new Choice(List.of(), 0, nothing));
            int runs = 0;
            int skipped = 0;
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
                            if (choice.run.isImpossibleNext(Simulation.plainWorld(name))) {
                                if (skipped++ % LOOKED_AT_ONE_IN == 0) {
                                    assertEquals(choice.run.traceHash(),
                                            run(more, settles).traceHash(),
                                            () -> "what is not possible makes no difference: "
                                                    + more);
                                }
                                continue;
                            }
                            if (++runs > RUNS_MAX) {
                                fail("seed " + knobs.seed() + ": too many choices of fewer than "
                                        + bound + " events of " + events.size());
                            }
                            var run = run(more, settles);
                            if (fails(run)) {
                                return count;
                            }
                            if (run.unfitting() < 0) {
                                longer.add(new Choice(more, next + 1, run));
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
            case R14 -> small("across", 5, 3, ACROSS);
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
    @EnumSource
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
