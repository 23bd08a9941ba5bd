package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A chain against an array of versions for each view, under the same random calls: writes, zeros, faults, overlays, commits
 * while views are held, clones, and opening again. One thread, no crash: for those see the tests beside.
 */
class DiskChainModelTest {
    private static final long SEED = Long.getLong("seed", 1);

    @TempDir
    private Path folder;

    @Test
    void shouldBeWhatWasWrittenInMemory() throws Exception {
        for (long seed = SEED; seed < SEED + 40; seed++) {
            var root = MemoryImageDirectory.root(Long.MAX_VALUE);
            run(seed, root.child("disk"), root.child("clone"), 400);
        }
    }

    @Test
    void shouldBeWhatWasWrittenWhereDataIsVerified() throws Exception {
        for (long seed = SEED; seed < SEED + 20; seed++) {
            var root = MemoryImageDirectory.root(Long.MAX_VALUE);
            run(seed, SpyDirectory.untrusted(root.child("disk")),
                    SpyDirectory.untrusted(root.child("clone")), 400);
        }
    }

    @Test
    void shouldBeWhatWasWrittenInFiles() throws Exception {
        // Three files at once, so that most are closed and opened again all the time.
        var openFiles = new OpenFiles(3);
        for (long seed = SEED; seed < SEED + 6; seed++) {
            var disk = Files.createDirectory(folder.resolve("disk-" + seed));
            run(seed, new FileImageDirectory(disk, openFiles),
                    new FileImageDirectory(folder.resolve("clones/of/" + seed), openFiles), 300);
            assertEquals(0, openFiles.count(), "files open after all was closed");
        }
    }

    private static void run(long seed, ImageDirectory directory, ImageDirectory cloneDirectory,
            int steps)
            throws IOException {
        try {
            var random = new Random(seed);
            int groupBytes = DiskGeometry.GROUP_BYTES_MIN << random.nextInt(3);
            // Not a multiple of the group: the last one is short.
            var geometry =
                    new DiskGeometry(12L * groupBytes - 512L * random.nextInt(8), groupBytes);
            var id = new ChainId(seed, 1);
            try (var disk =
                    new Disk(random, directory, DiskChain.create(directory, geometry, id), null)) {
                for (int i = 0; i < steps; i++) {
                    disk.step();
                }
                disk.chain.sync(disk.chain.top());
                int view = disk.chain.top() == 0 ? 0 : disk.chain.top() - random.nextInt(2);
                if (!disk.views.containsKey(view)) {
                    view = disk.chain.top();
                }
                runClone(random, disk, cloneDirectory, view, steps / 2);
                disk.checkAll();
            }
        } catch (AssertionError | RuntimeException | IOException e) {
            fail("rerun with -Dseed=" + seed, e);
        }
    }

    /** Both go on: the parent above the view, the clone on it. */
    private static void runClone(Random random, Disk parent, ImageDirectory directory, int view,
            int steps)
            throws IOException {
        var ready = parent.prepared;
        parent.switchTo(ready != null ? ready : parent.chain.prepareOverlay());
        parent.clonedView = view;
        var chain = DiskChain.createOn(directory, parent.chain, view, new ChainId(1, 2));
        try (var clone = new Disk(random, directory, chain, parent)) {
            clone.views.put(view, parent.view(view).clone());
            clone.views.put(chain.top(), parent.view(view).clone());
            clone.checkAll();
            for (int i = 0; i < steps; i++) {
                (random.nextBoolean() ? clone : parent).step();
            }
            clone.checkAll();
        }
    }

    /** A chain and what it must be. */
    private static final class Disk implements AutoCloseable {
        private final Random random;
        private final ImageDirectory directory;
        private final @Nullable Disk parent;
        private final DiskGeometry geometry;
        private final int groupSectors;
        private final int sectors;

        /** What each view that can still be seen shows. */
        private final TreeMap<Integer, long[]> views = new TreeMap<>();
        private final List<Integer> held = new ArrayList<>();
        private DiskChain chain;
        private @Nullable PreparedOverlay prepared;
        private @Nullable Commit commit;
        private @Nullable Flatten flatten;
        private int upper;
        private long version;

        /** The view that a clone holds; -1 if there is none. */
        private int clonedView = -1;

