package io.tintype.actors.strand;

import org.jspecify.annotations.Nullable;

/** Whoever gives strands their turns: a thread of the executor, or a thread that steps it. Knows whose turn it is now. */
final class StrandRunner {
    /** A thread of the executor. It finds its runner in a field, since every message asks for it. */
    static final class StrandThread extends Thread {
        final StrandRunner runner;
        /** Set by who put a strand into the line for this thread. */
        volatile boolean isWanted;
        /** Whether it takes an unpark to be noticed. */
        volatile boolean isParked;

        StrandThread(StrandRunner runner, Runnable loop, String name) {
            super(null, loop, name, 0, false);
            this.runner = runner;
        }
    }

    /** Of a thread that steps an executor, only while it does. */
    private static final ThreadLocal<@Nullable StrandRunner> STEPPING = new ThreadLocal<>();

    final StrandExecutor executor;
    @Nullable
    Strand strand;

    StrandRunner(StrandExecutor executor) {
        this.executor = executor;
    }

    /** Null on a thread that is none. */
    static @Nullable StrandRunner here() {
        return Thread.currentThread() instanceof StrandThread thread
                ? thread.runner
                : STEPPING.get();
    }

    static boolean hasTurnOf(Strand strand) {
        var runner = here();
        return runner != null && runner.strand == strand;
    }

    /** Runs {@code step} with this thread as the runner's. */
    void step(Runnable step) {
        var before = STEPPING.get();
        STEPPING.set(this);
        try {
            step.run();
        } finally {
            if (before == null) {
                STEPPING.remove();
            } else {
                STEPPING.set(before);
            }
        }
    }
}
