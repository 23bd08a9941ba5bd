package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.simulate.Loads;
import java.time.Duration;
import java.util.List;

/** An actor that wakes up a hundred times a second of virtual time, as an idle guest does, against real time. */
final class IdleVirtualTimeBenchmark implements Benchmark {
    private static final double SPEED_MIN = 10_000;

    @Override
    public String name() {
        return "idle-virtual-time";
    }

    @Override
    public String title() {
        return "virtual time of an idle actor with 100 wake-ups a second, against real time";
    }

    @Override
    public BenchResult run(BenchContext context) {
        var virtual = context.quick() ? Duration.ofMinutes(1) : Duration.ofHours(2);
        int rounds = context.quick() ? 1 : 9;
        var speed = new Medians();
        for (int round = 0; round < rounds && !context.cancelled(); round++) {
            double once = Loads.idleSpeed(virtual);
            if (context.quick() || round >= rounds / 2) {
                speed.add(once);
            }
        }
        return speed.isEmpty()
                ? new BenchResult(List.of())
                : new BenchResult(List.of(
                        Row.atLeast("virtual by real time", SPEED_MIN, speed.median(), "×")));
    }
}
