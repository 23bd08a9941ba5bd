package io.tintype.simulations.bench.suite;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How long it takes to open a store with many checkpoints, and to learn how they stand on each other. */
final class StoreOpenBenchmark implements Benchmark {
    private static final double OPEN_MS_MAX = 1000;
    private static final int PAGE_BYTES = 4096;
    private static final int LINE = 100;

    @Override
    public String name() {
        return "store-open";
    }

    @Override
    public String title() {
        return "opening a store with 10,000 checkpoints";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        int count = context.quick() ? 100 : 10_000;
        int rounds = context.quick() ? 1 : 5;
        var directory = context.directory().resolve("store");
        try (var store = CheckpointStore.open(directory)) {
            for (int i = 0; i < count && !context.cancelled(); i++) {
                seal(store, i);
                if (i % 1000 == 999) {
                    context.note(i + 1 + " checkpoints");
                }
            }
        }
        var openMs = new Medians();
        var lineageMs = new Medians();
        for (int round = 0; round < rounds && !context.cancelled(); round++) {
            long start = System.nanoTime();
            try (var store = CheckpointStore.open(directory)) {
                openMs.add((System.nanoTime() - start) / 1e6);
                if (store.list().size() != count) {
                    throw new IllegalStateException("not all checkpoints are there");
                }
                store.children(store.list().getFirst());
                lineageMs.add((System.nanoTime() - start) / 1e6);
            }
        }
        if (openMs.isEmpty()) {
            return new BenchResult(List.of());
        }
        return new BenchResult(List.of(
                Row.atMost("open, 10,000 checkpoints", OPEN_MS_MAX, openMs.median(), "ms"),
                Row.shown("open and read all manifests", lineageMs.median(), "ms")));
    }

    /** Lines of a hundred checkpoints, one page changed in each. */
    private static void seal(CheckpointStore store, int number) throws IOException {
        var vm = new VmId("vm-" + number / LINE);
        long id = number % LINE + 1L;
        var ref = new CheckpointRef(vm, new CheckpointId(id));
        @Nullable
        CheckpointRef parent = id == 1 ? null : new CheckpointRef(vm, new CheckpointId(id - 1));
        try (var arena = Arena.ofConfined(); var staged = store.begin(ref)) {
            var frame = arena.allocate(PAGE_BYTES, Long.BYTES);
            frame.set(ValueLayout.JAVA_LONG, 0, number + 1L);
            staged.memory(0, 256, parent).append(number % 256, frame, 0);
            staged.seal(new Manifest(ref, Instant.EPOCH, 0, "none",
                    List.of(new Manifest.Region(256)), List.of(), List.of(), Map.of()));
        }
    }
}
