package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.Benchmark;
import java.util.List;

/** All benchmarks there are. */
public final class Benchmarks {
    private Benchmarks() {}

    /** In the order in which the documentation shows them. */
    public static List<Benchmark> all() {
        return List.of(
                new StunBenchmark(),
                new StunScalingBenchmark(),
                new StunFleetBenchmark(),
                new FaultBenchmark(),
                new GuestStoreBenchmark(),
                new GuestSpeedBenchmark(),
                new SaveBenchmark(),
                new IncrementalBenchmark(),
                new StoreOpenBenchmark(),
                new IoBenchmark(),
                new FairnessBenchmark(),
                new IdleVmBenchmark(),
                new ExploreBenchmark(),
                new CoreSchedulesBenchmark(),
                new SimulatedMessagesBenchmark(),
                new SimulatedSchedulesBenchmark(),
                new IdleVirtualTimeBenchmark(),
                new ShrinkBenchmark());
    }
}
