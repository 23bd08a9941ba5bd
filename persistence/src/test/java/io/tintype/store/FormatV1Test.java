package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reads a store written by the first program that could. The files in {@code store-v1} are never
 * written anew: when this fails, what users have stored can no longer be read.
 */
class FormatV1Test {
    private static final Fixture STORED = new Fixture(Fixture.ref("vm-1", 1), 4);

    @TempDir
    private Path directory;

    @Test
    void shouldReadAStoreOfVersion1() throws Exception {
        copyStore();

        try (var store = CheckpointStore.open(directory)) {
            assertEquals(List.of(STORED.ref()), store.list());
            STORED.check(store.open(STORED.ref()));
        }
    }

    @Test
    void shouldReadPagesOfVersion1OneByOne() throws Exception {
        copyStore();

        try (var store = CheckpointStore.open(directory)) {
            STORED.checkPages(store.open(STORED.ref()));
        }
    }

    @Test
    void shouldNameAFlippedBitOfVersion1() throws Exception {
        copyStore();
        Path file = directory.resolve("checkpoints/vm-1/1/memory-0");
        byte[] whole = Files.readAllBytes(file);
        try (var store = CheckpointStore.open(directory)) {
            for (int offset = 0; offset < whole.length; offset += 3) {
                byte[] damaged = whole.clone();
                damaged[offset] ^= (byte) (1 << offset % 8);
                Files.write(file, damaged);
                var stored = store.open(STORED.ref());

                assertEquals(file.toString(), assertThrows(DamagedSegmentException.class,
                        () -> STORED.check(stored)).file(), "offset " + offset);
                assertThrows(DamagedSegmentException.class, () -> STORED.checkPages(stored));
            }
        }
    }

    /** A child of a checkpoint without an index by page has all pages itself. */
    @Test
    void shouldNotBuildOnVersion1() throws Exception {
        copyStore();

        try (var store = CheckpointStore.open(directory);
                var staged = store.begin(Fixture.ref("vm-1", 2))) {
            assertFalse(staged.memory(0, 4, STORED.ref()).isIncremental());
        }
    }

    @Test
    void shouldStillWriteTheSameBytes() throws Exception {
        copyStore();
        Path old = directory.resolve("checkpoints/vm-1/1");
        Path fresh = directory.resolve("fresh");
        try (var store = CheckpointStore.open(fresh)) {
            STORED.seal(store);
        }

        for (String name : List.of("registers", "queues")) {
            assertArrayEquals(Files.readAllBytes(old.resolve(name)),
                    Files.readAllBytes(fresh.resolve("checkpoints/vm-1/1").resolve(name)), name);
        }
        assertArrayEquals(Files.readAllBytes(directory.resolve("tintype-store")),
                Files.readAllBytes(fresh.resolve("tintype-store")));
    }

    private void copyStore() throws IOException, URISyntaxException {
        Path stored = Path.of(Objects.requireNonNull(getClass().getResource("/store-v1")).toURI());
        try (var paths = Files.walk(stored)) {
            for (Path path : paths.toList()) {
                Path copy = directory.resolve(stored.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(path, copy);
                }
            }
        }
    }
}
