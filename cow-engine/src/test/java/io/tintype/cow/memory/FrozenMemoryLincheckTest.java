package io.tintype.cow.memory;

import java.lang.foreign.ValueLayout;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A region with its one writer, and readers of what it froze on other threads. Whatever they read, it is what the page held at the
 * instant of the memory that was last handed to them, or is being handed to them, and never what was stored since: neither of one
 * that was settled from the start nor of one that was settled after stores had moved its pages.
 *
 * <p>Lincheck switches threads at accesses to fields and arrays, that is, to the page table, not at those to the frames' bytes. So what is
 * verified is the table and its hand-over.
 */
@Param(name = "page", gen = IntGen.class, conf = "0:1")
@Param(name = "value", gen = IntGen.class, conf = "1:9")
public final class FrozenMemoryLincheckTest {
    /** In two leaves of the table. */
    private static final int PAGES = Leaf.ENTRY_COUNT + 1;
    private static final long CAPACITY_BYTES =
            2L * FrameList.CHUNK_FRAMES * FramePool.FRAME_BYTES;

    /** Frames start as what an earlier try has left, and no page may show that. */
    private final HostMemory memory = Memories.next();
    private final FramePool pool = new FramePool(CAPACITY_BYTES, CAPACITY_BYTES, _ -> memory);
    private final MemoryRegion region = new MemoryRegion(pool,
            (long) PAGES * FramePool.FRAME_BYTES, (_, _, _) -> {});
    /** As an actor's message would, this hands it over safely. */
    private volatile FrozenMemory frozen;
    /** The writer's alone. */
    private @Nullable FrozenMemory unsettled;

    /** Lincheck makes the object to be tested. */
    public FrozenMemoryLincheckTest() {
        store(0, 0);
        store(1, 0);
        frozen = region.freeze();
    }

    /** Lincheck makes many and closes none; no two of those that run at once share one. */
    private static final class Memories {
        static final HostMemory[] ALL = new HostMemory[64];
        static int next;

        static synchronized HostMemory next() {
            int index = next++ % ALL.length;
            var memory = ALL[index];
            if (memory == null) {
                memory = HostMemory.of(CAPACITY_BYTES + FramePool.FRAME_BYTES);
                ALL[index] = memory;
            }
            return memory;
        }
    }

    @Operation(nonParallelGroup = "writer")
    public void store(@Param(name = "page") int page, @Param(name = "value") int value) {
        region.putLong(page * (PAGES - 1L) * FramePool.FRAME_BYTES, value);
    }

    @Operation(nonParallelGroup = "writer")
    public void freeze() {
        frozen = region.freeze();
    }

    @Operation(nonParallelGroup = "writer")
    public void freezeUnsettled() {
        unsettled = region.freezeUnsettled();
    }

    @Operation(nonParallelGroup = "writer")
    public void settle() {
        var now = unsettled;
        if (now != null) {
            now.settle();
            frozen = now;
        }
    }

    /** Both pages, which are of one instant. */
    @Operation
    public String read() {
        var now = frozen;
        return valueIn(now, 0) + " and " + valueIn(now, PAGES - 1);
    }

    private static long valueIn(FrozenMemory memory, int page) {
        return memory.pool().get(ValueLayout.JAVA_LONG,
                memory.frame(page) * (long) FramePool.FRAME_BYTES);
    }

    /** The same, slow and obvious. */
    public static final class Model {
        private final long[] pages = new long[2];
        private long[] frozen = new long[2];
        private long @Nullable [] unsettled;

        public void store(int page, int value) {
            pages[page] = value;
        }

        public void freeze() {
            frozen = pages.clone();
        }

        public void freezeUnsettled() {
            unsettled = pages.clone();
        }

        public void settle() {
            if (unsettled != null) {
                frozen = unsettled;
            }
        }

        public String read() {
            return frozen[0] + " and " + frozen[1];
        }
    }

    @Test
    void shouldSurviveEveryOrderOfSteps() {
        new ModelCheckingOptions().loopIterationsBeforeThreadSwitch(1_100).threads(2)
                .actorsPerThread(3).actorsBefore(2).actorsAfter(1)
                .iterations(6).invocationsPerIteration(200)
                .sequentialSpecification(Model.class)
                .check(FrozenMemoryLincheckTest.class);
    }

    @Test
    @Tag("stress")
    void shouldSurviveRealThreads() {
        new StressOptions().threads(3).actorsPerThread(4).actorsBefore(2).actorsAfter(1)
                .iterations(30).invocationsPerIteration(1_000)
                .sequentialSpecification(Model.class)
                .check(FrozenMemoryLincheckTest.class);
    }
}
