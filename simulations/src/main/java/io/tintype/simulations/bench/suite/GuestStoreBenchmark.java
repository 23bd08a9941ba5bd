package io.tintype.simulations.bench.suite;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.guest.GuestMemory;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * Stores of 8 bytes, one after another, into guest memory whose pages are writable, beside the same loop over raw memory. The
 * memory fits a core's second cache: from main memory both would be as slow.
 */
final class GuestStoreBenchmark implements Benchmark {
    private static final double RATIO_MAX = 3;
    private static final long BYTES = Rig.MIB;
    private static final int LOOPS_A_PASS = 8;

    @Override
    public String name() {
        return "guest-store";
    }

    @Override
    public String title() {
        return "guest store without a fault against a raw off-heap store, sequential";
    }

    @Override
    public BenchResult run(BenchContext context) {
        int warmups = context.quick() ? 10 : 300;
        int passes = context.quick() ? 10 : 1_000;
        var raw = new Medians();
        var region = new Medians();
        var guest = new Medians();
        try (var pool = new FramePool(4 * BYTES, 0);
                var bare = new FramePool(BYTES, 0);
                var tested = new MemoryRegion(pool, BYTES, (_, _, _) -> {})) {
            var memory = new GuestMemory(List.of(tested));
            tested.fillLongs(0, BYTES / Long.BYTES, 1);
            bare.segment().fill((byte) 1);
            for (int i = 0; i < warmups + passes && !context.cancelled(); i++) {
                long start = System.nanoTime();
                storeRaw(bare.segment(), i);
                long afterRaw = System.nanoTime();
                storeRegion(tested, i);
                long afterRegion = System.nanoTime();
                storeGuest(memory, i);
                long afterGuest = System.nanoTime();
                if (i >= warmups) {
                    raw.add(nsAStore(afterRaw - start));
                    region.add(nsAStore(afterRegion - afterRaw));
                    guest.add(nsAStore(afterGuest - afterRegion));
                }
            }
        }
        if (guest.isEmpty()) {
            return new BenchResult(List.of());
        }
        return new BenchResult(
                List.of(
                        Row.atMost(
                                "guest store / raw store",
                                RATIO_MAX,
                                guest.median() / raw.median(),
                                "×"),
                        Row.shown("guest store", guest.median(), "ns"),
                        Row.shown("the same without the region's lookup", region.median(), "ns"),
                        Row.shown("raw store", raw.median(), "ns")));
    }

    private static double nsAStore(long ns) {
        return (double) ns / (LOOPS_A_PASS * BYTES / Long.BYTES);
    }

    private static void storeRaw(MemorySegment memory, long value) {
        for (int loop = 0; loop < LOOPS_A_PASS; loop++) {
            for (long address = 0; address < BYTES; address += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, address, value + address);
            }
        }
    }

    private static void storeRegion(MemoryRegion region, long value) {
        for (int loop = 0; loop < LOOPS_A_PASS; loop++) {
            for (long address = 0; address < BYTES; address += Long.BYTES) {
                region.putLong(address, value + address);
            }
        }
    }

    private static void storeGuest(GuestMemory memory, long value) {
        for (int loop = 0; loop < LOOPS_A_PASS; loop++) {
            for (long address = 0; address < BYTES; address += Long.BYTES) {
                memory.putLong(address, value + address);
            }
        }
    }
}
