package io.tintype.cow.memory;

import java.util.ArrayDeque;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Regions on several threads take frames from one pool and give them back: whatever each of them gets, it could have got had they
 * taken turns. There are three chunks of frames, so that they often find the pool empty.
 */
@Param(name = "region", gen = ThreadIdGen.class)
public class FramePoolLincheckTest {
    private static final long CAPACITY_BYTES =
            3L * FrameList.CHUNK_FRAMES * FramePool.FRAME_BYTES;
    private static final int REGIONS = 4;
    /** One for all pools, as it is never looked at, and Lincheck makes many pools and closes none. */
    private static final HostMemory MEMORY =
            HostMemory.of(CAPACITY_BYTES + FramePool.FRAME_BYTES);

    private final FramePool pool = new FramePool(CAPACITY_BYTES, CAPACITY_BYTES, _ -> MEMORY);
    private final LocalFrames[] free = new LocalFrames[REGIONS];
    private final ArrayDeque<Integer>[] taken = decks();

    /** Lincheck makes the object to be tested. */
    public FramePoolLincheckTest() {
        for (int i = 0; i < REGIONS; i++) {
            free[i] = new LocalFrames(pool);
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static ArrayDeque<Integer>[] decks() {
        var decks = new ArrayDeque[REGIONS];
        for (int i = 0; i < REGIONS; i++) {
            decks[i] = new ArrayDeque<Integer>();
        }
        return decks;
    }

    /** The frame; 0 if none is left. */
    @Operation
    public int take(@Param(name = "region") int region) {
        try {
            int frame = free[region].take();
            taken[region].addLast(frame);
            return frame;
        } catch (FramesExhausted _) {
            return 0;
        }
    }

    /** One more than there are at hand: a chunk. Whether there was one. */
    @Operation
    public boolean reserve(@Param(name = "region") int region) {
        return free[region].reserve((int) free[region].size() + 1);
    }

    /** The pool gets them as one chain, whether it is one chunk or several. */
    @Operation
    public void giveBackAll(@Param(name = "region") int region) {
        while (!taken[region].isEmpty()) {
            free[region].give(taken[region].removeLast());
        }
        free[region].trim();
    }

    /** In the pool, or in one region. */
    @Validate
    public void shouldHaveEveryFrameOnce() {
        var seen = new boolean[3 * FrameList.CHUNK_FRAMES + 1];
        for (int i = 0; i < REGIONS; i++) {
            taken[i].forEach(frame -> see(frame, seen));
            while (free[i].size() > 0) {
                see(free[i].take(), seen);
            }
        }
        for (var chunk = pool.take(); chunk != null; chunk = pool.take()) {
            for (int i = 0; i < chunk.count; i++) {
                see(chunk.frames[i], seen);
            }
        }
        for (int frame = 1; frame < seen.length; frame++) {
            Invariant.check(seen[frame], "frame " + frame + " is somewhere");
        }
        Invariant.check(pool.framesInUse() == pool.frameCapacity(), "all frames are in use now");
    }

    private static void see(int frame, boolean[] seen) {
        Invariant.check(!seen[frame], "frame " + frame + " is in one place only");
        seen[frame] = true;
    }

    @Test
    void shouldSurviveEveryOrderOfSteps() {
        new ModelCheckingOptions().loopIterationsBeforeThreadSwitch(100).threads(2)
                .actorsPerThread(3).actorsBefore(2).actorsAfter(0)
                .iterations(10).invocationsPerIteration(300).check(FramePoolLincheckTest.class);
    }

    @Test
    @Tag("stress")
    void shouldSurviveRealThreads() {
        new StressOptions().threads(3).actorsPerThread(3).actorsBefore(1).actorsAfter(1)
                .iterations(25).invocationsPerIteration(1_000).check(FramePoolLincheckTest.class);
    }
}
