package io.tintype.simulations.oracle;

import io.tintype.vm.guest.HeapPattern;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.agrona.collections.Int2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * What the heap of a guest holds after so many steps: the steps are done again, here. Only as far as a cut needs that is
 * looked at, so usually no old page has to be kept. 68 bytes for each page.
 *
 * <p>Invariant, as for {@link DiskShadow}: a page is copied before its first change after the newest cut that was reached.
 */
final class HeapShadow {
    /** The heap at one cut. */
    static final class HeapCut {
        final long steps;
        private final Int2ObjectHashMap<long[]> saved = new Int2ObjectHashMap<>();
        /** Pages that changed since the cut before and were not compared yet; filled when the cut is reached. */
        BitSet unchecked = new BitSet();
        private boolean reached;

        private HeapCut(long steps) {
            this.steps = steps;
        }
    }

    private static final int SLOTS = HeapPattern.SLOT_COUNT;

    private final HeapPattern pattern;
    private final long[] values;
    private final int[] epochs;
    private final List<HeapCut> cuts = new ArrayList<>();
    private BitSet unchecked = new BitSet();
    private int epoch = 1;
    private long steps;

    HeapShadow(HeapPattern pattern) {
        this.pattern = pattern;
        values = new long[pattern.pageCount() * SLOTS];
        epochs = new int[pattern.pageCount()];
    }

    /** The heap as it was at {@code cut}. */
    HeapShadow(HeapShadow other, HeapCut cut) {
        this(other.pattern);
        other.reach(cut);
        for (int page = 0; page < epochs.length; page++) {
            other.page(cut, page, values, page * SLOTS);
        }
        steps = cut.steps;
    }

    int pageCount() {
        return epochs.length;
    }

    HeapCut cut(long stepsAtCut) {
        var cut = new HeapCut(stepsAtCut);
        cuts.add(cut);
        return cut;
    }

    void release(HeapCut cut) {
        if (!cut.reached) {
            reach(cut); // so that what changed before it is counted
        }
        var index = cuts.indexOf(cut);
        cuts.remove(index);
        if (index > 0) {
            cut.saved.forEachInt(cuts.get(index - 1).saved::putIfAbsent);
        }
        unchecked.or(cut.unchecked);
    }

    void leaveUnchecked(BitSet left) {
        unchecked.or(left);
    }

    /** Does the steps up to the cut, and to those before it. */
    void reach(HeapCut target) {
        for (var cut : cuts) {
            if (!cut.reached && cut.steps <= target.steps) {
                stepTo(cut.steps);
                cut.reached = true;
                cut.unchecked = unchecked;
                unchecked = new BitSet();
                epoch++;
            }
        }
    }

    /** Copies the eight words of a page at a cut that was reached. */
    void page(HeapCut cut, int page, long[] destination, int offset) {
        for (int i = cuts.indexOf(cut); i >= 0 && i < cuts.size(); i++) {
            var saved = cuts.get(i).saved.get(page);
            if (saved != null) {
                System.arraycopy(saved, 0, destination, offset, SLOTS);
                return;
            }
        }
        System.arraycopy(values, page * SLOTS, destination, offset, SLOTS);
    }

    private void stepTo(long target) {
        var keeps = newestReached();
        while (steps < target) {
            steps++;
            var choices = pattern.choices(steps);
            var page = pattern.page(choices);
            if (epochs[page] != epoch) {
                epochs[page] = epoch;
                unchecked.set(page);
                if (keeps != null) {
                    var copy = new long[SLOTS];
                    System.arraycopy(values, page * SLOTS, copy, 0, SLOTS);
                    keeps.saved.putIfAbsent(page, copy); // it may have inherited an older one
                }
            }
            values[page * SLOTS + HeapPattern.slot(choices)] = pattern.value(steps);
        }
    }

    private @Nullable HeapCut newestReached() {
        @Nullable
        HeapCut newest = null;
        for (var cut : cuts) {
            newest = cut.reached ? cut : newest;
        }
        return newest;
    }
}
