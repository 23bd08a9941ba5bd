package io.tintype.vm;

import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads for work that nobody waits for, cut into short tasks of which each asks for the next. After each task a thread rests as
 * long as the task took, so that it never takes more than half a core from those who run; the more others wait, the shorter is
 * the rest, since what is put off for ever is worse. After {@link #close} it does what is left without a rest.
 */
final class BackgroundExecutor implements Executor, AutoCloseable {
    private static final long REST_NS_MAX = 20_000_000;
    private static final long CLOSE_SECONDS_MAX = 30;

    private final LinkedBlockingQueue<Runnable> waiting = new LinkedBlockingQueue<>();
    private final ThreadPoolExecutor threads;
    private volatile boolean closing;

    /** One thread. */
    BackgroundExecutor(String name) {
        this(name, 1);
    }

    BackgroundExecutor(String name, int threadCount) {
        threads = new ThreadPoolExecutor(threadCount, threadCount, 0, TimeUnit.SECONDS, waiting,
                new BatchThreads(name + "-"));
    }

    /** Runs it later; after {@link #close} not at all. */
    @Override
    public void execute(Runnable task) {
        try {
            threads.execute(() -> run(task));
        } catch (RejectedExecutionException _) {
            // The host is closed: nobody wants it any more.
        }
    }

    private void run(Runnable task) {
        long start = System.nanoTime();
        task.run();
        if (!closing) {
            long tookNs = System.nanoTime() - start;
            // The first that waits is mostly what this task goes on with.
            LockSupport.parkNanos(
                    Math.min(REST_NS_MAX, tookNs / Math.max(1, waiting.size())));
        }
    }

    @Override
    public void close() {
        closing = true;
        threads.shutdown();
        try {
            if (!threads.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
                threads.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            threads.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
