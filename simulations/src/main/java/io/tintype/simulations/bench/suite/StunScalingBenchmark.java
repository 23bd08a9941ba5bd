package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Vm;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;

/**
 * How the stun grows with the memory that the guest has touched, and with the requests in flight. The VMs of one comparison
 * take turns, a few dozen checkpoints each time, so that a disturbance hits all of them. A checkpoint is given up as soon as
 * the guest runs again: saving 4 GiB each time would measure the disk.
 */
final class StunScalingBenchmark implements Benchmark {
    private static final double APART_MAX = 1.5;
    private static final double NO_TARGET = 0;
    private static final int REQUESTS_PER_SECOND = 5_000;
    private static final long HOT_BYTES = 4 * Rig.MIB;
    private static final long DISK_BYTES = 8 * Rig.MIB;
    private static final int REQUEST_BYTES = 4096;
    private static final int MEMORY_TEST_DEPTH = 16;
    private static final int IO_GUEST_MIB = 64;
    private static final int WARMUP_ROUNDS = 2;

    /** One VM of a comparison. */
    private record Contestant(
            String label, Vm vm, StunProbe probe, Histogram stuns, AtomicLong pending) {}

    @Override
    public String name() {
        return "stun-scaling";
    }

    @Override
    public String title() {
        return "stun from 64 MiB to 4 GiB of touched memory, and from 0 to 256 requests in flight";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        Rehearsal.play(context);
        var rows = new ArrayList<Row>();
        rows.addAll(byMemory(context));
        if (!context.cancelled()) {
            rows.addAll(byRequests(context));
        }
        if (!context.cancelled()) {
            rows.addAll(byRate(context));
        }
        return new BenchResult(rows);
    }

    private static List<Row> byMemory(BenchContext context) throws IOException {
        int[] sizes = context.quick() ? new int[] {16, 64} : new int[] {64, 512, 4096};
        long all = 0;
        for (int mib : sizes) {
            all += mib * Rig.MIB;
        }
        try (var rig = Rig.start(context, "memory", Rig.Wish.memoryDisks(all, 256 * Rig.MIB))) {
            var contestants = new ArrayList<Contestant>();
            for (int mib : sizes) {
                context.note("touching " + mib + " MiB");
                contestants.add(
                        contestant(rig, context, "m" + mib, mib, MEMORY_TEST_DEPTH, mib + " MiB"));
            }
            compete(rig, context, contestants);
            return rows(contestants, "stun p50, " + MEMORY_TEST_DEPTH + " requests, touched ",
                    "apart, by memory", APART_MAX);
        }
    }

    /** As many requests in flight as the contestant wants, all at one rate: so nothing differs but what is in flight. */
    private static List<Row> byRequests(BenchContext context) throws IOException {
        int[] depths = {0, 16, 64, 256};
        var wish = wish(depths.length).withDiskPerSecond(REQUESTS_PER_SECOND);
        try (var rig = Rig.start(context, "requests", wish)) {
            var contestants = contestants(rig, context, depths);
            compete(rig, context, contestants);
            return rows(contestants, "stun p50, 64 MiB, " + REQUESTS_PER_SECOND + " requests/s, ",
                    "apart, by requests in flight", APART_MAX);
        }
    }

    /**
     * The same, the disk doing what it can: then the guest of more requests also makes more of them, and its stun begins on
     * caches that are full of requests.
     */
    private static List<Row> byRate(BenchContext context) throws IOException {
        int[] depths = {0, 16, 64, 256};
        // One thread for the disks: the guest is faster, so what it has in flight is in flight at the stun.
        var wish = wish(depths.length).withDiskThreads(1);
        try (var rig = Rig.start(context, "rate", wish)) {
            var contestants = contestants(rig, context, depths);
            compete(rig, context, contestants);
            return rows(contestants, "stun p50, 64 MiB, all the requests the disk can do, ",
                    "apart, by requests in flight and their rate", NO_TARGET);
        }
    }

    private static Rig.Wish wish(int contestants) {
        return Rig.Wish.diskFiles(Rig.MIB * IO_GUEST_MIB * contestants, 256 * Rig.MIB);
    }

    private static List<Contestant> contestants(Rig rig, BenchContext context, int[] depths)
            throws IOException {
        var contestants = new ArrayList<Contestant>();
        for (int depth : depths) {
            contestants.add(contestant(rig, context, "q" + depth, IO_GUEST_MIB, depth,
                    "depth " + depth));
        }
        return contestants;
    }

    private static Contestant contestant(
            Rig rig, BenchContext context, String name, int mib, int depth, String label)
            throws IOException {
        var probe = new StunProbe();
        var load =
                new LoadProfile(
                        context.seed(), depth, REQUEST_BYTES, 50, Work.STORE_RANDOM, HOT_BYTES);
        var vm = rig.create(name, mib * Rig.MIB, List.of(DISK_BYTES), load, probe);
        rig.touch(vm);
        probe.cancelAfterStun(vm);
        return new Contestant(label, vm, probe, StunProbe.histogram(), new AtomicLong());
    }

    private static void compete(Rig rig, BenchContext context, List<Contestant> contestants)
            throws IOException {
        int rounds = WARMUP_ROUNDS + (context.quick() ? 1 : 10);
        int checkpoints = context.quick() ? 3 : 50;
        for (int round = 0; round < rounds; round++) {
            for (var each : contestants) {
                each.vm().start();
                for (int i = 0; i < checkpoints && !context.cancelled(); i++) {
                    rig.settle(each.vm());
                    var outcome = Rig.answer(each.vm().checkpoint());
                    if (outcome.stunNs() < 0) {
                        throw new IllegalStateException(
                                outcome.ref() + " had no stun: " + outcome.reason());
                    }
                    if (outcome.sealed()) {
                        rig.host().delete(outcome.ref());
                    }
                    if (round >= WARMUP_ROUNDS) {
                        each.pending().addAndGet(outcome.pendingCount());
                    }
                }
                rig.quiesce(each.vm());
                var stuns = each.probe().take();
                if (round >= WARMUP_ROUNDS) {
                    each.stuns().add(stuns);
                }
            }
        }
    }

    private static List<Row> rows(List<Contestant> contestants, String what, String apart,
            double apartMax) {
        var rows = new ArrayList<Row>();
        double least = Double.MAX_VALUE;
        double most = 0;
        for (var each : contestants) {
            if (each.stuns().getTotalCount() == 0) {
                return List.of();
            }
            double p50 = StunProbe.micros(each.stuns(), 50);
            least = Math.min(least, p50);
            most = Math.max(most, p50);
            double pending = (double) each.pending().get() / each.stuns().getTotalCount();
            rows.add(
                    Row.shown(
                            what + each.label() + " (" + Math.round(pending) + " in flight)",
                            p50,
                            "µs"));
        }
        rows.add(apartMax == NO_TARGET
                ? Row.shown(apart, most / least, "×")
                : Row.atMost(apart, apartMax, most / least, "×"));
        return rows;
    }
}
