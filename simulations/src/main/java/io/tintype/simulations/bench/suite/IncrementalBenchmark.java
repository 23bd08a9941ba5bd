package io.tintype.simulations.bench.suite;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.store.CheckpointStore;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * What a checkpoint of a VM costs that has changed one page in a hundred since its last one, against a full one of the same VM in
 * turns; and what it costs to read one that stands on sixteen others.
 */
final class IncrementalBenchmark implements Benchmark {
    private static final double BYTES_MAX = 3;
    private static final double TIME_MAX = 5;
    private static final double DEPTH_TIME_MAX = 1.2;
    private static final int DEPTH = 16;
    private static final int DIRTY_ONE_IN = 100;
    private static final int PAGE_BYTES = 4096;
    private static final int WARMUP_ROUNDS = 2;
    // A smaller file may get other memory than was warmed.
    private static final int WARMED = 6;

    @Override
    public String name() {
        return "incremental";
    }

    @Override
    public String title() {
        return "a checkpoint of 1 % of a VM's memory against a full one, and restoring one 16 deep";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        long memoryBytes = context.quick() ? 16 * Rig.MIB : 1024 * Rig.MIB;
        int rounds = context.quick() ? 1 : 5;
        var random = new SplittableRandom(context.seed());
        var bytes = new Medians();
        var time = new Medians();
        var fullMs = new Medians();
        var changedMs = new Medians();
        var deepShare = new Medians();
        var rows = new ArrayList<Row>();
        try (var rig = Rig.start(context, "store", Rig.Wish.diskFiles(memoryBytes, memoryBytes))) {
            var load = LoadProfile.work(context.seed(), Work.NONE, 0);
            var vm = rig.create("still", memoryBytes, List.of(), load, VmProbe.NONE);
            rig.fillUnique(vm, random.split());
            for (int round = 0; round < WARMUP_ROUNDS + rounds && !context.cancelled(); round++) {
                forget(rig);
                rig.warmFileCache(memoryBytes);
                var full = rig.keep(vm);
                changeSome(vm, random);
                rig.warmFileCache(memoryBytes / DIRTY_ONE_IN * WARMED);
                var changed = rig.keep(vm);
                if (round >= WARMUP_ROUNDS) {
                    bytes.add(100.0 * changed.bytes() / full.bytes());
                    time.add(100.0 * changed.totalNs() / full.totalNs());
                    fullMs.add(full.totalNs() / 1e6);
                    changedMs.add(changed.totalNs() / 1e6);
                }
            }
            if (bytes.isEmpty()) {
                return new BenchResult(List.of());
            }
            rows.add(Row.atMost("bytes, 1 % dirty, of a full one", BYTES_MAX, bytes.median(), "%"));
            rows.add(Row.atMost("time, 1 % dirty, of a full one", TIME_MAX, time.median(), "%"));
            rows.add(Row.shown("begin to sealed, full", fullMs.median(), "ms"));
            rows.add(Row.shown("begin to sealed, 1 % dirty", changedMs.median(), "ms"));

            forget(rig);
            var first = rig.keep(vm).ref();
            CheckpointOutcome last = null;
            for (int depth = 0; depth < DEPTH; depth++) {
                changeSome(vm, random);
                last = rig.keep(vm);
            }
            if (last != null) {
                for (int round = 0; round < WARMUP_ROUNDS + rounds
                        && !context.cancelled(); round++) {
                    double shallowNs = readNs(rig.host().store(), first, memoryBytes);
                    double deepNs = readNs(rig.host().store(), last.ref(), memoryBytes);
                    if (round >= WARMUP_ROUNDS) {
                        deepShare.add(deepNs / shallowNs);
                    }
                }
            }
        }
        if (!deepShare.isEmpty()) {
            rows.add(Row.atMost("reading one 16 deep, of a full one", DEPTH_TIME_MAX,
                    deepShare.median(), "×"));
        }
        return new BenchResult(rows);
    }

    /** Stores something new to a hundredth of the pages, anywhere. */
    private static void changeSome(Vm vm, SplittableRandom random) throws IOException {
        var of = random.split();
        Rig.answer(vm.visit(machine -> {
            var memory = machine.memory();
            long pages = memory.sizeBytes() / PAGE_BYTES;
            for (long i = 0; i < pages / DIRTY_ONE_IN; i++) {
                Rig.fillPage(memory, of.nextLong(pages), of, 1);
            }
        }));
    }

    /** So that the next checkpoint has no parent. */
    private static void forget(Rig rig) throws IOException {
        for (CheckpointRef ref : rig.host().store().list()) {
            rig.host().delete(ref);
        }
    }

    /** Reads all pages into memory, as an eager restore does. */
    private static double readNs(CheckpointStore store, CheckpointRef ref, long memoryBytes)
            throws IOException {
        try (var arena = Arena.ofConfined()) {
            var memory = arena.allocate(memoryBytes, PAGE_BYTES);
            memory.fill((byte) 1);
            long start = System.nanoTime();
            store.open(ref).forEachPage(0, (page, data, offset) -> MemorySegment.copy(data, offset,
                    memory, (long) page * PAGE_BYTES, PAGE_BYTES));
            return System.nanoTime() - start;
        }
    }
}
