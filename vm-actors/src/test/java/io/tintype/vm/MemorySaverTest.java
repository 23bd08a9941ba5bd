package io.tintype.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.Clock;
import io.tintype.actors.VmId;
import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import io.tintype.store.Sealed;
import io.tintype.store.StagedCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is saved of a memory region, and what is left to the parent. */
class MemorySaverTest {
    private static final int PAGES = 64;
    private static final int PAGE_BYTES = 4096;
    private static final int[] NONE = {};

    @TempDir
    private Path directory;

    private FramePool pool;
    private MemoryRegion region;
    private CheckpointStore store;

    @BeforeEach
    void open() throws IOException {
        pool = new FramePool(16 << 20, 8 << 20);
        region = new MemoryRegion(pool, PAGES * (long) PAGE_BYTES, (_, _, _) -> {});
        store = CheckpointStore.open(directory);
    }

    @AfterEach
    void close() throws IOException {
        store.close();
        region.close();
        pool.close();
    }

    /**
     * A read that is pending at T1 lands after T1, in the frame that T1 froze, and so does not give its page a new birth. The
     * next checkpoint takes the page from the first one, which must have it as it landed.
     */
    @Test
    void shouldHaveWhatAPendingReadLandedAfterTheParentsInstant() throws IOException {
        put(1, 11);
        put(2, 22);
        int target = region.privateFrame(2);
        region.pinTarget(target);
        var first = region.freeze();
        var staged = store.begin(ref(1));
        var saver = saver(staged, first, new int[] {target}, null);
        saver.saveFree();
        put(1, 111);
        var second = region.freeze();

        // It lands, and P of the first one has completed.
        pool.segment().set(ValueLayout.JAVA_LONG, target * (long) PAGE_BYTES, 333);
        region.unpinTarget(target);
        saver.saveLate();
        seal(staged, 1);
        var child = store.begin(ref(2));
        var next = saver(child, second, NONE, MemoryLine.of(ref(1), List.of(first)));
        next.saveFree();
        next.saveLate();
        Sealed sealed = seal(child, 2);

        assertEquals(1, next.pages(), "the page that the guest stored to");
        assertEquals(ref(1), sealed.manifest().parent());
        assertEquals(11, read(1, 1));
        assertEquals(333, read(1, 2));
        assertEquals(111, read(2, 1));
        assertEquals(333, read(2, 2));
        region.release(first);
        region.release(second);
    }

    /** The same read, pending still at T2: the page is nobody's to save again. */
    @Test
    void shouldLeaveAPageThatIsStillBeingReadToTheParentIfItIsUnchanged() throws IOException {
        int target = region.privateFrame(2);
        region.pinTarget(target);
        var first = region.freeze();
        var second = region.freeze();
        // Of the second instant's own reads: one issued since has a page with a new birth (R7).
        int own = region.privateFrame(3);
        var third = region.freeze();
        var staged = store.begin(ref(1));
        var saver = saver(staged, first, new int[] {target}, null);
        saver.saveFree();
        pool.segment().set(ValueLayout.JAVA_LONG, target * (long) PAGE_BYTES, 333);
        region.unpinTarget(target);
        saver.saveLate();
        seal(staged, 1);
        var child = store.begin(ref(2));
        var next = saver(child, third, new int[] {own}, MemoryLine.of(ref(1), List.of(first)));
        next.saveFree();
        assertEquals(0, next.pages());
        pool.segment().set(ValueLayout.JAVA_LONG, own * (long) PAGE_BYTES, 444);
        next.saveLate();
        seal(child, 2);

        assertEquals(333, read(2, 2));
        assertEquals(444, read(2, 3));
        List.of(first, second, third).forEach(region::release);
    }

