package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are made when they have to be; the chain's own tests say what a directory must do. */
class DeferredImageDirectoryTest {
    private static final byte[] DATA = new byte[4096];

    static {
        java.util.Arrays.fill(DATA, (byte) 7);
    }

    @TempDir
    private Path folder;

    private DiskChain parent() throws IOException {
        var chain = DiskChain.create(new FileImageDirectory(folder.resolve("parent")),
                new DiskGeometry(1 << 20, 4096));
        chain.write(chain.top(), 0, MemorySegment.ofArray(DATA));
        chain.sync(chain.top());
        return chain;
    }

    private DiskChain clone(DiskChain parent, String name) throws IOException {
        return DiskChain.createOn(
                new DeferredImageDirectory(new FileImageDirectory(folder.resolve(name))), parent,
                parent.top());
    }

    @Test
    void shouldTakeNothingOnDiskUntilAWrite() throws IOException {
        try (var parent = parent(); var clone = clone(parent, "clone")) {
            var read = new byte[4096];
            clone.read(clone.top(), 0, MemorySegment.ofArray(read));
            assertArrayEquals(DATA, read);
            assertEquals(false, Files.exists(folder.resolve("clone")));

            clone.fault(clone.top(), 2, 0, MemorySegment.ofArray(DATA));

            assertEquals(List.of("chain", "layer-1.img"), clone.directory().list());
        }
    }

    @Test
    void shouldOpenFromFilesAfterASync() throws IOException {
        try (var parent = parent()) {
            try (var clone = clone(parent, "clone")) {
                clone.sync(clone.top());
            }
            try (var clone = DiskChain.open(new FileImageDirectory(folder.resolve("clone")))) {
                var read = new byte[4096];
                clone.read(clone.top(), 0, MemorySegment.ofArray(read));
                assertArrayEquals(DATA, read);
            }
        }
    }

    @Test
    void shouldBeThereWhenAnOverlayIsPrepared() throws IOException {
        try (var parent = parent(); var clone = clone(parent, "clone")) {
            clone.switchTo(clone.prepareOverlay());
            clone.fault(clone.top(), 1, 0, MemorySegment.ofArray(DATA));
            clone.sync(clone.top());
        }
        try (var clone = DiskChain.open(new FileImageDirectory(folder.resolve("clone")))) {
            assertEquals(2, clone.top());
        }
    }

    @Test
    void shouldKeepEverythingWhenItCannotBeMade() throws IOException {
        try (var parent = parent(); var clone = clone(parent, "clone")) {
            Files.writeString(folder.resolve("clone"), "in the way");

            assertThrows(IOException.class,
                    () -> clone.fault(clone.top(), 0, 0, MemorySegment.ofArray(DATA)));

            Files.delete(folder.resolve("clone"));
            clone.fault(clone.top(), 0, 0, MemorySegment.ofArray(new byte[4096]));
            var read = new byte[4096];
            clone.read(clone.top(), 0, MemorySegment.ofArray(read));
            assertArrayEquals(new byte[4096], read);
        }
    }
}
