package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Snapshot;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How much slower a guest is when a checkpoint is taken into memory every 50 ms, each one complete before the one before it is
 * given up. With and without, by turns, in one VM, after 2,000 checkpoints that are not counted.
 *
 * <p>Two guests, both busy all the time, dirty 2,000 pages in each interval: one sorts numbers in them, as a program would, and
 * the other, the worst there is for any copy-on-write, does nothing but store at random to all of them, again and again.
 */
final class MicroCheckpointBenchmark implements Benchmark {
    private static final double SLOWDOWN_MAX = 5;
    private static final long INTERVAL_NS = 50_000_000;
    private static final long DIRTY_PAGES = 2000;
    private static final long PAGE_BYTES = 4096;
    private static final long MEMORY_BYTES = 64 * Rig.MIB;

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
        var rows = new ArrayList<Row>();
        var stuns = new Medians();
        try (var rig = Rig.start(context, "store",
                Rig.Wish.memoryDisks(3 * MEMORY_BYTES, MEMORY_BYTES))) {
            // What runs 20 times a second is not compiled for a long time: here as after some minutes.
            int warmUps = context.quick() ? 2 : 2000;
            var sort = measure(context, rig, "sorting",
                    SortGuest.factory(context.seed(), DIRTY_PAGES * PAGE_BYTES), warmUps, stuns);
            if (!sort.isEmpty()) {
                rows.add(Row.atMost("a guest that sorts 2,000 pages: slower, median", SLOWDOWN_MAX,
                        sort.slowdowns.median(), "%"));
                rows.add(Row.shown("pages copied for each checkpoint", sort.faults.median(),
                        "pages"));
            }
            var load = LoadProfile.work(context.seed(), Work.STORE_RANDOM,
                    DIRTY_PAGES * PAGE_BYTES);
            var stores = measure(context, rig, "storing", Guests.load(load, List.of()), warmUps,
                    stuns);
            if (!stores.isEmpty()) {
                rows.add(Row.shown("one that only stores, at random to 2,000 pages: slower, median",
                        stores.slowdowns.median(), "%"));
                rows.add(Row.shown("pages copied for each checkpoint of it", stores.faults.median(),
                        "pages"));
                rows.add(Row.shown("stun of all, median", stuns.median(), "µs"));
            }
        }
        return new BenchResult(rows);
    }

    private record Slower(Medians slowdowns, Medians faults) {
        boolean isEmpty() {
            return slowdowns.isEmpty();
        }
    }

    private Slower measure(BenchContext context, Rig rig, String name, GuestFactory guest,
            int warmUps, Medians stuns) throws IOException {
        int rounds = context.quick() ? 2 : 15;
        int intervals = context.quick() ? 2 : 20;
        var slower = new Slower(new Medians(), new Medians());
        var vm = rig.create(name, MEMORY_BYTES, List.of(), guest, VmProbe.NONE);
        vm.start();
        for (int i = 0; i < warmUps && !context.cancelled(); i++) {
            Rig.answer(vm.snapshot()).close();
        }
        for (int round = 0; round <= rounds && !context.cancelled(); round++) {
            double plain = stepsPerNs(context, rig, vm, intervals, null, null);
            long faultsBefore = vm.counters().memoryFaults();
            double with = stepsPerNs(context, rig, vm, intervals, stuns, vm);
            long faults = vm.counters().memoryFaults() - faultsBefore;
            double plainAfter = stepsPerNs(context, rig, vm, intervals, null, null);
            if (round > 0 && !context.cancelled()) {
                slower.slowdowns.add(100 * (1 - with / ((plain + plainAfter) / 2)));
                slower.faults.add((double) faults / intervals);
            }
        }
        Rig.answer(vm.stop());
        return slower;
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
