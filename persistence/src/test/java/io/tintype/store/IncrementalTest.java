package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Lines of checkpoints, each of which has only what changed since its parent. */
class IncrementalTest {
    @TempDir
    private Path directory;

    private CheckpointStore store;
    private final Line line = new Line("vm-1", 700);

    @BeforeEach
    void open() throws StoreException {
        store = CheckpointStore.open(directory);
    }

    @AfterEach
    void close() throws StoreException {
        store.close();
    }

    @Test
    void shouldShowEachCheckpointOfALineAsItWas() throws StoreException {
        long seed = Long.getLong("seed", 1);
        var random = new Random(seed);
        for (int depth = 0; depth < 20; depth++) {
            line.change(random, 40);
            line.seal(store);
        }
        line.checkAll(store);
        assertTrue(store.open(line.refs().getLast()).manifest().sources().size() > 5);
    }

    @Test
    void shouldTakeRoomForWhatChangedOnly() throws StoreException {
        line.change(new Random(1), 700);
        long full = line.seal(store).bytes();
        line.change(new Random(2), 7);
        Sealed second = line.seal(store);

        assertEquals(line.refs().getFirst(), second.manifest().parent());
        assertTrue(second.pages() + second.zeroPages() <= 7);
        assertTrue(second.bytes() < full / 10, second.bytes() + " of " + full);
        line.checkAll(store);
    }

    @Test
    void shouldStoreEqualContentsOnce() throws StoreException {
        byte[] one = line.unique(11);
        for (int page = 0; page < 300; page++) {
            line.set(page, one.clone());
        }
        long first = line.seal(store).bytes();
        // Known from the parent, on other pages; the one that is new is there three times.
        byte[] two = line.unique(12);
        line.set(400, one.clone());
        line.set(401, two.clone());
        line.set(402, two.clone());
        line.set(0, two.clone());
        long second = line.seal(store).bytes();

        assertTrue(first < 40_000, "300 equal pages take " + first);
        assertTrue(second < 30_000, "one new page takes " + second);
        line.checkAll(store);
    }

    @Test
    void shouldNotTakePagesForEqualOfWhichOnlyTheChecksumsAre() throws StoreException {
        var twins = Crc32cTwins.pages();
        line.set(1, twins.getFirst());
        line.seal(store);
        line.set(2, twins.getLast());
        line.set(3, twins.getLast().clone());
        line.seal(store);

        line.checkAll(store);
    }

    @Test
    void shouldCompressWhatShrinksAndNothingElse() throws StoreException {
        for (int page = 0; page < 256; page++) {
            line.set(page, ("page " + page + " of a text that repeats itself. ").repeat(200)
                    .substring(0, 4096).getBytes(StandardCharsets.US_ASCII));
        }
        long text = line.seal(store).bytes();
        for (int page = 0; page < 256; page++) {
            line.set(page, line.unique(1000 + page));
        }
        long noise = line.seal(store).bytes();

        assertTrue(text < 256 * 4096 / 4, "text takes " + text);
        assertTrue(noise < 256 * 4096 + 40_000, "noise takes " + noise);
        line.checkAll(store);
    }

    @Test
    void shouldTellAPageThatBecameZeroFromOneThatDidNotChange() throws StoreException {
        line.set(5, line.unique(1));
        line.set(6, line.unique(2));
        line.seal(store);
        line.set(5, new byte[4096]);
        line.seal(store);

        line.checkAll(store);
        try (MemoryPages pages = store.open(line.refs().getLast()).pages(0)) {
            assertFalse(pages.stored(5));
            assertTrue(pages.stored(6));
        }
    }

    @Test
    void shouldNotKeepWhatNoPageIsInAnyMore() throws StoreException {
        for (int page = 0; page < 700; page++) {
            line.set(page, line.unique(page));
        }
        line.seal(store);
        for (int page = 0; page < 700; page++) {
            line.set(page, line.unique(10_000 + page));
        }
        line.seal(store);

        assertEquals(List.of(), store.open(line.refs().getLast()).manifest().sources());
        line.checkAll(store);
    }

    @Test
    void shouldWriteAFullOneWhenItWouldLeanOnTooMany() throws StoreException {
        var tiny = new Line("vm-2", PageIndex.SOURCE_COUNT_MAX + 10);
        int full = 0;
        for (int i = 0; i < PageIndex.SOURCE_COUNT_MAX + 10; i++) {
            tiny.set(i, tiny.unique(i));
            full += tiny.seal(store).manifest().parent() == null ? 1 : 0;
        }

        assertEquals(2, full);
        tiny.checkAll(store);
    }

    @Test
    void shouldGoOnAfterTheStoreWasOpenedAnew() throws StoreException {
        var random = new Random(3);
        line.change(random, 500);
        line.seal(store);
        store.close();
        store = CheckpointStore.open(directory);
        line.change(random, 5);
        Sealed second = line.seal(store);

        assertEquals(line.refs().getFirst(), second.manifest().parent());
        line.checkAll(store);
    }

