package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reads the pages of a checkpoint one by one. */
class MemoryPagesTest {
    private static final Fixture FIXTURE = Fixture.large("vm-1", 1);

    @TempDir
    private Path directory;

    private CheckpointStore store;

    @BeforeEach
    void seal() throws StoreException {
        store = CheckpointStore.open(directory);
        FIXTURE.seal(store);
    }

    @AfterEach
    void close() throws StoreException {
        store.close();
    }

    @Test
    void shouldReadEachPageInAnyOrder() throws StoreException {
        FIXTURE.checkPages(store.open(FIXTURE.ref()));
    }

    @Test
    void shouldServeSeveralThreads() throws Exception {
        var stored = store.open(FIXTURE.ref());
        try (var threads = Executors.newFixedThreadPool(4);
                var pages = stored.pages(0);
                var arena = Arena.ofShared()) {
            var expected = arena.allocate((long) FIXTURE.pageCount() * Fixture.PAGE_BYTES);
            for (int page = 0; page < pages.pageCount(); page++) {
                pages.read(page, expected, (long) page * Fixture.PAGE_BYTES);
            }
            var reads = new ArrayList<Future<?>>();
            for (int thread = 0; thread < 4; thread++) {
                int first = thread * 100;
                reads.add(threads.submit(() -> {
                    var found = arena.allocate(Fixture.PAGE_BYTES);
                    for (int i = 0; i < pages.pageCount(); i++) {
                        int page = (first + i) % pages.pageCount();
                        pages.read(page, found, 0);
                        assertEquals(-1, found.mismatch(expected.asSlice(
                                (long) page * Fixture.PAGE_BYTES, Fixture.PAGE_BYTES)));
                    }
                    return null;
                }));
            }
            for (Future<?> read : reads) {
                read.get();
            }
        }
    }

    @Test
    void shouldRefuseWhatIsNotThere() throws StoreException {
        var stored = store.open(FIXTURE.ref());
        try (var arena = Arena.ofConfined()) {
            var target = arena.allocate(Fixture.PAGE_BYTES);
            var pages = stored.pages(0);
            assertThrows(IllegalArgumentException.class, () -> pages.read(-1, target, 0));
            assertThrows(IllegalArgumentException.class,
                    () -> pages.read(FIXTURE.pageCount(), target, 0));
            assertThrows(IllegalArgumentException.class, () -> stored.pages(2));
            pages.close();
            pages.close();
            assertThrows(IllegalStateException.class, () -> pages.read(0, target, 0));
        }
    }

    /** A damaged page is named when it is read; the others are well. */
    @Test
    void shouldNameAPageThatIsDamaged() throws IOException {
        Path file = directory.resolve("checkpoints/vm-1/1/memory-0");
        byte[] whole = Files.readAllBytes(file);
        int at = 9000;
        whole[at] ^= 4;
        Files.write(file, whole);
        var stored = store.open(FIXTURE.ref());
        int damaged = 0;
        try (var arena = Arena.ofConfined(); var pages = stored.pages(0)) {
            var target = arena.allocate(Fixture.PAGE_BYTES);
            for (int page = 0; page < pages.pageCount(); page++) {
                try {
                    pages.read(page, target, 0);
                } catch (DamagedSegmentException e) {
                    damaged++;
                    assertEquals(file.toString(), e.file());
                    assertTrue(e.offset() <= at && at < e.offset() + Fixture.PAGE_BYTES);
                }
            }
        }
        assertEquals(1, damaged);
    }
}
