package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The stun of one busy VM: it always has something to compute, its memory is stored to all over, and its disk, in a file,
 * always has as many requests as its queue holds. Every checkpoint is sealed, then deleted.
 */
final class StunBenchmark implements Benchmark {
    private static final double P50_MICROS_MAX = 50;
    private static final double P99_MICROS_MAX = 250;
    private static final int[] DEPTHS = {16, 64, 256};
    private static final long MEMORY_BYTES = 8 * Rig.MIB;
    private static final long DISK_BYTES = 8 * Rig.MIB;
    private static final long HOT_BYTES = 4 * Rig.MIB;
    private static final int REQUEST_BYTES = 4096;

    @Override
    public String name() {
        return "stun";
    }

    @Override
    public String title() {
        return "stun of one busy VM with 16 to 256 requests in flight";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        int warmups = context.quick() ? 2 : 60;
        int checkpoints = context.quick() ? 5 : 300;
        var first = Rehearsal.play(context);
        var rows = new ArrayList<Row>();
        for (int depth : DEPTHS) {
            if (!context.cancelled()) {
                context.note("depth " + depth + ": " + checkpoints + " checkpoints");
                measure(context, depth, warmups, checkpoints, rows);
            }
        }
        if (!rows.isEmpty()) {
            rows.add(
                    Row.shown(
                            "the first stuns of the process, p50",
                            StunProbe.micros(first, 50),
                            "µs"));
        }
        return new BenchResult(rows);
    }

    private static void measure(
            BenchContext context, int depth, int warmups, int checkpoints, List<Row> rows)
            throws IOException {
        var wish = Rig.Wish.diskFiles(MEMORY_BYTES, MEMORY_BYTES);
        try (var rig = Rig.start(context, "depth-" + depth, wish)) {
            var probe = new StunProbe();
            var gaps = new GapGuest.Gaps();
            var disks = List.of(DISK_BYTES);
            var load =
                    new LoadProfile(
                            context.seed(), depth, REQUEST_BYTES, 50, Work.STORE_RANDOM, HOT_BYTES);
            var guest = GapGuest.watch(Guests.load(load, disks), gaps);
            var vm = rig.create("busy", MEMORY_BYTES, disks, guest, probe);
            vm.start();
            for (int i = 0; i < warmups && !context.cancelled(); i++) {
                rig.checkpoint(vm);
            }
            probe.take();
            gaps.takeUsual();
            gaps.takeStuns();
            long pending = 0;
            int taken = 0;
            while (taken < checkpoints && !context.cancelled()) {
                pending += rig.checkpoint(vm).pendingCount();
                taken++;
            }
            if (taken == 0) {
                return;
            }
            var stuns = probe.take();
            var seen = gaps.takeStuns();
            var of = ", depth " + depth;
            rows.add(
                    Row.atMost("stun p50" + of, P50_MICROS_MAX, StunProbe.micros(stuns, 50), "µs"));
            rows.add(
                    Row.atMost("stun p99" + of, P99_MICROS_MAX, StunProbe.micros(stuns, 99), "µs"));
            rows.add(
                    Row.shown(
                            "gap that the guest sees at a stun, p50" + of,
                            StunProbe.micros(seen, 50),
                            "µs"));
            rows.add(
                    Row.shown(
                            "gap between any other two slices, p50" + of,
                            StunProbe.micros(gaps.takeUsual(), 50),
                            "µs"));
            rows.add(
                    Row.shown("in flight at the stun, mean" + of, (double) pending / taken,
                            "requests"));
        }
    }
}
