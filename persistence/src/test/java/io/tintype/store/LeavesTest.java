package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The leaves of an index: many of them, in many files, and read by few calls. */
class LeavesTest {
    private static final Path ROOT = Path.of("/store");
    // More leaves than one call reads.
    private static final int LEAVES = 700;
    private static final int PAGES = LEAVES * PageIndex.LEAF_PAGES - 5;

    private final AtomicLong reads = new AtomicLong();
    private final StoreFiles files = new FaultyFiles(new MemoryFiles()) {
        @Override
        public StoreFile openToRead(Path path) throws IOException {
            StoreFile file = super.openToRead(path);
            return path.getFileName().toString().startsWith("memory") ? counted(file) : file;
        }
    };

    @Test
    void shouldFindLeavesOfManyFilesFarAndNear() throws StoreException {
        long seed = Long.getLong("seed", 1);
        var random = new Random(seed);
        var line = aPageInEachLeaf();
        try (var store = CheckpointStore.open(ROOT, files)) {
            line.seal(store);
            for (int depth = 1; depth <= 8; depth++) {
                // From every second leaf to one in 200 of them.
                for (int leaf = random.nextInt(depth); leaf < LEAVES; leaf +=
                        1 + random.nextInt(3 * depth * depth)) {
                    line.set(leaf * PageIndex.LEAF_PAGES + random.nextInt(59),
                            line.unique(random.nextLong()));
                }
                line.seal(store);
            }
        }
        // One that has no contents at hand, and reads all leaves to know them.
        try (var store = CheckpointStore.open(ROOT, files)) {
            line.change(random, 20);
            line.seal(store);
            line.check(store, line.refs().getFirst());
            line.check(store, line.refs().getLast());
        }
    }

    /** Not only when there are many of them. */
    @Test
    void shouldReadAFewByOneCall() throws StoreException {
        var line = aPageInEachLeaf();
        try (var store = CheckpointStore.open(ROOT, files)) {
            line.seal(store);
            line.set(3, line.unique(1_000));
            line.seal(store);
            long one = readsToSeal(line, store, 1);
            long four = readsToSeal(line, store, 4);

            assertEquals(one, four);
        }
    }

    /** Some pages change, each 9 leaves from the next. */
    private long readsToSeal(Line line, CheckpointStore store, int pages) throws StoreException {
        for (int i = 0; i < pages; i++) {
            line.set((100 * pages + 9 * i) * PageIndex.LEAF_PAGES,
                    line.unique(2_000 + 10 * pages + i));
        }
        reads.set(0);
        line.seal(store);
        return reads.get();
    }

    @Test
    void shouldReadNeighboursByOneCall() throws StoreException {
        var line = aPageInEachLeaf();
        try (var store = CheckpointStore.open(ROOT, files)) {
            line.seal(store);
            for (int leaf = 0; leaf < LEAVES; leaf += 2) {
                line.set(leaf * PageIndex.LEAF_PAGES, line.unique(-leaf));
            }
            reads.set(0);
            line.seal(store);
        }

        assertTrue(reads.get() < LEAVES / 10, reads + " reads for a checkpoint");
    }

    private static Line aPageInEachLeaf() {
        var line = new Line("vm-1", PAGES);
        for (int leaf = 0; leaf < LEAVES; leaf++) {
            line.set(leaf * PageIndex.LEAF_PAGES + 7, line.unique(leaf));
        }
        return line;
    }

    private StoreFile counted(StoreFile file) {
        return new StoreFile() {
            @Override
            public void write(long position, ByteBuffer source) throws IOException {
                file.write(position, source);
            }

            @Override
            public void read(long position, ByteBuffer target) throws IOException {
                reads.incrementAndGet();
                file.read(position, target);
            }

            @Override
            public void force() throws IOException {
                file.force();
            }

            @Override
            public long size() throws IOException {
                return file.size();
            }

            @Override
            public void close() throws IOException {
                file.close();
            }
        };
    }
}