    @Test
    void shouldSeeWhatIsStoredAfterARestore() throws IOException {
        put(1, 11);
        put(2, 22);
        var frozen = region.freeze();
        var staged = store.begin(ref(1));
        var saver = saver(staged, frozen, NONE, null);
        saver.saveFree();
        saver.saveLate();
        seal(staged, 1);
        region.release(frozen);
        try (var restored =
                new MemoryRegion(pool, PAGES * (long) PAGE_BYTES, (_, _, _) -> {})) {
            store.open(ref(1)).forEachPage(0, restored::load);
            var line = MemoryLine.restored(ref(1), List.of(restored));
            long faults = restored.faults();
            restored.putLong(2 * PAGE_BYTES, 222);
            assertEquals(faults, restored.faults(), "nothing is frozen, so nothing is copied");
            var next = restored.freeze();
            var child = store.begin(ref(2));
            var of = saver(child, next, NONE, line);
            of.saveFree();
            of.saveLate();
            seal(child, 2);
            restored.release(next);

            assertEquals(1, of.pages());
        }
        assertEquals(11, read(2, 1));
        assertEquals(222, read(2, 2));
    }

    @Test
    void shouldSaveEverythingWhenTheParentWasDeletedMeanwhile() throws IOException {
        put(1, 11);
        var first = region.freeze();
        var staged = store.begin(ref(1));
        var saver = saver(staged, first, NONE, null);
        saver.saveFree();
        saver.saveLate();
        seal(staged, 1);
        put(2, 22);
        var second = region.freeze();
        store.drop(ref(1));
        var child = store.begin(ref(2));
        var next = saver(child, second, NONE, MemoryLine.of(ref(1), List.of(first)));
        next.saveFree();
        // Deleted once it is in use: what is needed of it stays.
        next.saveLate();
        Sealed sealed = seal(child, 2);

        assertEquals(2, next.pages());
        assertEquals(null, sealed.manifest().parent());
        assertEquals(11, read(2, 1));
        region.release(first);
        region.release(second);
    }

    @Test
    void shouldKeepWhatItNeedsOfAParentThatIsDeletedWhileItIsSaved() throws IOException {
        put(1, 11);
        var first = region.freeze();
        var staged = store.begin(ref(1));
        var saver = saver(staged, first, NONE, null);
        saver.saveFree();
        saver.saveLate();
        seal(staged, 1);
        put(2, 22);
        var second = region.freeze();
        var child = store.begin(ref(2));
        var next = saver(child, second, NONE, MemoryLine.of(ref(1), List.of(first)));
        next.saveFree();
        store.drop(ref(1));
        store.gc();
        next.saveLate();
        seal(child, 2);
        store.gc();

        assertEquals(List.of(ref(2)), store.list());
        assertEquals(11, read(2, 1));
        assertEquals(22, read(2, 2));
        region.release(first);
        region.release(second);
    }

    /** Sealed in another order than taken: the newest instant counts, and only for what is newer still. */
    @Test
    void shouldNameTheNewestSealedInstantBeforeItsOwn() {
        var first = region.freeze();
        var second = region.freeze();
        var third = region.freeze();
        var ofFirst = MemoryLine.of(ref(1), List.of(first));
        var ofSecond = MemoryLine.of(ref(2), List.of(second));

        assertTrue(ofFirst.isBefore(ofSecond));
        assertFalse(ofSecond.isBefore(ofFirst));
        assertTrue(ofSecond.isBefore(List.of(third)));
        assertFalse(ofSecond.isBefore(List.of(first)));
        List.of(first, second, third).forEach(region::release);
    }

    private MemorySaver saver(StagedCheckpoint staged, FrozenMemory frozen, int[] blocked,
            @Nullable MemoryLine parent) {
        return new MemorySaver(staged, List.of(frozen), blocked, parent, Clock.system());
    }

    private void put(int page, long value) {
        region.putLong((long) page * PAGE_BYTES, value);
    }

    private static CheckpointRef ref(long id) {
        return new CheckpointRef(new VmId("vm-1"), new CheckpointId(id));
    }

    private static Sealed seal(StagedCheckpoint staged, long id) throws IOException {
        return staged.seal(new Manifest(ref(id), Instant.EPOCH, 0, "none",
                List.of(new Manifest.Region(PAGES)), List.of(), List.of(), Map.of()));
    }

    private long read(long id, int page) throws IOException {
        try (var arena = Arena.ofConfined(); var pages = store.open(ref(id)).pages(0)) {
            assertNotNull(pages);
            var bytes = arena.allocate(PAGE_BYTES, Long.BYTES);
            pages.read(page, bytes, 0);
            return bytes.get(ValueLayout.JAVA_LONG, 0);
        }
    }
}
