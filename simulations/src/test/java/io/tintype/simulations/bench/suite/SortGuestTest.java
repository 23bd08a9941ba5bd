package io.tintype.simulations.bench.suite;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.VmIdentity;
import java.util.List;
import org.junit.jupiter.api.Test;

class SortGuestTest {
    // Not a power of two, so that the last runs of a pass are short ones.
    private static final long BYTES = 20 * 4096;
    private static final long WORDS = BYTES / 2 / Long.BYTES;

    @Test
    void shouldSortAllNumbersAndGoOnFromItsRegisters() {
        try (var pool = new FramePool(1 << 20, 0);
                var region = new MemoryRegion(pool, 1 << 18, (_, _, _) -> {})) {
            var memory = new GuestMemory(List.of(region));
            var factory = SortGuest.factory(42, BYTES);
            var guest = (SortGuest) factory.create(memory);
            // Whole batches of 32 steps, as many as it has in a half: so a pass ends where a slice does.
            while (guest.sorted() < 3) {
                guest.run(new OneBatch(memory));
                guest = (SortGuest) factory.restore(guest.kind(), guest.saveRegisters(), memory);
            }

            assertEquals(0, WORDS % 32);
            for (long i = 1; i < WORDS; i++) {
                assertTrue(guest.number(i - 1) < guest.number(i), "number " + i);
            }
        }
    }

    private record OneBatch(GuestMemory memory) implements GuestContext {
        @Override
        public boolean shouldYield() {
            return true;
        }

        @Override
        public long guestNs() {
            return 0;
        }

        @Override
        public VmIdentity identity() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void configureDisk(int disk, QueueLayout layout) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void doorbell(int disk, int tail) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void resetDisk(int disk) {
            throw new UnsupportedOperationException();
        }
    }
}
