package io.tintype.vm.guest;

/**
 * The stores of a guest into its heap: step n stores a value into one of eight words of a page, all three a pure function of
 * seed and n. Who knows how many steps were done knows the whole heap.
 *
 * @param seed of all choices
 * @param pageCount pages of the heap; 0 if the guest has none
 * @param hotPageCount the first so many pages are the hot set; 0 if there is none
 * @param hotPercent how many of 100 stores go there
 */
public record HeapPattern(long seed, int pageCount, int hotPageCount, int hotPercent) {
    /** Words of a page that are ever stored to. */
    public static final int SLOT_COUNT = 8;

    private static final int WORDS_IN_SLOT = GuestMemory.PAGE_BYTES / Long.BYTES / SLOT_COUNT;
    private static final long VALUE_SALT = 0x5851f42d4c957f2dL;

    /** Checks the bounds. */
    public HeapPattern {
        if (pageCount < 0 || hotPageCount < 0 || hotPageCount > pageCount || hotPercent < 0
                || hotPercent > 100) {
            throw new IllegalArgumentException(
                    "a heap of " + pageCount + " pages cannot have " + hotPercent
                            + " % of its stores in " + hotPageCount + " of them");
        }
    }

    /** The choices of a step, from 1; for {@link #page} and {@link #slot}. */
    public long choices(long step) {
        return Mix.at(seed, step);
    }

    /** The page of the heap that is stored to. */
    public int page(long choices) {
        var isHot = hotPageCount > 0 && Mix.scale(choices << 9, 100) < hotPercent;
        return (int) Mix.scale(choices >>> 32, isHot ? hotPageCount : pageCount);
    }

    /** Which of the eight words of the page is stored to. */
    public static int slot(long choices) {
        return (int) choices & SLOT_COUNT - 1;
    }

    /** The index in its page, 0 to 511, of a word: hashed, so that pages differ, and no two slots share one. */
    public int word(int page, int slot) {
        var inSlot =
                (int) Mix.at(seed, -1L - ((long) page * SLOT_COUNT + slot)) & WORDS_IN_SLOT - 1;
        return slot * WORDS_IN_SLOT + inSlot;
    }

    /** What is stored; never 0. */
    public long value(long step) {
        return Mix.mix(step ^ VALUE_SALT ^ seed) | 1;
    }
}
