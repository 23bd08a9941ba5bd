package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What writing memory to a store costs, against writing the same bytes one after the other into a
 * file and syncing it. Frames are scattered, as they are in a pool; the plain writer reads them in
 * order, which is a little in its favour. The two take turns, and medians are compared.
 */
@Tag("benchmark")
class MemorySegmentWriterBenchmarkTest {
    private static final int PAGE_BYTES = Fixture.PAGE_BYTES;
    private static final int PAGE_COUNT = 1 << 17; // 512 MiB
    private static final int ROUND_COUNT = 7;
    private static final double RATIO_MIN = 0.6;

    @TempDir
    private Path directory;

    @Test
    void shouldWriteMemoryNearlyAsFastAsAPlainFile() throws IOException {
        try (var arena = Arena.ofConfined();
                var store = CheckpointStore.open(directory.resolve("store"))) {
            MemorySegment pool = arena.allocate((long) PAGE_COUNT * PAGE_BYTES, PAGE_BYTES);
            fill(pool);
            int[] frames = shuffled();
            double[] plain = new double[ROUND_COUNT];
            double[] stored = new double[ROUND_COUNT];
            for (int round = 0; round < ROUND_COUNT; round++) {
                plain[round] = writePlain(pool);
                stored[round] = writeToStore(store, round + 1, pool, frames);
            }
            double ratio = median(stored) / median(plain);
            System.out.printf("MB/s: plain %s, store %s; store/plain %.2f%n",
                    Arrays.toString(rounded(plain)), Arrays.toString(rounded(stored)), ratio);
            System.out.printf(
                    "processor time for a page, without the disk: %.0f ns; for a zero page %.0f ns%n",
                    processorNs(pool, frames), processorNs(pool.fill((byte) 0), frames));

            assertTrue(ratio >= RATIO_MIN, "ratio " + ratio);
        }
    }

    /** Megabytes a second. */
    private double writePlain(MemorySegment pool) throws IOException {
        Path file = directory.resolve("plain");
        long start = System.nanoTime();
        try (var channel =
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long at = 0; at < pool.byteSize(); at += 1 << 20) {
                ByteBuffer part = pool.asSlice(at, 1 << 20).asByteBuffer();
                while (part.hasRemaining()) {
                    channel.write(part);
                }
            }
            channel.force(false);
        }
        double rate = rate(pool.byteSize(), start);
        Files.delete(file);
        return rate;
    }

    private static double writeToStore(CheckpointStore store, long id, MemorySegment pool,
            int[] frames)
            throws StoreException {
        var ref = Fixture.ref("vm-1", id);
        long start = System.nanoTime();
        try (StagedCheckpoint staged = store.begin(ref)) {
            MemorySegmentWriter writer = staged.memory(0, PAGE_COUNT);
            for (int page = 0; page < PAGE_COUNT; page++) {
                writer.append(page, pool, (long) frames[page] * PAGE_BYTES);
            }
            staged.seal(new Manifest(ref, Instant.EPOCH, 0, "none",
                    List.of(new Manifest.Region(PAGE_COUNT)), List.of(), List.of(), Map.of()));
        }
        double rate = rate(pool.byteSize(), start);
        store.delete(ref);
        return rate;
    }

    /** What looking for zeros, copying and checksums take, whoever else wants the processor. */
    private double processorNs(MemorySegment pool, int[] frames) throws StoreException {
        var threads = ManagementFactory.getThreadMXBean();
        var nowhere = new FaultyFiles(StoreFiles.onDisk()) {
            @Override
            public StoreFile create(Path file) throws IOException {
                StoreFile real = super.create(file);
                return file.endsWith("memory-0") ? new Nowhere(real) : real;
            }
        };
        long best = Long.MAX_VALUE;
        try (var store = CheckpointStore.open(directory.resolve("nowhere"), nowhere)) {
            for (int round = 0; round < 3; round++) {
                long id = store.nextId(Fixture.ref("vm-1", 1).vm()).value();
                long start = threads.getCurrentThreadCpuTime();
                writeToStore(store, id, pool, frames);
                best = Math.min(best, threads.getCurrentThreadCpuTime() - start);
            }
        }
        return (double) best / PAGE_COUNT;
    }

    private record Nowhere(StoreFile file) implements StoreFile {
        @Override
        public void write(long position, ByteBuffer source) {
            source.position(source.limit());
        }

        @Override
        public void read(long position, ByteBuffer target) {}

        @Override
        public void force() {}

        @Override
        public long size() {
            return 0;
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    private static void fill(MemorySegment pool) {
        var random = new Random(1);
        for (long at = 0; at < pool.byteSize(); at += Long.BYTES) {
            pool.set(ValueLayout.JAVA_LONG, at, random.nextLong());
        }
    }

    private static int[] shuffled() {
        var frames = new ArrayList<>(IntStream.range(0, PAGE_COUNT).boxed().toList());
        Collections.shuffle(frames, new Random(2));
        return frames.stream().mapToInt(Integer::intValue).toArray();
    }

    private static double rate(long bytes, long startNs) {
        return bytes * 1e3 / (System.nanoTime() - startNs);
    }

    private static double median(double[] values) {
        return Arrays.stream(values).sorted().skip(values.length / 2).findFirst().orElseThrow();
    }

    private static long[] rounded(double[] values) {
        return Arrays.stream(values).mapToLong(Math::round).toArray();
    }
}
