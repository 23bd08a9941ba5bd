package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.NOW;
import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.after;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.known;
import static io.tintype.catalogue.Facts.operation;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static io.tintype.catalogue.Facts.started;
import static io.tintype.catalogue.Facts.stunned;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.CatalogueEvent.CheckpointAborted;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleteBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleted;
import io.tintype.catalogue.CatalogueEvent.CheckpointKept;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.VmFound;
import io.tintype.catalogue.CatalogueEvent.VmRemoved;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** A journal and a store that were left at any point come to agree, and the store is right. */
class ReconciliationTest {
    private static StoreContents store(List<CheckpointRef> sealed, Map<VmId, List<Integer>> disks) {
        return new StoreContents(new TreeSet<>(sealed), new TreeMap<>(disks), true);
    }

    private static StoreContents withDisk(CheckpointRef... sealed) {
        return store(List.of(sealed), Map.of(WEB, List.of(0)));
    }

    private static Reconciliation plan(CatalogueState state, StoreContents contents) {
        var facts = known();
        for (var ref : Reconciliation.unknown(state, contents)) {
            facts.put(ref, Facts.facts());
        }
        return Reconciliation.of(state, contents, facts, NOW);
    }

    @Test
    void shouldChangeNothingWhereBothAgree() {
        var state = after(created(), started(), begun(1), sealed(1), begun(2),
                new CheckpointAborted(ref(2), "no room"));

        assertEquals(List.of(), plan(state, withDisk(ref(1))).events());
        assertTrue(Reconciliation.unknown(state, withDisk(ref(1))).isEmpty());
    }

    @Test
    void shouldRollForwardWhatIsSealedOnDisk() {
        for (var state : List.of(after(created(), begun(1)), after(created(), begun(1), stunned(1)),
                after(created()))) {
            var plan = plan(state, withDisk(ref(1)));

            assertEquals(List.of(sealed(1)), plan.events());
            assertEquals(List.of(), plan.warnings());
        }
    }

    @Test
    void shouldAbortWhatIsNotSealedOnDisk() {
        for (var state : List.of(after(created(), begun(1)),
                after(created(), begun(1), stunned(1)))) {
            var events = plan(state, withDisk()).events();

            assertEquals(List.of(
                    new CheckpointAborted(ref(1), "its process ended before it was sealed")),
                    events);
        }
    }

    // A seal whose last step failed, and whose withdrawal failed too: the next process finds it whole.
    @Test
    void shouldBelieveTheStoreWhereTheJournalSaysAborted() {
        var state = after(created(), begun(1), new CheckpointAborted(ref(1), "fsync failed"));

        assertEquals(List.of(sealed(1)), plan(state, withDisk(ref(1))).events());
    }

    @Test
    void shouldWarnOfACheckpointThatNobodyDeletedAndIsGone() {
        var plan = plan(after(created(), begun(1), sealed(1)), withDisk());

        assertEquals(List.of(new CheckpointDeleted(ref(1), "it is gone from the store")),
                plan.events());
        assertEquals(1, plan.warnings().size());
        assertTrue(plan.warnings().getFirst().contains("web-1/1"));
    }

    @Test
    void shouldEndADeletionAsFarAsItCame() {
        var state = after(created(), begun(1), sealed(1), new CheckpointDeleteBegun(ref(1)));

        assertEquals(List.of(new CheckpointKept(ref(1))), plan(state, withDisk(ref(1))).events());
        var gone = plan(state, withDisk());
        assertEquals(List.of(new CheckpointDeleted(ref(1), "it was being deleted")),
                gone.events());
        assertEquals(List.of(), gone.warnings());
    }

    @Test
    void shouldLeaveADamagedCheckpointUnknownAndTheRestRight() {
        var contents = withDisk(ref(1), ref(2));

        var plan = Reconciliation.of(after(created()), contents, known(2), NOW);

        assertEquals(List.of(sealed(2)), plan.events());
    }

    @Test
    void shouldNotAbortWhatIsVisibleEvenIfItsManifestCannotBeRead() {
        var plan = Reconciliation.of(after(created(), begun(1)), withDisk(ref(1)), known(), NOW);

        assertEquals(List.of(), plan.events());
    }

