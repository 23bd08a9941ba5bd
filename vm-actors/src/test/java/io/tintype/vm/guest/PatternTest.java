package io.tintype.vm.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashSet;
import org.junit.jupiter.api.Test;

class PatternTest {
    private final SectorPattern pattern = new SectorPattern(5);
    private final long[] words = new long[2 * SectorPattern.WORD_COUNT];

    @Test
    void shouldRecogniseWhatItWrote() {
        pattern.fill(words, 64, 12_345, 1, 777);

        assertEquals(12_345, pattern.versionOf(words, 64, 1, 777));
    }

    @Test
    void shouldSeeEveryWordThatIsNotOfThisSectorAndVersion() {
        var other = new long[SectorPattern.WORD_COUNT];
        pattern.fill(other, 0, 2, 1, 777);
        for (int i = 0; i < SectorPattern.WORD_COUNT; i++) {
            pattern.fill(words, 0, 1, 1, 777);
            if (i == 1) {
                continue; // The same in all versions of a sector.
            }
            words[i] = other[i];
            assertEquals(SectorPattern.TORN, pattern.versionOf(words, 0, 1, 777), "word " + i);
        }
    }

    @Test
    void shouldSeeASectorOfAnotherPlaceDiskOrVm() {
        pattern.fill(words, 0, 3, 1, 777);

        assertEquals(SectorPattern.TORN, pattern.versionOf(words, 0, 1, 778));
        assertEquals(SectorPattern.TORN, pattern.versionOf(words, 0, 0, 777));
        assertEquals(SectorPattern.TORN, new SectorPattern(6).versionOf(words, 0, 1, 777));
    }

    @Test
    void shouldTellZerosAndPoisonFromATornSector() {
        assertEquals(SectorPattern.ZERO, pattern.versionOf(words, 0, 0, 1));
        words[40] = 1;
        assertEquals(SectorPattern.TORN, pattern.versionOf(words, 0, 0, 1));
        words[63] = SectorPattern.POISON;
        assertEquals(SectorPattern.POISONED, pattern.versionOf(words, 0, 0, 1));
    }

    @Test
    void shouldStoreIntoEightWordsOfAPageOnly() {
        var heap = new HeapPattern(9, 100, 10, 90);
        var seen = new HashSet<Integer>();
        int hot = 0;
        for (int step = 1; step <= 100_000; step++) {
            var choices = heap.choices(step);
            var page = heap.page(choices);
            var word = heap.word(page, HeapPattern.slot(choices));
            assertTrue(page >= 0 && page < 100 && word >= 0 && word < 512, page + " " + word);
            assertNotEquals(0, heap.value(step));
            seen.add(page * 512 + word);
            hot += page < 10 ? 1 : 0;
        }

        assertEquals(800, seen.size());
        assertEquals(91_000, hot, 600);
    }

    @Test
    void shouldLayOutNothingTwice() {
        var layout = new GuestLayout(16 << 20, 2, 40, 69_632, false);

        assertEquals(4096, layout.queue(0).submissionAddress());
        assertEquals(64, layout.entryCount());
        assertTrue(layout.queue(1).submissionAddress()
                >= layout.queue(0).completionAddress() + 64 * 16);
        assertTrue(layout.record(0) >= layout.queue(1).completionAddress() + 64 * 16);
        assertTrue(layout.table(0) >= layout.record(40));
        assertTrue(layout.buffer(0) >= layout.table(40));
        assertEquals(18, layout.bufferPages());
        assertEquals(layout.buffer(40), layout.heap());
        assertEquals(16 << 20, layout.heap() + layout.heapPageCount() * 4096L);
    }

    @Test
    void shouldGiveEveryByteOfARequestAPlaceOfItsOwnInTheBuffer() {
        for (boolean shared : new boolean[] {false, true}) {
            var layout = new GuestLayout(16 << 20, 1, 4, 69_632, shared);
            for (int shape = 0; shape < 4; shape++) {
                for (int sectors : new int[] {1, 7, 8, 9, 136}) {
                    var places = new HashSet<Long>();
                    for (int slot = 0; slot < 4; slot++) {
                        var pages = new HashSet<Long>();
                        for (int offset = 0; offset < sectors * 512; offset += 8) {
                            var address = layout.bufferAddress(slot, shape, sectors * 512, offset);
                            assertTrue(address >= layout.buffer(0) && address < layout.heap());
                            places.add(address);
                            pages.add(address / 4096);
                        }
                        assertTrue(pages.size() <= layout.bufferPages(), "no page too many");
                    }
                    assertEquals(4 * sectors * 64, places.size(), "no two slots share a byte");
                }
            }
        }
    }

    @Test
    void shouldLetBuffersOfNeighboursMeetInAPage() {
        var layout = new GuestLayout(16 << 20, 1, 4, 69_632, true);

        var lastOfFirst = layout.bufferAddress(1, GuestLayout.SHAPE_PLAIN, 4096, 4095);
        var firstOfNext = layout.bufferAddress(2, GuestLayout.SHAPE_PLAIN, 4096, 0);

        assertEquals(lastOfFirst + 1, firstOfNext);
        assertEquals(lastOfFirst / 4096, firstOfNext / 4096);
    }
}
