package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class PageContentsTest {
    @Test
    void shouldKnowWhatALineOfCheckpointsKnows() {
        long seed = Long.getLong("seed", 1);
        var random = new Random(seed);
        var contents = new PageContents();
        var right = new HashMap<Integer, Integer>();
        fill(contents, right, random, 10_000);
        for (int depth = 0; depth < 128; depth++) {
            var newer = new PageContents();
            // Some add nothing, most a little, few a lot.
            fill(newer, right, random, depth % 7 == 0 ? 0 : random.nextInt(depth % 20 + 1) * 50);
            PageContents before = contents;
            long bytes = before.bytes();
            contents = before.under(newer);

            assertEquals(bytes, before.bytes());
            assertTrue(contents.layers() <= 10, contents.layers() + " layers, seed " + seed);
        }
        for (Map.Entry<Integer, Integer> entry : right.entrySet()) {
            assertEquals(entry.getValue(), contents.find(entry.getKey()), "seed " + seed);
        }
        assertEquals(PageContents.NOTHING, contents.find(-1));
    }

    /** What a checkpoint changes of its parent's is not seen by another child of that parent. */
    @Test
    void shouldNotChangeWhatLiesBelow() {
        var parent = new PageContents();
        parent.put(1, 10);
        parent.put(2, 20);
        var first = new PageContents();
        first.put(2, 21);
        first.put(3, 30);
        PageContents one = parent.under(first);
        PageContents other = parent.under(new PageContents());

        assertEquals(21, one.find(2));
        assertEquals(10, one.find(1));
        assertEquals(20, other.find(2));
        assertEquals(PageContents.NOTHING, other.find(3));
        assertEquals(20, parent.find(2));
    }

    private static void fill(PageContents contents, Map<Integer, Integer> right, Random random,
            int pages) {
        for (int i = 0; i < pages; i++) {
            int crc = random.nextInt(50_000);
            int page = random.nextInt(1 << 20);
            contents.put(crc, page);
            right.put(crc, page);
        }
    }
}
