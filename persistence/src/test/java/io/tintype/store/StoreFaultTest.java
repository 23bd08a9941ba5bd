package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.store.FaultyFiles.Fault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Makes each call to the file system fail in turn, while a checkpoint is written and while one is
 * deleted. What it does not do: fail two calls that are far apart, or fail silently (damage is
 * {@link DamageTest}).
 */
class StoreFaultTest {
    private static final Fixture OLD = Fixture.small("vm-1", 1);
    private static final VmId VM = OLD.ref().vm();

    @TempDir
    private Path directory;

    @ParameterizedTest
    @CsvSource({"ONCE, Input/output error", "ONCE, No space left on device",
        "FULL_FROM_THEN_ON, No space left on device"})
    void shouldAbortCleanlyWhicheverStepOfACheckpointFails(Fault fault, String reason)
            throws IOException {
        var files = new FaultyFiles(StoreFiles.onDisk());
        try (var store = CheckpointStore.open(directory, files)) {
            OLD.seal(store);
            int step = 0;
            boolean failed;
            do {
                step++;
                var fixture = new Fixture(new CheckpointRef(VM, store.nextId(VM)), Fixture.LARGE);
                files.failAt(step, fault, reason);
                boolean thrown = sealFails(store, fixture, reason);
                failed = files.heal();

                assertEquals(failed, thrown, "step " + step);
                assertEquals(failed ? List.of(OLD.ref()) : List.of(OLD.ref(), fixture.ref()),
                        store.list());
                assertEquals(failed ? List.of("1") : List.of("1", fixture.ref().id().toString()),
                        names("checkpoints/vm-1"));
                assertEquals(List.of(), names("staging"), "step " + step);
                OLD.check(store.open(OLD.ref()));
                var later = new Fixture(new CheckpointRef(VM, store.nextId(VM)), Fixture.SMALL);
                later.seal(store);
                later.check(store.open(later.ref()));
                store.delete(later.ref());
            } while (failed);
            assertTrue(step > 25, "only " + step + " steps");
        }
    }

    @Test
    void shouldShowAWholeCheckpointOrNoneWhicheverStepTheProcessDiesAt() throws IOException {
        int step = 0;
        boolean failed;
        do {
            step++;
            var files = new FaultyFiles(StoreFiles.onDisk());
            var fixture = Fixture.large("vm-1", 1);
            Path ofThisStep = directory.resolve("step-" + step);
            var store = CheckpointStore.open(ofThisStep, files);
            files.failAt(step, Fault.DEAD_FROM_THEN_ON, FaultyFiles.EIO);
            boolean thrown = sealFails(store, fixture, FaultyFiles.EIO);
            failed = files.heal();
            // Only unlocks: what was staged has been given up by now.
            store.close();

            try (var reopened = CheckpointStore.open(ofThisStep)) {
                assertEquals(List.of(), names("step-" + step + "/staging"));
                // One that failed at the very last step may be there; one that succeeded must be.
                assertTrue(thrown || !reopened.list().isEmpty());
                for (CheckpointRef ref : reopened.list()) {
                    fixture.check(reopened.open(ref));
                }
            }
        } while (failed);
    }

    /** Only its hint may stay without a word: the checkpoint is gone by then, and must not look as if it were not. */
    @ParameterizedTest
    @EnumSource(value = Fault.class, names = {"ONCE", "DEAD_FROM_THEN_ON"})
    void shouldDeleteAllOrNothingWhicheverStepFails(Fault fault) throws IOException {
        int step = 0;
        int missed = 0;
        boolean failed;
        do {
            step++;
            var files = new FaultyFiles(StoreFiles.onDisk());
            var doomed = Fixture.small("vm-1", 2);
            Path ofThisStep = directory.resolve("step-" + step);
            try (var store = CheckpointStore.open(ofThisStep, files)) {
                OLD.seal(store);
                doomed.seal(store);
                files.failAt(step, fault, FaultyFiles.EIO);
                try {
                    store.delete(doomed.ref());
                    failed = files.heal();
                    missed += failed ? 1 : 0;
                    assertTrue(missed <= 1, "step " + step + " failed and was not missed");
                } catch (StoreException e) {
                    failed = files.heal();
                    assertTrue(failed, e.getMessage());
                }
                assertEquals(List.of(OLD.ref()), store.list());
            }

            try (var reopened = CheckpointStore.open(ofThisStep)) {
                OLD.check(reopened.open(OLD.ref()));
                if (reopened.list().contains(doomed.ref())) {
                    assertTrue(failed, "deleted and still there");
                    doomed.check(reopened.open(doomed.ref()));
                }
            }
        } while (failed);
        assertTrue(step > 8, "only " + step + " steps");
    }

