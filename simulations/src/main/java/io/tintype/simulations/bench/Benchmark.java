package io.tintype.simulations.bench;

/** Measures one thing that has a figure to reach, against something else measured in the same run wherever it can. */
public interface Benchmark {
    /** What the command line calls it: {@code [a-z0-9-]+}, unique. */
    String name();

    /** What it measures, in a line. */
    String title();

    /**
     * Measures; blocks until done, and leaves nothing behind outside {@link BenchContext#directory()}.
     *
     * @throws Exception if it could not measure; it is shown as failed and the next one runs
     */
    BenchResult run(BenchContext context) throws Exception;
}
