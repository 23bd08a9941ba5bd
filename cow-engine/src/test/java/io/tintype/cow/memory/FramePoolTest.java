package io.tintype.cow.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class FramePoolTest {
    private static final int PAGE = FramePool.FRAME_BYTES;

    private static MemoryRegion region(FramePool pool, int pages) {
        return new MemoryRegion(pool, (long) pages * PAGE, (_, _, _) -> {});
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -PAGE, PAGE - 1, PAGE + 1, 1L << 43, Long.MAX_VALUE})
    void shouldRefuseAnImpossibleCapacity(long capacityBytes) {
        var thrown =
                assertThrows(IllegalArgumentException.class, () -> new FramePool(capacityBytes, 0));

        assertTrue(thrown.toString().endsWith("got " + capacityBytes), thrown::toString);
    }

    @Test
    void shouldRefuseANegativeBound() {
        assertThrows(IllegalArgumentException.class, () -> new FramePool(PAGE, -1));
    }

    @Test
    void shouldGiveOutEveryFrameAndNoMore() {
        try (var pool = new FramePool(100 * PAGE, 0); var region = region(pool, 101)) {
            for (int page = 0; page < 100; page++) {
                region.putLong((long) page * PAGE, page);
            }

            var thrown = assertThrows(FramesExhausted.class, () -> region.putLong(100L * PAGE, 1));

            assertEquals("all 100 frames of guest memory are in use", thrown.getMessage());
            assertEquals(0, thrown.getStackTrace().length);
            assertEquals(0, region.frame(100));
            assertEquals(100, region.residentPages());
            assertEquals(99, region.getLong(99L * PAGE));
            assertEquals(100, pool.framesInUse());
            assertEquals(100, pool.frameCapacity());
        }
    }

    @Test
    void shouldLeaveAPageAloneForWhichNoFrameIsLeft() {
        try (var pool = new FramePool(PAGE, PAGE); var region = region(pool, 1)) {
            region.putLong(0, 1);
            var frozen = region.freeze();

            assertThrows(FramesExhausted.class, () -> region.putLong(0, 2));

            assertEquals(1, region.getLong(0));
            assertEquals(frozen.frame(0), region.frame(0));
            assertEquals(0, region.framesHeld());
            region.release(frozen);
            region.putLong(0, 2);
        }
    }

    @Test
    void shouldReserveWhatIsLeftAndNoMore() {
        try (var pool = new FramePool(64 * PAGE, 0);
                var region = region(pool, 64);
                var other = region(pool, 64)) {
            assertTrue(region.reserve(40));
            assertFalse(other.reserve(40));
            assertTrue(other.reserve(0));

            for (int page = 0; page < 40; page++) {
                assertEquals(40 - page, region.reservedFrames());
                region.putLong((long) page * PAGE, 1);
            }
            assertEquals(0, region.reservedFrames());
            region.trim();
            assertTrue(other.reserve(24));
            assertEquals(64, pool.framesInUse());
        }
    }

    @Test
    void shouldReserveNoMoreThanMayBeHeld() {
        try (var pool = new FramePool(1024 * PAGE, 50 * PAGE); var region = region(pool, 256)) {
            region.fill(0, 256 * PAGE, (byte) 1);
            assertTrue(region.reserve(256)); // nothing is frozen: no frame can become held
            var frozen = region.freeze();

            assertFalse(region.reserve(51));
            assertEquals(0, region.reservedFrames());
            assertEquals(0, region.framesAtHand());
            assertTrue(region.reserve(50));
            for (int page = 0; page < 50; page++) {
                region.putLong((long) page * PAGE, 2);
            }
            assertFalse(region.reserve(1));
            assertEquals(50, region.framesHeld());

            region.release(frozen);
            assertTrue(region.reserve(256));
            assertEquals(0, pool.framesHeld());
            assertEquals(50, pool.framesHeldMax());
            assertEquals(50, pool.framesHeldLimit());
        }
    }

    @Test
    void shouldShareTheBoundOfHeldFrames() {
        try (var pool = new FramePool(1024 * PAGE, 50 * PAGE);
                var region = region(pool, 64);
                var other = region(pool, 64)) {
            region.fill(0, 64 * PAGE, (byte) 1);
            other.fill(0, 64 * PAGE, (byte) 1);
            var frozen = region.freeze();
            var otherFrozen = other.freeze();

            assertTrue(region.reserve(30));
            assertFalse(other.reserve(30));
            assertTrue(other.reserve(20));
            region.release(frozen);
            assertTrue(other.reserve(30));
            other.release(otherFrozen);
        }
    }

    /** A fault that nobody reserved for must go through while there is a frame: a device may need it. */
    @Test
    void shouldPassTheBoundOfHeldFramesForUnreservedFaults() {
        try (var pool = new FramePool(1024 * PAGE, 10 * PAGE); var region = region(pool, 64)) {
            region.fill(0, 64 * PAGE, (byte) 1);
            var frozen = region.freeze();
            region.fill(0, 64 * PAGE, (byte) 2);

            assertEquals(64, region.framesHeld());
            assertFalse(region.reserve(1));
            region.release(frozen);
            assertTrue(region.reserve(1));
        }
    }

    @Test
    void shouldNotCloseBeforeItsRegions() {
        var pool = new FramePool(PAGE, 0);
        var region = region(pool, 1);

        assertThrows(IllegalStateException.class, pool::close);

        region.close();
        pool.close();
        var segment = pool.segment();
        assertThrows(IllegalStateException.class, () -> segment.get(ValueLayout.JAVA_BYTE, 0));
    }

    /** Each of four threads marks the frames it has: nobody else may have them, and all come back. */
    @Test
    void shouldGiveAFrameToOneThreadAtATime() throws Exception {
        int frames = 2000;
        try (var pool = new FramePool((long) frames * PAGE, 0);
                var threads = Executors.newFixedThreadPool(4)) {
            var owners = new AtomicIntegerArray(frames + 1);
            var tasks = new ArrayList<Callable<Integer>>();
            for (int i = 1; i <= 4; i++) {
                int self = i;
                tasks.add(() -> takeAndGiveBack(pool, owners, self));
            }

            for (var done : threads.invokeAll(tasks)) {
                assertTrue(done.get() > 0);
            }

            assertEquals(0, pool.framesInUse());
            var left = new FrameList();
            for (var chunk = pool.take(); chunk != null; chunk = pool.take()) {
                left.push(chunk);
            }
            assertEquals(frames, left.size());
            pool.giveBack(left);
        }
    }

    private static int takeAndGiveBack(FramePool pool, AtomicIntegerArray owners, int self) {
        var random = new Random(self);
        var mine = new FrameList();
        int taken = 0;
        for (int round = 0; round < 20_000; round++) {
            if (random.nextInt(3) > 0) {
                var chunk = pool.take();
                if (chunk != null) {
                    for (int i = 0; i < chunk.count; i++) {
                        assertTrue(owners.compareAndSet(chunk.frames[i], 0, self),
                                "frame given twice");
                    }
                    taken += chunk.count;
                    mine.push(chunk);
                }
            } else if (mine.size() > 0) {
                giveBack(pool, owners, self, mine, random.nextInt((int) mine.size()) + 1);
            }
        }
        giveBack(pool, owners, self, mine, (int) mine.size());
        return taken;
    }

    private static void giveBack(FramePool pool, AtomicIntegerArray owners, int self,
            FrameList mine, int count) {
        var given = new FrameList();
        for (int i = 0; i < count; i++) {
            var frame = mine.pop();
            assertTrue(owners.compareAndSet(frame, self, 0), "a frame of another thread");
            given.push(frame);
        }
        pool.giveBack(given);
    }
}
