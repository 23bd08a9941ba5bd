package io.tintype.simulations.story;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Makes a failing run short: removes named events as long as what is left still fails.
 *
 * <ol>
 *   <li><em>Down.</em> It is delta debugging with complements only. Chunks of half the run, of a quarter, and so on, are left out, the
 *       last one first, since late events mostly depend on earlier ones and not the other way round. Then single events are, again and
 *       again, until none can go: the result is 1-minimal. A short result is tried pair by pair too, because two events may be possible
 *       only together, such as a request and its completion. Where leaving out more never makes a run fail that did not, k needed events
 *       out of n cost at most about {@code 2 k log2(n)} tries. What a run tells that it did not do goes at once.
 *   <li><em>Other ways down.</em> A result from which nothing can be taken need not be short: a run may fail in several ways, and the
 *       last way left is not the shortest one. So whatever has more than {@value #SHORT} events is begun again with chunks put together at
 *       random, a few times.
 *   <li><em>From below.</em> Every choice of one event is tried, then of two, and so on, below half of what is left. If one fails it is
 *       the shortest there is; if none does, what is left has at most twice the events of the shortest one, and the result says so.
 * </ol>
 *
 * <p>No predicate costs more tries than the budget; the last two steps take what the first one left of it.
 */
public final class Shrinker {
    /** At 1 ms a try, which a run of 1,000 events through the pure steps takes at most: 8 s. */
    public static final int TRIES_MAX = 8_000;

    /** At most 64 × 63 / 2 = 2,016 pairs. */
    private static final int PAIRED_EVENTS_MAX = 64;
    private static final int OTHER_WAYS = 6;
    /** Up to there two events are what it takes to show from below that it is short enough: cheaper than other ways. */
    private static final int SHORT = 4;

    /**
     * A run that was tried.
     *
     * @param fails whether it failed in the way that matters
     * @param done the indices of the events that made a difference: without the others it is the same run
     */
    public record Try(boolean fails, BitSet done) {
        public Try {
            done = (BitSet) done.clone();
        }

        @Override
        public BitSet done() {
            return (BitSet) done.clone();
        }

        static Try ofAll(boolean fails, int count) {
            var all = new BitSet();
            all.set(0, count);
            return new Try(fails, all);
        }
    }

    /** Runs a choice of the events, in their order. Must come to the same each time. */
    @FunctionalInterface
    public interface Runner<E> {
        Try run(List<E> events);
    }

    /**
     * What is left.
     *
     * @param events in their old order
     * @param tries how often the predicate was asked
     * @param minimal whether no single event can go; false if the budget ended before that was known
     * @param proven whether no choice of fewer than half as many events fails; false if the budget ended before that was known
     */
    public record Result<E>(List<E> events, int tries, boolean minimal, boolean proven) {
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

    /** The same with a budget; at least one try is made. Only down: nothing is known of what a run did, and so nothing from below. */
    public static <E> Result<E> shrink(List<E> events, Predicate<List<E>> fails, int triesMax) {
        return new Search<>(events, some -> Try.ofAll(fails.test(some), some.size()), triesMax)
                .down();
    }

    /**
     * All three steps.
     *
     * @param triesMax at least one is made
     * @param otherTriesMax how many of them at most for other ways, and for the search from below
     * @throws IllegalArgumentException if the whole list does not fail
     */
    public static <E> Result<E> shortest(List<E> events, Runner<E> runner, int triesMax,
            int otherTriesMax) {
        return new Search<>(events, runner, triesMax).all(otherTriesMax);
    }

    private static final class Search<E> {
        private final List<E> all;
        private final Runner<E> runner;
        private final int triesBudget;
        private int triesMax;
        /** What does not fail: a chunk left out at one size is often left out again at another. */
        private final Set<BitSet> passes = new HashSet<>();
        /** Indices into {@link #all}, ascending. */
        private List<Integer> left = new ArrayList<>();
        private int tries;
        private boolean isShortest;

        Search(List<E> all, Runner<E> runner, int triesMax) {
            this.all = List.copyOf(all);
            this.runner = runner;
            this.triesBudget = triesMax;
            this.triesMax = triesMax;
        }

        Result<E> down() {
            begin();
            boolean minimal = leaveOutAll();
            return new Result<>(events(left), tries, minimal, left.size() < 2);
        }

        Result<E> all(int otherTriesMax) {
            begin();
            boolean minimal = leaveOutAll();
            triesMax = Math.min(triesBudget, tries + otherTriesMax);
            for (int way = 1; way <= OTHER_WAYS && left.size() > SHORT; way++) {
                var best = left;
                boolean wasMinimal = minimal;
                minimal = leaveOutInAnotherWay(new Random(way));
                if (left.size() >= best.size()) {
                    left = best;
                    minimal = wasMinimal;
                }
            }
            triesMax = Math.min(triesBudget, tries + otherTriesMax);
            boolean proven = searchFromBelow();
            return new Result<>(events(left), tries, minimal || (proven && isShortest),
                    proven);
        }

        private void begin() {
            var every = new ArrayList<Integer>();
            for (int i = 0; i < all.size(); i++) {
                every.add(i);
            }
            if (!accept(every)) {
                throw new IllegalArgumentException(
                        "the run to shrink, of " + all.size() + " events, does not fail");
            }
        }

        private boolean leaveOutAll() {
            for (int size = left.size() / 2; size > 1; size /= 2) {
                leaveOutChunks(size);
            }
            return leaveOutFew();
        }

        /** From all again, with chunks of events that need not stand together. */
        private boolean leaveOutInAnotherWay(Random random) {
            left = new ArrayList<>();
            for (int i = 0; i < all.size(); i++) {
                left.add(i);
            }
            for (int size = left.size() / 2; size > 0; size /= 2) {
                var order = new ArrayList<>(left);
                Collections.shuffle(order, random);
                for (int from = 0; from < order.size(); from += size) {
                    var chunk = Set.copyOf(
                            order.subList(from, Math.min(order.size(), from + size)));
                    var fewer = new ArrayList<>(left);
                    if (fewer.removeAll(chunk)) {
                        accept(fewer);
                    }
                }
            }
            return leaveOutFew();
        }

        /** True if no single event can go, nor a pair in a short result; false if the budget ended first. */
        private boolean leaveOutFew() {
            boolean minimal = leaveOutSingles();
            while (minimal && leaveOutAPair()) {
                minimal = leaveOutSingles();
            }
            return minimal;
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
                if (!passes.contains(key(without(i, i + 1)))) {
                    return false;
                }
            }
            return true;
        }

        /** One pass over all chunks of a size, from the back; true if any could go. */
        private boolean leaveOutChunks(int size) {
            boolean any = false;
            for (int end = left.size(); end > 0; end = Math.min(end - size, left.size())) {
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

        /**
         * Breadth first, below half of what is left. A choice with an event that was not possible runs as it does without that event, and
         * so does whatever goes on from there: it is left out, and this is all the same a search of every choice.
         *
         * @return false if the budget ended before all were tried
         */
        private boolean searchFromBelow() {
            int half = (left.size() + 1) / 2;
            var possible = List.of(List.<Integer>of());
            if (left.isEmpty() || accept(List.of())) {
                isShortest = true;
                return true;
            }
            for (int count = 1; count < half; count++) {
                var longer = new ArrayList<List<Integer>>();
                for (var chosen : possible) {
                    int from = chosen.isEmpty() ? 0 : chosen.getLast() + 1;
                    for (int next = from; next < all.size(); next++) {
                        if (tries >= triesMax) {
                            return false;
                        }
                        var more = new ArrayList<>(chosen);
                        more.add(next);
                        tries++;
                        var tried = runner.run(events(more));
                        if (tried.fails()) {
                            left = more;
                            isShortest = true;
                            return true;
                        }
                        if (tried.done().cardinality() == more.size()) {
                            longer.add(more);
                        }
                    }
                }
                possible = longer;
            }
            return true;
        }

        private List<Integer> without(int from, int to) {
            var fewer = new ArrayList<>(left);
            fewer.subList(from, to).clear();
            return fewer;
        }

        private boolean accept(List<Integer> fewer) {
            var key = key(fewer);
            if (passes.contains(key) || tries >= Math.max(1, triesMax)) {
                return false;
            }
            tries++;
            var tried = runner.run(events(fewer));
            if (!tried.fails()) {
                passes.add(key);
                return false;
            }
            var done = tried.done();
            left = new ArrayList<>();
            for (int i = 0; i < fewer.size(); i++) {
                if (done.get(i)) {
                    left.add(fewer.get(i));
                }
            }
            return true;
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
