package io.tintype.vm;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;

/** Stands before an executor and keeps tasks back while a test says so. Thread-safe. */
final class HeldTasks implements Executor {
    private final ArrayDeque<Runnable> held = new ArrayDeque<>();
    private Executor executor = Runnable::run;
    private boolean holding;
    private int submitted;
    private int finished;

    Executor before(Executor real) {
        executor = real;
        return this;
    }

    @Override
    public void execute(Runnable task) {
        synchronized (this) {
            submitted++;
            if (holding) {
                held.add(task);
                return;
            }
        }
        run(task);
    }

    private void run(Runnable task) {
        executor.execute(() -> {
            try {
                task.run();
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
        Runnable task;
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
