package io.tintype.simulations.explore;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.ExploreConfig.Policy;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * How good the shrinker is, where the best is known: random runs on the explorer's machine, each rule switched off, are shrunk, and
 * compared with the shortest run that fails, which a search breadth first finds.
 */
class ShrunkRunsTest {
    private static final int RUNS_MAX = 2_000_000;
    private static final int STORIES = 3;

    @ParameterizedTest
    @EnumSource
    void shouldShrinkToAtMostTwiceTheShortest(Rule rule) {
        var config = ExploreConfig.of(2, 2).withBudgets(0, 1, 1).with(Rules.without(rule));
        if (rule == Rule.R9) {
            config = config.with(List.of(Policy.DISK_PUT_OFF));
        }
        if (rule == Rule.R13) {
            config = config.withKinds(Kind.WRITE, Kind.FLUSH); // random runs seldom meet it
        }
        var policy = config.policies().getFirst();
        var shortest = Objects.requireNonNull(
                Explorer.run(config, 5_000_000, _ -> {}, () -> false).story());
        int shortestActs = shortest.events().size() - 1; // the last is the violation
        var walks = new Walks(config, 1);

        for (int story = 0; story < STORIES; story++) {
            var failing = walks.failing(RUNS_MAX);
            assertTrue(failing != null, () -> "no random run found that " + rule + " was off");
            var shrunk = walks.shrunk(Objects.requireNonNull(failing), policy);

            assertTrue(shrunk.events().size() <= 2 * shortestActs,
                    () -> rule + ": " + shrunk.events().size() + " acts are left of "
                            + failing.size() + ", and " + shortestActs + " are enough: "
                            + shrunk.events());
        }
    }
}
