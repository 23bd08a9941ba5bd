package io.tintype.simulations.bench.suite;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;

/**
 * Many VMs from one stored checkpoint of 64 MiB with a disk in files: from the first call until each of them has executed an
 * instruction and loaded a word; and what one costs until it writes, on the heap, in frames of guest memory, and on disk. What
 * they share is read once, before the figures for one are taken.
 */
final class ClonesBenchmark implements Benchmark {
    private static final double ALL_MS_MAX = 100;
    private static final double ONE_KIB_MAX = 64;
    private static final long MEMORY_BYTES = 64 * Rig.MIB;
    private static final long DISK_BYTES = 64 * Rig.MIB;
    private static final int CLONES = 100;
    /** Rounds until the code is compiled: compilers want both cores for some seconds before. */
    private static final int WARMUPS = 10;
    private static final int EARLY = 7;

    @Override
    public String name() {
        return "clones";
    }

    @Override
    public String title() {
        return "100 clones of one checkpoint";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        int rounds = context.quick() ? 1 : WARMUPS + 7;
        var rows = new ArrayList<Row>();
        var all = new Medians();
        var early = new Medians();
        var wish = Rig.Wish.diskFiles(3 * MEMORY_BYTES, MEMORY_BYTES);
        try (var rig = Rig.start(context, "store", wish)) {
            var load = LoadProfile.work(context.seed(), Work.NONE, 0);
            var vm = rig.create("original", MEMORY_BYTES, List.of(DISK_BYTES), load, VmProbe.NONE);
            RestoreBenchmark.fill(vm);
            var outcome = Rig.answer(vm.checkpoint());
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                double ms = cloneAll(context, rig, outcome.ref(), round, rows);
                if (round == 0) {
                    rows.add(Row.shown("the first 100 of the process", ms, "ms"));
                }
                if (round > 0 && round < EARLY) {
                    early.add(ms);
                }
                if (round >= WARMUPS || context.quick()) {
                    all.add(ms);
                }
            }
        }
        if (!all.isEmpty()) {
            rows.add(0, Row.atMost("100 clones, each with an instruction executed, median",
                    ALL_MS_MAX, all.median(), "ms"));
        }
        if (!early.isEmpty()) {
            rows.add(Row.shown("the same, median of rounds 2 to " + EARLY, early.median(), "ms"));
        }
        return new BenchResult(rows);
    }

    private static double cloneAll(BenchContext context, Rig rig, CheckpointRef ref, int round,
            List<Row> rows) throws IOException {
        var host = rig.host();
        // One keeps what they share, so that it is loaded before.
        var keeper = new FirstStepGuest.Watch();
        var vms = new ArrayList<Vm>();
        vms.add(host.clone(ref, "keeper-" + round, FirstStepGuest.factory(0, keeper),
                VmProbe.NONE));
        vms.getFirst().start();
        RestoreBenchmark.await(keeper);
        while (host.readerOf(ref) != null && !context.cancelled()) {
            rig.pass(1_000_000);
        }
        long heap = round == 1 ? heapBytes() : 0;
        long frames = host.frames().framesInUse();
        var images = context.directory().resolve("store").resolve("images");
        long disk = round == 1 ? diskBytes(images) : 0;
        var watches = new ArrayList<FirstStepGuest.Watch>();
        long start = System.nanoTime();
        for (int i = 0; i < CLONES; i++) {
            var watch = new FirstStepGuest.Watch();
            watches.add(watch);
            var vm = host.clone(ref, "clone-" + round + "-" + i,
                    FirstStepGuest.factory(4096L * i, watch), VmProbe.NONE);
            vm.start();
            vms.add(vm);
        }
        var generations = new HashSet<Long>();
        for (var watch : watches) {
            RestoreBenchmark.await(watch);
            generations.add(watch.generation);
        }
        double ms = (System.nanoTime() - start) / 1e6;
        if (generations.size() != CLONES) {
            throw new IllegalStateException("two clones have one identity");
        }
        if (round == 1) {
            double heapKib = (heapBytes() - heap) / 1024.0 / CLONES;
            double framesKib = (host.frames().framesInUse() - frames) * 4.0 / CLONES;
            double diskKib = (diskBytes(images) - disk) / 1024.0 / CLONES;
            rows.add(Row.atMost("a clone until it writes", ONE_KIB_MAX,
                    heapKib + framesKib + diskKib, "KiB"));
            rows.add(Row.shown("of that heap", heapKib, "KiB"));
            rows.add(Row.shown("of that frames", framesKib, "KiB"));
            rows.add(Row.shown("of that disk", diskKib, "KiB"));
        }
        for (var vm : vms) {
            host.destroy(vm);
        }
        return ms;
    }

    @SuppressWarnings("SystemGc") // what is live is what is wanted
    private static long heapBytes() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    /** What a directory takes, holes not counted. */
    private static long diskBytes(Path directory) throws IOException {
        var process = new ProcessBuilder("du", "-sk", directory.toString()).start();
        var words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
                .split("\\s+", -1);
        return Long.parseLong(words[0]) * 1024;
    }
}
