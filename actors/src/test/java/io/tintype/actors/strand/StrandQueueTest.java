package io.tintype.actors.strand;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class StrandQueueTest {
    private static final long BUDGET_NS = 200;
    private static final long HOLD_MAX_NS = 1_000;

    private final StrandQueue queue = new StrandQueue();
    private final StrandEntry a = entry();
    private final StrandEntry b = entry();
    private final StrandEntry c = entry();

    @Test
    void shouldRunEntriesInTheOrderInWhichTheyBecameDue() {
        queue.add(b, false);
        queue.add(a, false);
        queue.add(c, false);

        assertEquals(List.of(b, a, c), taken());
    }

    @Test
    void shouldLetUrgentEntriesOvertakeInTheirOwnOrder() {
        queue.add(a, false);
        queue.add(b, true);
        queue.add(c, true);

        assertEquals(List.of(b, c, a), taken());
    }

    @Test
    void shouldLetAnEntryOvertakeThatBecomesUrgentWhileItWaits() {
        queue.add(a, false);
        queue.add(b, false);
        queue.add(b, true);

        assertEquals(List.of(b, a), taken());
    }

    @Test
    void shouldHoldAnEntryOnce() {
        queue.add(a, true);
        queue.add(b, false);
        queue.add(b, false);
        queue.add(a, false);
        queue.add(a, true);

        assertEquals(List.of(a, b), taken());
        assertTrue(queue.isEmpty());
    }

    @Test
    void shouldOfferUrgentEntriesAloneToTheChooser() {
        queue.add(a, false);
        queue.add(b, true);
        queue.add(c, true);
        List<Integer> counts = new ArrayList<>();

        var chosen = queue.next(count -> {
            counts.add(count);
            return 1;
        });

        assertEquals(c, chosen);
        assertEquals(List.of(2), counts);
    }

    @Test
    void shouldEndATurnWhenItsBudgetIsUsedUp() {
        queue.startTurn(1_000, BUDGET_NS);

        assertFalse(queue.isTurnOver(1_199));
        assertTrue(queue.isTurnOver(1_200));
    }

    @Test
    void shouldKeepTheTurnWhileHeld() {
        queue.startTurn(1_000, BUDGET_NS);
        queue.hold(1_100, HOLD_MAX_NS);

        assertFalse(queue.isTurnOver(1_900));

        queue.endHold();

        assertTrue(queue.isTurnOver(1_900));
        assertEquals(0, queue.lapsedHolds());
    }

    @Test
    void shouldLetAHoldLapseThatNobodyEnds() {
        queue.startTurn(1_000, BUDGET_NS);
        queue.hold(1_100, HOLD_MAX_NS);

        assertFalse(queue.isTurnOver(2_099));
        assertTrue(queue.isTurnOver(2_100));
        assertFalse(queue.isHeld());
        assertEquals(1, queue.lapsedHolds());
    }

    @Test
    void shouldWorkWhileTheClockOverflows() {
        queue.startTurn(Long.MAX_VALUE - 100, BUDGET_NS);

        assertFalse(queue.isTurnOver(Long.MAX_VALUE));
        assertTrue(queue.isTurnOver(Long.MIN_VALUE + 99));
    }

    private static StrandEntry entry() {
        return new StrandTask(() -> {});
    }

    private List<StrandEntry> taken() {
        List<StrandEntry> taken = new ArrayList<>();
        for (var next = queue.next(Chooser.FIRST); next != null; next = queue.next(Chooser.FIRST)) {
            taken.add(next);
        }
        return taken;
    }
}
