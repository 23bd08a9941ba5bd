package io.tintype.cow.memory;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.Test;

/** Two clones on their strands, a saver of what one of them froze, and a loader ahead: each sees the bytes that were stored. */
class LazyMemoryThreadsTest {
    private static final int PAGES = 3000;

    private static final class Numbers implements PageSource {
        @Override
        public int pageCount() {
            return PAGES;
        }

        @Override
        public boolean stored(int page) {
            return page % 3 != 0;
        }

        @Override
        public void read(int page, MemorySegment to, long offset) {
            for (int i = 0; i < 512; i++) {
                to.setAtIndex(ValueLayout.JAVA_LONG, offset / 8 + i, page);
            }
        }

        @Override
        public void close() {}
    }

    private static long wanted(int page) {
        return page % 3 == 0 ? 0 : page;
    }

    @Test
    void shouldShowEveryThreadTheSameBytes() throws Exception {
        for (int round = 0; round < 20; round++) {
            try (var pool = new FramePool(128 << 20, 64 << 20);
                    var threads = Executors.newFixedThreadPool(4)) {
                var lazy = new LazyMemory(pool, new Numbers());
                var first = new MemoryRegion(lazy.memory(), (_, _, _) -> {});
                var second = new MemoryRegion(lazy.memory(), (_, _, _) -> {});
                first.putLong(8, 77);
                var frozen = first.freeze();
                lazy.close();
                List<Callable<Void>> work = new ArrayList<>();
                work.add(() -> readAndWrite(first));
                work.add(() -> readAndWrite(second));
                work.add(() -> save(frozen));
                work.add(() -> ahead(lazy));

                for (var done : threads.invokeAll(work)) {
                    done.get();
                }

                assertEquals(PAGES, lazy.loadedPages());
                first.release(frozen);
                first.close();
                second.close();
                assertEquals(0, pool.framesInUse());
            }
        }
    }

    private static Void readAndWrite(MemoryRegion region) {
        for (int page = 0; page < PAGES; page++) {
            var address = (long) page * 4096;
            assertEquals(wanted(page), region.getLong(address + 4088));
            if (page % 5 == 0) {
                region.putLong(address, -page);
                assertEquals(wanted(page), region.getLong(address + 2048));
                assertEquals(-page, region.getLong(address));
            }
        }
        return null;
    }

    private static Void save(FrozenMemory frozen) {
        for (int page = frozen.nextPresent(0); page >= 0; page = frozen.nextPresent(page + 1)) {
            assertEquals(wanted(page),
                    frozen.pool().get(ValueLayout.JAVA_LONG, frozen.frame(page) * 4096L + 4088));
        }
        return null;
    }

    private static Void ahead(LazyMemory lazy) {
        for (int page = PAGES - 1; page >= 0; page--) {
            lazy.load(page);
        }
        return null;
    }
}