    @Test
    void shouldMakeAnEmptyCatalogueFromTheStore() {
        var contents = withDisk(ref(1), ref(2));
        var plan = plan(CatalogueState.EMPTY, contents);
        var rebuilt = CatalogueState.EMPTY.applyAll(plan.events());

        var web = Objects.requireNonNull(rebuilt.vms().get(WEB));
        assertEquals(VmRecord.Status.FOUND, web.status());
        assertEquals(ref(2), Objects.requireNonNull(web.lastSealed()).ref());
        assertEquals(List.of(4096L), web.regionBytes());
        assertNotNull(Reconciliation.rebuilt(CatalogueState.EMPTY, rebuilt));
        assertNull(Reconciliation.rebuilt(rebuilt, rebuilt));
    }

    // What is not known is never removed: it may be all that is left of somebody's disk.
    @Test
    void shouldListDisksThatNobodyToldOf() {
        var plan = plan(CatalogueState.EMPTY, withDisk());

        assertEquals(List.of(new VmFound(WEB, List.of(), List.of(), NOW)), plan.events());
        assertEquals(List.of(), plan.removals());
    }

    @Test
    void shouldForgetAVmOfWhichNothingIsLeft() {
        var plan = plan(after(created(), started()), store(List.of(), Map.of()));

        assertEquals(List.of(new VmRemoved(WEB, "the store has nothing of it", NOW)),
                plan.events());
    }

    @Test
    void shouldKeepVmsWhereDisksAreNotInTheStore() {
        var plan = plan(after(created(), started()), StoreContents.ofCheckpoints(List.of()));

        assertEquals(List.of(), plan.events());
    }

    @Test
    void shouldRemoveAVmThatWasHalfMade() {
        var state = after(operation("make web-1", OperationRecord.Kind.CREATE,
                Map.of(Reconciliation.DISKS, "2")));

        var plan = plan(state, withDisk());

        assertEquals(List.of(WEB), plan.removals());
        assertEquals(List.of(new OperationEnded("make web-1", null),
                new VmRemoved(WEB, "its disks were removed", NOW)),
                Reconciliation.removed(state, WEB, NOW));
    }

    // A restored VM's disk has files once its guest writes to it, so the one that is there may hold flushed writes.
    @Test
    void shouldKeepARestoredVmWithSomeOfItsDisks() {
        for (var kind : List.of(OperationRecord.Kind.RESTORE, OperationRecord.Kind.CLONE)) {
            var state = after(operation("make web-1", kind, Map.of(Reconciliation.DISKS, "2")));

            assertEquals(List.of(), plan(state, withDisk()).removals());
        }
    }

    // All of its disks were there, so its guest may have run and flushed before anybody could write that it did.
    @Test
    void shouldKeepAVmThatMayHaveRun() {
        var state = after(
                operation("make web-1", OperationRecord.Kind.RESTORE,
                        Map.of(Reconciliation.DISKS, "1")));

        var plan = plan(state, withDisk());

        assertEquals(List.of(), plan.removals());
        assertEquals(List.of(new OperationEnded("make web-1", "its process ended"),
                new VmFound(WEB, List.of(), List.of(), NOW)), plan.events());
    }

    @Test
    void shouldGoOnRemovingAVmUnlessItHasCheckpoints() {
        var state = after(created(),
                operation("destroy web-1", OperationRecord.Kind.DESTROY, Map.of()));

        assertEquals(List.of(WEB), plan(state, withDisk()).removals());
        assertEquals(List.of(), plan(state, withDisk(ref(1))).removals());
        var gone = plan(state, store(List.of(), Map.of()));
        assertEquals(List.of(new OperationEnded("destroy web-1", null),
                new VmRemoved(WEB, "the store has nothing of it", NOW)), gone.events());
    }

    @Test
    void shouldEndWorkOnDisksOfWhichNothingIsKnown() {
        var state = after(created(),
                operation("commit web-1/disk-0", OperationRecord.Kind.DISK_COMMIT, Map.of()));

        assertEquals(List.of(new OperationEnded("commit web-1/disk-0", "its process ended")),
                plan(state, withDisk()).events());
        assertEquals(List.of(new OperationEnded("commit web-1/disk-0", "the disk is gone")),
                plan(state, store(List.of(ref(1)), Map.of())).events().stream()
                        .filter(event -> event instanceof OperationEnded).toList());
    }

    @Test
    void shouldAgreeAfterItsEventsAreApplied() {
        var state =
                after(created(), started(), begun(1), sealed(1), begun(2), stunned(2), begun(3));
        var contents = withDisk(ref(2), ref(9));

        var agreed = state.applyAll(plan(state, contents).events());

        assertEquals(List.of(), plan(agreed, contents).events());
        assertEquals(9, agreed.lastId(WEB));
    }
}
