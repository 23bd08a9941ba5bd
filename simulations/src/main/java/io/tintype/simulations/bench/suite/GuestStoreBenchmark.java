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
import java.util.ArrayList;
import java.util.List;

/**
 * Stores of 8 bytes, one after another, into guest memory whose pages are writable, beside the same loop over raw memory: over
 * as much memory as a VM of {@code run} has by default, and over as little as a core's second cache holds.
 */
final class GuestStoreBenchmark implements Benchmark {
    private static final double RATIO_MAX = 3;
    private static final long VM_BYTES = 64 * Rig.MIB;
    private static final long CACHED_BYTES = Rig.MIB;
    // So that a pass over the small memory takes long enough for the clock.
    private static final long PASS_BYTES_MIN = 8 * Rig.MIB;

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
        var rows = new ArrayList<Row>();
        measure(context, VM_BYTES, context.quick() ? 2 : 10, context.quick() ? 2 : 60,
                "a VM's 64 MiB", rows);
        measure(context, CACHED_BYTES, context.quick() ? 10 : 300, context.quick() ? 10 : 1_000,
                "1 MiB, in cache", rows);
        return new BenchResult(rows);
    }

    private static void measure(BenchContext context, long bytes, int warmups, int passes,
            String over, List<Row> rows) {
        int loops = (int) Math.max(1, PASS_BYTES_MIN / bytes);
        var raw = new Medians();
        var region = new Medians();
        var guest = new Medians();
        try (var pool = new FramePool(bytes + 4 * Rig.MIB, 0);
                var bare = new FramePool(bytes, 0);
                var tested = new MemoryRegion(pool, bytes, (_, _, _) -> {})) {
            var memory = new GuestMemory(List.of(tested));
            tested.fillLongs(0, bytes / Long.BYTES, 1);
            bare.segment().fill((byte) 1);
            for (int i = 0; i < warmups + passes && !context.cancelled(); i++) {
                long start = System.nanoTime();
                storeRaw(bare.segment(), bytes, loops, i);
                long afterRaw = System.nanoTime();
                storeRegion(tested, bytes, loops, i);
                long afterRegion = System.nanoTime();
                storeGuest(memory, bytes, loops, i);
                long afterGuest = System.nanoTime();
                if (i >= warmups) {
                    double stores = (double) loops * bytes / Long.BYTES;
                    raw.add((afterRaw - start) / stores);
                    region.add((afterRegion - afterRaw) / stores);
                    guest.add((afterGuest - afterRegion) / stores);
                }
            }
        }
        if (!guest.isEmpty()) {
            rows.add(Row.atMost("guest store / raw store, " + over, RATIO_MAX,
                    guest.median() / raw.median(), "×"));
            rows.add(Row.shown("guest store", guest.median(), "ns"));
            rows.add(Row.shown("the same without the region's lookup", region.median(), "ns"));
            rows.add(Row.shown("raw store", raw.median(), "ns"));
        }
    }

    private static void storeRaw(MemorySegment memory, long bytes, int loops, long value) {
        for (int loop = 0; loop < loops; loop++) {
            for (long address = 0; address < bytes; address += Long.BYTES) {
                memory.set(ValueLayout.JAVA_LONG, address, value + address);
            }
        }
    }

    private static void storeRegion(MemoryRegion region, long bytes, int loops, long value) {
        for (int loop = 0; loop < loops; loop++) {
            for (long address = 0; address < bytes; address += Long.BYTES) {
                region.putLong(address, value + address);
            }
        }
    }

    private static void storeGuest(GuestMemory memory, long bytes, int loops, long value) {
        for (int loop = 0; loop < loops; loop++) {
            for (long address = 0; address < bytes; address += Long.BYTES) {
                memory.putLong(address, value + address);
            }
        }
    }
}
