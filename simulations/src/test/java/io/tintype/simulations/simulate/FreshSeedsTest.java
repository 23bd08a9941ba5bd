package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/** A fixed number of seeds that nobody tried before, in all scenarios and strategies; together they reach every rare situation. */
class FreshSeedsTest {
    private static final int SEEDS_EACH = 40;
    private static final int MORE_SEEDS = 20_000;
    private static final long SEED_BOUND = 1_000_000_000;

    @Test
    void shouldKeepAllRulesAndReachAllSituations() {
        long first = Long.getLong("seed", ThreadLocalRandom.current().nextLong(1, SEED_BOUND));
        var reached = new long[Situation.values().length];
        try (var machine = new SimulatedMachine()) {
            for (var scenario : Scenario.ALL) {
                for (var strategy : Strategy.values()) {
                    for (long seed = first; seed < first + SEEDS_EACH; seed++) {
                        run(machine, seed, scenario, strategy, reached);
                    }
                }
            }
            // What is rare even in its scenario may take some more, mostly a few hundred.
            for (long seed = first; seed < first + MORE_SEEDS && !missing(reached).isEmpty();
                    seed++) {
                run(machine, seed + SEEDS_EACH,
                        Scenario.ALL.get((int) (seed % Scenario.ALL.size())),
                        Strategy.RANDOM, reached);
            }
        }
        assertTrue(missing(reached).isEmpty(),
                () -> "never reached: " + missing(reached) + "; rerun with -Dseed=" + first);
    }

    private static void run(SimulatedMachine machine, long seed, Scenario scenario,
            Strategy strategy, long[] reached) {
        var run = Simulation.free(machine, Knobs.draw(seed, scenario, strategy, Faults.ALL, null),
                false);
        assertEquals(List.of(), run.violations(),
                () -> "./tintype simulate --seeds 1 --seed " + seed + " --scenario "
                        + scenario.name() + " --strategy " + strategy);
        for (int i = 0; i < reached.length; i++) {
            reached[i] += run.situations()[i];
        }
    }

    private static List<Situation> missing(long[] reached) {
        var missing = new ArrayList<Situation>();
        for (var each : Situation.values()) {
            if (reached[each.index()] == 0) {
                missing.add(each);
            }
        }
        return missing;
    }
}
