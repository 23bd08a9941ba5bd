package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.explore.ExploreConfig;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.Explorer;
import java.util.List;

/** A search through all states of a configuration on one core, twice: the first time the JIT compiles it. */
final class ExploreBenchmark implements Benchmark {
    private static final double STATES_A_SECOND_MIN = 500_000;
    private static final double BYTES_A_STATE_MAX = 40;

    @Override
    public String name() {
        return "explore";
    }

    @Override
    public String title() {
        return "exhaustive search on the pure cores, one core";
    }

    @Override
    public BenchResult run(BenchContext context) {
        var config = context.quick()
                ? ExploreConfig.of(2, 1).withBudgets(0, 0, 0)
                : ExploreConfig.of(2, 2).withBudgets(0, 1, 1).withKinds(Kind.READ, Kind.WRITE);
        Explorer.Standing standing = null;
        for (int i = 0; i < 2 && !context.cancelled(); i++) {
            standing = Explorer.run(config, Integer.MAX_VALUE, _ -> {}, context::cancelled)
                    .standing();
        }
        return standing == null
                ? new BenchResult(List.of())
                : new BenchResult(List.of(
                        Row.atLeast("distinct states", STATES_A_SECOND_MIN,
                                standing.statesPerSecond(), "/s"),
                        Row.atMost("memory a distinct state", BYTES_A_STATE_MAX,
                                standing.bytesPerState(), "bytes"),
                        Row.shown("generated states",
                                standing.generated() * 1e9 / standing.elapsedNs(), "/s"),
                        Row.shown("distinct states in all", (double) standing.distinct(),
                                "states")));
    }
}
