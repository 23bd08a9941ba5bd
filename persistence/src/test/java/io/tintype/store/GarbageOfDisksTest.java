package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a crash leaves beside disks and checkpoints that stay. */
class GarbageOfDisksTest {
    private static final String DISK = "images/vm-1/disk-0";

    @TempDir
    private Path directory;

    private Path disk() throws IOException {
        var disk = directory.resolve(DISK);
        var chain =
                DiskChain.create(new FileImageDirectory(disk), new DiskGeometry(1 << 20, 64 << 10));
        chain.directory().sync();
        chain.close();
        return disk;
    }

    @Test
    void shouldRemoveAnImageThatItsDiskDoesNotName() throws Exception {
        try (var store = CheckpointStore.open(directory)) {
            var disk = disk();
            var stray = Files.createFile(disk.resolve("layer-9.img"));

            assertEquals(List.of(), store.gcImages(List.of(DISK)).removed(),
                    "somebody has it open");
            assertEquals(List.of(stray), store.gcImages(List.of(), List.of(DISK)).removed());

            DiskChain.open(new FileImageDirectory(disk)).close();
        }
    }

    // Zeros after a loss of power, nothing after a kill.
    @ParameterizedTest
    @ValueSource(ints = {120, 0})
    void shouldTakeADescriptionOfZerosForNone(int bytes) throws Exception {
        try (var store = CheckpointStore.open(directory)) {
            var disk = Files.createDirectories(directory.resolve(DISK));
            Files.write(disk.resolve("chain"), new byte[bytes]);

            assertFalse(store.images().isDescribed("vm-1/disk-0"));
            assertDoesNotThrow(() -> store.requireNoDisksFrom(new VmId("vm-2")));
            assertEquals(List.of(), store.gcImages(List.of(), List.of(DISK)).removed());
            assertTrue(store.gcImages(List.of()).removed().contains(disk));
        }
    }

    @Test
    void shouldRemoveHintsOfCheckpointsThatAreGone() throws Exception {
        try (var store = CheckpointStore.open(directory)) {
            var hints = Files.createDirectory(directory.resolve("hints"));
            var left = Files.createFile(hints.resolve("vm-1.7"));

            assertEquals(List.of(left), store.gc().removed());
            assertFalse(Files.exists(left));
        }
    }
}
