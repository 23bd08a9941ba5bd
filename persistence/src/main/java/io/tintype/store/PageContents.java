package io.tintype.store;

import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Which page of a checkpoint has which content, by checksum: where to look for a page that is equal
 * to a new one. Only a hint; whoever follows it compares the bytes, so that a checksum that two
 * contents share, or a page that has changed since, does no harm.
 *
 * <p>Open addressing, at most half full: 16 to 32 bytes a page. What a checkpoint adds to its parent's
 * is a layer over them, so that it costs what has changed and not what there is; a layer that is not
 * much larger than the one over it becomes one with it, so that there are few to look through.
 *
 * <p>One thread, or none that writes.
 */
final class PageContents {
    static final int NOTHING = -1;
    private static final int SLOT_COUNT_MIN = 64;
    /** A layer has more than so many times as many contents as the one over it. */
    private static final int LAYER_RATIO = 2;
    private static final int SLOT_COUNT_MAX = 1 << 30;

    /**
     * A guest may choose contents whose checksums crowd into few slots, so which slots these are is not for it to know. What
     * is found does not depend on it.
     */
    private static final int MIX = new SplittableRandom().nextInt() | 1;

    private int[] crcs;
    /** Page + 1; 0 where the slot is free. */
    private int[] pages;
    private int count;
    /** Asked for what is not in this one; not changed any more. */
    private final @Nullable PageContents below;

    PageContents() {
        this(new int[SLOT_COUNT_MIN], new int[SLOT_COUNT_MIN], 0, null);
    }

    private PageContents(int[] crcs, int[] pages, int count, @Nullable PageContents below) {
        this.crcs = crcs;
        this.pages = pages;
        this.count = count;
        this.below = below;
    }

    /**
     * What both know, {@code newer} first. Neither is to be changed from now on.
     *
     * @param newer of one layer
     */
    PageContents under(PageContents newer) {
        if (newer.count == 0) {
            return this;
        }
        PageContents top = newer;
        PageContents rest = this;
        while (rest != null && rest.count <= LAYER_RATIO * (long) top.count) {
            var both = new PageContents(rest.crcs.clone(), rest.pages.clone(), rest.count, null);
            both.putAll(top);
            top = both;
            rest = rest.below;
        }
        return new PageContents(top.crcs, top.pages, top.count, rest);
    }

    /** Of all layers, also of those that others share. */
    long bytes() {
        return 2L * Integer.BYTES * crcs.length + (below == null ? 0 : below.bytes());
    }

    /** A page that had a content of that checksum, or {@link #NOTHING}. */
    int find(int crc) {
        for (PageContents layer = this; layer != null; layer = layer.below) {
            int page = layer.pages[layer.slot(crc)] - 1;
            if (page != NOTHING) {
                return page;
            }
        }
        return NOTHING;
    }

    int layers() {
        return 1 + (below == null ? 0 : below.layers());
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

    /** Takes over all that the first layer of {@code newer} knows. */
    private void putAll(PageContents newer) {
        for (int i = 0; i < newer.crcs.length; i++) {
            if (newer.pages[i] != 0) {
                put(newer.crcs[i], newer.pages[i] - 1);
            }
        }
    }

    private int slot(int crc) {
        int mask = crcs.length - 1;
        int slot = (crc * MIX) >>> (Integer.numberOfLeadingZeros(crcs.length) + 1);
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
