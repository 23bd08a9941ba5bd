package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a crash leaves beside disks and checkpoints that stay. */
class GarbageOfDisksTest {
    private static final String DISK = "images/vm-1/disk-0";
    /** Of a store in memory. */
    private static final Path AT = Path.of("/store");

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

    // It was removed, and with it whatever had been put there by then: the guest's first write failed, or was lost.
    @Test
    void shouldKeepTheDirectoryThatAnOpenDiskIsAboutToPutItsFilesIn() throws Exception {
        try (var store = CheckpointStore.open(directory)) {
            var ofVm = Files.createDirectories(directory.resolve(DISK)).getParent();
            Files.delete(directory.resolve(DISK));
            var earlier = Files.createDirectories(directory.resolve(DISK + "-life-1"));

            assertEquals(List.of(earlier), store.gcImages(List.of(DISK)).removed());
            assertTrue(Files.exists(ofVm));
            assertEquals(List.of(ofVm), store.gcImages(List.of()).removed());
        }
    }

    /** A loss of power right after, on a file system that may or may not have written what nobody synced. */
    private static void assertStaysRemoved(MemoryFiles files, String gone) {
        for (int seed = 1; seed <= 50; seed++) {
            var after = files.afterPowerLoss(new SplittableRandom(seed));
            assertEquals(StoreFiles.Kind.NOTHING, after.kind(AT.resolve(gone)), "seed " + seed);
        }
    }

    /** With one disk in it, all of it durable. */
    private static MemoryFiles withDisk(String vm) throws IOException {
        var files = new MemoryFiles();
        CheckpointStore.open(AT, files).close();
        files.createDirectory(AT.resolve("images").resolve(vm));
        files.syncDirectory(AT.resolve("images"));
        var disk = AT.resolve("images").resolve(vm).resolve("disk-0");
        files.createDirectory(disk);
        files.syncDirectory(AT.resolve("images").resolve(vm));
        try (var file = files.create(disk.resolve("chain"))) {
            file.write(0, ByteBuffer.wrap(new byte[8]));
            file.force();
        }
        files.syncDirectory(disk);
        return files;
    }

    @Test
    void shouldNotBringADestroyedVmBackWithALossOfPower() throws Exception {
        var files = withDisk("vm-1");
        try (var store = CheckpointStore.open(AT, files)) {
            store.images().remove(new VmId("vm-1"));

            assertStaysRemoved(files, "images/vm-1");
        }
    }

    @Test
    void shouldNotBringACollectedDiskBackWithALossOfPower() throws Exception {
        var files = withDisk("vm-1");
        try (var store = CheckpointStore.open(AT, files)) {
            assertEquals(2, store.gcImages(List.of()).removed().size());

            assertStaysRemoved(files, "images/vm-1");
        }
    }

    @Test
    void shouldNotBringTheDiskOfAnEarlierLifeBackWithALossOfPower() throws Exception {
        var files = withDisk("vm-1");
        files.createDirectory(AT.resolve("images/vm-1/disk-0-life-1"));
        files.syncDirectory(AT.resolve("images/vm-1"));
        try (var store = CheckpointStore.open(AT, files)) {
            assertEquals(1, store.gcImages(List.of(DISK)).removed().size());

            assertStaysRemoved(files, "images/vm-1/disk-0-life-1");
        }
    }

    @Test
    void shouldTellWhetherAnythingOfAVmWasEverMadeDurable() throws Exception {
        try (var store = CheckpointStore.open(directory)) {
            var vm = new VmId("vm-1");
            assertNull(store.images().flushed(vm), "it has no disk");
            var first = new FileImageDirectory(directory.resolve("images/vm-1/disk-0"));
            var second = new FileImageDirectory(directory.resolve("images/vm-1/disk-1-life-2"));
            var geometry = new DiskGeometry(1 << 20, 64 << 10);
            try (var _ = DiskChain.create(first, geometry);
                    var other = DiskChain.create(second, geometry)) {
                assertNull(store.images().flushed(vm));

                other.sync(other.top());

                assertEquals("disk-1-life-2", store.images().flushed(vm));
            }
            Files.write(directory.resolve("images/vm-1/disk-0/chain"), new byte[] {1, 2, 3});
            assertEquals("disk-0", store.images().flushed(vm), "nobody can tell");
        }
    }

    @Test
    void shouldLeaveNoEmptyDirectoryOfCheckpoints() throws Exception {
        try (var store = CheckpointStore.open(directory)) {
            var first = Fixture.small("vm-1", 1);
            first.seal(store);
            Fixture.small("vm-1", 2).seal(store);
            var ofVm = directory.resolve("checkpoints/vm-1");

            store.delete(new CheckpointRef(new VmId("vm-1"), new CheckpointId(2)));
            assertTrue(Files.exists(ofVm));
            store.delete(first.ref());
            assertFalse(Files.exists(ofVm));

            // What a crash left of it, or an earlier version.
            Files.createDirectory(ofVm);
            Files.createDirectory(directory.resolve("checkpoints/lost+found"));
            store.gc();
            assertFalse(Files.exists(ofVm));
            assertTrue(Files.exists(directory.resolve("checkpoints/lost+found")), "not ours");
            Fixture.small("vm-1", 3).seal(store);
            assertEquals(1, store.list().size());
        }
    }

    /** The process that made the directory was killed before it synced its name. */
    @Test
    void shouldNotLoseACheckpointWithADirectoryThatAnEarlierProcessMade() throws Exception {
        var files = new MemoryFiles();
        CheckpointStore.open(AT, files).close();
        files.createDirectory(AT.resolve("checkpoints/vm-1"));
        var fixture = Fixture.small("vm-1", 1);
        try (var store = CheckpointStore.open(AT, files)) {
            fixture.seal(store);
        }

        for (int seed = 1; seed <= 20; seed++) {
            var after = files.afterPowerLoss(new SplittableRandom(seed));
            try (var store = CheckpointStore.open(AT, after)) {
                assertEquals(List.of(fixture.ref()), store.list(), "seed " + seed);
            }
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
