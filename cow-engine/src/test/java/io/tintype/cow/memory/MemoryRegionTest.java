package io.tintype.cow.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MemoryRegionTest {
    private static final int PAGE = MemoryRegion.PAGE_BYTES;
    private static final long GIB = 1L << 30;

    private final FramePool pool = new FramePool(16 << 20, 8 << 20);
    private final List<String> copies = new ArrayList<>();
    private final MemoryRegion region = region(64 * PAGE);

    private MemoryRegion region(long sizeBytes) {
        return new MemoryRegion(pool, sizeBytes,
                (page, from, to) -> copies.add(page + ":" + from + ">" + to));
    }

    @AfterEach
    void shouldHaveGivenEveryFrameBack() {
        region.close();
        assertEquals(0, pool.framesInUse());
        assertEquals(0, pool.framesHeld());
        pool.close();
    }

    private long longIn(int frame) {
        return pool.segment().get(ValueLayout.JAVA_LONG, (long) frame * PAGE);
    }

    @Test
    void shouldReadZerosThatCostNoFrame() {
        assertEquals(0, region.getLong(8));
        assertEquals(0, region.getInt(PAGE - 4));
        assertEquals(0, region.getByte(64 * PAGE - 1));
        region.fill(0, 64 * PAGE, (byte) 0);
        region.load(3, MemorySegment.ofArray(new byte[PAGE]), 0);

        assertEquals(0, region.residentPages());
        assertEquals(0, pool.framesInUse());
    }

    @Test
    void shouldStoreLittleEndian() {
        region.putLong(0, 0x0807060504030201L);

        assertEquals(0x04030201, region.getInt(0));
        assertEquals(8, region.getByte(7));
    }

    @Test
    void shouldZeroAFrameThatSomebodyUsedBefore() {
        var other = region(PAGE);
        other.fill(0, PAGE, (byte) 0xff);
        other.close();

        region.putByte(5, (byte) 1);

        assertEquals(1L << 40, region.getLong(0));
        assertEquals(0, region.getLong(PAGE - 8));
    }

    @Test
    void shouldKeepTheFrozenMemoryWhileTheGuestStores() {
        region.putLong(0, 1);
        var first = region.freeze();
        region.putLong(0, 2);
        var second = region.freeze();
        region.putLong(0, 3);
        region.putLong(PAGE, 4);

        assertEquals(1, longIn(first.frame(0)));
        assertEquals(2, longIn(second.frame(0)));
        assertEquals(3, region.getLong(0));
        assertEquals(0, second.frame(1));
        assertEquals(2, region.faults());
        assertEquals(2, region.framesHeld());

        region.release(second);
        assertEquals(1, longIn(first.frame(0)));
        assertEquals(1, region.framesHeld());
        region.release(first);
    }

    /** Where its lines are in cache; the copy goes to those who froze the page, and all of them. */
    @Test
    void shouldStayInItsFrameUntilTheFrozenMemoryIsSettled() {
        region.putLong(0, 1);
        var frame = region.frame(0);
        var first = region.freezeUnsettled();
        var second = region.freezeUnsettled();
        region.putLong(0, 2);
        var third = region.freezeUnsettled();
        region.putLong(0, 3);
        List.of(first, second, third).forEach(FrozenMemory::settle);

        assertEquals(frame, region.frame(0));
        assertEquals(2, region.faults());
        assertEquals(2, region.framesHeld());
        assertEquals(1, longIn(first.frame(0)));
        assertEquals(first.frame(0), second.frame(0));
        assertEquals(2, longIn(third.frame(0)));
        assertEquals(first.epoch(), second.birthEpoch(0));
        assertEquals(third.epoch(), third.birthEpoch(0));

        region.release(first);
        assertEquals(1, longIn(second.frame(0)));
        region.release(second);
        region.release(third);
        assertEquals(0, region.framesHeld());
    }

    @Test
    void shouldLeaveTheFramesOfAFrozenMemoryThatIsSettled() {
        region.putLong(0, 1);
        region.putLong(PAGE, 1);
        var unsettled = region.freezeUnsettled();
        var settled = region.freezeUnsettled();
        region.putLong(0, 2);
        settled.settle();
        var known = settled.frame(1);
        region.putLong(PAGE, 2);
        unsettled.settle();

        assertEquals(known, settled.frame(1));
        assertEquals(known, unsettled.frame(1));
        assertEquals(1, longIn(known));
        assertEquals(1, longIn(settled.frame(0)));
        assertNotEquals(known, region.frame(1));
        region.release(unsettled);
        region.release(settled);
    }

    @Test
    void shouldTellNoFrameBeforeItIsSettled() {
        region.putLong(0, 1);
        var frozen = region.freezeUnsettled();
        region.putLong(0, 2);
        var page = new byte[PAGE];

        frozen.readPage(0, MemorySegment.ofArray(page), 0);

        assertEquals(1, page[0]);
        var refused = assertThrows(IllegalStateException.class, () -> frozen.frame(0));
        assertEquals("frozen memory 1 is not settled: its region may still move its pages",
                refused.getMessage());
        assertThrows(IllegalStateException.class, () -> new MemoryRegion(frozen, (_, _, _) -> {}));
        assertThrows(IllegalStateException.class, () -> frozen.forEachPresent((_, _) -> {}));
        frozen.settle();
        assertEquals(1, longIn(frozen.frame(0)));
        region.release(frozen);
    }

    @Test
    void shouldCopyNothingOnceTheFrozenMemoryIsReleased() {
        region.putLong(0, 1);
        var frame = region.frame(0);
        region.release(region.freeze());

        region.putLong(0, 2);

        assertEquals(frame, region.frame(0));
        assertEquals(0, region.faults());
    }

    /** Or an incremental checkpoint would miss the page that was stored to in place after its parent was released. */
    @Test
    void shouldShowAChangeSinceAReleasedCheckpoint() {
        region.putLong(0, 1);
        region.putLong(PAGE, 1);
        var parent = region.freeze();
        region.release(parent);
        region.putLong(0, 2);
        var child = region.freeze();

        assertTrue(child.birthEpoch(0) > parent.epoch());
        assertFalse(child.birthEpoch(1) > parent.epoch());
        region.release(child);
    }

    @Test
    void shouldAnswerNothingOnceReleased() {
        region.putLong(0, 1);
        var frozen = region.freeze();
        region.release(frozen);

        assertThrows(IllegalStateException.class, () -> frozen.frame(0));
        assertThrows(IllegalStateException.class, () -> frozen.forEachPresent((_, _) -> {}));
        assertThrows(IllegalStateException.class, () -> region.release(frozen));
    }

    @Test
    void shouldOnlyReleaseItsOwn() {
        try (var other = region(PAGE)) {
            var frozen = other.freeze();

            assertThrows(IllegalStateException.class, () -> region.release(frozen));

            other.release(frozen);
        }
    }

    @Test
    void shouldLendFrozenMemoryReadOnly() {
        var frozen = region.freeze();

        assertTrue(frozen.pool().isReadOnly());
        assertThrows(IllegalArgumentException.class, () -> frozen.frame(64));
        assertThrows(IllegalArgumentException.class, () -> frozen.frame(-1));
        region.release(frozen);
    }

    @Test
    void shouldTellOfCopiesOfTargetsOnly() {
        var target = region.privateFrame(0);
        region.pinTarget(target);
        region.putLong(PAGE, 1);
        var source = region.frame(1);
        region.pinSource(source);
        var frozen = region.freeze();

        region.putLong(0, 5);
        region.putLong(8, 6);
        region.putLong(PAGE, 2);

        assertEquals(List.of("0:" + target + ">" + region.frame(0)), copies);
        region.unpinTarget(target);
        region.unpinSource(source);
        region.release(frozen);
    }

    /** Copies of copies, R6: the copy owes too, so it is pinned by the one who was told, and told of again. */
    @Test
    void shouldTellOfACopyOfACopyThatWasPinned() {
        var chained = new ArrayList<Integer>();
        var holder = new MemoryRegion[1];
        var copying = new MemoryRegion(pool, PAGE, (_, _, to) -> {
            chained.add(to);
            holder[0].pinTarget(to);
        });
        holder[0] = copying;
        var first = copying.privateFrame(0);
        copying.pinTarget(first);
        var t1 = copying.freeze();
        copying.putLong(0, 1);
        var t2 = copying.freeze();
        copying.putLong(0, 2);

        assertEquals(List.of(t2.frame(0), copying.frame(0)), chained);

        copying.release(t1);
        copying.release(t2);
        assertEquals(2, copying.framesHeld()); // by their pins
        copying.unpinTarget(first);
        chained.forEach(copying::unpinTarget);
        assertEquals(0, copying.framesHeld());
        copying.close();
    }

    @Test
    void shouldKeepAPinnedFrameBeyondItsCheckpoint() {
        region.putLong(0, 7);
        var frame = region.frame(0);
        region.pinSource(frame);
        region.pinSource(frame);
        var frozen = region.freeze();
        region.putLong(0, 8);
        region.release(frozen);
        region.unpinSource(frame);
        for (int page = 1; page < 64; page++) {
            region.putLong((long) page * PAGE, page);
        }

        assertEquals(7, longIn(frame));
        assertEquals(1, region.framesHeld());
        region.unpinSource(frame);
        assertEquals(0, region.framesHeld());
    }

    @Test
    void shouldKeepAFrameThatLostItsPinForTheCheckpointThatNeedsIt() {
        region.putLong(0, 7);
        var frame = region.frame(0);
        region.pinSource(frame);
        var frozen = region.freeze();
        region.putLong(0, 8);
        region.unpinSource(frame);

        assertEquals(7, longIn(frozen.frame(0)));
        assertEquals(1, region.framesHeld());
        region.release(frozen);
        assertEquals(0, region.framesHeld());
    }

    @Test
    void shouldRefuseToUnpinWhatIsNotPinned() {
        region.putLong(0, 1);
        var frame = region.frame(0);
        region.pinSource(frame);

        assertThrows(IllegalStateException.class, () -> region.unpinTarget(frame));
        region.unpinSource(frame);
        assertThrows(IllegalStateException.class, () -> region.unpinSource(frame));
    }

    @Test
    void shouldIgnorePinsOfTheZeroFrame() {
        region.pinSource(region.frame(0));

        region.close();
    }

    @Test
    void shouldDetachAPageFromTheReadThatTargetsIt() {
        var target = region.privateFrame(0);
        region.pinTarget(target);
        region.putLong(0, 1);

        var detached = region.detachPage(0);
        pool.segment().set(ValueLayout.JAVA_LONG, (long) target * PAGE, 99); // the read lands

        assertNotEquals(target, detached);
        assertEquals(1, region.getLong(0));
        assertEquals(List.of(), copies);
        region.unpinTarget(target);
    }

    @Test
    void shouldShareFramesWithAClone() {
        region.putLong(0, 1);
        region.putLong(PAGE, 2);
        var frozen = region.freeze();
        region.putLong(0, 3);
        var inUse = pool.framesInUse();
        var clone = new MemoryRegion(frozen, (_, _, _) -> {});

        assertEquals(1, clone.getLong(0));
        assertEquals(2, clone.residentPages());
        assertEquals(inUse, pool.framesInUse());
        assertThrows(IllegalStateException.class, () -> region.release(frozen));

        clone.putLong(0, 4);
        assertEquals(3, region.getLong(0));
        assertEquals(1, longIn(frozen.frame(0)));
        assertEquals(0, clone.framesHeld());
        clone.close();
        region.release(frozen);
    }

    @Test
    void shouldSpanFourGibibytesSparsely() {
        var large = region(9 * GIB);
        for (var address : new long[] {4 * GIB - 8, 4 * GIB, 8 * GIB - 8, 8 * GIB, 9 * GIB - 8}) {
            large.putLong(address, address);
        }
        var frozen = large.freeze();
        large.write(4 * GIB - 4, MemorySegment.ofArray(new int[] {-1, -1}), 0, 8);

        assertEquals(-1, large.getInt(4 * GIB));
        assertEquals((4 * GIB - 8) & 0xffffffffL, large.getInt(4 * GIB - 8) & 0xffffffffL);
        assertEquals(8 * GIB, large.getLong(8 * GIB));
        assertEquals(9 * GIB - 8, large.getLong(9 * GIB - 8));
        assertEquals(4 * GIB, longIn(frozen.frame((int) (4 * GIB / PAGE))));
        assertEquals(5, frozen.presentPages());
        assertEquals(9 * GIB / PAGE - 1, frozen.nextPresent((int) (8 * GIB / PAGE) + 1));
        large.release(frozen);
        large.close();
    }

    /** Frames whose position needs more than 32 bits; no more of the memory is touched than they. */
    @Test
    void shouldUseFramesBeyondFourGibibytes() {
        try (var largePool = new FramePool(5 * GIB, GIB);
                var high = new MemoryRegion(largePool, 4 * PAGE, (_, _, _) -> {})) {
            assertTrue(high.reserve((int) (5 * GIB / PAGE)));
            high.putLong(PAGE, 77);

            assertTrue((long) high.frame(1) * PAGE > 4 * GIB, "frame " + high.frame(1));
            assertEquals(77, high.getLong(PAGE));
            assertEquals(77,
                    largePool.segment().get(ValueLayout.JAVA_LONG, (long) high.frame(1) * PAGE));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {-8, Long.MIN_VALUE, Long.MAX_VALUE - 7, 64 * PAGE, 1L << 40})
    void shouldNameAnAddressOutside(long address) {
        var name = "0x" + Long.toHexString(address);

        for (Runnable access : List.<Runnable>of(() -> region.getLong(address),
                () -> region.putLong(address, 1),
                () -> region.getInt(address), () -> region.putInt(address, 1),
                () -> region.getByte(address),
                () -> region.putByte(address, (byte) 1), () -> region.fill(address, 8, (byte) 1),
                () -> region.fillLongs(address, 1, 1),
                () -> region.read(address, MemorySegment.ofArray(new byte[8]), 0, 8),
                () -> region.write(address, MemorySegment.ofArray(new byte[8]), 0, 8))) {
            var thrown = assertThrows(IllegalArgumentException.class, access::run);
            assertTrue(thrown.toString().contains(name), thrown::toString);
        }
        assertEquals(0, region.residentPages());
    }

    @Test
    void shouldNameAnAddressThatIsNotAligned() {
        region.putLong(0, 1); // the page is in the TLB: the fast path, too, must see it

        for (long address = 1; address < 8; address++) {
            long odd = address;
            var thrown = assertThrows(IllegalArgumentException.class, () -> region.putLong(odd, 1));
            assertEquals("address 0x" + odd + " is not aligned to 8 bytes", thrown.getMessage());
            assertThrows(IllegalArgumentException.class, () -> region.getLong(odd));
        }
        for (long odd : new long[] {1, 2, 3, 5, 6, 7}) {
            assertThrows(IllegalArgumentException.class, () -> region.putInt(odd, 1));
            assertThrows(IllegalArgumentException.class, () -> region.getInt(odd));
        }
        assertThrows(IllegalArgumentException.class, () -> region.getLong(-1));
        assertThrows(IllegalArgumentException.class, () -> region.fillLongs(4, 1, 1));
    }

    @Test
    void shouldRefuseARangeThatEndsOutside() {
        var bytes = MemorySegment.ofArray(new byte[2 * PAGE]);

        assertThrows(IllegalArgumentException.class,
                () -> region.write(63 * PAGE, bytes, 0, PAGE + 1));
        assertThrows(IllegalArgumentException.class, () -> region.write(0, bytes, 0, -1));
        assertThrows(IllegalArgumentException.class, () -> region.frame(64));
        assertThrows(IllegalArgumentException.class, () -> region.privateFrame(-1));
        assertThrows(IllegalArgumentException.class, () -> region.pinTarget(-1));
        assertEquals(0, region.residentPages());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -PAGE, PAGE + 1, 1L << 43})
    void shouldRefuseAnImpossibleSize(long sizeBytes) {
        var thrown = assertThrows(IllegalArgumentException.class, () -> region(sizeBytes));

        assertTrue(thrown.toString().endsWith("got " + sizeBytes), thrown::toString);
    }

    @Test
    void shouldNotCloseWhileFrozenOrPinned() {
        region.putLong(0, 1);
        var frame = region.frame(0);
        region.pinSource(frame);
        assertThrows(IllegalStateException.class, region::close);
        region.unpinSource(frame);
        var frozen = region.freeze();
        assertThrows(IllegalStateException.class, region::close);

        assertEquals(1, region.getLong(0));
        region.release(frozen);
    }

    @Test
    void shouldNotBeUsedOnceClosed() {
        region.putLong(0, 1);
        region.close();

        assertThrows(IllegalStateException.class, () -> region.getLong(0));
        assertThrows(IllegalStateException.class, () -> region.putLong(0, 1));
        assertThrows(IllegalStateException.class, region::freeze);
        assertThrows(IllegalStateException.class, () -> region.reserve(1));
    }

    @Test
    void shouldCostLessThanTwoKibibytesOfHeapUntouched() {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        var regions = new ArrayList<MemoryRegion>(1000);
        var before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 1000; i++) {
            regions.add(new MemoryRegion(pool, 64 << 20, (_, _, _) -> {}));
        }
        var each = (threads.getCurrentThreadAllocatedBytes() - before) / 1000;
        regions.forEach(MemoryRegion::close);

        assertTrue(each < 2048, each + " bytes each");
    }
}
