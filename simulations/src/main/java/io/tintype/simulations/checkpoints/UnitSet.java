package io.tintype.simulations.checkpoints;

import java.util.BitSet;
import java.util.Map;
import java.util.TreeMap;

/**
 * Which pages or blocks, by their numbers from 0: bits, in pieces that exist where there are any. A disk of 64 TiB has more blocks than a
 * {@link BitSet} has bits. Not safe to share while it is filled.
 */
public final class UnitSet {
    // 128 KiB each when full.
    private static final int PIECE_BITS = 20;

    private final Map<Long, BitSet> pieces = new TreeMap<>();

    /** Hears of the first and the last of units that follow each other. */
    public interface Run {
        /** Called once for each, ascending. */
        void of(long first, long last);
    }

    void add(long unit) {
        pieces.computeIfAbsent(unit >> PIECE_BITS, _ -> new BitSet())
                .set((int) (unit & (1 << PIECE_BITS) - 1));
    }

    /** How many are in it. */
    public long count() {
        return pieces.values().stream().mapToLong(BitSet::cardinality).sum();
    }

    /** Tells all that are in it, as few runs as that takes. */
    public void forEachRun(Run run) {
        long first = -1;
        long end = -1;
        for (var piece : pieces.entrySet()) {
            long base = piece.getKey() << PIECE_BITS;
            var bits = piece.getValue();
            for (int from = bits.nextSetBit(0); from >= 0;) {
                int to = bits.nextClearBit(from);
                if (first >= 0 && base + from > end) {
                    run.of(first, end - 1);
                    first = -1;
                }
                first = first < 0 ? base + from : first;
                end = base + to;
                from = bits.nextSetBit(to);
            }
        }
        if (first >= 0) {
            run.of(first, end - 1);
        }
    }
}
