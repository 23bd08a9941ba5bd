package io.tintype.simulations.fleet;

import io.tintype.simulations.run.FleetRunner;
import io.tintype.simulations.run.GuestKind;
import io.tintype.simulations.run.Progress;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.vm.guest.TraceException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeoutException;

/** Runs fleets on the live runtime, with rules that cannot be switched off. */
public final class LiveFleetRunner implements FleetRunner {
    /** Makes a runner, which keeps nothing between runs. */
    public LiveFleetRunner() {}

    @Override
    public void check(RunOptions options) {
        try {
            // The blueprint says what memory and disk the guests need.
            new Guesthouse(options).blueprint(0);
        } catch (TraceException unusable) {
            throw new UserErrorException(String.valueOf(unusable.getMessage()));
        } catch (IllegalArgumentException tooSmall) {
            throw new UserErrorException(tooSmall.getMessage() + "; choose another --memory"
                    + (options.guest() == GuestKind.TRACE ? " or --disk-size" : " or --iodepth"));
        }
    }

    @Override
    public RunResult run(RunOptions options, Progress progress) throws InterruptedException {
        try (var fleet = new LiveFleet(options, progress)) {
            return fleet.run();
        } catch (TraceException unusable) {
            throw new UserErrorException(String.valueOf(unusable.getMessage()));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        } catch (ExecutionException failure) {
            throw new CompletionException(cause(failure));
        } catch (TimeoutException failure) {
            throw new IllegalStateException("no answer from the fleet", failure);
        }
    }

    /** Returns what broke the run, without the wrapping that futures add. */
    private static Throwable cause(Throwable failure) {
        var cause = failure;
        while (cause instanceof ExecutionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }
}
