package io.tintype.actors.strand;

import org.jspecify.annotations.Nullable;

/** One run that could be next in a simulated system: an actor with something to handle, or a task. */
public interface Ready {
    /** The actor's path from the root of its system; {@code task} for what belongs to none. */
    String actor();

    /** What it would handle; null where that is only something that Pekko tells its actors, or nothing any more. */
    @Nullable
    Object message();

    /** The last part of {@link #actor}, cheaper to ask for. */
    default String name() {
        return actor();
    }

    /** {@link #message} before an adapter of the actor made that of it: cheaper to ask for. */
    @Nullable
    default Object sentMessage() {
        return message();
    }

    /** What {@link #rank(long)} was told last, 0 before: a scheduler's own note on this actor. */
    long rank();

    void rank(long newRank);
}
