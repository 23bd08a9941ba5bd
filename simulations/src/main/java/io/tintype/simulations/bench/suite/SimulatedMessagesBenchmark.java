package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.simulate.Loads;
import java.util.List;

/** Messages between eight actors of a simulated system, the next actor drawn from the seed, per second of one core's time. */
final class SimulatedMessagesBenchmark implements Benchmark {
    private static final double MESSAGES_MIN = 5e6;

    @Override
    public String name() {
        return "simulated-messages";
    }

    @Override
    public String title() {
        return "messages through deterministic Pekko, a second of CPU";
    }

    @Override
    public BenchResult run(BenchContext context) {
        int messages = context.quick() ? 50_000 : 4_000_000;
        int rounds = context.quick() ? 1 : 9;
        var measured = new Medians();
        for (int round = 0; round < rounds && !context.cancelled(); round++) {
            double perSecond = Loads.messagesPerSecond(context.seed(), messages);
            // The first rounds are for the compiler.
            if (context.quick() || round >= rounds / 2) {
                measured.add(perSecond);
            }
        }
        return measured.isEmpty()
                ? new BenchResult(List.of())
                : new BenchResult(List.of(Row.atLeast("messages, a second of CPU", MESSAGES_MIN,
                        measured.median(), "/s")));
    }
}
