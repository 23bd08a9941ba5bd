package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.NOW;
import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.after;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.facts;
import static io.tintype.catalogue.Facts.operation;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static io.tintype.catalogue.Facts.started;
import static io.tintype.catalogue.Facts.stunned;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.catalogue.CatalogueEvent.CheckpointAborted;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleteBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleted;
import io.tintype.catalogue.CatalogueEvent.CheckpointKept;
import io.tintype.catalogue.CatalogueEvent.CheckpointSealed;
import io.tintype.catalogue.CatalogueEvent.CheckpointStunned;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.OperationStepped;
import io.tintype.catalogue.CatalogueEvent.VmRemoved;
import io.tintype.catalogue.CatalogueEvent.VmRestored;
import io.tintype.catalogue.CatalogueEvent.VmStopped;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What events come to, and which of them are worth writing. */
class DecisionsTest {
    private static CheckpointRecord.@Nullable Phase phase(CatalogueState state, long id) {
        var known = state.checkpoint(ref(id));
        return known == null ? null : known.phase();
    }

    private static VmRecord web(CatalogueState state) {
        return Objects.requireNonNull(state.vms().get(WEB));
    }

    @Test
    void shouldFollowACheckpointFromItsNameToItsEnd() {
        var state = after(created(), begun(1));

        assertEquals(CheckpointRecord.Phase.BEGUN, phase(state, 1));
        state = state.apply(stunned(1));
        assertEquals(CheckpointRecord.Phase.STUNNED, phase(state, 1));
        state = state.apply(sealed(1));
        assertEquals(CheckpointRecord.Phase.SEALED, phase(state, 1));
        assertEquals(ref(1), Objects.requireNonNull(web(state).lastSealed()).ref());
        state = state.apply(new CheckpointDeleteBegun(ref(1)));
        assertEquals(CheckpointRecord.Phase.DELETING, phase(state, 1));
        assertNull(web(state).lastSealed());
        assertEquals(CheckpointRecord.Phase.SEALED,
                phase(state.apply(new CheckpointKept(ref(1))), 1));
        state = state.apply(new CheckpointDeleted(ref(1), "it was asked for"));
        assertNull(phase(state, 1));
        assertEquals(1, state.lastId(WEB));
    }

    @Test
    void shouldSayWhyTheLastCheckpointWasAbortedAndNeverUseItsIdAgain() {
        var state = after(created(), begun(1), new CheckpointAborted(ref(1), "no room"));

        assertEquals("checkpoint web-1/1 was aborted: no room", web(state).reason());
        assertNull(phase(state, 1));
        assertInstanceOf(Decisions.Decision.Refuse.class, Decisions.decide(state, begun(1)));
        assertInstanceOf(Decisions.Decision.Write.class, Decisions.decide(state, begun(2)));
        assertNull(web(state.apply(begun(2)).apply(sealed(2))).reason());
    }

    @Test
    void shouldKnowWhatAVmDoes() {
        assertEquals(VmRecord.Status.CREATED, web(after(created())).status());
        assertEquals(VmRecord.Status.RUNNING, web(after(created(), started())).status());
        assertEquals(VmRecord.Status.STOPPED,
                web(after(created(), started(), new VmStopped(WEB, null, NOW))).status());
        var failed = web(after(created(), started(), new VmStopped(WEB, "a bug", NOW)));
        assertEquals(VmRecord.Status.FAILED, failed.status());
        assertEquals("a bug", failed.reason());
        assertEquals(ref(1), web(after(created(), new VmRestored(WEB, ref(1), NOW))).origin());
        assertEquals(CatalogueState.EMPTY, after(created(), new VmRemoved(WEB, "asked for", NOW)));
    }

    @Test
    void shouldKeepAnOperationWithItsStepAndDetailsUntilItEnds() {
        var begun = operation("commit web-1/disk-0", OperationRecord.Kind.DISK_COMMIT,
                Map.of("layer", "3"));
        var state = after(created(), begun, new OperationStepped("commit web-1/disk-0", "copied",
                new TreeMap<>(Map.of("groups", "17"))));

        var operation = Objects.requireNonNull(state.operations().get("commit web-1/disk-0"));
        assertEquals("copied", operation.step());
        assertEquals(Map.of("layer", "3", "groups", "17"), operation.details());
        assertInstanceOf(Decisions.Decision.Refuse.class, Decisions.decide(state, begun));
        assertEquals(0, state.apply(new OperationEnded("commit web-1/disk-0", null)).operations()
                .size());
    }

