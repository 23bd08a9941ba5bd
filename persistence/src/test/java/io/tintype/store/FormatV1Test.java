package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

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
