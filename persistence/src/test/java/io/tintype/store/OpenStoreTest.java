package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.Closeable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What can be the matter with the directory that a user names: one clear line, and nothing changed.
 */
class OpenStoreTest {
    @TempDir
    private Path tmp;

    @Test
    void shouldMakeAStoreWithTheDirectoriesAboveIt() throws IOException {
        Path directory = tmp.resolve("a/b/c");

        CheckpointStore.open(directory).close();

        assertEquals(List.of("checkpoints", "images", "lock", "staging", "tintype-store"),
                names(directory));
    }

    @Test
    void shouldMakeAStoreOfAnEmptyDirectoryAndOfOneWhoseMakingCrashed() throws IOException {
        CheckpointStore.open(tmp).close();
        for (String name : List.of("tintype-store", "checkpoints", "images", "staging")) {
            Files.delete(tmp.resolve(name));
        }
        Files.writeString(tmp.resolve("tintype-store.tmp"), "hal");

        CheckpointStore.open(tmp).close();

        assertEquals(List.of("checkpoints", "images", "lock", "staging", "tintype-store"),
                names(tmp));
    }

    @Test
    void shouldRefuseAFile() throws IOException {
        Path file = Files.writeString(tmp.resolve("file"), "precious");

        assertRefused(file, "the store needs a directory at " + file + " and there is a file;"
                + " choose another store directory");
        assertRefused(file.resolve("below"),
                "the store needs a directory at " + file + " and there is a file;"
                        + " choose another store directory");
    }

    @Test
    void shouldRefuseADirectoryThatIsSomethingElse() throws IOException {
        Files.writeString(tmp.resolve("thesis.txt"), "precious");

        assertRefused(tmp, tmp
                + " is not a Tintype store (it has a \"thesis.txt\" in it and no \"tintype-store\");"
                + " choose an empty directory");
    }

    @Test
    void shouldRefuseANewerVersion() throws IOException {
        byte[] marker = Envelope.wrap(StoreDirectory.MARKER_MAGIC,
                StoreDirectory.LAYOUT_VERSION + 1, new byte[0]);
        Files.write(tmp.resolve("tintype-store"), marker);

        assertRefused(tmp, tmp.resolve("tintype-store") + " has format version 2,"
                + " and this program knows no version after 1; use a newer Tintype");
    }

    @Test
    void shouldRefuseADamagedMarker() throws IOException {
        CheckpointStore.open(tmp).close();
        Path marker = tmp.resolve("tintype-store");
        byte[] damaged = Files.readAllBytes(marker);
        damaged[20]++;
        Files.write(marker, damaged);

        assertRefused(tmp, marker + ", which marks a store, is damaged at offset 0;"
                + " put it back from a backup or choose another store directory");
    }

    @Test
    void shouldRefuseAStoreThatThisProcessUses() throws IOException {
        Path link = Files.createSymbolicLink(tmp.resolve("link"), Path.of("store"));
        Path directory = tmp.resolve("store");
        try (var store = CheckpointStore.open(directory)) {
            var fixture = Fixture.small("vm-1", 1);
            StagedCheckpoint staged = store.begin(fixture.ref());

            assertRefused(directory, inUse(directory));
            assertRefused(link, inUse(link));

            fixture.write(staged);
            staged.seal(fixture.manifest());
        }
        CheckpointStore.open(directory).close();
    }

    @Test
    void shouldRefuseAStoreThatAnotherProcessUses() throws Exception {
        Path directory = tmp.resolve("store");
        Process other = openElsewhere(directory);
        try (var output = other.inputReader(StandardCharsets.UTF_8)) {
            assertEquals("opened", output.readLine());

            assertRefused(directory, inUse(directory, other.pid()));

            assertEquals("pid " + other.pid() + "\n", Files.readString(directory.resolve("lock")));
        } finally {
            // Killed, not ended: a lock must not outlive its process however that ends.
            other.destroyForcibly().waitFor();
        }
        CheckpointStore.open(directory).close();
    }

    /** POSIX would have dropped it if the lock file had been opened and closed a second time. */
    @Test
    void shouldStayLockedAfterThisProcessTriedToOpenItTwice() throws Exception {
        Path directory = tmp.resolve("store");
        try (var _ = CheckpointStore.open(directory)) {
            assertRefused(directory, inUse(directory));

            Process other = openElsewhere(directory);
            try (var output = other.inputReader(StandardCharsets.UTF_8)) {
                assertEquals(inUse(directory), output.readLine());
            } finally {
                other.destroyForcibly().waitFor();
            }
        }
    }

