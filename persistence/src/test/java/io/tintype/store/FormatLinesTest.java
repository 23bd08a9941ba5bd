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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Reads lines of checkpoints written by the first program of each version that could; the oldest one was
 * dropped. The files in {@code store-v2} and {@code store-v3} are never written anew: when this fails,
 * what users have stored can no longer be read.
 */
class FormatLinesTest {
    @TempDir
    private Path directory;

    @ParameterizedTest
    @ValueSource(strings = {"store-v2", "store-v3"})
    void shouldReadAStoreWithIncrementalCheckpoints(String name) throws Exception {
        copyStore(name);
        var line = new Line("vm-1", 130);
        try (var scratch = CheckpointStore.open(directory.resolve("scratch"))) {
            write(line, scratch);
        }

        try (var store = CheckpointStore.open(directory.resolve("old"))) {
            assertEquals(line.refs(), store.list());
            line.checkAll(store);
            for (var ref : line.refs()) {
                store.open(ref).verify();
            }
            assertEquals(List.of(), store.gc().removed());
        }
    }

    /** Pages of version 2 beside those of version 3, and leaves of version 2 that did not change. */
    @Test
    void shouldBuildOnCheckpointsOfTheVersionBefore() throws Exception {
        copyStore("store-v2");
        var line = new Line("vm-1", 130);
        try (var scratch = CheckpointStore.open(directory.resolve("scratch"))) {
            write(line, scratch);
        }

        try (var store = CheckpointStore.open(directory.resolve("old"))) {
            for (int i = 3; i < 6; i++) {
                line.change(new Random(i), 9);
                line.seal(store);
            }

            assertEquals(Fixture.ref("vm-1", 1),
                    store.open(line.refs().getLast()).manifest().sources().getFirst(),
                    "nothing is left of version 2");
            line.checkAll(store);
            for (var ref : line.refs()) {
                store.open(ref).verify();
            }
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

    private void copyStore(String name) throws IOException, URISyntaxException {
        Path stored = Path.of(Objects.requireNonNull(getClass().getResource("/" + name)).toURI());
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
