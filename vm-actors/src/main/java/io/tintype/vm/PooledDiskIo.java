package io.tintype.vm;

import io.tintype.scheduler.IoStatus;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Performs operations on a fixed number of threads that may block: for disks in files. */
public final class PooledDiskIo implements DiskIo {
    private static final long CLOSE_SECONDS_MAX = 30;

    private final ExecutorService threads;

    /**
     * Starts the pool.
     *
     * @param threadCount how many operations may block at once, at least 1
     */
    public PooledDiskIo(int threadCount) {
        var factory = Thread.ofPlatform().name("tintype-disk-", 0).daemon().factory();
        threads = Executors.newFixedThreadPool(threadCount, factory);
    }

    @Override
    public @Nullable IoStatus submit(Operation operation, Consumer<IoStatus> done) {
        threads.execute(() -> done.accept(operation.body().perform()));
        return null;
    }

    @Override
    public void close() {
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
