package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writing a VM's memory to the store, as its checkpoint does with checksums and fsync, against a plain sequential write and
 * fsync of as many bytes to a file beside it, by turns. The VM stands still, so that both have the machine for themselves.
 */
final class SaveBenchmark implements Benchmark {
    private static final double SHARE_MIN = 80;
    private static final int PAGE_BYTES = 4096;
    private static final int WARMUP_ROUNDS = 1;
    private static final int RECORD_WORDS = 8;

    @Override
    public String name() {
        return "save";
    }

    @Override
    public String title() {
        return "writing memory to the store against a plain sequential write and fsync";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        long memoryBytes = context.quick() ? 8 * Rig.MIB : 512 * Rig.MIB;
        int rounds = context.quick() ? 1 : 9;
        var shares = new Medians();
        var saved = new Medians();
        var plain = new Medians();
        var whole = new Medians();
        try (var rig = Rig.start(context, "store", Rig.Wish.diskFiles(memoryBytes, memoryBytes))) {
            var load = LoadProfile.work(context.seed(), Work.NONE, 0);
            var vm = rig.create("still", memoryBytes, List.of(), load, VmProbe.NONE);
            // Neither equal nor compressible: what is compared is writing.
            rig.fillUnique(vm, new SplittableRandom(context.seed()));
            for (int round = 0; round < WARMUP_ROUNDS + rounds && !context.cancelled(); round++) {
                rig.warmFileCache(memoryBytes);
                var outcome = rig.checkpoint(vm);
                long bytes = outcome.pages() * PAGE_BYTES;
                rig.warmFileCache(memoryBytes);
                long plainNs =
                        PlainFile.write(context.directory().resolve("plain"), bytes, true);
                if (round >= WARMUP_ROUNDS) {
                    shares.add(100.0 * plainNs / outcome.saveNs());
                    saved.add(bytes * 1e3 / outcome.saveNs());
                    plain.add(bytes * 1e3 / plainNs);
                    whole.add(bytes * 1e3 / outcome.totalNs());
                }
            }
        }
        var textSaved = new Medians();
        var textBytes = new Medians();
        try (var rig = Rig.start(context, "text", Rig.Wish.diskFiles(memoryBytes, memoryBytes))) {
            var load = LoadProfile.work(context.seed(), Work.NONE, 0);
            var vm = rig.create("text", memoryBytes, List.of(), load, VmProbe.NONE);
            rig.fill(vm, new SplittableRandom(context.seed()), RECORD_WORDS);
            for (int round = 0; round < WARMUP_ROUNDS + rounds && !context.cancelled(); round++) {
                var outcome = rig.checkpoint(vm);
                if (round >= WARMUP_ROUNDS) {
                    textSaved.add(outcome.pages() * PAGE_BYTES * 1e3 / outcome.saveNs());
                    textBytes.add(100.0 * outcome.bytes() / (outcome.pages() * PAGE_BYTES));
                }
            }
        }
        if (shares.isEmpty()) {
            return new BenchResult(List.of());
        }
        return new BenchResult(
                List.of(
                        Row.atLeast("memory to the store, of plain", SHARE_MIN, shares.median(),
                                "%"),
                        Row.shown("memory to the store", saved.median(), "MB/s"),
                        Row.shown("plain write and fsync", plain.median(), "MB/s"),
                        Row.shown("the same of pages that compress", textSaved.median(), "MB/s"),
                        Row.shown("bytes that those take, of raw", textBytes.median(), "%"),
                        Row.shown("whole checkpoint, begin to sealed", whole.median(), "MB/s")));
    }
}
