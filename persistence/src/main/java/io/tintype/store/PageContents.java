package io.tintype.store;

/**
 * Which page of a checkpoint has which content, by checksum: where to look for a page that is equal
 * to a new one. Only a hint; whoever follows it compares the bytes, so that a checksum that two
 * contents share, or a page that has changed since, does no harm.
 *
 * <p>Open addressing, at most half full: 16 to 32 bytes a page. One thread, or none that writes.
 */
final class PageContents {
    static final int NOTHING = -1;
    private static final int SLOT_COUNT_MIN = 64;
    private static final int SLOT_COUNT_MAX = 1 << 30;

    private int[] crcs;
    /** Page + 1; 0 where the slot is free. */
    private int[] pages;
    private int count;

    PageContents() {
        this(SLOT_COUNT_MIN);
    }

    private PageContents(int slots) {
        crcs = new int[slots];
        pages = new int[slots];
    }

    /** One that is changed apart from this one. */
    PageContents copy() {
        var copy = new PageContents(0);
        copy.crcs = crcs.clone();
        copy.pages = pages.clone();
        copy.count = count;
        return copy;
    }

    long bytes() {
        return 2L * Integer.BYTES * crcs.length;
    }

    /** A page that had a content of that checksum, or {@link #NOTHING}. */
    int find(int crc) {
        return pages[slot(crc)] - 1;
    }

    /** The newest page of a content takes the place of an older one. */
    void put(int crc, int page) {
        int slot = slot(crc);
        if (pages[slot] == 0) {
            if (count >= crcs.length / 2) {
                if (crcs.length == SLOT_COUNT_MAX) {
                    return;
                }
                grow();
                slot = slot(crc);
            }
            count++;
        }
        crcs[slot] = crc;
        pages[slot] = page + 1;
    }

    /** Takes over all that {@code newer} knows. */
    void putAll(PageContents newer) {
        for (int i = 0; i < newer.crcs.length; i++) {
            if (newer.pages[i] != 0) {
                put(newer.crcs[i], newer.pages[i] - 1);
            }
        }
    }

    private int slot(int crc) {
        int mask = crcs.length - 1;
        int slot = (crc ^ crc >>> 15) & mask;
        while (pages[slot] != 0 && crcs[slot] != crc) {
            slot = slot + 1 & mask;
        }
        return slot;
    }

    private void grow() {
        int[] oldCrcs = crcs;
        int[] oldPages = pages;
        crcs = new int[2 * oldCrcs.length];
        pages = new int[crcs.length];
        for (int i = 0; i < oldCrcs.length; i++) {
            if (oldPages[i] != 0) {
                int slot = slot(oldCrcs[i]);
                crcs[slot] = oldCrcs[i];
                pages[slot] = oldPages[i];
            }
        }
    }
}
