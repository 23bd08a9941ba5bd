package io.tintype.simulations.oracle;

import io.tintype.vm.guest.GuestMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Reads longs out of pages, of which it keeps a few. */
final class MemoryImage {
    private static final int WORDS = GuestMemory.PAGE_BYTES / Long.BYTES;
    private static final int PAGES_KEPT = 32;

    private final long[][] pages = new long[PAGES_KEPT][WORDS];
    private final MemorySegment[] segments = new MemorySegment[PAGES_KEPT];
    private final int[] numbers = new int[PAGES_KEPT];
    private final long[] one = new long[1];
    private PageReader reader = (_, _) -> false;
    /** The same, where it can read words alone. */
    private @Nullable WordReader wordReader;

    MemoryImage() {
        Arrays.setAll(segments, index -> MemorySegment.ofArray(pages[index]));
    }

    /** From now on reads from there. */
    void open(PageReader newReader) {
        reader = newReader;
        wordReader = newReader instanceof WordReader direct ? direct : null;
        Arrays.fill(numbers, -1);
    }

    /** The words of a page; valid until the next call. */
    long[] page(int number) throws IOException {
        var index = number % PAGES_KEPT;
        var words = pages[index];
        if (numbers[index] != number) {
            if (!reader.read(number, segments[index])) {
                Arrays.fill(words, 0);
            }
            numbers[index] = number;
        }
        return words;
    }

    long getLong(long address) throws IOException {
        int page = (int) (address / GuestMemory.PAGE_BYTES);
        int word = (int) (address % GuestMemory.PAGE_BYTES) / Long.BYTES;
        if (wordReader == null) {
            return page(page)[word];
        }
        wordReader.read(page, word, one, 0, 1);
        return one[0];
    }

    /** Copies {@code count} words; they may lie in two pages. */
    void read(long address, long[] destination, int count) throws IOException {
        for (int done = 0; done < count;) {
            var at = address + (long) done * Long.BYTES;
            var word = (int) (at % GuestMemory.PAGE_BYTES) / Long.BYTES;
            var run = Math.min(count - done, WORDS - word);
            int page = (int) (at / GuestMemory.PAGE_BYTES);
            if (wordReader == null) {
                System.arraycopy(page(page), word, destination, done, run);
            } else {
                wordReader.read(page, word, destination, done, run);
            }
            done += run;
        }
    }
}
