package io.tintype.vm;

import java.util.List;

/** In which order the pages of a checkpoint are worth loading: entries of region (high half) and page. Immutable. */
@SuppressWarnings("ArrayRecordComponent") // private to this package, and not changed
record PageOrder(long[] entries) {
    static final PageOrder UNKNOWN = new PageOrder(new long[0]);

    /** The regions' own orders, one page of each in turn as far as they go. */
    static PageOrder of(List<int[]> touches) {
        int count = 0;
        int longest = 0;
        for (var ofRegion : touches) {
            count += ofRegion.length;
            longest = Math.max(longest, ofRegion.length);
        }
        var entries = new long[count];
        int at = 0;
        for (int i = 0; i < longest; i++) {
            for (int region = 0; region < touches.size(); region++) {
                if (i < touches.get(region).length) {
                    entries[at++] = (long) region << 32 | touches.get(region)[i];
                }
            }
        }
        return new PageOrder(entries);
    }

    int count() {
        return entries.length;
    }

    int region(int index) {
        return (int) (entries[index] >>> 32);
    }

    /** Never negative. */
    int page(int index) {
        return (int) entries[index] & Integer.MAX_VALUE;
    }
}
