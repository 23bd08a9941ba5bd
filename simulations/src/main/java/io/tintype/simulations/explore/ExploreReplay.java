package io.tintype.simulations.explore;

import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.StoryEvent;

/** Runs an exploration's story again on the cores as they are now. */
public final class ExploreReplay {
    /** What came of it. */
    public enum Outcome {
        /** The same finding at the story's end. */
        REPRODUCED,
        /** Something else was found, or earlier. */
        FAILED_OTHERWISE,
        /** An event is not possible where it stands. */
        NO_LONGER_FITS,
        /** All happened as told, and nothing was wrong. */
        DID_NOT_FAIL
    }

    /**
     * @param event where it ended, counted from 1
     * @param words a line for people
     */
    public record Result(Outcome outcome, int event, String words) {}

    private ExploreReplay() {}

    /** Throws {@link IllegalArgumentException} for a story whose configuration is none. */
    public static Result replay(Story story) {
        var config = Settings.from(story.configuration());
        var teller = new Teller(config, config.policies().getFirst());
        int number = 0;
        for (var event : story.events()) {
            if (event.kind() == StoryEvent.Kind.VIOLATION) {
                break;
            }
            number++;
            int act = teller.find(event.name());
            if (act < 0) {
                return new Result(Outcome.NO_LONGER_FITS, number, "no longer fits at event "
                        + number + ", '" + event.name() + "': that cannot happen there any more");
            }
            teller.tell(act);
            if (teller.violation() != null) {
                break;
            }
        }
        if (teller.violation() == null) {
            teller.end();
        }
        var violation = teller.violation();
        if (violation == null) {
            return new Result(Outcome.DID_NOT_FAIL, number,
                    "did not fail: all " + number + " events happened, and nothing was wrong");
        }
        return violation.finding().equals(story.finding())
                ? new Result(Outcome.REPRODUCED, number,
                        "reproduced at event " + number + ": " + violation.finding())
                : new Result(Outcome.FAILED_OTHERWISE, number,
                        "failed otherwise at event " + number + ": " + violation.finding());
    }
}