        /** Views whose file holds everything. */
        private final TreeSet<Integer> flat = new TreeSet<>();

        Disk(Random random, ImageDirectory directory, DiskChain chain, @Nullable Disk parent) {
            this.random = random;
            this.directory = directory;
            this.chain = chain;
            this.parent = parent;
            geometry = chain.geometry();
            groupSectors = geometry.groupBytes() / Sectors.BYTES;
            sectors = (int) (geometry.sizeBytes() / Sectors.BYTES);
            views.put(chain.top(), new long[sectors]);
            version = parent == null ? 0 : parent.version + 1_000_000;
        }

        private long[] view(int view) {
            return Objects.requireNonNull(views.get(view), () -> "no view " + view);
        }

        void step() throws IOException {
            switch (random.nextInt(20)) {
                case 0, 1, 2, 3, 4 -> write(chain.top());
                case 5, 6 -> zeros(chain.top());
                case 7 -> writeBelow();
                case 8, 9, 10, 11 -> readSome();
                case 12 -> fault();
                case 13 -> chain.sync(chain.top());
                case 14 -> chain.syncLayer(chain.top());
                case 15 -> overlay();
                case 16 -> hold();
                case 17 -> stepCommit();
                case 18 -> {
                    readFromDisk();
                    stepFlatten();
                }
                default -> {
                    if (random.nextInt(5) == 0) {
                        reopen();
                    }
                }
            }
        }

        private void write(int layer) throws IOException {
            int first = random.nextInt(sectors);
            int count = 1 + random.nextInt(Math.min(sectors - first, 2 * groupSectors));
            if (random.nextInt(4) == 0) {
                first -= first % groupSectors;
                count = Math.min(groupSectors, sectors - first);
            }
            version++;
            Sectors.write(chain, layer, first, count, version);
            set(layer, first, count, version);
        }

        private void zeros(int layer) throws IOException {
            int group = random.nextInt(geometry.groupCount());
            int first = group * groupSectors;
            int count = geometry.groupLength(group) / Sectors.BYTES;
            if (random.nextInt(3) == 0) {
                int skipped = random.nextInt(count);
                first += skipped;
                count = 1 + random.nextInt(count - skipped);
            }
            chain.writeZeroes(layer, (long) first * Sectors.BYTES, (long) count * Sectors.BYTES,
                    random.nextBoolean());
            set(layer, first, count, 0);
        }

        /** As a pending write does after a checkpoint: only where no layer above holds the group (R8). */
        private void writeBelow() throws IOException {
            var below = views.lowerKey(chain.top());
            if (below == null || below < chain.firstLayer() || below <= clonedView
                    || commit != null || flatten != null) {
                return;
            }
            int group = random.nextInt(geometry.groupCount());
            for (int layer : views.tailMap(below, false).keySet()) {
                if (chain.holds(layer, group)) {
                    return;
                }
            }
            int first = group * groupSectors;
            version++;
            Sectors.write(chain, below, first, 1, version);
            set(below, first, 1, version);
        }

        private void set(int layer, int first, int count, long written) {
            for (var view : views.tailMap(layer).values()) {
                Arrays.fill(view, first, first + count, written);
            }
        }

        private void fault() throws IOException {
            int group = random.nextInt(geometry.groupCount());
            chain.fault(chain.top(), group, 0, Sectors.filled(0, 0));
            assertEquals(true, chain.holds(chain.top(), group));
        }

        private void overlay() throws IOException {
            var ready = prepared;
            if (ready == null) {
                prepared = chain.prepareOverlay();
            } else if (random.nextInt(4) == 0) {
                chain.discardPrepared(ready);
                prepared = null;
            } else {
                switchTo(ready);
            }
        }

        void switchTo(PreparedOverlay overlay) {
            prepared = null;
            var content = view(chain.top()).clone();
            chain.switchTo(overlay);
            views.put(chain.top(), content);
        }

        private void hold() {
            if (held.isEmpty() || random.nextBoolean()) {
                var keys = new ArrayList<>(views.keySet());
                int view = keys.get(random.nextInt(keys.size()));
                chain.hold(view);
                held.add(view);
            } else {
                chain.release(held.remove(/* index */ random.nextInt(held.size())));
            }
        }

