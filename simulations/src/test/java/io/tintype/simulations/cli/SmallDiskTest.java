package io.tintype.simulations.cli;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.store.CheckpointStore;
import io.tintype.vm.CheckpointDisks;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.HostOptions;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.VmSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores on real file systems that are small and full, or read-only. Needs the right to mount one; else it is skipped. */
class SmallDiskTest {
    private static final int CHECKPOINTS_MAX = 200;
    private static final Duration ROOM_IS_SEEN_MAX = Duration.ofSeconds(60);

    @TempDir
    private Path folder;

    private Path disk = Path.of("");
    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    @BeforeEach
    void mountIt() throws Exception {
        disk = Files.createDirectory(folder.resolve("disk"));
        assumeTrue(run("mount", "-t", "tmpfs", "-o", "size=24m", "tintype-test", disk.toString()),
                "a small file system cannot be mounted here: that takes Linux and root");
    }

    @AfterEach
    void unmountIt() throws Exception {
        var _ = run("umount", disk.toString());
    }

    private static boolean run(String... words) throws InterruptedException {
        try {
            return new ProcessBuilder(words).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException _) {
            return false;
        }
    }

    private TintypeHost host() throws IOException {
        return TintypeHost.start(HostOptions.defaults(disk.resolve("store"))
                .withMemory(64 << 20, 32 << 20));
    }

    private int tintype(String words) {
        out = new StringWriter();
        err = new StringWriter();
        var arguments = new ArrayList<>(List.of(words.split(" ")));
        arguments.addAll(List.of("--store", disk.resolve("store").toString()));
        return Commands
                .on(new FakeRunner.Root(), new FakeRunner(), List.of(),
                        new Surroundings(() -> 1L << 40, Terminal.none(), folder))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(arguments.toArray(String[]::new));
    }

    private Map<String, Long> snapshot() throws IOException {
        var files = new TreeMap<String, Long>();
        try (var all = Files.walk(disk.resolve("store"))) {
            for (var path : all.toList()) {
                files.put(path.toString(), Files.isDirectory(path) ? -1 : Files.size(path));
            }
        }
        files.remove(disk.resolve("store/lock").toString());
        return files;
    }

    private void assertRefused(String words, String because) throws IOException {
        var before = snapshot();

        assertEquals(2, tintype(words), () -> err.toString() + out);

        assertTrue(err.toString().contains(because), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertEquals(before, snapshot(), "something was changed");
    }

    /** Whether it can or cannot. */
    private void openAndClose() {
        try (var host = host()) {
            host.catalogue().ready().join();
        } catch (IOException | CompletionException full) {
            assertTrue(String.valueOf(full.getMessage()).contains("No space")
                    || String.valueOf(full.getMessage()).contains("is full"), full.toString());
        }
    }

    private void fill() throws IOException {
        try (var file = Files.newOutputStream(disk.resolve("fill"))) {
            fill(file);
        }
    }

    private static void fill(OutputStream file) throws IOException {
        var chunk = new byte[4096];
        try {
            while (true) {
                file.write(chunk);
            }
        } catch (FileSystemException e) {
            throw e;
        } catch (IOException full) {
            assertTrue(String.valueOf(full.getMessage()).contains("No space"), full.toString());
        }
    }

    @Test
    void shouldAbortCheckpointsOnAFullDiskAndRunOn() throws IOException {
        @Nullable
        CheckpointOutcome refused = null;
        int sealed = 0;
        try (var host = host()) {
            // So small that its layers, each of which may become as large, leave room when the fill is gone.
            var vm = host.create(VmSpec.synthetic("vm-1", 4 << 20, 2 << 20));
            vm.start();
            for (int i = 0; i < CHECKPOINTS_MAX && refused == null; i++) {
                var outcome = vm.checkpoint().join();
                refused = outcome.sealed() ? null : outcome;
                sealed += outcome.sealed() ? 1 : 0;
                if (i == 2) {
                    fill();
                }
            }
            long steps = vm.counters().steps();
            assertTrue(sealed > 1, "sealed " + sealed);
            assertTrue(refused != null && String.valueOf(refused.reason()).contains("is full"),
                    String.valueOf(refused));
            Files.delete(disk.resolve("fill"));
            // Not the first one, if the journal was full, too: that is tried again after a while.
            await().atMost(ROOM_IS_SEEN_MAX).until(() -> vm.checkpoint().join().sealed());
            assertTrue(vm.counters().steps() > steps, "it did not run on");
        }
        assertEquals(0, tintype("checkpoint verify --all"), () -> out.toString() + err);

        fill();
        assertEquals(0, tintype("checkpoint ls"));
        assertEquals(0, tintype("checkpoint verify vm-1"), () -> out.toString());
        for (var words : List.of("checkpoint restore vm-1 --as new --for 100ms",
                "checkpoint clone vm-1 --as new", "checkpoint clone vm-1 -n 3",
                "run --for 1s --no-report")) {
            assertRefused(words, "is full: ");
        }
        openAndClose();
        assertFalse(Files.exists(disk.resolve("store/catalogue/journal.damaged-1")),
                "a journal on a full disk is not damaged");
        assertEquals(0, tintype("checkpoint rm vm-1/1 --cascade"), () -> err.toString());
        assertEquals(0, tintype("checkpoint gc --disks"), () -> err.toString());
        Files.delete(disk.resolve("fill"));
        try (var host = host()) {
            var vm = host.create(VmSpec.synthetic("vm-2", 2 << 20, 4 << 20));
            assertTrue(vm.checkpoint().join().sealed());
        }
    }

    @Test
    void shouldNotBeginTheCopyOfADiskThatDoesNotFit() throws IOException {
        try (var host = host()) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 8 << 20));
            vm.start();
            await().until(() -> host.disks().stream().allMatch(of -> of.bytesOnDisk() > 4 << 20));
            vm.pause();
            // What is not given to checkpoints, the memory, and a little of the disk.
            long left = CheckpointStore.SPACE_BYTES_MIN + (3 << 20);
            Files.write(disk.resolve("fill"),
                    new byte[(int) (Files.getFileStore(disk).getUsableSpace() - left)]);

