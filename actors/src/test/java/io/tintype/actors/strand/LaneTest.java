package io.tintype.actors.strand;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LaneTest {
    private static final class Stone extends Lane.Node<Stone> {}

    @Test
    void shouldBehaveLikeAListUnderRandomCalls() {
        var random = new Random(42);
        var stones = IntStream.range(0, 20).mapToObj(_ -> new Stone()).toList();
        var lane = new Lane<Stone>();
        List<Stone> model = new ArrayList<>();

        for (int call = 0; call < 100_000; call++) {
            var stone = stones.get(random.nextInt(stones.size()));
            if (random.nextInt(4) == 0) {
                int chosen = random.nextInt(Math.max(1, model.size()));
                var expected = model.isEmpty() ? null : model.remove(chosen);
                assertEquals(expected, lane.take(_ -> chosen));
            } else if (model.remove(stone)) {
                lane.remove(stone);
            } else {
                model.add(stone);
                lane.addLast(stone);
            }
            assertEquals(model.size(), lane.size());
            assertEquals(model.isEmpty(), lane.isEmpty());
        }
    }

    @Test
    void shouldHoldAnElementOnceAndInOneLaneOnly() {
        var stone = new Stone();
        var lane = new Lane<Stone>();
        lane.addLast(stone);

        assertThrows(IllegalStateException.class, () -> lane.addLast(stone));
        assertThrows(IllegalStateException.class, () -> new Lane<Stone>().addLast(stone));
        assertThrows(IllegalStateException.class, () -> new Lane<Stone>().remove(stone));
    }

    @Test
    void shouldRefuseAChoiceThatIsNone() {
        var lane = new Lane<Stone>();
        lane.addLast(new Stone());

        assertThrows(IllegalArgumentException.class, () -> lane.take(count -> count));
        assertThrows(IllegalArgumentException.class, () -> lane.take(_ -> -1));
        assertNull(new Lane<Stone>().take(_ -> 7));
    }
}
