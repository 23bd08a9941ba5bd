package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Reads a line of checkpoints written by the first program that could; the oldest one was dropped.
 * The files in {@code store-v2} are never written anew: when this fails, what users have stored can no
 * longer be read.
 */
class FormatV2Test {
    @TempDir
    private Path directory;

    @Test
    void shouldReadAStoreWithIncrementalCheckpoints() throws Exception {
        copyStore();
        var line = new Line("vm-1", 130);
        try (var scratch = CheckpointStore.open(directory.resolve("scratch"))) {
            write(line, scratch);
        }

        try (var store = CheckpointStore.open(directory.resolve("old"))) {
            assertEquals(line.refs(), store.list());
            line.checkAll(store);
            assertEquals(List.of(), store.gc().removed());
        }
    }

    private static void write(Line line, CheckpointStore store) throws StoreException {
        for (int i = 0; i < 3; i++) {
            line.change(new Random(i), i == 0 ? 10 : 3);
            line.seal(store);
        }
        store.drop(line.refs().getFirst());
        line.forget(line.refs().getFirst());
    }

    private void copyStore() throws IOException, URISyntaxException {
        Path stored = Path.of(Objects.requireNonNull(getClass().getResource("/store-v2")).toURI());
        try (var paths = Files.walk(stored)) {
            for (Path path : paths.toList()) {
                Path copy = directory.resolve("old").resolve(stored.relativize(path).toString());
                if (Files.isDirectory(path)) {
                    Files.createDirectories(copy);
                } else {
                    Files.copy(path, copy);
                }
            }
        }
    }
}