    private static Process openElsewhere(Path directory) throws IOException {
        return new ProcessBuilder(ProcessHandle.current().info().command().orElseThrow(),
                "-cp", System.getProperty("java.class.path"), OtherProcess.class.getName(),
                directory.toString())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Opens a store and holds it until it is killed. */
    static final class OtherProcess {
        private OtherProcess() {}

        public static void main(String[] args) throws IOException {
            try (var _ = CheckpointStore.open(Path.of(args[0]))) {
                System.out.println("opened");
                // Until the parent is gone, at the latest.
                System.in.read();
            } catch (StoreException e) {
                System.out.println(e.getMessage());
            }
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void shouldRefuseADirectoryThatCannotBeWritten() {
        // Not even root can make a directory there.
        Path directory = Path.of("/proc/tintype-store");

        var refused = assertThrows(StoreException.class, () -> CheckpointStore.open(directory));

        assertEquals(
                "cannot create /proc/tintype-store: No such file or directory; choose another store directory",
                refused.getMessage());
    }

    @Test
    void shouldRefuseADirectoryThatCannotBeLocked() throws IOException {
        var files = new FaultyFiles(StoreFiles.onDisk()) {
            @Override
            public @Nullable Closeable tryLock(Path file) throws IOException {
                throw new FileSystemException(file.toString(), null, "Read-only file system");
            }
        };
        var before = snapshot();

        var refused = assertThrows(StoreException.class, () -> CheckpointStore.open(tmp, files));

        assertEquals("cannot lock " + tmp.resolve("lock") + ": Read-only file system;"
                + " choose a store directory that can be written", refused.getMessage());
        assertEquals(before, snapshot());
    }

    @Test
    void shouldRefuseAFullDisk() throws IOException {
        var files = new FaultyFiles(StoreFiles.onDisk()) {
            @Override
            public long usableSpace(Path directory) {
                return 4096;
            }
        };
        var before = snapshot();

        var refused = assertThrows(StoreException.class,
                () -> CheckpointStore.open(tmp.resolve("store"), files));

        assertEquals(
                "no store can be made in " + tmp.resolve("store")
                        + ": it is full, 4096 bytes are free and 4194304 are"
                        + " needed; free some space there or choose another store directory",
                refused.getMessage());
        assertEquals(before, snapshot());
    }

    @Test
    void shouldReadAndDeleteOnAFullDisk() throws IOException {
        var fixture = Fixture.small("vm-1", 1);
        try (var store = CheckpointStore.open(tmp)) {
            fixture.seal(store);
        }
        var files = new FaultyFiles(StoreFiles.onDisk());
        files.failAt(1, FaultyFiles.Fault.FULL_FROM_THEN_ON, FaultyFiles.ENOSPC);

        try (var store = CheckpointStore.open(tmp, files)) {
            fixture.check(store.open(fixture.ref()));
            store.delete(fixture.ref());

            assertEquals(List.of(), store.list());
        }
    }

    @Test
    void shouldLeaveNothingBehindWhicheverStepOfMakingAStoreFails() throws IOException {
        for (String reason : List.of(FaultyFiles.EIO, FaultyFiles.ENOSPC)) {
            int step = 0;
            boolean failed;
            do {
                step++;
                var files = new FaultyFiles(StoreFiles.onDisk());
                Path directory = tmp.resolve(reason.substring(0, 2) + step).resolve("store");
                var before = snapshot();
                files.failAt(step, FaultyFiles.Fault.ONCE, reason);
                try {
                    CheckpointStore.open(directory, files).close();
                    failed = files.heal();
                    assertFalse(failed, "step " + step + " failed and was not missed");
                } catch (StoreException e) {
                    failed = files.heal();
                    assertTrue(failed, "step " + step + ": " + e.getMessage());
                    assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
                    assertEquals(before, snapshot(), "step " + step);
                    // Nor does it stay locked.
                    CheckpointStore.open(directory).close();
                }
            } while (failed);
            assertTrue(step > 20, "only " + step + " steps");
        }
    }

    private static String inUse(Path directory) {
        return inUse(directory, ProcessHandle.current().pid());
    }

    private static String inUse(Path directory, long pid) {
        return "the store " + directory + " is in use by another process (pid " + pid + ");"
                + " wait until it ends or choose another store directory";
    }

    private void assertRefused(Path directory, String message) throws IOException {
        var before = snapshot();

        var refused = assertThrows(StoreException.class, () -> CheckpointStore.open(directory));

        assertEquals(message, refused.getMessage());
        assertEquals(before, snapshot());
    }

    private static List<String> names(Path directory) throws IOException {
        try (var names = Files.list(directory)) {
            return names.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    /** Everything that is there, with its size. */
    private Map<Path, Long> snapshot() throws IOException {
        var all = new TreeMap<Path, Long>();
        try (var paths = Files.walk(tmp)) {
            for (Path path : paths.toList()) {
                all.put(path,
                        Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)
                                ? Files.size(path)
                                : -1L);
            }
        }
        return all;
    }
}
