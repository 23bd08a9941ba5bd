package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Snapshot;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much slower a guest is when a checkpoint is taken into memory every 50 ms, each one complete before the one before it is
 * given up. The guest stores at random to 2,000 pages, again and again, so that each interval dirties all of them, and does
 * nothing else. With and without, by turns, in one VM, after 4,000 checkpoints that are not counted.
 */
final class MicroCheckpointBenchmark implements Benchmark {
    private static final double SLOWDOWN_MAX = 5;
    private static final long INTERVAL_NS = 50_000_000;
    private static final long DIRTY_PAGES = 2000;
    private static final long PAGE_BYTES = 4096;

    @Override
    public String name() {
        return "micro-checkpoint";
    }

    @Override
    public String title() {
        return "a guest with a checkpoint into memory every 50 ms";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        int rounds = context.quick() ? 2 : 15;
        int intervals = context.quick() ? 2 : 20;
        var slowdowns = new Medians();
        var stuns = new Medians();
        var faults = new Medians();
        long memoryBytes = 64 * Rig.MIB;
        try (var rig = Rig.start(context, "store",
                Rig.Wish.memoryDisks(2 * memoryBytes, memoryBytes))) {
            var load = LoadProfile.work(context.seed(), Work.STORE_RANDOM,
                    DIRTY_PAGES * PAGE_BYTES);
            var vm = rig.create("busy", memoryBytes, List.of(), load, VmProbe.NONE);
            vm.start();
            // What runs 20 times a second is not compiled for a long time: here as after some minutes.
            for (int i = 0; i < (context.quick() ? 2 : 4000) && !context.cancelled(); i++) {
                Rig.answer(vm.snapshot()).close();
            }
            for (int round = 0; round <= rounds && !context.cancelled(); round++) {
                double plain = stepsPerNs(context, rig, vm, intervals, null, null);
                long faultsBefore = vm.counters().memoryFaults();
                double with = stepsPerNs(context, rig, vm, intervals, stuns, vm);
                double plainAfter = stepsPerNs(context, rig, vm, intervals, null, null);
                if (round > 0) {
                    slowdowns.add(100 * (1 - with / ((plain + plainAfter) / 2)));
                    faults.add((double) (vm.counters().memoryFaults() - faultsBefore) / intervals);
                }
            }
        }
        if (slowdowns.isEmpty()) {
            return new BenchResult(List.of());
        }
        return new BenchResult(List.of(
                Row.atMost("slower with a checkpoint every 50 ms, 2,000 dirty pages each, median",
                        SLOWDOWN_MAX, slowdowns.median(), "%"),
                Row.shown("pages copied for each", faults.median(), "pages"),
                Row.shown("its stun, median", stuns.median(), "µs")));
    }

    private static double stepsPerNs(BenchContext context, Rig rig, Vm vm, int intervals,
            @Nullable Medians stuns, @Nullable Vm taken) throws IOException {
        Snapshot last = null;
        long steps = vm.counters().steps();
        long start = System.nanoTime();
        for (int i = 0; i < intervals && !context.cancelled(); i++) {
            if (taken != null && stuns != null) {
                var next = Rig.answer(taken.snapshot());
                stuns.add(next.stunNs() / 1e3);
                if (last != null) {
                    last.close();
                }
                last = next;
            }
            rig.pass(start + (i + 1) * INTERVAL_NS - System.nanoTime());
        }
        double rate = (double) (vm.counters().steps() - steps) / (System.nanoTime() - start);
        if (last != null) {
            last.close();
        }
        return rate;
    }
}
