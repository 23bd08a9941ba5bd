package io.tintype.simulations.cli;

import io.tintype.simulations.simulate.Finding;
import io.tintype.simulations.simulate.SimulatedMachine;
import io.tintype.simulations.story.Story;

/** Runs the stories of {@code simulate} again, on the real actors. */
final class SimulateReplayer implements Replayer {
    @Override
    public String tool() {
        return "simulate";
    }

    @Override
    public Result replay(Story story) {
        try (var machine = new SimulatedMachine()) {
            return switch (Finding.replay(machine, story)) {
                case Finding.Replayed.Reproduced(var again) ->
                    new Result(Outcome.REPRODUCED, "reproduced", again);
                case Finding.Replayed.FailedOtherwise(var again) ->
                    new Result(Outcome.FAILED_OTHERWISE,
                            "it fails, and not in the same way: " + again.finding(), again);
                case Finding.Replayed.FitsNoLonger(var index, var event) ->
                    new Result(Outcome.FITS_NO_LONGER, "no longer fits: event " + (index + 1)
                            + ", \"" + event + "\", is not possible any more", story);
                case Finding.Replayed.DidNotFail _ ->
                    new Result(Outcome.DID_NOT_FAIL, "did not fail: all events were possible, and "
                            + "nothing was wrong", story);
            };
        }
    }
}