            var refused = vm.checkpoint(CheckpointDisks.COPY).join();

            assertFalse(refused.sealed());
            assertTrue(String.valueOf(refused.reason()).contains("is full"), refused.toString());
            try (var staging = Files.list(disk.resolve("store/staging"))) {
                assertEquals(0, staging.count(), "something was left");
            }
            Files.delete(disk.resolve("fill"));
            await().atMost(ROOM_IS_SEEN_MAX)
                    .until(() -> vm.checkpoint(CheckpointDisks.COPY).join().sealed());
        }
    }

    /** There is room for all of them, as far as anybody can tell before: what runs out are the inodes. */
    @Test
    void shouldTakeBackTheClonesThatWereMadeWhenOneCannotBe() throws Exception {
        try (var host = host()) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 1 << 20));
            vm.start();
            assertTrue(vm.checkpoint().join().sealed());
        }
        long inodes;
        try (var all = Files.walk(disk)) {
            inodes = all.count();
        }
        // A clone takes some ten of them.
        assumeTrue(run("mount", "-o", "remount,nr_inodes=" + (inodes + 30), disk.toString()),
                "the number of inodes cannot be limited");

        assertEquals(2, tintype("checkpoint clone vm-1 -n 6"), () -> err.toString() + out);

        assertTrue(err.toString().contains("No space left on device"), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        try (var images = Files.list(disk.resolve("store/images"))) {
            assertEquals(1, images.count(), "disks of clones are left");
        }
        assertEquals(0, tintype("checkpoint ls"), () -> out.toString() + err);
        assertTrue(out.toString().contains("1 checkpoint of 1 VM"), out.toString());
        assertEquals(0, tintype("checkpoint verify --all"), () -> out.toString() + err);
        assertEquals(0, tintype("checkpoint clone vm-1 -n 2"), () -> out.toString() + err);
    }

    @Test
    void shouldSayInOneLineThatThereIsNoRoomToCommitOverlays() throws IOException {
        try (var host = host()) {
            // So small that there is room for all layers twice, and the lowest is empty.
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 2 << 20));
            for (int i = 1; i <= 3; i++) {
                assertTrue(vm.checkpoint().join().sealed());
                if (i == 1) {
                    vm.start();
                }
                long before = vm.counters().ioCompleted();
                await().until(() -> vm.counters().ioCompleted() > before + 50);
            }
        }
        var fill = disk.resolve("fill");
        Files.write(fill, new byte[(int) Files.getFileStore(disk).getUsableSpace()]);

        assertEquals(2, tintype("checkpoint gc --keep-last 1"), () -> err.toString() + out);

        assertTrue(err.toString().contains("No space left on device; nothing is lost; free"),
                err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        Files.delete(fill);
        assertEquals(0, tintype("checkpoint gc --keep-last 1"), () -> err.toString() + out);
        assertEquals(0, tintype("checkpoint verify --all"), () -> err.toString() + out);
    }

    @Test
    void shouldShowAReadOnlyStoreAndRefuseWhatWouldChangeIt() throws Exception {
        try (var host = host()) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 4 << 20));
            vm.start();
            assertTrue(vm.checkpoint().join().sealed());
            assertTrue(vm.checkpoint().join().sealed());
        }
        assumeTrue(run("mount", "-o", "remount,ro", disk.toString()), "it cannot be remounted");

        for (var words : List.of("ls", "inspect vm-1", "verify --all", "diff vm-1/1 vm-1/2",
                "gc --dry-run")) {
            assertEquals(0, tintype("checkpoint " + words), () -> words + ": " + err + out);
        }
        for (var words : List.of("rm vm-1/2", "gc", "restore vm-1 --as new", "clone vm-1 -n 2")) {
            assertRefused("checkpoint " + words, "Read-only file system; choose");
        }
        assertRefused("run --for 1s --no-report", "may not be written by you");
        assertFalse(Files.exists(disk.resolve("store/images/new")));
    }
}
