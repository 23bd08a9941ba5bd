package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GroupTableTest {
    @Test
    void shouldSayWhatAHashMapSays() {
        for (int seed = 0; seed < 50; seed++) {
            var random = new Random(seed);
            int groups = 1 + random.nextInt(3000);
            int stride = 1 + random.nextInt(Integer.MAX_VALUE / groups);
            var table = new GroupTable();
            var model = new HashMap<Integer, Long>();

            for (int i = 0; i < 2000; i++) {
                int group = random.nextInt(groups) * stride;
                long value = 1 + random.nextLong(GroupTable.VALUE_MASK);
                table.put(group, value);
                model.put(group, value);
                int asked = random.nextInt(groups) * stride;
                assertEquals(model.getOrDefault(asked, 0L), table.get(asked), "seed " + seed);
            }

            assertEquals(model.size(), table.count());
            for (long cell : table.toCells()) {
                assertEquals(model.remove(GroupTable.groupOf(cell)), GroupTable.valueOf(cell),
                        "seed " + seed);
            }
            assertEquals(0, model.size());
        }
    }
}
