package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.Random;

/**
 * The costs that {@code docs/memory.md} quotes, by hand: run {@code main} with the flags of the build. Ratios of one run; the
 * machine's noise is in both of their terms, taken in turns.
 */
final class MemoryBenchmark {
    private static final int PAGE = MemoryRegion.PAGE_BYTES;
    private static final int ROUNDS = 9;

    private MemoryBenchmark() {}

    public static void main(String[] arguments) {
        try (var pool = new FramePool(3L << 30, 3L << 30)) {
            for (var bytes : new long[] {1 << 20, 64 << 20, 512 << 20}) {
                stores(pool, bytes);
            }
            for (var bytes : new long[] {64 << 20, 512 << 20}) {
                faults(pool, bytes);
            }
            for (var bytes : new long[] {64 << 20, 512 << 20, 2L << 30}) {
                freezes(pool, bytes);
            }
        }
    }

    private static void stores(FramePool pool, long bytes) {
        var raw = new double[ROUNDS];
        var guest = new double[ROUNDS];
        var random = new double[ROUNDS];
        try (var region = new MemoryRegion(pool, bytes, (_, _, _) -> {});
                var bare = new FramePool(bytes, 0)) {
            var segment = bare.segment();
            var loops = Math.max(1, (256 << 20) / bytes);
            for (int round = -4; round < ROUNDS; round++) {
                var start = System.nanoTime();
                for (int i = 0; i < loops; i++) {
                    storeRaw(segment, bytes, i);
                }
                var middle = System.nanoTime();
                for (int i = 0; i < loops; i++) {
                    store(region, bytes, i);
                }
                var end = System.nanoTime();
                storeAtRandom(region, bytes - 1 & ~7L, 1 << 22);
                var after = System.nanoTime();
                if (round >= 0) {
                    raw[round] = (middle - start) / (loops * bytes / 8.0);
                    guest[round] = (end - middle) / (loops * bytes / 8.0);
                    random[round] = (after - end) / (double) (1 << 22);
                }
            }
        }
        System.out.printf(
                "store, %4d MiB: raw %.2f ns, guest %.2f ns, ratio %.2f; at random %.2f ns%n",
                bytes >> 20,
                median(raw), median(guest), median(guest) / median(raw), median(random));
    }

    private static void storeRaw(MemorySegment segment, long bytes, long value) {
        for (long at = 0; at < bytes; at += 8) {
            segment.set(ValueLayout.JAVA_LONG, at, value);
        }
    }

    private static void store(MemoryRegion region, long bytes, long value) {
        for (long at = 0; at < bytes; at += 8) {
            region.putLong(at, value);
        }
    }

    private static void storeAtRandom(MemoryRegion region, long mask, int count) {
        long x = 88172645463325252L;
        for (int i = 0; i < count; i++) {
            x ^= x << 13;
            x ^= x >>> 7;
            x ^= x << 17;
            region.putLong(x & mask, x);
        }
    }

    /** Each fault and each bare copy is timed alone, in turns; the clock's own cost is measured and taken off both. */
    private static void faults(FramePool pool, long bytes) {
        int pages = (int) (bytes / PAGE);
        var order = new int[pages];
        Arrays.setAll(order, i -> i);
        var random = new Random(1);
        for (int i = pages - 1; i > 0; i--) {
            var other = random.nextInt(i + 1);
            var page = order[i];
            order[i] = order[other];
            order[other] = page;
        }
        var count = pages / 2;
        var faultNs = new double[count];
        var copyNs = new double[count];
        var clockNs = new double[count];
        double fault = 0;
        double copy = 0;
        double release = 0;
        try (var region = new MemoryRegion(pool, bytes, (_, _, _) -> {});
                var bare = new FramePool(2 * bytes, 0)) {
            region.fill(0, bytes, (byte) 1);
            bare.segment().fill((byte) 1);
            for (int round = 0; round < ROUNDS; round++) {
                region.reserve(count);
                var frozen = region.freeze();
                for (int i = 0; i < count; i++) {
                    long at = (long) order[i] * PAGE;
                    var t0 = System.nanoTime();
                    region.putLong(at, i);
                    var t1 = System.nanoTime();
                    MemorySegment.copy(bare.segment(), at, bare.segment(), bytes + (long) i * PAGE,
                            PAGE);
                    var t2 = System.nanoTime();
                    var t3 = System.nanoTime();
                    faultNs[i] = t1 - t0;
                    copyNs[i] = t2 - t1;
                    clockNs[i] = t3 - t2;
                }
                var clock = median(clockNs);
                fault = median(faultNs) - clock;
                copy = median(copyNs) - clock;
                var t0 = System.nanoTime();
                region.release(frozen);
                release = System.nanoTime() - t0;
            }
        }
        System.out.printf(
                "fault, %4d MiB: copy p50 %.0f p99 %.0f ns, fault p50 %.0f p99 %.0f ns, ratio of p50 %.2f;"
                        + " release of %d frames %.1f µs%n",
                bytes >> 20, copy, percentile(copyNs, 99), fault,
                percentile(faultNs, 99), fault / copy, count, release / 1000);
    }

    private static void freezes(FramePool pool, long bytes) {
        var ns = new double[2000];
        try (var region = new MemoryRegion(pool, bytes, (_, _, _) -> {})) {
            for (long at = 0; at < bytes; at += PAGE) {
                region.putLong(at, at);
            }
            for (int i = 0; i < ns.length; i++) {
                var start = System.nanoTime();
                var frozen = region.freeze();
                ns[i] = System.nanoTime() - start;
                region.putLong(i * 64L, i);
                region.release(frozen);
            }
        }
        System.out.printf("freeze, %4d MiB touched: p50 %.0f ns, p99 %.0f ns%n", bytes >> 20,
                median(ns),
                percentile(ns, 99));
    }

    private static double median(double[] values) {
        return percentile(values, 50);
    }

    private static double percentile(double[] values, int percent) {
        var sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)];
    }
}
