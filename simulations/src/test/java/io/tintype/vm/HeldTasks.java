package io.tintype.vm;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;

/** Stands before one or more executors and keeps tasks back while a test says so. Thread-safe. */
final class HeldTasks {
    private record Held(Executor executor, Runnable task) {}

    private final ArrayDeque<Held> held = new ArrayDeque<>();
    private boolean holding;
    private int submitted;
    private int finished;

    Executor before(Executor real) {
        return task -> take(new Held(real, task));
    }

    private void take(Held task) {
        synchronized (this) {
            submitted++;
            if (holding) {
                held.add(task);
                return;
            }
        }
        run(task);
    }

    private void run(Held held) {
        held.executor().execute(() -> {
            try {
                held.task().run();
            } finally {
                synchronized (this) {
                    finished++;
                }
            }
        });
    }

    synchronized void hold() {
        holding = true;
    }

    /** Lets one held task run; tells whether there was one. */
    boolean releaseOne() {
        Held task;
        synchronized (this) {
            task = held.poll();
        }
        if (task == null) {
            return false;
        }
        run(task);
        return true;
    }

    /** Lets all run, and those that come. */
    void release() {
        synchronized (this) {
            holding = false;
        }
        while (releaseOne()) {
            // the next
        }
    }

    synchronized int heldCount() {
        return held.size();
    }

    /** Tasks that ever came, held or not. */
    synchronized int submittedCount() {
        return submitted;
    }

    synchronized boolean isIdle() {
        return finished == submitted;
    }

    synchronized int finishedCount() {
        return finished;
    }
}
