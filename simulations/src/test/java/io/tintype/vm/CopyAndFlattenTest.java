package io.tintype.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rules;
import io.tintype.store.DamagedSegmentException;
import io.tintype.store.StoreException;
import io.tintype.vm.DiskIo.Operation.Kind;
import io.tintype.vm.Rig.Setup;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Checkpoints that copy their disks, and chains that are made flat, beside a VM that goes on writing; with a loss of power before
 * every sync, whatever order the writes since the last one reach the disk in.
 */
class CopyAndFlattenTest {
    private static final int GROUP = Rig.GROUP_SECTORS;

    private interface Scenario {
        void play(Rig rig) throws Exception;
    }

    @TempDir
    private Path directory;

    private void play(Scenario scenario) throws Exception {
        try (var rig = new Rig(Setup.of(directory.resolve("store"), Rules.ALL_ON))) {
            scenario.play(rig);
            assertEquals(List.of(), rig.finish());
        }
    }

    /** From now on the VM's disk must be right after a loss of power at any sync. */
    private static void loseThePowerAtEverySync(Rig rig) {
        rig.disks.beforeSync(() -> {
            try {
                rig.verifyCrash(CrashableDisks.NONE);
                rig.verifyCrash((_, _, bytes) -> bytes <= 4096);
                rig.verifyCrash((_, _, bytes) -> bytes > 4096);
                rig.verifyCrash((_, position, _) -> position % 8192 == 0);
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    // Copied before the pending write has landed, the checkpoint's disk would show what it never showed.
    @Test
    void shouldCopyTheDiskOnceThePendingWritesHaveCompleted() throws Exception {
        play(rig -> {
            rig.fill(4);
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var pending = rig.write(GROUP + 8, 8);
            var taken = rig.begin(CheckpointDisks.COPY);
            rig.awaitStun(taken);
            rig.fence();
            assertFalse(taken.isEnded());
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.of(pending.ioId()));

            assertTrue(taken.ended().sealed(), String.valueOf(taken.ended().reason()));
            var disk = rig.host.store().open(taken.ref()).manifest().disks().getFirst();
            assertEquals("disk-0", disk.copy());
            rig.host.store().open(taken.ref()).verify();
            rig.verify(taken);
        });
    }

    // With a copy of its own the checkpoint needs no layer: overlays are committed while others take the writes.
    @Test
    void shouldCommitTheOverlayIntoTheParentAfterTheCopy() throws Exception {
        play(rig -> {
            rig.fill(4);
            rig.flush().done();
            loseThePowerAtEverySync(rig);
            for (int round = 0; round < 3; round++) {
                var taken = rig.begin(CheckpointDisks.COPY);
                rig.awaitStun(taken);
                rig.write(GROUP * (long) round, 16).done();
                rig.write(GROUP * (round + 1L) + 8, 8).done();
                rig.flush().done();
                assertTrue(taken.ended().sealed(), String.valueOf(taken.ended().reason()));
                rig.write(GROUP * 3L, 8).done();
                Rig.until("a chain of two", () -> rig.depth() == 2);
            }

            assertTrue(rig.committed.size() >= 3, "committed " + rig.committed);
            // Another thread lets go of the last one.
            Rig.until("no view that is held", () -> held(rig).isEmpty());
        });
    }

    private static List<Integer> held(Rig rig) {
        return rig.host.disks().getFirst().heldViews();
    }

    // A crash between the copy and its seal leaves no checkpoint; a copy whose file was damaged is never taken for a disk.
    @Test
    void shouldNotRestoreFromADamagedCopy() throws Exception {
        var store = directory.resolve("store");
        try (var rig = new Rig(Setup.of(store, Rules.ALL_ON))) {
            rig.fill(4);
            var taken = rig.begin(CheckpointDisks.COPY);
            assertTrue(taken.ended().sealed());
            var file = store.resolve("checkpoints").resolve(taken.ref().vm().value())
                    .resolve(taken.ref().id().toString()).resolve("disk-0");
            var bytes = Files.readAllBytes(file);
            bytes[bytes.length - 5000] ^= 16;
            Files.write(file, bytes);

            var e = assertThrows(DamagedSegmentException.class,
                    () -> rig.host.store().open(taken.ref()).verify());

            assertEquals(file.toString(), e.file());
            assertTrue(e.offset() > 4096 && e.offset() <= bytes.length - 5000);
        }
    }

    // Deleted under a VM that stands on its copy, the checkpoint would take that VM's disk with it.
    @Test
    void shouldNotDeleteACheckpointThatAVmStandsOn() throws Exception {
        play(rig -> {
            rig.fill(2);
            var taken = rig.begin(CheckpointDisks.COPY);
            assertTrue(taken.ended().sealed());
            var clone = rig.restored(taken, "clone");

            var e = assertThrows(StoreException.class, () -> rig.host.delete(taken.ref()));

            assertTrue(String.valueOf(e.getMessage()).contains("copies of disks"), e::getMessage);
            var flat = Rig.get(clone.flatten(0));
            assertTrue(flat.done(), String.valueOf(flat.reason()));
            rig.delete(taken);
            rig.host.destroy(clone);
        });
    }

    @Test
    void shouldAbortWhenACopyCannotBeWritten() throws Exception {
        var files = new FullFiles();
        try (var rig = new Rig(Setup.of(directory.resolve("store"), Rules.ALL_ON)
                .withStoreFiles(files.files()))) {
            rig.fill(4);
            rig.saving.hold();
            var taken = rig.begin(CheckpointDisks.COPY);
            rig.awaitStun(taken);
            Rig.until("the saver", () -> rig.saving.heldCount() > 0);
            files.full(true);
            rig.saving.release();

            var outcome = taken.ended();

            assertFalse(outcome.sealed());
            rig.mayAbort(taken);
            files.full(false);
            rig.write(0, 8).done();
            assertEquals(List.of(), rig.finish());
        }
    }

    // Switched to before it is durable, or with a request bound below left behind, the flat image would lose a write.
    @Test
    void shouldFlattenBesideTheRunningVm() throws Exception {
        play(rig -> {
            rig.fill(4);
            var kept = rig.sealed();
            rig.write(GROUP, 8).done();
            var dropped = rig.sealed();
            rig.write(2L * GROUP + 8, 8).done();
            rig.sealed();
            rig.flush().done();
            loseThePowerAtEverySync(rig);
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var pending = rig.write(3L * GROUP, 8);
            var last = rig.begin();
            rig.awaitStun(last);
            var flattened = rig.vm.flatten(0);
            rig.fence();
            assertFalse(flattened.isDone());
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.of(pending.ioId()));
            for (int i = 0; i < 4; i++) {
                rig.write(GROUP * (long) i + 16, 8).done();
            }
            rig.flush().done();

            var outcome = Rig.get(flattened);

            assertTrue(outcome.done(), String.valueOf(outcome.reason()));
            assertEquals(2, outcome.depth());
            assertTrue(last.ended().sealed());
            rig.verify(kept);
            rig.verify(last);
            rig.delete(dropped);
            rig.delete(kept);
            rig.write(8, 8).done();
        });
    }

    @Test
    void shouldGiveUpAFlattenAndGoOn() throws Exception {
        play(rig -> {
            rig.fill(4);
            rig.sealed();
            rig.write(GROUP, 8).done();
            rig.sealed();
            rig.blocking.hold();
            var flattened = rig.vm.flatten(0);
            Rig.until("its beginning", () -> rig.blocking.heldCount() > 0);
            rig.vm.cancelFlatten(0);
            rig.fence();
            rig.blocking.release();

            var outcome = Rig.get(flattened);

            assertFalse(outcome.done());
            assertNotNull(outcome.reason());
            assertTrue(rig.disks.at("images/vm-1/disk-0").list().stream()
                    .noneMatch(name -> name.startsWith("flat")));
            rig.write(GROUP, 16).done();
            assertTrue(Rig.get(rig.vm.flatten(0)).done());
            assertEquals(1, rig.flattened.get());
        });
    }
}
