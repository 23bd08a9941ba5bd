package io.tintype.simulations.oracle;

import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.locks.LockSupport;

/**
 * The one thread that all oracles of a run share: it follows the events of their VMs, and verifies between them.
 *
 * <p>Thread-safe. What is asked runs on the thread, one thing after another; an oracle is used only from there. It costs about
 * half a microsecond an event and a tenth of a microsecond a sector compared, besides reading it.
 */
public final class OracleService implements AutoCloseable {
    // Nobody wakes it for an event: the VMs must not pay for that.
    private static final long IDLE_NS = 1_000_000;
    private static final int EVENTS_AT_ONCE = 4096;

    private record Task<T>(Callable<T> call, CompletableFuture<T> answer) {
        void run() {
            try {
                answer.complete(call.call());
            } catch (Throwable e) {
                answer.completeExceptionally(e);
            }
        }
    }

    private final Queue<Task<?>> tasks = new ConcurrentLinkedQueue<>();
    private final CopyOnWriteArrayList<Oracle> oracles = new CopyOnWriteArrayList<>();
    private final Thread thread = Thread.ofPlatform().name("oracle").daemon().unstarted(this::run);
    private volatile boolean closed;

    /** Starts the thread. */
    public OracleService() {
        thread.start();
    }

    /** From now on the oracle belongs to the thread, which follows its events. */
    public void add(Oracle oracle) {
        oracles.add(oracle);
    }

    /** Ends {@link #add}; what was asked before about the oracle is still done. */
    public void remove(Oracle oracle) {
        oracles.remove(oracle);
    }

    /** {@link Oracle#verify} on the thread; fails with an {@code IOException} if the checkpoint cannot be read. */
    public CompletableFuture<VerifyReport> verify(Oracle oracle, CheckpointImage image,
            boolean full) {
        return ask(() -> oracle.verify(image, full));
    }

    /** Runs something on the thread; fails as it does, or with an {@code IllegalStateException} if the thread has ended. */
    public <T> CompletableFuture<T> ask(Callable<T> call) {
        var task = new Task<T>(call, new CompletableFuture<>());
        tasks.add(task);
        LockSupport.unpark(thread);
        if (!thread.isAlive()) {
            failAll();
        }
        return task.answer;
    }

    /** Events that were written and not yet handled, as memory, of all oracles. */
    public long backlogBytes() {
        long bytes = 0;
        for (var oracle : oracles) {
            bytes += oracle.backlogBytes();
        }
        return bytes;
    }

    /** Does what was asked before and ends the thread. */
    @Override
    public void close() {
        closed = true;
        LockSupport.unpark(thread);
        try {
            thread.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closed) {
                if (!turn()) {
                    LockSupport.parkNanos(this, IDLE_NS);
                }
            }
            turn();
        } finally {
            closed = true;
            failAll();
        }
    }

    private boolean turn() {
        var worked = false;
        for (var oracle : oracles) {
            worked |= oracle.drain(EVENTS_AT_ONCE) > 0;
        }
        for (var task = tasks.poll(); task != null; task = tasks.poll()) {
            task.run();
            worked = true;
        }
        return worked;
    }

    private void failAll() {
        for (var task = tasks.poll(); task != null; task = tasks.poll()) {
            task.answer.completeExceptionally(new IllegalStateException("the oracles were closed"));
        }
    }
}
