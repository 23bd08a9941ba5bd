package io.tintype.simulations.checkpoints;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.store.CheckpointStore;
import io.tintype.vm.HostOptions;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.VmSpec;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifierTest {
    private static final int FLIPS = 100;
    private static final int DISK_BYTES = 2 << 20;

    @TempDir
    private Path folder;

    /**
     * Changed bytes anywhere in the images that checkpoints point to: each is reported, or it changes nothing of what a checkpoint
     * shows, because a higher layer hides it, it is no checkpoint's yet, or no data.
     */
    @Test
    void shouldReportWhateverChangesADiskThatACheckpointShows() throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        makeStore();
        var random = new Random(seed);
        try (var store = CheckpointStore.openReadOnly(folder.resolve("store"))) {
            var shown = shown(store);
            assertEquals(0, damages(store));
            int reported = 0;
            var images = images();
            for (int i = 0; i < FLIPS; i++) {
                Path image = images.get(random.nextInt(images.size()));
                // Half of them where header and index are.
                long at = (long) (random.nextDouble()
                        * (random.nextBoolean() ? 16_384 : Files.size(image)));
                int mask = 1 + random.nextInt(255);
                flip(image, at, mask);
                int damages = damages(store);
                if (damages == 0) {
                    assertEquals(shown, shown(store), image + " at " + at + ", changed by " + mask
                            + "; rerun with -Dseed=" + seed);
                }
                reported += damages > 0 ? 1 : 0;
                flip(image, at, mask);
            }
            assertEquals(0, damages(store));
            assertTrue(reported > FLIPS / 10, "only " + reported + " reported");
        }
    }

    private void makeStore() throws IOException {
        try (var host = TintypeHost.start(HostOptions.defaults(folder.resolve("store"))
                .withMemory(64 << 20, 32 << 20))) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, DISK_BYTES));
            vm.start();
            for (int i = 0; i < 3; i++) {
                vm.checkpoint().join().orThrow();
            }
        }
    }

    private List<Path> images() throws IOException {
        try (var files = Files.list(folder.resolve("store/images/vm-1/disk-0"))) {
            return files.filter(file -> file.toString().endsWith(".img")).sorted().toList();
        }
    }

    private static int damages(CheckpointStore store) {
        int damages = 0;
        for (CheckpointRef ref : store.list()) {
            var verdict = new Verifier(store, () -> false).verify(ref);
            assertNotNull(verdict);
            damages += verdict.damages().size();
        }
        return damages;
    }

    private static Map<CheckpointRef, Long> shown(CheckpointStore store) throws IOException {
        var all = new TreeMap<CheckpointRef, Long>();
        for (CheckpointRef ref : store.list()) {
            try (var arena = Arena.ofConfined();
                    var disk = ShownDisk.open(store, store.open(ref).manifest(), 0)) {
                var content = arena.allocate(DISK_BYTES);
                int step = disk.chain().geometry().groupBytes();
                for (int at = 0; at < DISK_BYTES; at += step) {
                    disk.chain().read(disk.view(), at, content, at, step);
                }
                var crc = new CRC32C();
                crc.update(content.asByteBuffer());
                all.put(ref, crc.getValue());
            }
        }
        return all;
    }

    private static void flip(Path file, long offset, int mask) throws IOException {
        try (var bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(offset);
            int old = bytes.read();
            bytes.seek(offset);
            bytes.write(old ^ mask);
        }
    }
}
