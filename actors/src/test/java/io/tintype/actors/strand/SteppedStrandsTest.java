package io.tintype.actors.strand;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The executor without threads, on a clock that only work moves. */
class SteppedStrandsTest {
    private static final long BUDGET_NS = 200_000;
    private static final long HOLD_MAX_NS = 10_000_000;

    private long nowNs;
    private final List<String> ran = new ArrayList<>();

    @Test
    void shouldGiveStrandsThatAreAlwaysBusyTheSameNumberOfSlices() {
        var strands = stepping(Chooser.FIRST);
        var slices = new int[64];
        for (int vm = 0; vm < slices.length; vm++) {
            new Busy(strands, vm, slices, 100_000).start();
        }

        for (int turn = 0; turn < 64 * 100; turn++) {
            assertTrue(strands.step());
        }

        // Two slices of 100 µs to a turn of 200 µs.
        assertTrue(Arrays.stream(slices).allMatch(count -> count == 200), Arrays.toString(slices));
    }

    @Test
    void shouldNotStarveStrandsWithShortSlicesBesideStrandsWithLongOnes() {
        var strands = stepping(Chooser.FIRST);
        var slices = new int[10];
        for (int vm = 0; vm < slices.length; vm++) {
            new Busy(strands, vm, slices, vm == 0 ? 5_000 : 1_000_000).start();
        }

        for (int turn = 0; turn < 100; turn++) {
            strands.step();
        }

        assertEquals(10 * BUDGET_NS / 5_000, slices[0]);
        assertEquals(10, slices[9]);
    }

    @Test
    void shouldServeAStrandThatWakesAfterThoseThatWaitAlready() {
        var strands = stepping(Chooser.FIRST);
        strands.offer(new Strand(null, true),
                work("a", 0, _ -> strands.offer(new Strand(null, true), work("c", 0, _ -> {}))));
        strands.offer(new Strand(null, true), work("b", 0, _ -> {}));

        runAll(strands);

        assertEquals(List.of("a", "b", "c"), ran);
    }

    @Test
    void shouldFinishWhatAStrandTellsItselfBeforeAnotherStrandRuns() {
        var strands = stepping(Chooser.FIRST);
        var vm = new Strand(null, true);
        strands.offer(vm, work("stop", 1_000,
                _ -> strands.offer(vm, work("freeze", 1_000,
                        _ -> strands.offer(vm, work("resume", 1_000, _ -> {}))))));
        strands.offer(new Strand(null, true), work("other", 0, _ -> {}));

        runAll(strands);

        assertEquals(List.of("stop", "freeze", "resume", "other"), ran);
    }

    @Test
    void shouldKeepTheTurnWhileHeldThoughTheBudgetIsUsedUp() {
        var strands = stepping(Chooser.FIRST);
        var vm = new Strand(null, true);
        strands.offer(vm, work("stop", BUDGET_NS, _ -> {
            assertTrue(Strands.holdTurn());
            strands.offer(vm,
                    work("freeze", BUDGET_NS, _ -> strands.offer(vm, work("resume", 1, _ -> {
                        Strands.endHold();
                        strands.offer(vm, work("slice", 1, _ -> {}));
                    }))));
        }));
        strands.offer(new Strand(null, true), work("other", 0, _ -> {}));

        runAll(strands);

        assertEquals(List.of("stop", "freeze", "resume", "other", "slice"), ran);
        assertEquals(0, vm.stats().lapsedHolds());
    }

    @Test
    void shouldServeAHeldStrandNextThatHadNothingToRun() {
        var strands = stepping(Chooser.FIRST);
        var vm = new Strand(null, true);
        strands.offer(vm, work("hold", 0, _ -> Strands.holdTurn()));
        strands.offer(new Strand(null, true),
                work("a", 0, _ -> strands.offer(vm, work("held", 0, _ -> {}))));
        strands.offer(new Strand(null, true), work("b", 0, _ -> {}));

        runAll(strands);

        assertEquals(List.of("hold", "a", "held", "b"), ran);
    }

    @Test
    void shouldEndAHoldThatIsNeverEnded() {
        var strands = stepping(Chooser.FIRST);
        var slices = new int[2];
        var forgetful = new Busy(strands, 0, slices, 100_000);
        strands.offer(forgetful.strand, work("hold", 0, _ -> Strands.holdTurn()));
        forgetful.start();
        new Busy(strands, 1, slices, 100_000).start();

        strands.step();
        strands.step();

        assertEquals(HOLD_MAX_NS / 100_000, slices[0]);
        assertEquals(2, slices[1]);
        assertEquals(1, forgetful.strand.stats().lapsedHolds());
    }

    @Test
    void shouldCountTurnsRunsAndTime() {
        var strands = stepping(Chooser.FIRST);
        var slices = new int[1];
        var busy = new Busy(strands, 0, slices, 100_000);
        busy.start();

        strands.step();
        strands.step();

        assertEquals(new StrandStats(2, 4, 400_000, 0), busy.strand.stats());
    }

    @Test
    void shouldKnowTheStrandThatRunsAndOnlyThen() {
        var strands = stepping(Chooser.FIRST);
        var vm = new Strand(null, true);
        var seen = new ArrayList<@Nullable Strand>();
        strands.offer(vm, work("a", 0, _ -> seen.add(Strands.current())));

        runAll(strands);

        assertSame(vm, seen.getFirst());
        assertEquals(null, Strands.current());
    }

    @Test
    void shouldFollowTheChooserSoThatASeedDecidesTheSchedule() {
        assertEquals(schedule(42), schedule(42));
        assertNotEquals(schedule(42), schedule(43));
    }

    /** Which of 5 strands with 3 entries each ran, run by run. */
    private List<String> schedule(long seed) {
        ran.clear();
        var strands =
                StrandExecutor.stepping(0, HOLD_MAX_NS, () -> nowNs, new Random(seed)::nextInt);
        for (int vm = 0; vm < 5; vm++) {
            var strand = new Strand(null, true);
            for (int i = 0; i < 3; i++) {
                strands.offer(strand, work("vm-" + vm + "/" + i, 0, _ -> {}));
            }
        }
        runAll(strands);
        assertEquals(15, ran.size());
        return List.copyOf(ran);
    }

    private StrandExecutor stepping(Chooser chooser) {
        return StrandExecutor.stepping(BUDGET_NS, HOLD_MAX_NS, () -> nowNs, chooser);
    }

    private static void runAll(StrandExecutor strands) {
        while (strands.step()) {
            // Each step is a turn.
        }
    }

    private StrandTask work(String name, long ns, LongConsumer then) {
        return new StrandTask(() -> {
            ran.add(name);
            nowNs += ns;
            then.accept(nowNs);
        });
    }

    /** Tells itself to go on after every slice, as a VM does. */
    private final class Busy {
        final Strand strand = new Strand(null, true);
        private final StrandExecutor strands;
        private final int vm;
        private final int[] slices;
        private final long sliceNs;

        Busy(StrandExecutor strands, int vm, int[] slices, long sliceNs) {
            this.strands = strands;
            this.vm = vm;
            this.slices = slices;
            this.sliceNs = sliceNs;
        }

        void start() {
            strands.offer(strand, new StrandTask(() -> {
                nowNs += sliceNs;
                slices[vm]++;
                start();
            }));
        }
    }
}
