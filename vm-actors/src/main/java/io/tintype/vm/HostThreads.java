package io.tintype.vm;

import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;

/**
 * The threads of a host beside its strands and its disks: what may block, or takes long, runs here. Each kind waits for another
 * thing, so that none is kept waiting by another: the guest's flushes and its checkpoints' overlays by a commit, say.
 *
 * <p>Safe on any thread.
 */
final class HostThreads implements AutoCloseable {
    private static final long CLOSE_SECONDS_MAX = 30;
    // They mostly wait for a sync: overlays, chains and manifests of many checkpoints become durable together.
    private static final int BLOCKING_A_DISK_THREAD = 4;

    private final ExecutorService blockingThreads;
    private final ExecutorService savingThreads;
    private final ExecutorService upkeepThreads;
    private final BackgroundExecutor copyingThreads;
    private final Executor blocking;
    private final Executor saving;
    private final Executor upkeep;
    private final Executor copying;

    HostThreads(HostOptions options, HostPorts ports) {
        blockingThreads = pool(BLOCKING_A_DISK_THREAD * options.diskThreads(),
                Thread.ofPlatform().name("tintype-blocking-", 0).daemon().factory());
        savingThreads = pool(options.savers(),
                Thread.ofPlatform().name("tintype-save-", 0).daemon().factory());
        upkeepThreads = pool(options.diskThreads(), new BatchThreads("tintype-upkeep-"));
        copyingThreads = new BackgroundExecutor("tintype-copy",
                Math.max(1, Runtime.getRuntime().availableProcessors() / 2));
        blocking = ports.blocking().apply(blockingThreads);
        saving = ports.saving().apply(savingThreads);
        upkeep = ports.blocking().apply(upkeepThreads);
        copying = ports.blocking().apply(copyingThreads);
    }

    private static ExecutorService pool(int threadCount, ThreadFactory threads) {
        return Executors.newFixedThreadPool(threadCount, threads);
    }

    /** For calls that block briefly, and that somebody waits for: overlays, syncs, manifests. */
    Executor blocking() {
        return blocking;
    }

    /** The same for what the host itself does for its callers: no port stands before it. */
    Executor calls() {
        return blockingThreads;
    }

    /** For copying frozen pages into the store. */
    Executor saving() {
        return saving;
    }

    /** For calls that block, and that neither a guest nor a checkpoint waits for. */
    Executor upkeep() {
        return upkeep;
    }

    /** For small parts of what is long and waited for by nobody. */
    Executor copying() {
        return copying;
    }

    /** Lets end what is under way, for half a minute at most each. */
    @Override
    public void close() {
        copyingThreads.close();
        stop(upkeepThreads);
        stop(savingThreads);
        stop(blockingThreads);
    }

    private static void stop(ExecutorService executor) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }
}
