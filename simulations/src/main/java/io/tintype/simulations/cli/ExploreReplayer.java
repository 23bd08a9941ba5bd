package io.tintype.simulations.cli;

import io.tintype.simulations.explore.ExploreReplay;
import io.tintype.simulations.story.Story;

/** Runs the stories of {@code explore} again, on the pure cores. */
final class ExploreReplayer implements Replayer {
    @Override
    public String tool() {
        return "explore";
    }

    @Override
    public Result replay(Story story) {
        var replayed = ExploreReplay.replay(story);
        var outcome = switch (replayed.outcome()) {
            case REPRODUCED -> Outcome.REPRODUCED;
            case FAILED_OTHERWISE -> Outcome.FAILED_OTHERWISE;
            case NO_LONGER_FITS -> Outcome.FITS_NO_LONGER;
            case DID_NOT_FAIL -> Outcome.DID_NOT_FAIL;
        };
        return new Result(outcome, replayed.words(), story);
    }
}
