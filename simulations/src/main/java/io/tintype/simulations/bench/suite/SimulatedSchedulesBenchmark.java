package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.simulate.Loads;
import io.tintype.simulations.simulate.SimulatedMachine;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Small schedules through the real actors: a VM that is made and destroyed, two requests and stores beside them, a checkpoint from its
 * first overlay to its manifest, all compared by the oracle. The actor system and the host are those of the schedule before.
 *
 * <p>Beside it two others: whole runs of the simulator, which make host, store, catalogue and files anew and write the checkpoint in
 * its format; and what the actor system alone costs, five bare actors that are spawned, pass fifty messages, and stop.
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
        int rounds = context.quick() ? 1 : 10;
        var small = new Medians();
        var smallMessages = new Medians();
        var whole = new Medians();
        var wholeMessages = new Medians();
        var bare = new Medians();
        try (var machine = new SimulatedMachine()) {
            // One kind after the other, as people run them: what the compiler learnt of one would slow down the next.
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                int count = 10 * runs;
                long seed = context.seed() + (long) round * count;
                measure(context, round >= rounds / 2, count, small, smallMessages,
                        () -> Loads.smallSchedules(machine, seed, count));
            }
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                double perSecond = Loads.bareSchedules(context.seed(), 5 * runs);
                if (context.quick() || round >= rounds / 2) {
                    bare.add(perSecond);
                }
            }
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                long seed = context.seed() + (long) round * runs;
                measure(context, round >= rounds / 2, runs, whole, wholeMessages,
                        () -> Loads.wholeRuns(machine, seed, runs));
            }
        }
        if (context.cancelled()) {
            return new BenchResult(List.of());
        }
        return new BenchResult(List.of(
                Row.atLeast("a VM and its checkpoint, compared by the oracle",
                        SCHEDULES_MIN, small.median(), "/s"),
                Row.shown("messages in each of them", smallMessages.median(), ""),
                Row.shown("whole runs, with store and catalogue", whole.median(), "/s"),
                Row.shown("messages in each of those", wholeMessages.median(), ""),
                Row.shown("five bare actors, fifty messages", bare.median(), "/s")));
    }

    /** Adds the rate of {@code load}, and the messages of each, unless it is to warm up. */
    private static void measure(BenchContext context, boolean isWarm, int count, Medians rates,
            Medians messages, LongSupplier load) {
        long start = System.nanoTime();
        long handled = load.getAsLong();
        double perSecond = count * 1e9 / (System.nanoTime() - start);
        if (context.quick() || isWarm) {
            rates.add(perSecond);
            messages.add((double) handled / count);
        }
    }
}