        /** Begins, goes on with or ends a flatten, or drops what nobody sees any more. */
        private void stepFlatten() throws IOException {
            var going = flatten;
            if (going == null) {
                chain.seal(chain.top() - 1);
                if (chain.nextFlatten() >= 0) {
                    flatten = chain.flatten(chain.nextFlatten());
                } else if (chain.hasUnseen()) {
                    chain.dropUnseen();
                    removeUnseen();
                }
            } else if (!going.copyNext(random.nextInt(8))) {
                if (random.nextInt(4) == 0) {
                    going.cancel();
                } else {
                    going.finish();
                    flat.add(going.view());
                    removeUnseen();
                }
                flatten = null;
            }
        }

        /** Views below a flat file that no view stands on which somebody holds. */
        private void removeUnseen() {
            var needed = new TreeSet<>(held);
            needed.add(clonedView);
            views.keySet().removeIf(view -> view < flat.last() && needed.subSet(view, flat.last())
                    .stream().noneMatch(each -> flat.subSet(view, false, each, true).isEmpty()));
            if (parent != null && chain.firstLayer() == 0) {
                parent.clonedView = -1;
            }
        }

        private void stepCommit() throws IOException {
            var going = commit;
            if (flatten != null) {
                return;
            }
            if (going == null) {
                var layers = new ArrayList<>(views.tailMap(chain.firstLayer()).keySet());
                int index = random.nextInt(layers.size());
                upper = layers.get(index);
                boolean hurts = index == 0 || upper == chain.top()
                        || held.contains(layers.get(index - 1))
                        || clonedView == layers.get(index - 1)
                        || flat.contains(upper);
                assertEquals(!hurts, chain.mayCommit(upper), "commit " + upper + ", held " + held);
                if (!hurts) {
                    commit = chain.commit(upper);
                    if (flat.contains(layers.get(index - 1))) {
                        flat.add(upper);
                    }
                    views.remove(layers.get(index - 1));
                }
            } else if (!going.copyNext(random.nextInt(4))) {
                going.finish();
                commit = null;
            }
        }

        /** What is seen at once is what each question gets alone. */
        private void compareOutlook() {
            var outlook = chain.outlook();
            assertEquals(
                    new DiskChain.Outlook(chain.top(), chain.heldViews(), chain.nextCommit(),
                            chain.nextFlatten(), chain.files(), chain.filesIfFlat(),
                            chain.topGroups(), chain.hasUnseen(), chain.mayCommitOnceCovered()),
                    outlook);
            if (chain.isShort()) {
                assertEquals(null, outlook.nextCommit());
                assertEquals(-1, outlook.nextFlatten());
                assertEquals(false, outlook.hasUnseen());
            }
        }

        private void readSome() throws IOException {
            compareOutlook();
            int first = random.nextInt(sectors);
            int count = 1 + random.nextInt(sectors - first);
            var keys = new ArrayList<>(views.keySet());
            int view = keys.get(random.nextInt(keys.size()));
            assertArrayEquals(Arrays.copyOfRange(view(view), first, first + count),
                    Sectors.read(chain, view, first, count), "view " + view);
        }

        /** Another instance, from the files, while this one lives. */
        private void readFromDisk() throws IOException {
            var keys = new ArrayList<>(views.keySet());
            int view = keys.get(random.nextInt(keys.size()));
            chain.sync(view);
            try (var read = DiskChain.openReadOnly(directory, view)) {
                assertEquals(view, read.top());
                assertArrayEquals(view(view), Sectors.read(read, view), "view " + view);
            }
        }

        private void reopen() throws IOException {
            if (commit != null || flatten != null || clonedView >= 0) {
                return;
            }
            chain.sync(chain.top());
            int top = chain.top();
            chain.close();
            chain = DiskChain.open(directory, parent == null ? null : parent.chain);
            if (prepared != null) {
                // It was in the chain already, so it is the top now.
                views.put(chain.top(), view(top).clone());
                prepared = null;
            }
            held.forEach(chain::hold);
            checkAll();
        }

        void checkAll() throws IOException {
            for (var view : views.entrySet()) {
                assertArrayEquals(view.getValue(), Sectors.read(chain, view.getKey()),
                        "view " + view.getKey());
            }
            assertFalse(chain.stats().bytesOnDisk() < 0);
        }

        @Override
        public void close() {
            chain.close();
        }
    }
}
