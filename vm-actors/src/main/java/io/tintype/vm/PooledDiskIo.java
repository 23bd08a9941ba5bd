package io.tintype.vm;

import io.tintype.scheduler.IoStatus;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Performs operations on threads that may block: for disks in files. Syncs have threads of their own, so that no read waits
 * behind one; and many of them, since a file system makes what waits together durable together.
 */
public final class PooledDiskIo implements DiskIo {
    private static final long CLOSE_SECONDS_MAX = 30;
    private static final int SYNCS_A_TRANSFER = 4;

    private final ExecutorService transfers;
    private final ExecutorService syncs;

    /**
     * Starts the pools.
     *
     * @param threadCount how many transfers may block at once, at least 1; four times as many syncs may
     */
    public PooledDiskIo(int threadCount) {
        transfers = threads("tintype-disk-", threadCount);
        syncs = threads("tintype-sync-", SYNCS_A_TRANSFER * threadCount);
    }

    private static ExecutorService threads(String name, int count) {
        return Executors.newFixedThreadPool(
                count, Thread.ofPlatform().name(name, 0).daemon().factory());
    }

    @Override
    public @Nullable IoStatus submit(Operation operation, Consumer<IoStatus> done) {
        var pool = operation.kind() == Operation.Kind.SYNC ? syncs : transfers;
        pool.execute(() -> done.accept(operation.body().perform()));
        return null;
    }

    @Override
    public void close() {
        for (var pool : List.of(transfers, syncs)) {
            pool.shutdown();
            try {
                if (!pool.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
                    pool.shutdownNow();
                }
            } catch (InterruptedException interrupted) {
                pool.shutdownNow();
                Thread.currentThread().interrupt();
            }
        }
    }
}