    @Test
    void shouldStandOnACheckpointOfAnotherVm() throws StoreException {
        line.change(new Random(4), 300);
        line.seal(store);
        Line clone = line.clone("clone");
        clone.change(new Random(5), 10);
        Sealed sealed = clone.seal(store);

        assertEquals(line.refs().getLast(), sealed.manifest().parent());
        clone.checkAll(store);
        line.checkAll(store);
    }

    @Test
    void shouldWriteAFullOneOnAParentThatCannotBeUsed() throws IOException {
        line.change(new Random(6), 300);
        line.seal(store);
        Path index = directory.resolve("checkpoints/vm-1/1/memory-0");
        byte[] bytes = Files.readAllBytes(index);
        bytes[bytes.length - 70] ^= 1;
        Files.write(index, bytes);
        line.change(new Random(7), 10);
        Sealed second = line.seal(store);
        // One that is gone.
        store.drop(second.manifest().ref());
        line.change(new Random(8), 10);
        Sealed third = line.seal(store);

        assertNull(second.manifest().parent());
        assertNull(third.manifest().parent());
        line.check(store, third.manifest().ref());
    }

    // ---- deleting ----

    @Test
    void shouldRefuseToOrphanChildren() throws StoreException {
        for (int i = 0; i < 3; i++) {
            line.change(new Random(i), 50);
            line.seal(store);
        }
        var first = line.refs().getFirst();

        var refused = assertThrows(StoreException.class, () -> store.delete(first));

        assertEquals("checkpoint vm-1/1 has 1 child, vm-1/2; delete these first,"
                + " or all of them together with --cascade", refused.getMessage());
        line.checkAll(store);
        assertEquals(line.refs().reversed(), store.deleteWithDescendants(first));
        assertEquals(List.of(), store.list());
        assertEquals(List.of(), names("retired"));
    }

    @Test
    void shouldDropAParentAndKeepWhatItsChildrenNeed() throws StoreException {
        for (int i = 0; i < 6; i++) {
            line.change(new Random(i), 80);
            line.seal(store);
        }
        while (line.refs().size() > 1) {
            CheckpointRef oldest = line.refs().getFirst();
            store.drop(oldest);
            line.forget(oldest);
            assertEquals(line.refs(), store.list());
            line.checkAll(store);
        }
        store.close();
        store = CheckpointStore.open(directory);
        assertTrue(store.gc().removed().isEmpty(), "all of it is needed");
        line.checkAll(store);
        assertEquals(6, store.nextId(line.refs().getFirst().vm()).value() - 1);

        store.delete(line.refs().getFirst());

        assertEquals(List.of(), names("retired"));
        assertEquals(List.of(), names("checkpoints/vm-1"));
    }

    @Test
    void shouldKeepWhatIsBeingRead() throws StoreException {
        line.change(new Random(1), 80);
        line.seal(store);
        line.change(new Random(2), 20);
        line.seal(store);
        var last = line.refs().getLast();
        try (MemoryPages pages = store.open(last).pages(0)) {
            store.deleteWithDescendants(line.refs().getFirst());
            store.gc();
            line.check(pages, last);
        }
        assertEquals(2, store.gc().removed().size());
        assertEquals(List.of(), names("retired"));
    }

    @Test
    void shouldReclaimNothingWhileSomebodysNeedsAreNotKnown() throws IOException {
        for (int i = 0; i < 3; i++) {
            line.change(new Random(i), 50);
            line.seal(store);
        }
        store.drop(line.refs().getFirst());
        store.close();
        Path manifest = directory.resolve("checkpoints/vm-1/3/manifest");
        byte[] whole = Files.readAllBytes(manifest);
        Files.write(manifest, new byte[10]);
        store = CheckpointStore.open(directory);
        store.drop(line.refs().get(1));
        GcReport report = store.gc();

        assertEquals(List.of(line.refs().getLast()), report.unreadable());
        assertEquals(List.of(), report.removed());
        Files.write(manifest, whole);
        line.check(store, line.refs().getLast());
    }

    @Test
    void shouldReclaimWhatAnInterruptionLeft() throws IOException {
        line.change(new Random(1), 50);
        line.seal(store);
        Path left = directory.resolve("staging/vm-1.7.deleted");
        Files.createDirectory(left);
        Files.write(left.resolve("memory-0"), new byte[1000]);
        try (StagedCheckpoint inProgress = store.begin(Fixture.ref("vm-1", 9))) {
            var report = store.gc();

            assertEquals(List.of(left), report.removed());
            assertEquals(1000, report.bytes());
            assertEquals(List.of("vm-1.9"), names("staging"));
            assertEquals(Fixture.ref("vm-1", 9), inProgress.ref());
        }
    }

    private List<String> names(String part) {
        try (var names = Files.list(directory.resolve(part))) {
            return names.map(path -> path.getFileName().toString()).sorted().toList();
        } catch (IOException _) {
            return new ArrayList<>();
        }
    }
}
