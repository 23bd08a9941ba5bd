package io.tintype.simulations.explore;

import io.tintype.scheduler.Rule;
import java.util.Arrays;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Goes through all states of a {@link World}, breadth first, so that the first violation found is one of the shortest.
 *
 * <p>A step's state is canonical before it is looked up. What is kept of a state is its fingerprint and how it was reached; whole
 * states are kept only while they wait to be expanded.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Search {
    private static final int LOOK_EVERY = 1 << 12;
    private static final int ACTS_MAX = 1_024;

    /**
     * Where a search stands.
     *
     * @param distinct states, after renaming
     * @param generated states, those found again included
     * @param depth acts from the start
     * @param frontier states that wait to be expanded
     * @param bytes that it all takes, or, of the frontier, took at most
     */
    record Standing(long distinct, long generated, int depth, long frontier, long bytes,
            long elapsedNs) {}

    /** What was seen, and the acts that lead to it: first the number of the policy. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Found(@Nullable Rule rule, String finding, int[] path) {}

    /** How it ended. */
    record Outcome(Standing standing, boolean isExhausted, @Nullable Found found, String cores) {}

    private final ExploreConfig config;
    private final long statesMax;
    private final Consumer<Standing> progress;
    private final BooleanSupplier isCancelled;
    private final World world;
    private final Cores cores;
    private final Trail trail = new Trail();
    private final Frontier frontier;
    private long generated;
    /** Keeps the compiler from leaving out what was only looked at. */
    @SuppressWarnings("UnusedVariable")
    private long touched;
    private int depth;
    private final long startNs = System.nanoTime();

    Search(ExploreConfig config, long statesMax, Consumer<Standing> progress,
            BooleanSupplier isCancelled) {
        this.config = config;
        this.statesMax = Math.min(statesMax, Integer.MAX_VALUE);
        this.progress = progress;
        this.isCancelled = isCancelled;
        cores = new Cores(config);
        world = new World(config, cores);
        frontier = new Frontier(world.w.length);
    }

    Outcome run() {
        try (var visited = new Fingerprints()) {
            return run(visited);
        }
    }

    Outcome run(Visited visited) {
        for (var policy : config.policies()) {
            world.start(policy);
            visited.add(world.w, Fingerprints.of(world.w));
            trail.add(Trail.NO_STATE, policy.ordinal());
            frontier.add(world.w);
            generated++;
        }
        var base = new long[world.w.length];
        var acts = new int[ACTS_MAX];
        var fingerprints = new long[ACTS_MAX];
        var nexts = new long[ACTS_MAX][];
        int state = 0;
        int levelEnd = trail.size();
        while (frontier.size() > 0) {
            if (state == levelEnd) {
                levelEnd = trail.size();
                depth++;
            }
            if ((state & LOOK_EVERY - 1) == 0) {
                progress.accept(standing(visited));
                if (isCancelled.getAsBoolean()) {
                    return outcome(visited, false, null);
                }
            }
            frontier.take(base);
            world.load(base);
            int count = world.enumerate(acts);
            boolean isAnyDue = false;
            // First all that can follow, then the look-ups: the memory that these wait for is fetched side by side.
            for (int i = 0; i < count; i++) {
                isAnyDue |= Act.isDue(acts[i]);
                world.load(base);
                try {
                    world.apply(acts[i]);
                } catch (Violation e) {
                    return outcome(visited, false, found(e, state, acts[i]));
                }
                if (nexts[i] == null) {
                    nexts[i] = new long[base.length];
                }
                System.arraycopy(world.w, 0, nexts[i], 0, base.length);
                fingerprints[i] = Fingerprints.of(world.w);
            }
            for (int i = 0; i < count; i++) {
                touched ^= visited.touch(fingerprints[i]);
            }
            generated += count;
            for (int i = 0; i < count; i++) {
                if (visited.add(nexts[i], fingerprints[i])) {
                    if (trail.size() >= statesMax) {
                        throw new TooLargeException(Long.toString(statesMax));
                    }
                    trail.add(state, acts[i]);
                    frontier.add(nexts[i]);
                }
            }
            if (!isAnyDue) {
                world.load(base);
                try {
                    world.verifyDone();
                } catch (Violation e) {
                    return outcome(visited, false, new Found(e.rule, e.finding(), trail.to(state)));
                }
            }
            state++;
        }
        return outcome(visited, true, null);
    }

    private Found found(Violation violation, int state, int act) {
        var before = trail.to(state);
        var path = Arrays.copyOf(before, before.length + 1);
        path[before.length] = act;
        return new Found(violation.rule, violation.finding(), path);
    }

    private Standing standing(Visited visited) {
        return new Standing(trail.size(), generated, depth, frontier.size(),
                visited.bytes() + trail.bytes() + frontier.bytesMax(),
                System.nanoTime() - startNs);
    }

    private Outcome outcome(Visited visited, boolean isExhausted, @Nullable Found found) {
        return new Outcome(standing(visited), isExhausted, found, cores.sizes());
    }
}
