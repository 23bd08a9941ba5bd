package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.simulate.Loads;
import io.tintype.simulations.simulate.SimulatedMachine;
import java.util.List;

/**
 * Whole small runs: one VM, one checkpoint, a few requests, with store, disks and oracle; and, to tell what the actor system alone
 * costs, five bare actors that are spawned, pass fifty messages, and stop.
 */
final class SimulatedSchedulesBenchmark implements Benchmark {
    private static final double SCHEDULES_MIN = 20_000;

    @Override
    public String name() {
        return "simulated-schedules";
    }

    @Override
    public String title() {
        return "small schedules, one VM and one checkpoint, through the real actors";
    }

    @Override
    public BenchResult run(BenchContext context) {
        int runs = context.quick() ? 50 : 3_000;
        int rounds = context.quick() ? 1 : 9;
        var whole = new Medians();
        var bare = new Medians();
        var messages = new Medians();
        try (var machine = new SimulatedMachine()) {
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                long start = System.nanoTime();
                long handled =
                        Loads.schedules(machine, context.seed() + (long) round * runs, runs);
                double perSecond = runs * 1e9 / (System.nanoTime() - start);
                double barePerSecond = Loads.bareSchedules(context.seed(), 5 * runs);
                if (context.quick() || round >= rounds / 2) {
                    whole.add(perSecond);
                    bare.add(barePerSecond);
                    messages.add((double) handled / runs);
                }
            }
        }
        return whole.isEmpty()
                ? new BenchResult(List.of())
                : new BenchResult(List.of(
                        Row.atLeast("whole runs, with store, disks and oracle", SCHEDULES_MIN,
                                whole.median(), "/s"),
                        Row.shown("messages in each of them", messages.median(), ""),
                        Row.atLeast("five bare actors, fifty messages", SCHEDULES_MIN,
                                bare.median(), "/s")));
    }
}
