package io.tintype.cow.memory;

import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Clones begin and end on frozen memory while its region tries to release it: it is released only while nobody stands on it, and
 * nobody stands on it from then on.
 */
@Param(name = "clone", gen = ThreadIdGen.class)
public class BorrowedMemoryLincheckTest {
    private static final long CAPACITY_BYTES = FramePool.FRAME_BYTES;
    private static final FramePool POOL = new FramePool(CAPACITY_BYTES, CAPACITY_BYTES);

    private final FrozenMemory frozen = new FrozenMemory(POOL, 1, 1, 0, new Leaf[1], null,
            true);
    /** How often, by each thread. */
    private final int[] borrowed = new int[8];

    @Operation
    public boolean borrow(@Param(name = "clone") int clone) {
        try {
            borrowed[clone] += frozen.borrow().length;
            return true;
        } catch (IllegalStateException _) {
            return false;
        }
    }

    /** Only who borrowed gives back. */
    @Operation
    public boolean giveBack(@Param(name = "clone") int clone) {
        if (borrowed[clone] == 0) {
            return false;
        }
        borrowed[clone]--;
        frozen.giveBack();
        return true;
    }

    @Operation
    public boolean release() {
        try {
            frozen.release();
            return true;
        } catch (IllegalStateException _) {
            return false;
        }
    }

    @Test
    void shouldSurviveEveryOrderOfSteps() {
        new ModelCheckingOptions().threads(3).actorsPerThread(2)
                .iterations(10).invocationsPerIteration(300)
                .check(BorrowedMemoryLincheckTest.class);
    }

    @Test
    @Tag("stress")
    void shouldSurviveRealThreads() {
        new StressOptions().threads(3).actorsPerThread(3)
                .iterations(30).invocationsPerIteration(1_000)
                .check(BorrowedMemoryLincheckTest.class);
    }
}
