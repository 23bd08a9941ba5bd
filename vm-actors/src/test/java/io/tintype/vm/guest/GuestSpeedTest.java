package io.tintype.vm.guest;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.device.DiskQueue;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What guests and queues cost by themselves: no actors, and a device that does nothing. */
@Tag("benchmark")
class GuestSpeedTest {
    private static final long MEMORY_BYTES = 64L << 20;
    private static final List<Long> DISKS = List.of(256L << 20);

    /** A machine whose disks complete at once. */
    private static final class Machine implements GuestContext, AutoCloseable {
        private final FramePool pool = new FramePool(2 * MEMORY_BYTES, MEMORY_BYTES);
        private final MemoryRegion region = new MemoryRegion(pool, MEMORY_BYTES, (_, _, _) -> {});
        private final GuestMemory memory = new GuestMemory(List.of(region));
        private final DiskQueue queue = new DiskQueue(DISKS.getFirst());
        private int yieldsLeft;

        @Override
        public GuestMemory memory() {
            return memory;
        }

        @Override
        public long guestNs() {
            return System.nanoTime();
        }

        @Override
        public VmIdentity identity() {
            return new VmIdentity(1, 2, 3);
        }

        @Override
        public boolean shouldYield() {
            return --yieldsLeft <= 0;
        }

        @Override
        public void configureDisk(int disk, QueueLayout layout) {
            queue.configure(layout);
        }

        @Override
        public void doorbell(int disk, int tail) {
            queue.doorbell(tail);
        }

        @Override
        public void resetDisk(int disk) {
            queue.reset();
        }

        /** Nanoseconds of the CPU a step. */
        double run(Guest guest, long slices) {
            var start = cpuNs();
            var steps = guest.steps();
            for (long i = 0; i < slices; i++) {
                yieldsLeft = 200;
                guest.run(this);
                for (var request = queue.fetch(memory); request != null;
                        request = queue.fetch(memory)) {
                    queue.complete(memory, request.tag(), IoStatus.OK);
                }
            }
            return (double) (cpuNs() - start) / (guest.steps() - steps);
        }

        @Override
        public void close() {
            region.close();
            pool.close();
        }
    }

    @Test
    void shouldStoreAtMostThreeTimesAsSlowlyAsARawLoop() {
        try (var machine = new Machine()) {
            var guest =
                    Guests.load(LoadProfile.work(1, LoadProfile.Work.STORE_SEQUENTIAL, 0), DISKS)
                            .create(machine.memory);
            var raw = Double.MAX_VALUE;
            var stores = Double.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                raw = Math.min(raw, rawStoreNs(machine.pool.segment()));
                stores = Math.min(stores, machine.run(guest, 20_000));
            }
            System.out.printf("sequential store: raw %.2f ns, guest %.2f ns%n", raw, stores);
            assertTrue(stores <= 3 * raw, stores + " against " + raw);
        }
    }

    /** Of this thread, so that others on the machine hardly matter. */
    private static long cpuNs() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static double rawStoreNs(MemorySegment segment) {
        var words = MEMORY_BYTES / Long.BYTES;
        var start = cpuNs();
        for (long round = 0; round < 4; round++) {
            for (long i = 0; i < words; i++) {
                segment.set(ValueLayout.JAVA_LONG, 4096 + i * Long.BYTES, i * round);
            }
        }
        return (cpuNs() - start) / 4.0 / words;
    }

    @Test
    void shouldCostLittleARequest() {
        try (var machine = new Machine()) {
            var load = Guests.load(LoadProfile.io(1, 32, 4096, 50), DISKS).create(machine.memory);
            var synthetic = Guests
                    .synthetic(SyntheticProfile.DEFAULTS.withDirtyRate(0), DISKS,
                            GuestRecorder.NONE)
                    .create(machine.memory);
            var loadNs = Double.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                loadNs = Math.min(loadNs, machine.run(load, 20_000));
            }
            var syntheticNs = Double.MAX_VALUE;
            for (int round = 0; round < 5; round++) {
                syntheticNs = Math.min(syntheticNs, machine.run(synthetic, 2_000) * 2); // two events a request
            }
            System.out.printf(
                    "a request with its completion: load guest %.0f ns, synthetic guest %.0f ns%n",
                    loadNs,
                    syntheticNs);
            assertTrue(loadNs < 1_000, loadNs + " ns");
        }
    }
}
