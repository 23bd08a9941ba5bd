package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.simulate.Loads;
import io.tintype.simulations.simulate.SimulatedMachine;
import java.util.List;

/** A run of a thousand events that fails with R10 switched off, shrunk: each try is a whole run. */
final class ShrinkBenchmark implements Benchmark {
    private static final double SECONDS_MAX = 10;

    @Override
    public String name() {
        return "shrink";
    }

    @Override
    public String title() {
        return "shrinking a failing run of 1,000 events";
    }

    @Override
    public BenchResult run(BenchContext context) {
        int rounds = context.quick() ? 1 : 5;
        var seconds = new Medians();
        var recorded = new Medians();
        var left = new Medians();
        try (var machine = new SimulatedMachine()) {
            long seed = context.seed();
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                var shrunk = Loads.shrink(machine, seed);
                seed += 1_000;
                seconds.add(shrunk.ns() / 1e9);
                recorded.add(shrunk.recorded());
                left.add(shrunk.events());
            }
        }
        return seconds.isEmpty()
                ? new BenchResult(List.of())
                : new BenchResult(List.of(
                        Row.atMost("time", SECONDS_MAX, seconds.median(), "s"),
                        Row.shown("events before", recorded.median(), ""),
                        Row.shown("events after", left.median(), "")));
    }
}
