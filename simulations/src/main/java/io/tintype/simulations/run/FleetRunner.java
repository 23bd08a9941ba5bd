package io.tintype.simulations.run;

/** Carries out a run: hosts the fleet, checkpoints it, verifies every checkpoint. */
public interface FleetRunner {
    /**
     * Looks for what would make {@link #run} fail before it began – a trace that is truncated or does not fit the disk, say – and
     * creates nothing.
     *
     * @throws UserErrorException or another exception that the command line shows as one line
     */
    default void check(RunOptions options) {}

    /**
     * Blocks until the run is over: its time is up, or {@code progress} was cancelled, and the checkpoints begun by then are sealed
     * or aborted, and verified. Whatever it measured by then is in the result, after a cancellation too.
     *
     * @throws UserErrorException or another exception that the command line shows as one line, when the run could not start
     * @throws InterruptedException the calling thread was interrupted; everything is released
     */
    RunResult run(RunOptions options, Progress progress) throws InterruptedException;
}
