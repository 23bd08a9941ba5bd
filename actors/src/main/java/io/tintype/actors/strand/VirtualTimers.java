package io.tintype.actors.strand;

import java.util.List;
import java.util.PriorityQueue;
import java.util.function.Supplier;
import org.apache.pekko.actor.Cancellable;
import org.jspecify.annotations.Nullable;

/**
 * Time that only {@link #advance} moves, and what is to happen in it: in the order of its instant, then in the order in which it
 * was asked for. For one thread.
 */
final class VirtualTimers {
    /** A timer set. Pekko's tasks only send a message, so they run at once and need no turn of their own. */
    private final class Timer implements Cancellable, Comparable<Timer> {
        private final Runnable task;
        private final long intervalNs;
        private final String owner;
        private long atNs;
        private long number;
        private boolean isOver;

        Timer(long atNs, long intervalNs, Runnable task, String owner) {
            this.atNs = atNs;
            this.number = ++numbers;
            this.intervalNs = intervalNs;
            this.task = task;
            this.owner = owner;
        }

        @Override
        public boolean cancel() {
            boolean wasSet = !isOver;
            isOver = true;
            if (wasSet && ++cancelled > queue.size() / 2) {
                queue.removeIf(timer -> timer.isOver);
                cancelled = 0;
            }
            return wasSet;
        }

        @Override
        public boolean isCancelled() {
            return isOver;
        }

        @Override
        public int compareTo(Timer other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    private final PriorityQueue<Timer> queue = new PriorityQueue<>();
    private final Supplier<String> current;
    private long nowNs;
    private long numbers;
    private int cancelled;

    /** @param current the actor that is running */
    VirtualTimers(Supplier<String> current) {
        this.current = current;
    }

    long nowNs() {
        return nowNs;
    }

    void advance(long ns) {
        nowNs += ns;
    }

    Cancellable once(long delayNs, Runnable task) {
        return add(delayNs, 0, task);
    }

    Cancellable repeat(long delayNs, long intervalNs, Runnable task) {
        return add(delayNs, intervalNs, task);
    }

    private Timer add(long delayNs, long intervalNs, Runnable task) {
        var timer = new Timer(nowNs + Math.max(0, delayNs), intervalNs, task, current.get());
        queue.add(timer);
        return timer;
    }

    private @Nullable Timer next() {
        var timer = queue.peek();
        while (timer != null && timer.isOver) {
            queue.poll();
            cancelled = Math.max(0, cancelled - 1);
            timer = queue.peek();
        }
        return timer;
    }

    /** When the next timer is due; {@code Long.MAX_VALUE} if none is set. */
    long nextNs() {
        var timer = next();
        return timer == null ? Long.MAX_VALUE : timer.atNs;
    }

    /** Whose timer is next; null if none is set. */
    @Nullable
    String nextOwner() {
        var timer = next();
        return timer == null ? null : timer.owner;
    }

    /** Lets the next timer go off, at its time or now if that has passed. */
    void fire() {
        var timer = next();
        if (timer == null) {
            throw new IllegalStateException("no timer is set");
        }
        queue.poll();
        nowNs = Math.max(nowNs, timer.atNs);
        if (timer.intervalNs > 0) {
            timer.atNs = nowNs + timer.intervalNs;
            timer.number = ++numbers;
            queue.add(timer);
        } else {
            timer.isOver = true;
        }
        timer.task.run();
    }

    /** Whose timers are set, in the order in which they are due. */
    List<String> owners() {
        return queue.stream().filter(timer -> !timer.isOver).sorted().map(timer -> timer.owner)
                .toList();
    }

    /** Lets the first timer of that actor go off; false if it has none. */
    boolean fireOf(String owner) {
        var found = queue.stream().filter(timer -> !timer.isOver && timer.owner.equals(owner))
                .sorted().findFirst().orElse(null);
        if (found == null) {
            return false;
        }
        found.isOver = true;
        queue.remove(found);
        nowNs = Math.max(nowNs, found.atNs);
        found.task.run();
        return true;
    }

    /** Forgets all timers: the run that set them is over. */
    void clear() {
        queue.clear();
        cancelled = 0;
    }
}
