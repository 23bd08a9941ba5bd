package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Users that begin, want pages and end, on one memory that is being loaded: a page has one frame for all, the source is closed
 * once and not asked after that, and every frame goes back.
 */
@Param(name = "user", gen = ThreadIdGen.class)
public class LazyMemoryLincheckTest {
    /** One for all pools, since Lincheck makes many and closes none. */
    private static final HostMemory MEMORY = HostMemory.of(128 * 4096);

    private final FramePool pool = new FramePool(127 * 4096, 127 * 4096, _ -> MEMORY);

    /** How often each thread uses it; once from the beginning, so that most scenarios are about wanting pages. */
    private final int[] uses = new int[8];
    private final long[] seen = new long[2];
    private int closes;
    private boolean wrong;
    private final LazyMemory lazy = new LazyMemory(pool, new PageSource() {
        @Override
        public int pageCount() {
            return 2;
        }

        @Override
        public boolean stored(int page) {
            wrong |= closes > 0;
            return page == 0;
        }

        @Override
        public void read(int page, MemorySegment to, long offset) {
            wrong |= closes > 0;
        }

        @Override
        public void close() {
            closes++;
        }
    });

    /** Uses it once for each thread. */
    public LazyMemoryLincheckTest() {
        for (int user = 0; user < uses.length; user++) {
            uses[user] = lazy.use() ? 1 : 0;
        }
    }

    @Operation
    public boolean use(@Param(name = "user") int user) {
        if (!lazy.use()) {
            return false;
        }
        uses[user]++;
        return true;
    }

    /** Whether the page is there: always, for who uses it. */
    @Operation
    public boolean want(@Param(name = "user") int user) {
        if (uses[user] == 0) {
            return false;
        }
        var entry = lazy.fetch(0, null);
        synchronized (seen) {
            wrong |= seen[0] != 0 && seen[0] != entry;
            seen[0] = entry;
        }
        return lazy.fetch(1, null) == 0;
    }

    @Operation
    public boolean end(@Param(name = "user") int user) {
        if (uses[user] == 0) {
            return false;
        }
        uses[user]--;
        lazy.unuse();
        return true;
    }

    @Operation(runOnce = true)
    public void close() {
        lazy.close();
    }

    @Validate
    public void shouldCloseOnceAndGiveEveryFrameBack() {
        lazy.close();
        for (int user = 0; user < uses.length; user++) {
            while (end(user)) {
                // one use after another
            }
        }
        wrong |= pool.framesInUse() != 0;
        if (wrong || closes > 1) {
            throw new IllegalStateException("closed " + closes + " times, or asked after that, or "
                    + pool.framesInUse() + " frames are left");
        }
    }

    @Test
    void shouldSurviveEveryOrderOfSteps() {
        new ModelCheckingOptions().threads(3).actorsPerThread(2)
                .iterations(6).invocationsPerIteration(200)
                .check(LazyMemoryLincheckTest.class);
    }

    /** Two that load the last page at once: who comes second finds the source closed, and the page there. */
    @Test
    void shouldNotAskASourceThatAnotherClosed() {
        new ModelCheckingOptions().threads(2).actorsPerThread(1)
                .iterations(12).invocationsPerIteration(1_000)
                .check(LazyMemoryLincheckTest.class);
    }

    @Test
    @Tag("stress")
    void shouldSurviveRealThreads() {
        new StressOptions().threads(3).actorsPerThread(3)
                .iterations(30).invocationsPerIteration(1_000)
                .check(LazyMemoryLincheckTest.class);
    }
}
