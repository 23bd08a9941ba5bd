package io.tintype.simulations.bench.suite;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Random;
import org.HdrHistogram.Histogram;

/**
 * The first store to a frozen page, beside a bare copy of a random page in memory of the same kind, by turns. What the clock
 * itself takes is measured too and taken off both.
 *
 * <p>Both kinds of fault: that of a checkpoint that is being saved, which moves the guest to the copy, and that of a checkpoint into
 * memory, which leaves the guest where it is.
 */
final class FaultBenchmark implements Benchmark {
    private static final double RATIO_MAX = 1.5;
    private static final int PAGE_BYTES = MemoryRegion.PAGE_BYTES;
    // As a VM does before each slice.
    private static final int RESERVE_EVERY = 64;
    private static final long NS_MAX = 1_000_000_000;
    private static final int WARMUP_ROUNDS = 4;

    @Override
    public String name() {
        return "fault";
    }

    @Override
    public String title() {
        return "memory COW fault against a bare copy of a random page";
    }

    @Override
    public BenchResult run(BenchContext context) {
        int pages = context.quick() ? 1 << 11 : 1 << 16;
        int rounds = context.quick() ? 2 : 20;
        long bytes = (long) pages * PAGE_BYTES;
        long poolBytes = 2 * bytes + 16 * Rig.MIB;
        var faults = histogram();
        var staying = histogram();
        var copies = histogram();
        var clock = histogram();
        try (var pool = new FramePool(poolBytes, poolBytes);
                var bare = new FramePool(2 * bytes, 0);
                var region = new MemoryRegion(pool, bytes, (_, _, _) -> {})) {
            region.fillLongs(0, bytes / Long.BYTES, 1);
            // Frames that belong to no region: plain memory, in huge pages as the guest's is.
            bare.segment().fill((byte) 1);
            var random = new Random(context.seed());
            for (int round = 0; round < WARMUP_ROUNDS + rounds && !context.cancelled(); round++) {
                if (round == WARMUP_ROUNDS) {
                    faults.reset();
                    staying.reset();
                    copies.reset();
                    clock.reset();
                }
                fault(region, region.freeze(), shuffled(pages, random), faults);
                fault(region, region.freezeUnsettled(), shuffled(pages, random), staying);
                copy(bare.segment(), shuffled(pages, random), shuffled(pages, random), copies);
                readClock(pages, clock);
            }
        }
        if (clock.getTotalCount() == 0) {
            return new BenchResult(List.of());
        }
        double clockNs = clock.getValueAtPercentile(50);
        double faultNs = faults.getValueAtPercentile(50) - clockNs;
        double stayNs = staying.getValueAtPercentile(50) - clockNs;
        double copyNs = copies.getValueAtPercentile(50) - clockNs;
        return new BenchResult(
                List.of(
                        Row.atMost("fault p50 / copy p50", RATIO_MAX, faultNs / copyNs, "×"),
                        Row.atMost("into memory, fault p50 / copy p50", RATIO_MAX,
                                stayNs / copyNs, "×"),
                        Row.shown("fault p50", faultNs, "ns"),
                        Row.shown("into memory, fault p50", stayNs, "ns"),
                        Row.shown("copy p50", copyNs, "ns"),
                        Row.shown("fault p99", faults.getValueAtPercentile(99) - clockNs, "ns"),
                        Row.shown("into memory, fault p99",
                                staying.getValueAtPercentile(99) - clockNs, "ns"),
                        Row.shown("copy p99", copies.getValueAtPercentile(99) - clockNs, "ns"),
                        Row.shown(
                                "fault mean / copy mean",
                                (faults.getMean() - clockNs) / (copies.getMean() - clockNs),
                                "×")));
    }

    private static Histogram histogram() {
        return new Histogram(NS_MAX, 3);
    }

    private static void fault(MemoryRegion region, FrozenMemory frozen, int[] order,
            Histogram faults) {
        for (int i = 0; i < order.length; i++) {
            if (i % RESERVE_EVERY == 0 && !region.reserve(RESERVE_EVERY)) {
                throw new IllegalStateException("the pool is too small for its region");
            }
            long address = (long) order[i] * PAGE_BYTES;
            long start = System.nanoTime();
            region.putLong(address, i);
            record(faults, System.nanoTime() - start);
        }
        region.release(frozen);
    }

    private static void copy(MemorySegment memory, int[] from, int[] to, Histogram copies) {
        long half = (long) from.length * PAGE_BYTES;
        for (int i = 0; i < from.length; i++) {
            long source = (long) from[i] * PAGE_BYTES;
            long target = half + (long) to[i] * PAGE_BYTES;
            long start = System.nanoTime();
            MemorySegment.copy(memory, source, memory, target, PAGE_BYTES);
            record(copies, System.nanoTime() - start);
        }
    }

    private static void readClock(int times, Histogram clock) {
        for (int i = 0; i < times; i++) {
            long start = System.nanoTime();
            record(clock, System.nanoTime() - start);
        }
    }

    private static void record(Histogram histogram, long ns) {
        histogram.recordValue(Math.min(ns, NS_MAX));
    }

    private static int[] shuffled(int count, Random random) {
        var order = new int[count];
        for (int i = 0; i < count; i++) {
            int other = random.nextInt(i + 1);
            order[i] = order[other];
            order[other] = i;
        }
        return order;
    }
}
