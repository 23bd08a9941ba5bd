package io.tintype.simulations.story;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Makes a failing run short: removes named events as long as what is left still fails.
 *
 * <p>It is delta debugging with complements only. Chunks of half the run, of a quarter, and so on, are left out, the last one first,
 * since late events mostly depend on earlier ones and not the other way round. Then single events are, again and again, until none
 * can go: the result is 1-minimal. A short result is tried pair by pair too, because two events may be possible only together, such
 * as a request and its completion. Where leaving out more never makes a run fail that did not, k needed events out of n cost at most
 * about {@code 2 k log2(n)} tries; no predicate costs more than the budget.
 *
 * <p>It does not find the shortest failing run, only one from which nothing can be taken.
 */
public final class Shrinker {
    /** At 1 ms a try, which a run of 1,000 events through the pure steps takes at most: 8 s. */
    public static final int TRIES_MAX = 8_000;

    /** At most 64 × 63 / 2 = 2,016 pairs. */
    private static final int PAIRED_EVENTS_MAX = 64;

    /**
     * What is left.
     *
     * @param events in their old order
     * @param tries how often the predicate was asked
     * @param minimal whether no single event can go; false if the budget ended before that was known
     */
    public record Result<E>(List<E> events, int tries, boolean minimal) {
        public Result {
            events = List.copyOf(events);
        }
    }

    private Shrinker() {}

    /**
     * The shortest list it finds in {@link #TRIES_MAX} tries.
     *
     * @param fails whether a run of these events still fails, in the same way; must answer the same each time
     * @throws IllegalArgumentException if the whole list does not fail
     */
    public static <E> List<E> shrink(List<E> events, Predicate<List<E>> fails) {
        return shrink(events, fails, TRIES_MAX).events();
    }

    /** The same with a budget; at least one try is made. */
    public static <E> Result<E> shrink(List<E> events, Predicate<List<E>> fails, int triesMax) {
        return new Search<>(events, fails, triesMax).run();
    }

    private static final class Search<E> {
        private final List<E> all;
        private final Predicate<List<E>> fails;
        private final int triesMax;
        /** A chunk left out at one size is often left out again at another. */
        private final Map<BitSet, Boolean> known = new HashMap<>();
        /** Indices into {@link #all}, ascending. */
        private List<Integer> left = new ArrayList<>();
        private int tries;

        Search(List<E> all, Predicate<List<E>> fails, int triesMax) {
            this.all = List.copyOf(all);
            this.fails = fails;
            this.triesMax = triesMax;
            for (int i = 0; i < all.size(); i++) {
                left.add(i);
            }
        }

        Result<E> run() {
            tries = 1;
            if (!fails.test(all)) {
                throw new IllegalArgumentException(
                        "the run to shrink, of " + all.size() + " events, does not fail");
            }
            for (int size = all.size() / 2; size > 1; size /= 2) {
                leaveOutChunks(size);
            }
            boolean minimal = leaveOutSingles();
            while (minimal && leaveOutAPair()) {
                minimal = leaveOutSingles();
            }
            return new Result<>(events(left), tries, minimal);
        }

        /** True if no single event can go, false if the budget ended first. */
        private boolean leaveOutSingles() {
            while (leaveOutChunks(1)) {
                // Once more: what was needed may be needed no longer.
            }
            return tries < triesMax || isKnownMinimal();
        }

        private boolean isKnownMinimal() {
            for (int i = 0; i < left.size(); i++) {
                if (!known.containsKey(key(without(i, i + 1)))) {
                    return false;
                }
            }
            return true;
        }

        /** One pass over all chunks of a size, from the back; true if any could go. */
        private boolean leaveOutChunks(int size) {
            boolean any = false;
            for (int end = left.size(); end > 0; end -= size) {
                any |= accept(without(Math.max(0, end - size), end));
            }
            return any;
        }

        private boolean leaveOutAPair() {
            if (left.size() > PAIRED_EVENTS_MAX) {
                return false;
            }
            // Neighbours first: what belongs together mostly stands together.
            for (int gap = 1; gap < left.size(); gap++) {
                for (int i = left.size() - 1 - gap; i >= 0; i--) {
                    var fewer = without(i + gap, i + gap + 1);
                    fewer.subList(i, i + 1).clear();
                    if (accept(fewer)) {
                        return true;
                    }
                }
            }
            return false;
        }

        private List<Integer> without(int from, int to) {
            var fewer = new ArrayList<>(left);
            fewer.subList(from, to).clear();
            return fewer;
        }

        private boolean accept(List<Integer> fewer) {
            var key = key(fewer);
            var answer = known.get(key);
            if (answer == null) {
                if (tries >= triesMax) {
                    return false;
                }
                tries++;
                answer = fails.test(events(fewer));
                known.put(key, answer);
            }
            if (answer) {
                left = fewer;
            }
            return answer;
        }

        private static BitSet key(List<Integer> indices) {
            var key = new BitSet();
            indices.forEach(key::set);
            return key;
        }

        private List<E> events(List<Integer> indices) {
            return indices.stream().map(all::get).toList();
        }
    }
}
