package io.tintype.simulations.explore;

import io.tintype.simulations.story.Story;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** The door to the search. */
public final class Explorer {
    /**
     * Where a search stands, or what it came to.
     *
     * @param distinct states, those that differ in names only counted once
     * @param generated states, each counted as often as it was come to
     * @param depth acts from the start
     * @param frontier states not expanded yet
     * @param bytes that the search takes for its states
     */
    public record Standing(long distinct, long generated, int depth, long frontier, long bytes,
            long elapsedNs) {
        public double statesPerSecond() {
            return elapsedNs == 0 ? 0 : distinct * 1e9 / elapsedNs;
        }

        public double bytesPerState() {
            return distinct == 0 ? 0 : (double) bytes / distinct;
        }
    }

    /**
     * @param isExhausted whether there is no state left to look at
     * @param story the shortest way to a violation; null without one
     * @param cores how many states of the cores were met
     */
    public record Result(Standing standing, boolean isExhausted, @Nullable Story story,
            String cores) {}

    private Explorer() {}

    /**
     * Searches on this thread.
     *
     * @param statesMax more distinct states are too many
     * @param progress hears every few thousand states
     * @throws TooLargeException if there are more
     */
    public static Result run(ExploreConfig config, long statesMax, Consumer<Standing> progress,
            BooleanSupplier isCancelled) {
        var outcome = new Search(config, statesMax,
                standing -> progress.accept(published(standing)), isCancelled).run();
        var found = outcome.found();
        return new Result(published(outcome.standing()), outcome.isExhausted(),
                found == null ? null : Teller.story(config, found), outcome.cores());
    }

    private static Standing published(Search.Standing standing) {
        return new Standing(standing.distinct(), standing.generated(), standing.depth(),
                standing.frontier(), standing.bytes(), standing.elapsedNs());
    }
}
