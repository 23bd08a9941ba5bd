package io.tintype.simulations.cli;

import io.tintype.simulations.story.Story;

/** Runs the stories of one tool again. */
public interface Replayer {
    /** How a replay ended. */
    enum Outcome {
        /** The same rule was broken. */
        REPRODUCED,
        /** Something else was wrong. */
        FAILED_OTHERWISE,
        /** An event was not possible any more. */
        FITS_NO_LONGER,
        /** Nothing was wrong. */
        DID_NOT_FAIL
    }

    /**
     * What a replay came to.
     *
     * @param words a sentence on it
     * @param story what happened; the one given where it was not told again
     */
    record Result(Outcome outcome, String words, Story story) {}

    /** What {@link Story#tool} says. */
    String tool();

    /** @throws IllegalArgumentException if the story says too little to be replayed; the message says what is missing */
    Result replay(Story story);
}
