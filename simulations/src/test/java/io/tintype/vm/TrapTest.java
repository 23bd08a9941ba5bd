package io.tintype.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rules;
import io.tintype.vm.DiskIo.Operation.Kind;
import io.tintype.vm.Rig.Setup;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The traps that the ordering rules were corrected by, on the running engine: in each, the obvious implementation goes wrong,
 * and the comment says how. The oracle looks at every stored checkpoint, at a VM restored from each, and at the running VM.
 */
class TrapTest {
    @FunctionalInterface
    private interface Scenario {
        void play(Rig rig) throws Exception;
    }

    @TempDir
    private Path directory;

    private void play(Scenario scenario) throws Exception {
        play(UnaryOperator.identity(), scenario);
    }

    private void play(UnaryOperator<Setup> change, Scenario scenario) throws Exception {
        try (var rig = new Rig(change.apply(Setup.of(directory.resolve("store"), Rules.ALL_ON)))) {
            scenario.play(rig);
            assertEquals(List.of(), rig.finish());
        }
    }

    // Resolved through the merged index when it starts, the read would show the new write in the checkpoint's memory.
    @Test
    void shouldReadWhatTheBoundLayersShowHoweverLateTheReadStarts() throws Exception {
        play(rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(Kind.READ));
            var read = rig.read(0, 8);
            rig.checkpoint();
            rig.write(0, 8).done();
            rig.io.release(HeldIo.of(read.ioId()));
            read.done();
        });
    }

    // Looking for pending writes one layer down only, the fault would copy the group without the write two layers down.
    @Test
    void shouldWaitForAWriteTwoOverlaysBelow() throws Exception {
        play(rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var low = rig.write(0, 8);
            rig.checkpoint();
            rig.checkpoint();
            var top = rig.write(64, 8);
            rig.fence();

            assertTrue(rig.delayed.contains(top.ioId()));
            assertFalse(rig.started.contains(top.ioId()));
            rig.io.release(HeldIo.of(low.ioId()));
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.ALL);
            top.done();
        });
    }

    // Two faults of one group would each copy what lies below, and the second would undo the write that came with the first.
    @Test
    void shouldFaultAGroupOnceForTwoWrites() throws Exception {
        play(rig -> {
            rig.fill(1);
            rig.checkpoint();
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var first = rig.write(0, 8);
            var second = rig.write(64, 8);
            rig.fence();

            assertEquals(1, rig.io.submitted(operation -> operation.fault()));
            assertEquals(0, rig.io.submitted(HeldIo.of(second.ioId())));
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.of(first.ioId()));
            first.done();
            second.done();
        });
    }

    // Paying only the frame that the ongoing VM shows, the read would never reach the copy that the second checkpoint keeps.
    @Test
    void shouldPayCopiesOfCopies() throws Exception {
        playCopiesOfCopies(UnaryOperator.identity());
    }

    // As before, with a second look at the disk for each copy.
    @Test
    void shouldReadAgainForCopiesOfCopies() throws Exception {
        playCopiesOfCopies(setup -> setup.withDiskReissue(PendingSet.Conflict.PUT_OFF));
    }

    private void playCopiesOfCopies(UnaryOperator<Setup> change) throws Exception {
        play(change, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(Kind.READ));
            var read = rig.read(0, 8);
            rig.checkpoint();
            rig.touch(read, 0);
            rig.checkpoint();
            rig.touch(read, 0);
            rig.touch(read, 1);
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.of(read.ioId()));

            assertEquals(IoStatus.OK, read.done());
            assertTrue(rig.vm.counters().readsReissued() >= 3);
        });
    }

    // Committed while the first checkpoint names its base, the overlay would put what was written later into that checkpoint.
    @Test
    void shouldNotCommitIntoACheckpointsParentUntilItIsDeleted() throws Exception {
        play(rig -> {
            rig.fill(2);
            var first = rig.sealed();
            rig.write(0, 8).done();
            var second = rig.sealed();
            rig.write(64, 8).done();
            rig.fence();
            rig.verify(first);

            assertEquals(Set.of(), rig.committed);
            rig.delete(first);
            Rig.until("the commit", () -> rig.committed.contains(1));
            rig.verify(second);
        });
    }

    // Copied and dropped while a write is still bound to it, the overlay would take that write with it.
    @Test
    void shouldNotCommitALayerThatAWriteIsBoundTo() throws Exception {
        play(rig -> {
            rig.fill(2);
            var first = rig.sealed();
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var bound = rig.write(0, 8);
            var second = rig.checkpoint();
            rig.mayAbort(second);
            rig.vm.cancel(second.ref().id(), "no longer wanted");
            second.ended();
            rig.delete(first);
            rig.io.hold(HeldIo.NOTHING);
            rig.write(GROUP, 8).done();
            rig.fence();

            assertEquals(Set.of(), rig.committed);
            rig.io.release(HeldIo.of(bound.ioId()));
            bound.done();
            Rig.until("the commit", () -> rig.committed.contains(1));
        });
    }

    // A read bound to the lower layer would see what was committed over it: not what the disk held when it was issued.
    @Test
    void shouldNotCommitIntoALayerThatAReadIsBoundTo() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.io.hold(HeldIo.of(Kind.READ));
            var bound = rig.read(0, 8);
            var first = rig.checkpoint();
            rig.mayAbort(first);
            rig.vm.cancel(first.ref().id(), "no longer wanted");
            first.ended();
            rig.write(0, 8).done();
            var second = rig.checkpoint();
            rig.write(GROUP, 8).done();
            rig.fence();

            assertEquals(Set.of(), rig.committed);
            rig.io.release(HeldIo.of(bound.ioId()));
            bound.done();
            second.ended();
            Rig.until("the commit", () -> rig.committed.contains(1));
        });
    }

    // The second overlay would stand on the first one's parent and hide every write that went to the first.
    @Test
    void shouldPrepareOneOverlayAfterTheOther() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.blocking.hold();
            var first = rig.begin();
            var second = rig.begin();
            Rig.until("both", () -> rig.blocking.heldCount() == 2);
            rig.writeAfterStun(0, 8);
            rig.blocking.release();
            rig.awaitStun(first);
            rig.awaitStun(second);
            rig.write(64, 8).done();

            assertTrue(first.ended().sealed());
            assertTrue(second.ended().sealed());
            assertEquals(3, rig.depth());
        });
    }

    // Removed with its checkpoint, the overlay would take a write along that the guest knows to be durable.
    @Test
    void shouldKeepFlushedWritesOfAnAbortedCheckpointsOverlay() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.io.hold(HeldIo.of(Kind.READ));
            rig.read(64, 8);
            var taken = rig.checkpoint();
            rig.mayAbort(taken);
            rig.write(0, 8).done();
            rig.submit(IoKind.WRITE, GROUP, 8, true).done();
            rig.flush().done();
            rig.verifyCrash(CrashableDisks.NONE);
            rig.vm.cancel(taken.ref().id(), "no longer wanted");
            taken.ended();
            rig.fence();

            assertTrue(rig.crashCheck.durableCount() >= 2);
            rig.verifyCrash(CrashableDisks.NONE);
        });
    }

    // Synced before P completed, or not at all, a sealed checkpoint would lose a pending write when the power fails.
    @Test
    void shouldSyncTheChainAfterThePendingWrites() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.sealed();
            rig.write(0, 8).done();
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var pending = rig.write(64, 8);
            int before = rig.saving.finishedCount();
            var taken = rig.checkpoint();
            // All that need not wait for the write is done first.
            Rig.until("the pages that need not wait", () -> rig.saving.finishedCount() > before);
            rig.fence();
            Rig.until("what blocks", rig.blocking::isIdle);
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.of(pending.ioId()));

            assertTrue(taken.ended().sealed());
            rig.verify(taken, rig.disks.crash(CrashableDisks.NONE));
        });
    }

    // Syncing the top alone, or the top and its parent, the flush would not cover a write that landed at the bottom.
    @Test
    void shouldFlushTheBottomOfAChainOfThree() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.io.hold(HeldIo.ALL);
            // Keeps both checkpoints from syncing the chain themselves.
            rig.read(GROUP, 8);
            var bottom = rig.write(0, 8);
            rig.checkpoint();
            var middle = rig.write(GROUP + 64, 8);
            rig.checkpoint();
            rig.io.release(HeldIo.of(bottom.ioId()));
            rig.io.release(HeldIo.of(middle.ioId()));
            bottom.done();
            middle.done();
            rig.io.hold(HeldIo.of(Kind.READ));
            rig.flush().done();

            assertEquals(3, rig.depth());
            assertTrue(rig.crashCheck.durableCount() >= 2);
            rig.verifyCrash(CrashableDisks.NONE);
        });
    }

    // Durable before the copied part of its group, an index entry would lead to a group of which only the new sectors are there.
    @Test
    void shouldNotLetAnIndexEntryOutliveItsGroup() throws Exception {
        play(rig -> {
            rig.fill(4);
            rig.sealed();
            var syncs = new ArrayList<Integer>();
            rig.disks.beforeSync(() -> {
                try {
                    // Whatever order the writes since the last sync reach the disk in: the small ones first, or the large.
                    rig.verifyCrash((_, _, bytes) -> bytes <= 4096);
                    rig.verifyCrash((_, _, bytes) -> bytes > 4096);
                    rig.verifyCrash(CrashableDisks.NONE);
                    syncs.add(syncs.size());
                } catch (java.io.IOException unreadable) {
                    throw new AssertionError(unreadable);
                }
            });
            for (int group = 0; group < 4; group++) {
                rig.write((long) group * GROUP + 8, 8).done();
                rig.flush().done();
            }
            rig.disks.beforeSync(() -> {});

            assertTrue(syncs.size() >= 4, () -> syncs.size() + " syncs");
        });
    }

    // Waiting for the write that hangs, later writes, stuns or memory would be its hostages; and each checkpoint would leave a layer.
    @Test
    void shouldRunOnAboveAWriteThatHangsForEver() throws Exception {
        play(setup -> setup.withDeadline(Duration.ofMillis(500)), rig -> {
            rig.fill(2);
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var hung = rig.write(0, 8);
            rig.io.hold(HeldIo.NOTHING);
            for (int i = 0; i < 4; i++) {
                var taken = rig.checkpoint();
                rig.mayAbort(taken);
                var above = rig.write(64, 8);
                // Other groups do not wait, not even while the checkpoint is in progress.
                rig.write(GROUP, 8).done();

                var outcome = taken.ended();
                assertFalse(outcome.sealed());
                assertNotNull(outcome.reason());
                assertTrue(outcome.reason().contains("deadline"), outcome.reason());
                assertTrue(outcome.reason().contains(String.valueOf(hung.ioId())),
                        outcome.reason());
                above.done();
            }
            Rig.until("frames held for checkpoints to be given back",
                    () -> rig.host.frames().framesHeld() == 0);
            Rig.until("a short chain", () -> rig.depth() <= 3);
            assertFalse(hung.isCompleted());
        });
    }

    // Taken for a success on one side, or for a failure of the checkpoint, an error would tell the two guests different stories.
    @Test
    void shouldFailAFailedRequestOnBothSides() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.io.hold(HeldIo.ALL);
            var read = rig.read(0, 8);
            var write = rig.write(64, 8);
            var discard = rig.submit(IoKind.DISCARD, GROUP, 8, false);
            var taken = rig.checkpoint();
            rig.touch(read, 0);
            rig.io.fail(HeldIo.ALL);
            rig.io.hold(HeldIo.NOTHING);

            assertEquals(IoStatus.ERROR, read.done());
            assertEquals(IoStatus.ERROR, write.done());
            assertEquals(IoStatus.ERROR, discard.done());
            assertTrue(taken.ended().sealed());
            assertEquals(3, taken.ended().pendingCount());
        });
    }

    // Tried again, or taken for the VM's problem, a full store would end in a half-written checkpoint or in a VM that stops.
    @Test
    void shouldAbortACheckpointWhenTheStoreIsFull() throws Exception {
        var store = new FullFiles();
        play(setup -> setup.withStoreFiles(store.files()), rig -> {
            rig.fill(2);
            rig.saving.hold();
            var taken = rig.checkpoint();
            rig.mayAbort(taken);
            rig.write(0, 8).done();
            store.full(true);
            rig.saving.release();

            var outcome = taken.ended();
            assertFalse(outcome.sealed());
            assertNotNull(outcome.reason());
            assertTrue(outcome.reason().contains("No space left"), outcome.reason());
            rig.write(64, 8).done();
            assertEquals(List.of(), rig.host.store().list());
            store.full(false);
            rig.sealed();
        });
    }

    // Not stored as a marker, a discard in the overlay would let the parent's old data come back.
    @Test
    void shouldHideTheParentsDataUnderADiscard() throws Exception {
        play(rig -> {
            rig.fill(3);
            rig.checkpoint();
            rig.submit(IoKind.DISCARD, 0, GROUP, false).done();
            rig.submit(IoKind.WRITE_ZEROES, GROUP + 8, 16, false).done();
            rig.checkpoint();
            rig.write(8, 8).done();
            rig.read(0, 64).done();
            rig.sealed();
        });
    }

    // Finished in any other order, overlapping requests would end with another content than such a device promises.
    @Test
    void shouldKeepTheOrderOfAnOrderedDeviceAcrossACheckpoint() throws Exception {
        play(Setup::withOrderedDisks, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(Kind.WRITE));
            var first = rig.write(0, 16);
            rig.checkpoint();
            var second = rig.write(8, 16);
            var read = rig.read(8, 8);
            rig.fence();

            assertFalse(rig.started.contains(second.ioId()));
            assertFalse(read.isCompleted());
            rig.io.hold(HeldIo.NOTHING);
            rig.io.release(HeldIo.of(first.ioId()));
            read.done();
        });
    }

    // Landing in the ongoing VM after the reset, the read would overwrite what the guest has put there since; and P must not shrink.
    @Test
    void shouldResetADeviceWithRequestsOfACheckpointInFlight() throws Exception {
        play(rig -> {
            rig.fill(2);
            rig.io.hold(HeldIo.ALL);
            var read = rig.read(0, 8);
            var write = rig.write(64, 8);
            var taken = rig.checkpoint();
            rig.touch(read, 0);
            rig.step(cpu -> cpu.reset(0));
            rig.fence();
            rig.io.release(HeldIo.of(read.ioId()));
            rig.io.release(HeldIo.of(write.ioId()));
            rig.io.hold(HeldIo.NOTHING);

            assertTrue(taken.ended().sealed());
            assertEquals(2, taken.ended().pendingCount());
        });
    }

    private static final int GROUP = Rig.GROUP_SECTORS;
}
