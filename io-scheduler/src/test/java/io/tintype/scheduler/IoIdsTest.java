package io.tintype.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class IoIdsTest {
    @Test
    void shouldBeTheSetThatATreeSetIs() {
        var random = new Random(5);
        var slow = new TreeSet<Long>();
        var fast = IoIds.NONE;

        for (int i = 0; i < 5_000; i++) {
            long id = random.nextInt(40) - 5L;
            if (random.nextBoolean()) {
                slow.add(id);
                fast = fast.with(id);
            } else {
                slow.remove(id);
                fast = fast.without(id);
            }

            assertEquals(IoIds.of(slow), fast);
            assertEquals(slow.contains(3L), fast.contains(3));
            assertEquals(slow.isEmpty(), fast.isEmpty());
        }
    }

    @Test
    void shouldTakeAwayOthers() {
        assertEquals(IoIds.of(1, 5), IoIds.of(5, 3, 1, 3).withoutAll(IoIds.of(2, 3, 4)));
    }
}
