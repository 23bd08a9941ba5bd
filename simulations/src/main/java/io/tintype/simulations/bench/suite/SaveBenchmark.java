package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writing a VM's memory to the store, as its checkpoint does with checksums and fsync, against a plain sequential write and
 * fsync of as many bytes to a file beside it, by turns. The VM stands still, so that both have the machine for themselves.
 */
final class SaveBenchmark implements Benchmark {
    private static final double SHARE_MIN = 80;
    private static final int PAGE_BYTES = 4096;
    private static final int WRITE_BYTES = 1 << 20;
    private static final int WARMUP_ROUNDS = 1;

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
                var outcome = rig.checkpoint(vm);
                long bytes = outcome.pages() * PAGE_BYTES;
                long plainNs = writePlain(context.directory().resolve("plain"), bytes);
                if (round >= WARMUP_ROUNDS) {
                    shares.add(100.0 * plainNs / outcome.saveNs());
                    saved.add(bytes * 1e3 / outcome.saveNs());
                    plain.add(bytes * 1e3 / plainNs);
                    whole.add(bytes * 1e3 / outcome.totalNs());
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
                        Row.shown("whole checkpoint, begin to sealed", whole.median(), "MB/s")));
    }

    private static long writePlain(Path file, long bytes) throws IOException {
        var buffer = ByteBuffer.allocateDirect(WRITE_BYTES);
        while (buffer.hasRemaining()) {
            buffer.put((byte) buffer.position());
        }
        long start = System.nanoTime();
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long left = bytes; left > 0; left -= buffer.limit()) {
                buffer.clear().limit((int) Math.min(left, WRITE_BYTES));
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            channel.force(true);
        }
        long ns = System.nanoTime() - start;
        Files.delete(file);
        return ns;
    }
}
