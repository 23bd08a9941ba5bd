package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** How evenly two threads are shared by many VMs none of which ever waits. */
final class FairnessBenchmark implements Benchmark {
    private static final double APART_MAX = 1.25;
    private static final int VM_COUNT = 64;
    private static final int THREADS = 2;
    private static final long MEMORY_BYTES = Rig.MIB;
    private static final long SECOND_NS = 1_000_000_000;

    @Override
    public String name() {
        return "fairness";
    }

    @Override
    public String title() {
        return "guest slices of 64 always busy VMs on 2 threads in 10 s";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        long measuredNs = context.quick() ? SECOND_NS / 2 : 10 * SECOND_NS;
        var wish = Rig.Wish.memoryDisks(VM_COUNT * MEMORY_BYTES, 0).withThreads(THREADS);
        try (var rig = Rig.start(context, "store", wish)) {
            var vms = new ArrayList<Vm>();
            for (int i = 0; i < VM_COUNT; i++) {
                var load = LoadProfile.work(context.seed() + i, Work.STORE_RANDOM, 0);
                vms.add(rig.create("vm-" + i, MEMORY_BYTES, List.of(), load, VmProbe.NONE));
            }
            vms.forEach(Vm::start);
            rig.pass(measuredNs / 10);
            var slicesBefore = vms.stream().mapToLong(vm -> vm.counters().slices()).toArray();
            var stepsBefore = vms.stream().mapToLong(vm -> vm.counters().steps()).toArray();
            rig.pass(measuredNs);
            var slices = vms.stream().mapToLong(vm -> vm.counters().slices()).toArray();
            // A rehearsal is about the code, not about how busy the machine is: it waits for the last of them.
            while (context.quick() && !context.cancelled() && isAnyEqual(slices, slicesBefore)) {
                rig.pass(measuredNs);
                Arrays.setAll(slices, i -> vms.get(i).counters().slices());
            }
            var steps = vms.stream().mapToLong(vm -> vm.counters().steps()).toArray();
            if (context.cancelled()) {
                return new BenchResult(List.of());
            }
            Arrays.setAll(slices, i -> slices[i] - slicesBefore[i]);
            Arrays.setAll(steps, i -> steps[i] - stepsBefore[i]);
            return new BenchResult(
                    List.of(
                            Row.atMost("slices, most / least", APART_MAX, apart(slices), "×"),
                            Row.shown("work done, most / least", apart(steps), "×"),
                            Row.shown(
                                    "slices of a VM, mean",
                                    Arrays.stream(slices).average().orElse(0),
                                    "slices")));
        }
    }

    private static boolean isAnyEqual(long[] some, long[] others) {
        return IntStream.range(0, some.length).anyMatch(i -> some[i] == others[i]);
    }

    private static double apart(long[] counts) {
        var all = Arrays.stream(counts).summaryStatistics();
        return (double) all.getMax() / all.getMin();
    }
}
