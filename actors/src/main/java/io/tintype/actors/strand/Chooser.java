package io.tintype.actors.strand;

/**
 * Picks one of several things that could all be next. {@link #FIRST} is what runs live; a simulation draws from its seed
 * instead, and explores what other machines and other luck would do. Called by one thread at a time.
 */
@FunctionalInterface
public interface Chooser {
    /** Always the one that waits longest. */
    Chooser FIRST = _ -> 0;

    /**
     * Answers an index from 0 to {@code count - 1}, in the order in which they began to wait.
     *
     * @param count at least 1
     */
    int choose(int count);
}
