package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.NOW;
import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static io.tintype.catalogue.Facts.started;
import static io.tintype.catalogue.Facts.stunned;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.catalogue.CatalogueEvent.CheckpointAborted;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleteBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleted;
import java.time.InstantSource;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** A host that is stopped between any two of its steps, with a journal that lost all that it may have lost. */
class MemoryCatalogueTest {
    /** A store of which only the names count, and what a host does in it. */
    private static final class Model {
        private final TreeSet<CheckpointRef> store = new TreeSet<>();
        private final TreeSet<CheckpointRef> begun = new TreeSet<>();
        private MemoryJournal journal = new MemoryJournal();
        private Catalogue catalogue = open();

        private Catalogue open() {
            return new MemoryCatalogue(journal, StoreContents.ofCheckpoints(store), refs -> {
                var facts = new TreeMap<CheckpointRef, SealedFacts>();
                refs.forEach(ref -> facts.put(ref, Facts.facts()));
                return facts;
            }, InstantSource.fixed(NOW));
        }

        /** One step of a checkpoint's life; the orders that matter are those of docs/catalogue.md. */
        void step(long id, int step) {
            switch (step) {
                case 0 -> begin(id);
                case 1 -> catalogue.tell(stunned(id));
                case 2 -> {
                    assertTrue(told.durable().isDone());
                    assertNotNull(catalogue.state().checkpoint(ref(id)),
                            "begun before it is sealed");
                    store.add(ref(id));
                }
                case 3 -> catalogue.tell(sealed(id));
                case 4 -> catalogue.tell(new CheckpointDeleteBegun(ref(id)));
                case 5 -> store.remove(ref(id));
                default -> catalogue.tell(new CheckpointDeleted(ref(id), "it was asked for"));
            }
        }

        private Catalogue.Told told = () -> {
            throw new AssertionError("nothing was told");
        };

        private void begin(long id) {
            begun.add(ref(id));
            told = catalogue.tell(begun(id));
        }

        void crash(Random random) {
            journal = journal.crashed(random::nextInt);
            catalogue = open();
            var known = new TreeSet<CheckpointRef>();
            for (var vm : catalogue.state().vms().values()) {
                for (var checkpoint : vm.checkpoints().values()) {
                    assertEquals(CheckpointRecord.Phase.SEALED, checkpoint.phase());
                    known.add(checkpoint.ref());
                }
            }
            assertEquals(store, known);
        }
    }

    @Test
    void shouldAgreeWithTheStoreWhereverItIsStopped() {
        for (int stop = 0; stop <= 7; stop++) {
            for (int seed = 0; seed < 50; seed++) {
                var model = new Model();
                model.catalogue.tell(created());
                model.catalogue.tell(started());
                for (int step = 0; step < stop; step++) {
                    model.step(1, step);
                }
                model.crash(new Random(seed));
            }
        }
    }

    @Test
    void shouldGoOnAfterManyCrashes() {
        var random = new Random(7);
        var model = new Model();
        long id = 0;
        for (int life = 0; life < 300; life++) {
            // A host tells of the VM that it takes up, and gives ids that the store never saw.
            model.catalogue.tell(created());
            for (int i = random.nextInt(4); i > 0; i--) {
                id = Math.max(id, model.catalogue.state().lastId(WEB)) + 1;
                for (int step = 0; step < 7 && random.nextInt(9) != 0; step++) {
                    model.step(id, step);
                }
            }
            model.crash(random);
        }
        assertTrue(id > 100);
    }

    @Test
    void shouldKeepWhatSomebodyWaitedFor() {
        var model = new Model();
        model.catalogue.tell(created());
        assertTrue(model.catalogue.tell(begun(1)).durable().isDone());
        model.catalogue.tell(sealed(1));

        var left = model.journal.crashed(bound -> {
            assertEquals(2, bound);
            return 0;
        });

        assertEquals(List.of(created(), begun(1)), left.events());
    }

    @Test
    void shouldKeepFactsAndFailIntentsWhileItIsBroken() {
        var model = new Model();
        model.catalogue.tell(created());
        model.journal.breakDown("no space left on device");

        assertTrue(model.catalogue.tell(begun(1)).durable().isCompletedExceptionally());
        model.catalogue.tell(started());
        assertEquals(CatalogueHealth.Status.FAILED, model.catalogue.health().status());
        assertEquals(1, model.catalogue.health().waiting());
        model.journal.breakDown("");
        model.catalogue.tell(new CheckpointAborted(ref(1), "it was not recorded"));

        var web = Objects.requireNonNull(model.catalogue.state().vms().get(WEB));
        assertEquals(VmRecord.Status.RUNNING, web.status());
        assertNull(model.catalogue.state().checkpoint(ref(1)));
        assertEquals(0, model.catalogue.health().waiting());
    }
}
