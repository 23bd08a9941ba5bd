package io.tintype.simulations.explore;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A set of 64-bit fingerprints outside the heap: open addressing, in parts that grow one at a time and at different times, so
 * that it is never much larger than what is in it. Used by one thread.
 *
 * <p>Two states with one fingerprint would be taken for one. With n states the chance that this happened at all is about n² / 2⁶⁵:
 * for 100 million states 1 in 3,700.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Fingerprints implements Visited {
    private static final int PART_BITS = 8;
    private static final int PARTS = 1 << PART_BITS;
    private static final int SLOTS_FIRST = 1 << 10;
    private static final double GROWTH = 1.35;
    private static final double LOAD_MAX = 0.82;

    private final Arena[] arenas = new Arena[PARTS];
    private final MemorySegment[] parts = new MemorySegment[PARTS];
    private final int[] slots = new int[PARTS];
    private final int[] sizes = new int[PARTS];
    private final int[] sizesMax = new int[PARTS];
    private long bytes;

    Fingerprints() {
        for (int part = 0; part < PARTS; part++) {
            // Spread over one step of growth, or they would all be half empty at the same time.
            allocate(part, (int) (SLOTS_FIRST * Math.pow(GROWTH, (double) part / PARTS)));
        }
    }

    /** Mixes the words by 128-bit products, two at a time. */
    static long of(long[] words) {
        long hash = 0x2d358dccaa6c78a5L;
        int i = 0;
        for (; i + 1 < words.length; i += 2) {
            hash = mixed(words[i] ^ 0x8bb84b93962eacc9L, words[i + 1] ^ hash);
        }
        if (i < words.length) {
            hash = mixed(words[i] ^ 0x8bb84b93962eacc9L, hash ^ 0x4b33a62ed433d4a3L);
        }
        hash = mixed(hash ^ 0x9e3779b97f4a7c15L, words.length ^ 0xe7037ed1a0b428dbL);
        return hash == 0 ? 1 : hash;
    }

    private static long mixed(long one, long other) {
        return one * other ^ Math.unsignedMultiplyHigh(one, other);
    }

    @Override
    public boolean add(long[] state, long fingerprint) {
        int part = (int) (fingerprint >>> Long.SIZE - PART_BITS);
        var table = parts[part];
        int count = slots[part];
        int slot = slot(fingerprint, count);
        while (true) {
            long found = table.getAtIndex(ValueLayout.JAVA_LONG, slot);
            if (found == fingerprint) {
                return false;
            }
            if (found == 0) {
                break;
            }
            slot = slot + 1 == count ? 0 : slot + 1;
        }
        if (sizes[part] == sizesMax[part]) {
            grow(part);
            insert(part, fingerprint);
        } else {
            table.setAtIndex(ValueLayout.JAVA_LONG, slot, fingerprint);
        }
        sizes[part]++;
        return true;
    }

    @Override
    public long touch(long fingerprint) {
        int part = (int) (fingerprint >>> Long.SIZE - PART_BITS);
        return parts[part].getAtIndex(ValueLayout.JAVA_LONG, slot(fingerprint, slots[part]));
    }

    /** The bits below those that choose the part, scaled to any number of slots. */
    private static int slot(long fingerprint, int count) {
        return (int) ((fingerprint >>> Long.SIZE - PART_BITS - 32 & 0xffffffffL) * count >>> 32);
    }

    private void insert(int part, long fingerprint) {
        var table = parts[part];
        int count = slots[part];
        int slot = slot(fingerprint, count);
        while (table.getAtIndex(ValueLayout.JAVA_LONG, slot) != 0) {
            slot = slot + 1 == count ? 0 : slot + 1;
        }
        table.setAtIndex(ValueLayout.JAVA_LONG, slot, fingerprint);
    }

    private void grow(int part) {
        var old = parts[part];
        int oldCount = slots[part];
        try (var _ = arenas[part]) {
            bytes -= old.byteSize();
            allocate(part, (int) Math.min(Integer.MAX_VALUE, (long) (oldCount * GROWTH) + 1));
            for (int slot = 0; slot < oldCount; slot++) {
                long found = old.getAtIndex(ValueLayout.JAVA_LONG, slot);
                if (found != 0) {
                    insert(part, found);
                }
            }
        }
    }

    private void allocate(int part, int count) {
        var arena = Arena.ofConfined();
        arenas[part] = arena;
        parts[part] = arena.allocate(ValueLayout.JAVA_LONG, count);
        slots[part] = count;
        sizesMax[part] = (int) (count * LOAD_MAX);
        bytes += parts[part].byteSize();
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public void close() {
        for (var arena : arenas) {
            arena.close();
        }
    }
}
