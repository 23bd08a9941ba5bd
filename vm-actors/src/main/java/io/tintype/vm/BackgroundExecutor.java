package io.tintype.vm;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * One thread for work that nobody waits for. After each task it rests as long as the task took, so that it never takes more
 * than half a core from those who run; after {@link #close} it does what is left without a rest.
 */
final class BackgroundExecutor implements Executor, AutoCloseable {
    private static final long REST_NS_MAX = 20_000_000;
    private static final long CLOSE_SECONDS_MAX = 30;

    private final ExecutorService thread;
    private volatile boolean closing;

    BackgroundExecutor(String name) {
        thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().name(name).daemon().factory());
    }

    /** Runs it later; after {@link #close} not at all. */
    @Override
    public void execute(Runnable task) {
        try {
            thread.execute(() -> run(task));
        } catch (RejectedExecutionException _) {
            // The host is closed: nobody wants it any more.
        }
    }

    private void run(Runnable task) {
        long start = System.nanoTime();
        task.run();
        if (!closing) {
            LockSupport.parkNanos(Math.min(REST_NS_MAX, System.nanoTime() - start));
        }
    }

    @Override
    public void close() {
        closing = true;
        thread.shutdown();
        try {
            if (!thread.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
                thread.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            thread.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
