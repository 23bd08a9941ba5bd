package io.tintype.store;

import static io.tintype.store.Fixture.ref;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.VmId;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointStoreTest {
    @TempDir
    private Path directory;

    private CheckpointStore store;

    @BeforeEach
    void open() throws StoreException {
        store = CheckpointStore.open(directory);
    }

    @AfterEach
    void close() throws StoreException {
        store.close();
    }

    @Test
    void shouldLoadItsCodecAnyNumberOfTimes() {
        assertDoesNotThrow(CheckpointStore::loadCodec);
        assertDoesNotThrow(CheckpointStore::loadCodec);
    }

    @Test
    void shouldGiveBackWhatWasSealed() throws StoreException {
        var fixture = Fixture.large("vm-1", 1);

        Sealed sealed = fixture.seal(store);

        StoredCheckpoint stored = store.open(fixture.ref());
        fixture.check(stored);
        stored.verify();
        assertEquals(sealed.manifest(), stored.manifest());
    }

    @Test
    void shouldGiveBackWhatWasSealedAfterReopening() throws StoreException {
        var first = Fixture.large("vm-1", 1);
        var second = Fixture.small("vm-2", 10);
        first.seal(store);
        second.seal(store);

        reopen();

        assertEquals(List.of(first.ref(), second.ref()), store.list());
        first.check(store.open(first.ref()));
        second.check(store.open(second.ref()));
    }

    @Test
    void shouldCountWhatItStored() throws IOException {
        Sealed sealed = Fixture.large("vm-1", 1).seal(store);

        long onDisk = 0;
        try (var files = Files.list(directory.resolve("checkpoints/vm-1/1"))) {
            for (Path file : files.toList()) {
                onDisk += Files.size(file);
            }
        }
        assertEquals(onDisk, sealed.bytes());
        assertEquals(2 * 600, sealed.pages() + sealed.zeroPages());
        assertTrue(sealed.zeroPages() > 200, "zero pages: " + sealed.zeroPages());
        assertTrue(onDisk < sealed.pages() * Fixture.PAGE_BYTES + 100_000, "bytes: " + onDisk);
    }

    @Test
    void shouldNeedNoRoomForZeroPages() throws StoreException {
        int pageCount = 100_000;
        try (StagedCheckpoint staged = store.begin(ref("vm-1", 1));
                var arena = Arena.ofConfined()) {
            var zeros = arena.allocate(Fixture.PAGE_BYTES);
            MemorySegmentWriter writer = staged.memory(0, pageCount);
            for (int page = pageCount - 1; page >= 0; page--) {
                writer.append(page, zeros, 0);
            }

            assertEquals(pageCount, writer.pages());
            assertEquals(0, writer.bytes());

            Sealed sealed = staged.seal(new Manifest(staged.ref(), Instant.EPOCH, 0, "none",
                    List.of(new Manifest.Region(pageCount)), List.of(), List.of(), Map.of()));
            // 198 chunk headers of 4 KiB.
            assertTrue(sealed.bytes() < 10L * pageCount, "bytes: " + sealed.bytes());
        }
        store.open(ref("vm-1", 1)).verify();
    }

    @Test
    void shouldShowNothingBeforeTheSeal() throws StoreException {
        var fixture = Fixture.small("vm-1", 1);
        try (StagedCheckpoint staged = store.begin(fixture.ref())) {
            fixture.write(staged);

            assertEquals(List.of(), store.list());
            assertThrows(StoreException.class, () -> store.open(fixture.ref()));
        }
    }

    @Test
    void shouldLeaveNothingOfAnAbortedCheckpoint() throws IOException {
        var fixture = Fixture.large("vm-1", 1);
        StagedCheckpoint staged = store.begin(fixture.ref());
        fixture.write(staged);

        staged.abort();
        staged.abort();

        assertEquals(List.of(), store.list());
        assertTrue(isEmpty("staging"));
        var refused = assertThrows(StoreException.class, () -> staged.seal(fixture.manifest()));
        assertEquals("checkpoint vm-1/1 was aborted", refused.getMessage());
    }

    @Test
    void shouldAbortWhatIsNotSealedWhenTheStoreIsClosed() throws IOException {
        var fixture = Fixture.small("vm-1", 1);
        StagedCheckpoint staged = store.begin(fixture.ref());
        MemorySegmentWriter writer = staged.memory(0, Fixture.SMALL);

        store.close();

        assertTrue(isEmpty("staging"));
        assertThrows(StoreException.class, writer::sync);
        assertThrows(StoreException.class, () -> store.begin(ref("vm-1", 2)));
    }

    @Test
    void shouldClearWhatACrashLeftInStaging() throws IOException {
        Fixture.small("vm-1", 1).seal(store);
        store.close();
        Path left = Files.createDirectories(directory.resolve("staging/vm-1.2/deeper"));
        Files.writeString(left.resolve("memory-0"), "half");
        // A link is removed, not followed.
        Path elsewhere = Files.createDirectory(directory.resolve("images/precious"));
        Files.writeString(elsewhere.resolve("file"), "precious");
        Files.createSymbolicLink(directory.resolve("staging/link"), elsewhere);

        reopen();

        assertTrue(isEmpty("staging"));
        assertTrue(Files.exists(elsewhere.resolve("file")));
        assertEquals(List.of(ref("vm-1", 1)), store.list());
    }

    @Test
    void shouldForgetADeletedCheckpointAndKeepTheOthers() throws IOException {
        Fixture.small("vm-1", 1).seal(store);
        var kept = Fixture.small("vm-1", 2);
        kept.seal(store);

        store.delete(ref("vm-1", 1));

        assertEquals(List.of(kept.ref()), store.list());
        assertTrue(isEmpty("staging"));
        assertFalse(Files.exists(directory.resolve("checkpoints/vm-1/1")));
        kept.check(store.open(kept.ref()));
        var refused = assertThrows(StoreException.class, () -> store.delete(ref("vm-1", 1)));
        assertEquals(
                "there is no checkpoint vm-1/1 in " + directory + "; choose one of those listed",
                refused.getMessage());
    }

    @Test
    void shouldNeverUseAnIdAgain() throws StoreException {
        var vm = new VmId("vm-1");
        assertEquals(new CheckpointId(1), store.nextId(vm));
        Fixture.small("vm-1", 4).seal(store);
        store.begin(ref("vm-1", 5)).abort();

        assertEquals(new CheckpointId(6), store.nextId(vm));
        assertThrows(IllegalArgumentException.class, () -> store.begin(ref("vm-1", 5)));
        assertThrows(IllegalArgumentException.class, () -> store.begin(ref("vm-1", 4)));

        reopen();
        assertEquals(new CheckpointId(5), store.nextId(vm));
    }

    @Test
    void shouldWriteManyCheckpointsAtOnce() throws Exception {
        var fixtures = new ArrayList<Fixture>();
        for (int vm = 0; vm < 12; vm++) {
            fixtures.add(Fixture.large("vm-" + vm, 1));
        }
        try (var threads = Executors.newFixedThreadPool(4)) {
            List<Callable<Sealed>> savers = fixtures.stream()
                    .<Callable<Sealed>>map(fixture -> () -> fixture.seal(store))
                    .toList();
            for (Future<Sealed> saved : threads.invokeAll(savers)) {
                saved.get();
            }
            List<Callable<Boolean>> restorers = fixtures.stream()
                    .<Callable<Boolean>>map(fixture -> () -> {
                        fixture.check(store.open(fixture.ref()));
                        return true;
                    })
                    .toList();
            for (Future<Boolean> restored : threads.invokeAll(restorers)) {
                assertTrue(restored.get());
            }
        }
        assertEquals(12, store.list().size());
    }

    @Test
    void shouldAbortUnderTheHandsOfASaver() throws Exception {
        try (var threads = Executors.newSingleThreadExecutor()) {
            for (int round = 1; round <= 20; round++) {
                var fixture = Fixture.large("vm-1", round);
                StagedCheckpoint staged = store.begin(fixture.ref());
                Future<Boolean> saver = threads.submit(() -> {
                    fixture.write(staged);
                    return true;
                });

                staged.abort();

                var failure = assertThrows(ExecutionException.class, saver::get);
                assertInstanceOf(StoreException.class, failure.getCause());
                assertTrue(isEmpty("staging"));
            }
        }
    }

    @Test
    void shouldRefuseWhatCannotBeMeant() throws StoreException {
        var fixture = Fixture.small("vm-1", 1);
        try (StagedCheckpoint staged = store.begin(fixture.ref()); var arena = Arena.ofConfined()) {
            var page = arena.allocate(Fixture.PAGE_BYTES).fill((byte) 1);
            MemorySegmentWriter writer = staged.memory(0, 8);
            writer.append(7, page, 0);
            staged.putSegment("registers", new byte[0]);

            assertThrows(IllegalArgumentException.class, () -> writer.append(7, page, 0));
            assertThrows(IllegalArgumentException.class, () -> writer.append(8, page, 0));
            assertThrows(IllegalArgumentException.class, () -> writer.append(-1, page, 0));
            assertThrows(IndexOutOfBoundsException.class, () -> writer.append(0, page, 1));
            assertThrows(IllegalArgumentException.class, () -> staged.memory(0, 8));
            for (String name : List.of("registers", "manifest", "memory-7", "", "../escape",
                    "Upper", "a/b", "x".repeat(64))) {
                assertThrows(IllegalArgumentException.class,
                        () -> staged.putSegment(name, new byte[0]), name);
            }
            // Its regions are not those that were written.
            assertThrows(IllegalArgumentException.class, () -> staged.seal(fixture.manifest()));
        }
        assertEquals(List.of(), store.list());
    }

    @Test
    void shouldRefuseACheckpointThatThereIsNoRoomFor() throws IOException {
        var refused = assertThrows(StoreException.class,
                () -> store.begin(ref("vm-1", 1), Long.MAX_VALUE / 2));

        assertTrue(
                String.valueOf(refused.getMessage())
                        .startsWith("the store " + directory + " is full: "),
                refused.getMessage());
        assertTrue(isEmpty("staging"));
        assertEquals(new CheckpointId(1), store.nextId(new VmId("vm-1")));
    }

    @Test
    void shouldMakeADirectoryForTheImagesOfADisk() throws IOException {
        Path images = store.imagesDirectory(new VmId("vm-1"), 2);

        assertEquals(directory.resolve("images/vm-1/disk-2"), images);
        assertTrue(Files.isDirectory(images));
        assertEquals(images, store.imagesDirectory(new VmId("vm-1"), 2));
    }

    private void reopen() throws StoreException {
        store.close();
        store = CheckpointStore.open(directory);
    }

    private boolean isEmpty(String part) throws IOException {
        try (var left = Files.list(directory.resolve(part))) {
            return left.findAny().isEmpty();
        }
    }
}