    @Test
    void shouldNotWriteAgainAfterAFailedFsync() throws IOException {
        var files = new FaultyFiles(StoreFiles.onDisk());
        try (var store = CheckpointStore.open(directory, files)) {
            var fixture = Fixture.small("vm-1", 1);
            StagedCheckpoint staged = store.begin(fixture.ref());
            MemorySegmentWriter writer = staged.memory(0, Fixture.SMALL);
            files.failAt(1, Fault.ONCE, FaultyFiles.EIO);
            String first = message(writer::sync);
            files.heal();

            // The disk is well again, and what was lost stays lost.
            assertEquals(
                    "cannot write " + directory + "/staging/vm-1.1/memory-0: Input/output error;"
                            + " check the disk that it is on",
                    first);
            assertEquals(first, message(writer::sync));
            assertEquals(first, message(() -> staged.putSegment("registers", new byte[1])));
            assertEquals(first, message(() -> staged.seal(fixture.manifest())));
            assertEquals(List.of(), names("staging"));
            assertEquals(List.of(), store.list());
        }
    }

    /**
     * Cuts the power after each call, whatever was not synced being lost or not at random, and
     * looks at what comes up. A checkpoint that was reported sealed must be there, and what is
     * there must be whole.
     */
    @Test
    void shouldSurviveALossOfPowerAtEveryStep() throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        var random = new Random(seed);
        Path root = Path.of("/store");
        int survived = 0;
        for (int round = 0; round < 2; round++) {
            int step = 0;
            boolean failed;
            do {
                step++;
                var memory = new MemoryFiles();
                var files = new FaultyFiles(memory);
                var store = CheckpointStore.open(root, files);
                OLD.seal(store);
                var fixture = Fixture.small("vm-1", 2);
                var deleted = Fixture.small("vm-1", 3);
                files.failAt(step, Fault.DEAD_FROM_THEN_ON, FaultyFiles.EIO);
                boolean sealFailed = sealFails(store, fixture, FaultyFiles.EIO);
                boolean allFailed = sealFailed || sealFails(store, deleted, FaultyFiles.EIO);
                if (!allFailed) {
                    try {
                        store.delete(deleted.ref());
                    } catch (StoreException _) {
                        // It may be there then, or not.
                    }
                }
                failed = files.heal();

                try (var reopened = CheckpointStore.open(root, memory.afterPowerLoss(random))) {
                    String where = "step " + step + ", rerun with -Dseed=" + seed;
                    assertTrue(reopened.list().contains(OLD.ref()), where);
                    assertTrue(sealFailed || reopened.list().contains(fixture.ref()), where);
                    for (CheckpointRef ref : reopened.list()) {
                        new Fixture(ref, Fixture.SMALL).check(reopened.open(ref));
                        survived++;
                    }
                } catch (StoreException e) {
                    throw new AssertionError("step " + step + ", rerun with -Dseed=" + seed, e);
                }
            } while (failed);
        }
        assertTrue(survived > 0);
    }

    private static boolean sealFails(CheckpointStore store, Fixture fixture, String reason) {
        try {
            fixture.seal(store);
            return false;
        } catch (StoreException e) {
            assertTrue(String.valueOf(e.getMessage()).contains(reason), e.getMessage());
            return true;
        }
    }

    private interface Call {
        void run() throws StoreException;
    }

    private static String message(Call call) {
        try {
            call.run();
            return "it succeeded";
        } catch (StoreException e) {
            return String.valueOf(e.getMessage());
        }
    }

    private List<String> names(String part) throws IOException {
        try (var names = Files.list(directory.resolve(part))) {
            return names.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
