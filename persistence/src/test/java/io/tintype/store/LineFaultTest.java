package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.store.FaultyFiles.Fault;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A line of checkpoints grows, loses its oldest ones and is collected, while one call after the
 * other fails, or the power does.
 */
class LineFaultTest {
    private static final Path ROOT = Path.of("/store");
    private static final int PAGES = 70;

    /** What was done to a line until something failed. */
    private static final class Story {
        final Line line = new Line("vm-1", PAGES);
        final Set<CheckpointRef> mustBeThere = new HashSet<>();
        final Set<CheckpointRef> mustBeGone = new HashSet<>();

        void run(CheckpointStore store) {
            for (int i = 0; i < 4; i++) {
                line.change(new Random(i), i == 0 ? 40 : 5);
                seal(store);
                if (i >= 1) {
                    drop(store);
                }
            }
            tried(store::gc);
            deleteAll(store);
        }

        private void seal(CheckpointStore store) {
            tried(() -> mustBeThere.add(line.seal(store).manifest().ref()));
        }

        private void drop(CheckpointStore store) {
            if (!store.list().isEmpty()) {
                remove(store.list().getFirst(), () -> store.drop(store.list().getFirst()));
            }
        }

        private void deleteAll(CheckpointStore store) {
            if (!store.list().isEmpty()) {
                CheckpointRef last = store.list().getLast();
                remove(last, () -> store.delete(last));
            }
        }

        private void remove(CheckpointRef ref, Call call) {
            mustBeThere.remove(ref);
            if (tried(call)) {
                mustBeGone.add(ref);
            }
        }

        private boolean tried(Call call) {
            try {
                call.run();
                return true;
            } catch (StoreException _) {
                return false;
            }
        }

        /** What is listed is whole, also once all that nobody needs is gone. */
        void check(CheckpointStore store, String where) throws StoreException {
            for (int round = 0; round < 2; round++) {
                var listed = store.list();
                assertTrue(listed.containsAll(mustBeThere), where);
                assertTrue(listed.stream().noneMatch(mustBeGone::contains), where);
                for (CheckpointRef ref : listed) {
                    line.check(store, ref);
                }
                store.gc();
            }
            assertEquals(List.of(), store.gc().removed(), where);
        }
    }

    private interface Call {
        void run() throws StoreException;
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = {"ONCE", "DEAD_FROM_THEN_ON"})
    void shouldLoseNothingWhicheverCallFails(Fault fault) throws IOException {
        int step = 0;
        boolean failed;
        do {
            step++;
            var memory = new MemoryFiles();
            var files = new FaultyFiles(memory);
            var story = new Story();
            try (var store = CheckpointStore.open(ROOT, files)) {
                files.failAt(step, fault, FaultyFiles.EIO);
                story.run(store);
                failed = files.heal();
                if (fault == Fault.ONCE) {
                    story.check(store, "step " + step);
                }
            }
            assertEquals(0, memory.openCount(), fault + " at step " + step);
            try (var reopened = CheckpointStore.open(ROOT, memory)) {
                story.mustBeGone.clear();
                story.check(reopened, "step " + step);
            } catch (StoreException e) {
                throw new AssertionError(fault + " at step " + step, e);
            }
        } while (failed);
        assertTrue(step > 150, "only " + step + " steps");
    }

    @Test
    void shouldSurviveALossOfPowerAtEveryStep() throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        var random = new Random(seed);
        int step = 0;
        boolean failed;
        do {
            step++;
            var memory = new MemoryFiles();
            var files = new FaultyFiles(memory);
            var story = new Story();
            var store = CheckpointStore.open(ROOT, files);
            files.failAt(step, Fault.DEAD_FROM_THEN_ON, FaultyFiles.EIO);
            story.run(store);
            failed = files.heal();

            String where = "step " + step + ", rerun with -Dseed=" + seed;
            try (var reopened = CheckpointStore.open(ROOT, memory.afterPowerLoss(random))) {
                story.check(reopened, where);
            } catch (StoreException e) {
                throw new AssertionError(where, e);
            }
        } while (failed);
    }

    /** Each call fails once while a checkpoint that stands on others is read, which then says so. */
    @Test
    void shouldReadAllOrSayWhatFailed() throws IOException {
        var memory = new MemoryFiles();
        var files = new FaultyFiles(memory);
        var line = new Line("vm-1", PAGES);
        try (var store = CheckpointStore.open(ROOT, files)) {
            for (int i = 0; i < 3; i++) {
                line.change(new Random(i), i == 0 ? 40 : 5);
                line.seal(store);
            }
            int step = 0;
            boolean failed;
            do {
                step++;
                files.failAt(step, Fault.ONCE, FaultyFiles.EIO);
                boolean thrown = false;
                try {
                    line.check(store, line.refs().getLast());
                } catch (StoreException e) {
                    thrown = true;
                    assertTrue(String.valueOf(e.getMessage()).contains(FaultyFiles.EIO),
                            e.getMessage());
                }
                failed = files.heal();
                assertEquals(failed, thrown, "step " + step);
                assertEquals(0, memory.openCount(), "step " + step);
            } while (failed);
            assertTrue(step > 50, "only " + step + " steps");
        }
    }

    /** Between any two calls of a collection the process may end; the next one does the rest. */
    @Test
    void shouldCollectInAsManyGoesAsItTakes() throws IOException {
        int step = 0;
        boolean failed;
        do {
            step++;
            var memory = new MemoryFiles();
            var files = new FaultyFiles(memory);
            var line = new Line("vm-1", PAGES);
            var refs = new ArrayList<CheckpointRef>();
            try (var store = CheckpointStore.open(ROOT, files)) {
                for (int i = 0; i < 3; i++) {
                    line.change(new Random(i), 20);
                    refs.add(line.seal(store).manifest().ref());
                }
                // Whoever reads it keeps what it stands on, so that there is something to collect.
                try (var _ = store.open(refs.getLast()).pages(0)) {
                    store.deleteWithDescendants(refs.getFirst());
                }
                files.failAt(step, Fault.DEAD_FROM_THEN_ON, FaultyFiles.EIO);
                try {
                    store.gc();
                } catch (StoreException _) {
                    // The process ends there.
                }
                failed = files.heal();
            }
            try (var reopened = CheckpointStore.open(ROOT, memory)) {
                var report = reopened.gc();
                assertFalse(failed && step < 3 && report.removed().isEmpty());
                assertEquals(List.of(), memory.list(ROOT.resolve("checkpoints")));
                assertEquals(List.of(), reopened.list());
            }
        } while (failed);
        assertTrue(step > 10, "only " + step + " steps");
    }
}