    // After a journal was away nobody knows which of the facts arrived: all are told again.
    @Test
    void shouldWriteNothingThatIsKnown() {
        var story = List.of(created(), started(), begun(1), stunned(1), sealed(1),
                operation("flatten web-1/disk-0", OperationRecord.Kind.DISK_FLATTEN, Map.of()));
        var state = CatalogueState.EMPTY.applyAll(story);

        for (var told : story) {
            var decision = Decisions.decide(state, told);
            boolean isNews = decision instanceof Decisions.Decision.Write;
            // These two say where a VM's story begins, and are followed by the rest of it.
            assertEquals(told.equals(created()), isNews, told + " gave " + decision);
        }
    }

    @Test
    void shouldComeToTheSameWhenTheEndOfAStoryIsToldTwice() {
        var story = List.of(created(), started(), begun(1), stunned(1), sealed(1),
                new CheckpointDeleteBegun(ref(1)),
                new CheckpointDeleted(ref(1), "it was asked for"),
                new VmStopped(WEB, null, NOW));
        var once = CatalogueState.EMPTY.applyAll(story);

        for (int from = 0; from < story.size(); from++) {
            var twice = once;
            for (var told : story.subList(from, story.size())) {
                if (Decisions.decide(twice, told) instanceof Decisions.Decision.Write(var news)) {
                    twice = twice.apply(news);
                }
            }
            assertEquals(once, twice, "told again from " + story.get(from));
        }
    }

    @Test
    void shouldNotGoBackFromSealed() {
        var state = after(created(), begun(1), sealed(1));

        assertEquals(state, state.apply(stunned(1)));
        assertEquals(new Decisions.Decision.Known(), Decisions.decide(state, stunned(1)));
    }

    @Test
    void shouldRefuseACheckpointOfAVmThatNobodyToldOf() {
        assertInstanceOf(Decisions.Decision.Refuse.class,
                Decisions.decide(CatalogueState.EMPTY, begun(1)));
    }

    // A seal is a fact of the store, and makes its VM known.
    @Test
    void shouldTakeASealWhateverWasKnown() {
        var state = after(sealed(7));

        assertEquals(VmRecord.Status.FOUND, web(state).status());
        assertEquals(List.of(65_536L), web(state).diskBytes());
        assertEquals(7, state.lastId(WEB));
    }

    @Test
    void shouldIgnoreEventsThatFitNothing() {
        for (var event : List.of(started(), begun(1), stunned(1),
                new CheckpointAborted(ref(1), "x"), new CheckpointDeleteBegun(ref(1)),
                new CheckpointKept(ref(1)), new CheckpointDeleted(ref(1), "x"),
                new VmRestored(WEB, ref(1), NOW), new OperationEnded("x", null),
                new OperationStepped("x", "y", new TreeMap<>()))) {
            assertEquals(CatalogueState.EMPTY, CatalogueState.EMPTY.apply(event));
        }
        var other = new CheckpointStunned(new CheckpointRef(WEB, ref(9).id()), 1, 1);
        assertEquals(after(created()), after(created()).apply(other));
    }

    // 10,000 checkpoints, each looked at and changed: a state that is copied whole would take minutes.
    @Test
    void shouldHoldThousandsOfCheckpoints() {
        var state = after(created());
        for (int id = 1; id <= 10_000; id++) {
            for (var told : List.of(begun(id), stunned(id), sealed(id))) {
                assertTrue(Decisions.decide(state, told) instanceof Decisions.Decision.Write);
                state = state.apply(told);
            }
        }

        assertEquals(10_000, web(state).checkpoints().size());
        assertNotNull(state.checkpoint(ref(5_000)));
        assertEquals(new CheckpointSealed(ref(1), facts()), sealed(1));
    }
}
