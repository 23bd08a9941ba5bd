package io.tintype.simulations.story;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ShrinkerTest {
    @Test
    void shouldKeepOnlyWhatAFailureNeedsInItsOrder() {
        var left =
                Shrinker.shrink(events(200), run -> run.containsAll(Set.of("e7", "e90", "e199")));

        assertEquals(List.of("e7", "e90", "e199"), left);
    }

    @Test
    void shouldEndWithNothingIfNothingIsNeeded() {
        assertEquals(List.of(), Shrinker.shrink(events(50), _ -> true));
        assertEquals(List.of(), Shrinker.shrink(List.of(), _ -> true));
    }

    @Test
    void shouldKeepARunOfWhichNothingCanGo() {
        var all = events(33);

        var result = Shrinker.shrink(all, run -> run.size() == 33, Shrinker.TRIES_MAX);

        assertEquals(all, result.events());
        assertTrue(result.minimal());
    }

    @Test
    void shouldRefuseARunThatDoesNotFail() {
        var error = assertThrows(IllegalArgumentException.class,
                () -> Shrinker.shrink(events(5), _ -> false));

        assertEquals("the run to shrink, of 5 events, does not fail", error.getMessage());
    }

    @Test
    void shouldKeepEqualEventsApart() {
        var run = List.of("a", "b", "a", "b", "a", "a");

        var left = Shrinker.shrink(run, some -> some.stream().filter("a"::equals).count() >= 3);

        assertEquals(List.of("a", "a", "a"), left);
    }

    /** An event without what it depends on makes the run impossible, and an impossible run does not fail. */
    @Test
    void shouldFollowDependencies() {
        // e30 needs e20 needs e10; e41 to e49 each need the one before, down to e40, none of which matters.
        Predicate<List<String>> isPossible = run -> {
            var seen = new HashSet<>(run);
            return (!seen.contains("e30") || seen.contains("e20"))
                    && (!seen.contains("e20") || seen.contains("e10"))
                    && IntStream.range(41, 50)
                            .noneMatch(
                                    i -> seen.contains("e" + i) && !seen.contains("e" + (i - 1)));
        };

        var left = Shrinker.shrink(events(60), run -> isPossible.test(run) && run.contains("e30"));

        assertEquals(List.of("e10", "e20", "e30"), left);
    }

    /** A request and its completion, of which neither can be without the other. */
    @Test
    void shouldRemoveTwoEventsThatArePossibleOnlyTogether() {
        Predicate<List<String>> fails = run -> run.contains("e3")
                && run.contains("e5") == run.contains("e17")
                && run.contains("e6") == run.contains("e12");

        assertEquals(List.of("e3"), Shrinker.shrink(events(20), fails));
    }

    @Test
    void shouldStayWithinItsBudgetAndSayThatItEnded() {
        var asked = new int[1];

        var result = Shrinker.shrink(events(1000), run -> {
            asked[0]++;
            return run.containsAll(Set.of("e1", "e500", "e900"));
        }, 12);

        assertEquals(12, asked[0]);
        assertEquals(12, result.tries());
        assertFalse(result.minimal());
        assertTrue(result.events().size() < 1000);
    }

    @Test
    void shouldAskAboutNoRunTwice() {
        var asked = new ArrayList<List<String>>();

        Shrinker.shrink(events(64), run -> {
            asked.add(run);
            return run.containsAll(Set.of("e1", "e2", "e40", "e63"));
        });

        assertEquals(asked.size(), new HashSet<>(asked).size());
    }

    /** The case of a long simulation: 1,000 events of which a few matter, each together with what it depends on. */
    @Test
    void shouldShrinkAThousandEventsToTheOptimumInFewTries() {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            int needed = 2 + random.nextInt(7);
            var dependsOn = new int[1000];
            for (int i = 0; i < dependsOn.length; i++) {
                // Two of three events depend on an earlier one.
                dependsOn[i] = i == 0 || random.nextInt(3) == 0 ? -1 : random.nextInt(i);
            }
            var wanted = new TreeSet<Integer>();
            for (int i = 0; i < needed; i++) {
                wanted.add(random.nextInt(1000));
            }
            var optimum = new TreeSet<Integer>();
            for (int each : wanted) {
                for (int i = each; i >= 0; i = dependsOn[i]) {
                    optimum.add(i);
                }
            }
            // As in a replay, an event whose prerequisite is gone does not happen, and nothing that depends on it does.
            Predicate<List<Integer>> fails = run -> {
                var happened = new HashSet<Integer>();
                for (int event : run) {
                    if (dependsOn[event] < 0 || happened.contains(dependsOn[event])) {
                        happened.add(event);
                    }
                }
                return happened.containsAll(wanted);
            };

            var result = Shrinker.shrink(IntStream.range(0, 1000).boxed().toList(), fails,
                    Shrinker.TRIES_MAX);

            assertEquals(List.copyOf(optimum), result.events(), "seed " + seed);
            assertTrue(result.minimal());
            // Chunks: 2 for each needed event at each of 10 sizes. Then the pairs.
            int size = optimum.size();
            int bound = 2 * size * 10 + 50 + size * (size + 1) / 2;
            assertTrue(result.tries() <= bound,
                    "seed " + seed + ": " + result.tries() + " tries for " + size + " events");
        }
    }

    /** Leaving out comes upon the longer one: the events of the shorter one are later. */
    @Test
    void shouldFindTheShorterOfTwoWaysToFail() {
        var longer = events(7);
        Predicate<List<String>> fails = run -> run.containsAll(longer) || run.contains("e90");

        assertEquals(longer, Shrinker.shrink(events(100), fails));
        var result = Shrinker.shortest(events(100), trying(fails), 1000, 500);

        assertEquals(List.of("e90"), result.events());
        assertTrue(result.proven());
    }

    @Test
    void shouldTellAShortEnoughStoryFromOneThatMayNotBe() {
        Predicate<List<String>> fails = run -> run.containsAll(events(5));

        var known = Shrinker.shortest(events(20), trying(fails), 1000, 1000);
        var unknown = Shrinker.shortest(events(20), trying(fails), 1000, 3);

        assertEquals(events(5), known.events());
        assertTrue(known.proven());
        assertEquals(events(5), unknown.events());
        assertTrue(unknown.minimal());
        assertFalse(unknown.proven());
    }

    /** What was not possible is gone with what made it impossible, and nothing is asked of it any more. */
    @Test
    void shouldLeaveOutWhatWasNotDone() {
        // Each event needs the one before, but e0 and e500.
        var tries = new int[1];
        var all = IntStream.range(0, 1000).boxed().toList();

        var result = Shrinker.shortest(all, run -> {
            tries[0]++;
            var done = new BitSet();
            for (int i = 0; i < run.size(); i++) {
                int event = run.get(i);
                done.set(i, event % 500 == 0
                        || (i > 0 && done.get(i - 1) && run.get(i - 1) == event - 1));
            }
            return new Shrinker.Try(run.contains(500), done);
        }, 1000, 0);

        assertEquals(List.of(500), result.events());
        assertTrue(tries[0] <= 14, () -> tries[0] + " tries");
    }

    private static Shrinker.Runner<String> trying(Predicate<List<String>> fails) {
        return run -> {
            var done = new BitSet();
            done.set(0, run.size());
            return new Shrinker.Try(fails.test(run), done);
        };
    }

    private static List<String> events(int count) {
        return IntStream.range(0, count).mapToObj(i -> "e" + i).toList();
    }
}
