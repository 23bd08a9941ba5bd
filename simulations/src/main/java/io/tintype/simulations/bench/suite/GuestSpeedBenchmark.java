package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How fast the guest runs from the stun until its checkpoint is sealed in the store, against the time just before, by turns.
 * Memory is touched to the last page, so all of it is saved, and the storing guests fault on all of it.
 */
final class GuestSpeedBenchmark implements Benchmark {
    private static final double SPEED_MIN = 70;
    private static final long DISK_BYTES = 16 * Rig.MIB;
    private static final long ALONE_NS = 300_000_000;
    private static final int WARMUP_ROUNDS = 2;

    /** Where the guest stood at the stun. Written by its strand, read when the checkpoint has ended. */
    private static final class AtStun implements VmProbe {
        volatile long steps;
        volatile long ns;

        @Override
        public void stunned(long checkpoint, Guest guest) {
            steps = guest.steps();
            ns = System.nanoTime();
        }
    }

    @Override
    public String name() {
        return "guest-speed";
    }

    @Override
    public String title() {
        return "guest speed while its checkpoint is taken, from stun to sealed";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        long memoryBytes = context.quick() ? 8 * Rig.MIB : 256 * Rig.MIB;
        int rounds = context.quick() ? 1 : 11;
        var rows = new ArrayList<Row>();
        for (var work : List.of(Work.STORE_RANDOM, Work.STORE_SEQUENTIAL, Work.COMPUTE)) {
            if (!context.cancelled()) {
                context.note("guest: " + words(work));
                measure(context, work, memoryBytes, rounds, rows);
            }
        }
        return new BenchResult(rows);
    }

    private static void measure(
            BenchContext context, Work work, long memoryBytes, int rounds, List<Row> rows)
            throws IOException {
        var wish = Rig.Wish.diskFiles(memoryBytes, memoryBytes);
        var storeName = "store-" + work.name().toLowerCase(Locale.ROOT);
        try (var rig = Rig.start(context, storeName, wish)) {
            var atStun = new AtStun();
            var load = LoadProfile.work(context.seed(), work, 0);
            var vm = rig.create("worker", memoryBytes, List.of(DISK_BYTES), load, atStun);
            rig.touch(vm);
            vm.start();
            var speeds = new Medians();
            var sealedMs = new Medians();
            for (int round = 0; round < WARMUP_ROUNDS + rounds && !context.cancelled(); round++) {
                rig.settle(vm);
                double alone = alone(rig, context, vm);
                var taken = Rig.answer(vm.checkpoint());
                long endSteps = vm.counters().steps();
                long endNs = System.nanoTime();
                if (!taken.sealed()) {
                    throw new IllegalStateException(
                            taken.ref() + " was aborted: " + taken.reason());
                }
                double during = (double) (endSteps - atStun.steps) / (endNs - atStun.ns);
                rig.host().delete(taken.ref());
                if (round >= WARMUP_ROUNDS) {
                    speeds.add(100 * during / alone);
                    sealedMs.add((endNs - atStun.ns) / 1e6);
                }
            }
            if (!speeds.isEmpty()) {
                var of = memoryBytes / Rig.MIB + " MiB, " + words(work);
                rows.add(Row.atLeast("guest speed, " + of, SPEED_MIN, speeds.median(), "%"));
                rows.add(Row.shown("stun to sealed, " + of, sealedMs.median(), "ms"));
            }
        }
    }

    /** Returns the steps a nanosecond while nothing else happens. */
    private static double alone(Rig rig, BenchContext context, Vm vm) {
        long pauseNs = context.quick() ? ALONE_NS / 10 : ALONE_NS;
        // What the last checkpoint left behind is over when half of it has passed.
        rig.pass(pauseNs / 2);
        long steps = vm.counters().steps();
        long ns = System.nanoTime();
        do {
            rig.pass(pauseNs);
            // A busy machine may not have run it at all.
        } while (vm.counters().steps() == steps && !context.cancelled());
        return (double) (vm.counters().steps() - steps) / (System.nanoTime() - ns);
    }

    private static String words(Work work) {
        return switch (work) {
            case NONE -> "idle";
            case COMPUTE -> "computing";
            case STORE_SEQUENTIAL -> "storing one after another";
            case STORE_RANDOM -> "storing at random";
        };
    }
}
