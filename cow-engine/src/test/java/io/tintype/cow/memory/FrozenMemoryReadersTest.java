package io.tintype.cow.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Savers read frozen memory on threads of their own, without locks, while the guest goes on storing. */
class FrozenMemoryReadersTest {
    private static final int PAGE = MemoryRegion.PAGE_BYTES;
    private static final int PAGES = 1200;
    private static final int ROUNDS = 60;

    private record Saved(FrozenMemory frozen, long sum) {}

    /** Every other one is handed to them later, when the guest has stored to half of the pages. */
    @Test
    void shouldReadTheSameWhileTheGuestFaults() throws Exception {
        try (var pool = new FramePool(64 << 20, 32 << 20);
                var region = new MemoryRegion(pool, (long) PAGES * PAGE, (_, _, _) -> {});
                var savers = Executors.newFixedThreadPool(2)) {
            var saved = new ExecutorCompletionService<Saved>(savers);
            var sums = new ArrayList<Long>();
            long sum = 0;
            int released = 0;
            FrozenMemory later = null;
            for (int round = 1; round <= ROUNDS; round++) {
                var last = later;
                for (int i = 0; i < PAGES; i += 1 + round % 7) {
                    if (last != null && i >= PAGES / 2) {
                        submit(saved, last);
                        last = null;
                    }
                    long address = (long) i * PAGE;
                    sum -= region.getLong(address);
                    region.putLong(address, (long) round << 32 | i);
                    sum += region.getLong(address);
                }
                later = round % 2 == 0 ? region.freezeUnsettled() : null;
                sums.add(sum);
                if (later == null) {
                    submit(saved, region.freeze());
                }
                for (var done = saved.poll(); done != null; done = saved.poll()) {
                    released += release(region, done.get(), sums);
                }
            }
            if (later != null) {
                submit(saved, later);
            }
            while (released < ROUNDS) {
                released += release(region, saved.take().get(), sums);
            }

            assertEquals(0, region.framesHeld());
        }
    }

    private static void submit(ExecutorCompletionService<Saved> to, FrozenMemory frozen) {
        frozen.settle();
        var _ = to.submit(() -> new Saved(frozen, sumOf(frozen)));
    }

    private static int release(MemoryRegion region, Saved done, List<Long> sums) {
        assertEquals(sums.get((int) done.frozen().epoch() - 1), done.sum());
        region.release(done.frozen());
        return 1;
    }

    /** Read twice, as the first pass and the late pages of a saver are. */
    private static long sumOf(FrozenMemory frozen) {
        var first = sumOnce(frozen);
        assertEquals(first, sumOnce(frozen));
        return first;
    }

    private static long sumOnce(FrozenMemory frozen) {
        var pool = frozen.pool();
        var sum = new long[1];
        frozen.forEachPresent(
                (_, frame) -> sum[0] += pool.get(ValueLayout.JAVA_LONG, (long) frame * PAGE));
        return sum[0];
    }
}
