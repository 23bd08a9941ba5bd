package io.tintype.vm.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.DiskDriver;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.VmIdentity;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DiskQueueTest {
    private static final long DISK_BYTES = 1 << 20;
    private static final QueueLayout LAYOUT = new QueueLayout(4096, 8192, 16);
    private static final long TABLE = 12_288;
    private static final long BUFFER = 16_384;

    private final FramePool pool = new FramePool(1 << 20, 1 << 20);
    private final MemoryRegion low = new MemoryRegion(pool, 65_536, (_, _, _) -> {});
    private final MemoryRegion high = new MemoryRegion(pool, 65_536, (_, _, _) -> {});
    private final GuestMemory memory = new GuestMemory(List.of(low, high));
    private final DiskQueue queue = new DiskQueue(DISK_BYTES);
    private final DiskDriver driver = new DiskDriver(0, LAYOUT);
    private final GuestContext context = new Machine();

    /** A machine that is nothing but this queue. */
    private final class Machine implements GuestContext {
        @Override
        public GuestMemory memory() {
            return memory;
        }

        @Override
        public long guestNs() {
            return 0;
        }

        @Override
        public VmIdentity identity() {
            return new VmIdentity(1, 2, 3);
        }

        @Override
        public boolean shouldYield() {
            return false;
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
    }

    @BeforeEach
    void configure() {
        queue.configure(LAYOUT);
    }

    @AfterEach
    void close() {
        low.close();
        high.close();
        pool.close();
    }

    @Test
    void shouldCarryARequestThereAndItsStatusBack() {
        element(0, BUFFER, 1024);
        driver.submit(memory, IoKind.WRITE, true, 7, 100, 2, TABLE, 1);
        driver.ring(context);

        var request = queue.fetch(memory);
        queue.complete(memory, 7, IoStatus.ERROR);

        assertEquals(
                new QueueRequest(IoKind.WRITE, true, 7, 100, 2,
                        List.of(new QueueRequest.Buffer(BUFFER, 1024))),
                request);
        var completion = driver.poll(memory);
        assertEquals(7, DiskDriver.tagOf(completion));
        assertEquals(QueueLayout.STATUS_ERROR, DiskDriver.statusOf(completion));
        assertEquals(DiskDriver.NOTHING, driver.poll(memory));
        assertTrue(queue.takeInterrupt());
        assertFalse(queue.takeInterrupt());
    }

    @Test
    void shouldNotSeeARequestBeforeTheDoorbell() {
        driver.submit(memory, IoKind.FLUSH, false, 1, 0, 0, 0, 0);

        assertNull(queue.fetch(memory));
        driver.ring(context);
        assertNotNull(queue.fetch(memory));
    }

    @Test
    void shouldTakeSectorsSpreadOverPiecesPagesAndRegions() {
        element(0, 65_536 - 256, 256 + 8);
        element(1, BUFFER + 8, 248);
        driver.submit(memory, IoKind.READ, false, 1, 0, 1, TABLE, 2);
        driver.ring(context);

        var request = queue.fetch(memory);

        assertNotNull(request);
        assertEquals(
                List.of(new QueueRequest.Buffer(65_280, 264),
                        new QueueRequest.Buffer(BUFFER + 8, 248)),
                request.buffers());
    }

    @ParameterizedTest
    @CsvSource({
        // operation, flags, sector, count, table, elements, buffer, bytes
        "0, 0, 0, 1, 12288, 1, 16384, 512",
        "6, 0, 0, 1, 12288, 1, 16384, 512",
        "1, 2, 0, 1, 12288, 1, 16384, 512",
        "1, 0, 2048, 1, 12288, 1, 16384, 512",
        "1, 0, 2047, 2, 12288, 1, 16384, 1024",
        "1, 0, -1, 1, 12288, 1, 16384, 512",
        "1, 0, 9223372036854775807, 1, 12288, 1, 16384, 512",
        "1, 0, 0, 0, 12288, 1, 16384, 512",
        "1, 0, 0, -1, 12288, 1, 16384, 512",
        "2, 0, 0, 2049, 12288, 1, 16384, 512",
        "4, 0, 0, 65537, 12288, 1, 16384, 512",
        "1, 0, 0, 1, 12288, 0, 16384, 512",
        "1, 0, 0, 1, 12288, 513, 16384, 512",
        "1, 0, 0, 1, 12292, 1, 16384, 512",
        "1, 0, 0, 1, 131064, 1, 16384, 512",
        "1, 0, 0, 1, -8, 1, 16384, 512",
        "1, 0, 0, 1, 12288, 1, 16384, 504",
        "1, 0, 0, 1, 12288, 1, 16384, 0",
        "1, 0, 0, 1, 12288, 1, 16384, -512",
        "1, 0, 0, 1, 12288, 1, 16388, 512",
        "1, 0, 0, 1, 12288, 1, 130568, 512",
        "1, 0, 0, 1, 12288, 1, -512, 512",
    })
    void shouldCompleteARequestThatMakesNoSenseAsInvalid(int operation, int flags, long sector,
            int count, long table,
            int elements, long buffer, int bytes) {
        memory.putLong(TABLE, buffer);
        memory.putInt(TABLE + 8, bytes);
        memory.putLong(LAYOUT.submission(0), operation | flags << 8 | elements << 16 | 9L << 32);
        memory.putLong(LAYOUT.submission(0) + 8, sector);
        memory.putInt(LAYOUT.submission(0) + 16, count);
        memory.putLong(LAYOUT.submission(0) + 24, table);
        queue.doorbell(1);

        assertNull(queue.fetch(memory));

        assertTrue(queue.takeInterrupt());
        var completion = driver.poll(memory);
        assertEquals(9, DiskDriver.tagOf(completion));
        assertEquals(QueueLayout.STATUS_INVALID, DiskDriver.statusOf(completion));
    }

    @Test
    void shouldNeverThrowWhateverTheRingsHold() {
        var random = new Random(42);
        var words = 65_536 / Long.BYTES;
        for (int round = 0; round < 2_000; round++) {
            for (int i = 0; i < 64; i++) {
                memory.putLong(LAYOUT.submissionAddress() + i * 8L,
                        random.nextInt(3) == 0
                                ? random.nextLong()
                                : random.nextInt(6) | (long) random.nextInt(4) << 16);
            }
            memory.putLong((long) random.nextInt(words) * 8, random.nextLong());
            queue.doorbell(random.nextInt());
            queue.doorbell(queue.save().head() + random.nextInt(17));

            while (queue.fetch(memory) != null) {
                queue.complete(memory, random.nextInt(), IoStatus.OK);
            }
        }
        assertEquals(0, queue.waiting());
    }

    @Test
    void shouldBeDeafWhileItsRingsAreOutsideMemory() {
        queue.configure(new QueueLayout(131_072 - 32, 0, 16));
        queue.doorbell(1);

        assertNull(queue.fetch(memory));
        queue.complete(memory, 1, IoStatus.OK);
        assertFalse(queue.takeInterrupt());
    }

    @Test
    void shouldGoOnWhereItWasSaved() {
        for (int i = 0; i < 40; i++) {
            driver.submit(memory, IoKind.FLUSH, false, i, 0, 0, 0, 0);
            driver.ring(context);
            queue.fetch(memory);
            queue.complete(memory, i, IoStatus.OK);
            driver.poll(memory);
        }
        driver.submit(memory, IoKind.FLUSH, false, 77, 0, 0, 0, 0);
        driver.submit(memory, IoKind.FLUSH, false, 78, 0, 0, 0, 0);
        driver.ring(context);
        queue.fetch(memory);

        var restored = DiskQueue.restore(DISK_BYTES, queue.save());
        restored.complete(memory, 77, IoStatus.OK);
        var request = restored.fetch(memory);

        assertEquals(77, DiskDriver.tagOf(driver.poll(memory)));
        assertNotNull(request);
        assertEquals(78, request.tag());
        assertEquals(queue.save(), DiskQueue.restore(DISK_BYTES, queue.save()).save());
    }

    @Test
    void shouldStartAfreshAfterAReset() {
        driver.submit(memory, IoKind.FLUSH, false, 1, 0, 0, 0, 0);
        driver.ring(context);
        queue.fetch(memory);
        queue.complete(memory, 1, IoStatus.OK);

        driver.reset(context);

        assertEquals(DiskDriver.NOTHING, driver.poll(memory));
        assertNull(queue.fetch(memory));
        driver.submit(memory, IoKind.FLUSH, false, 2, 0, 0, 0, 0);
        driver.ring(context);
        queue.fetch(memory);
        queue.complete(memory, 2, IoStatus.OK);
        assertEquals(2, DiskDriver.tagOf(driver.poll(memory)));
    }

    private void element(int index, long address, int bytes) {
        memory.putLong(TABLE + index * 16L, address);
        memory.putLong(TABLE + index * 16L + 8, bytes);
    }
}
