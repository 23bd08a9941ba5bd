package io.tintype.actors.strand;

import io.tintype.actors.Clock;
import io.tintype.actors.strand.StrandRunner.StrandThread;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.apache.pekko.dispatch.Mailbox;
import org.jspecify.annotations.Nullable;

/**
 * Gives strands their turns: on threads of its own, or, with none, whenever {@link #step} is called.
 *
 * <ul>
 *   <li>A strand in the line finds a thread: if one is idle, who brings the strand wakes exactly one; if none is, each
 *       looks into the line after its turn.
 *   <li>An idle thread spins for a moment, then parks until it is wanted. With nothing to do, nothing runs.
 *   <li>A run that says that it blocks is not counted: another thread takes turns in its place, until there are again as
 *       many that do as there should be.
 *   <li>What a run throws goes to the thread's handler of uncaught exceptions, and the thread goes on.
 *   <li>After {@link #shutdown} what is in the line still runs; then the threads end.
 * </ul>
 *
 * <p>All methods but {@link #step} may be called from any thread.
 */
final class StrandExecutor extends AbstractExecutorService {
    // A wake-up costs the waker and the woken about 5 µs each; an answer often comes within that time.
    private static final long SPIN_NS = 5_000;

    // Threads beyond the fixed number, for as long as runs block: as many faults of restored VMs as may read at once.
    private static final int SPARE_THREADS_MAX = 64;

    private final int threadCount;
    private final long budgetNs;
    private final long holdMaxNs;
    private final Clock clock;
    private final Chooser chooser;
    private final String name;
    private final Consumer<Thread> setUp;
    private final StrandRunner stepper = new StrandRunner(this);
    /** Who is within {@link #stepping}; written by that thread, so whoever finds itself here is right, and nobody else does. */
    private @Nullable Thread steppedBy;

    private final Object lock = new Object();
    // All of these under the lock.
    private final StrandLine line = new StrandLine();
    private final List<StrandThread> threads = new ArrayList<>();
    private final ArrayDeque<StrandThread> idle = new ArrayDeque<>();
    private int blocked;
    private boolean isShutdown;
    private long wakeUps;

    /**
     * @param name of the threads, followed by a number from 1
     * @param setUp is given each thread before it starts
     */
    StrandExecutor(StrandOptions options, String name, Consumer<Thread> setUp) {
        this(options.threadCount(), options.budgetNs(), options.holdMaxNs(), Clock.system(),
                Chooser.FIRST, name, setUp);
    }

    private StrandExecutor(int threadCount, long budgetNs, long holdMaxNs, Clock clock,
            Chooser chooser, String name, Consumer<Thread> setUp) {
        this.threadCount = threadCount;
        this.budgetNs = budgetNs;
        this.holdMaxNs = holdMaxNs;
        this.clock = clock;
        this.chooser = chooser;
        this.name = name;
        this.setUp = setUp;
    }

    /**
     * An executor without threads.
     *
     * @param budgetNs 0 ends a turn after one run, unless it is held, so that {@code chooser} decides about each run
     */
    static StrandExecutor stepping(long budgetNs, long holdMaxNs, Clock clock, Chooser chooser) {
        return new StrandExecutor(0, budgetNs, holdMaxNs, clock, chooser, "", _ -> {});
    }

    @Override
    public void execute(Runnable run) {
        if (run instanceof Mailbox mailbox
                && mailbox.messageQueue() instanceof StrandMailbox messages) {
            messages.becomeDue(mailbox, this);
        } else {
            var strand = new Strand(null, false);
            offer(strand, new StrandTask(strand, run));
        }
    }

    /** {@code entry} has become due or urgent. */
    void offer(Strand strand, StrandEntry entry) {
        if (isSteppedHere()) {
            offerHere(strand, entry, false);
            return;
        }
        strand.offer(entry);
        if (strand.mustLineUp()) {
            lineUp(strand);
        }
    }

    /**
     * The same where no other thread takes turns and this one is here, so that neither inbox nor lock is needed to reach a strand.
     *
     * @param isByName whether it is one of several actors that hear of something in an order that is not the same in each process
     */
    void offerHere(Strand strand, StrandEntry entry, boolean isByName) {
        boolean isUrgent = entry.isUrgent();
        if (isByName && !isUrgent) {
            strand.queue().addByName(entry);
        } else {
            strand.queue().add(entry, isUrgent);
        }
        lineUpHere(strand);
    }

    private void lineUpHere(Strand strand) {
        if (strand.mustLineUpHere()) {
            if (isShutdown) {
                strand.stayOut();
                throw new RejectedExecutionException("no more turns for " + strand);
            }
            line.add(strand, strand.queue().isHeld());
        }
    }

    private void lineUp(Strand strand) {
        StrandThread wanted;
        boolean isNew;
        synchronized (lock) {
            if (isShutdown) {
                strand.stayOut();
                throw new RejectedExecutionException("no more turns for " + strand);
            }
            line.add(strand, strand.queue().isHeld());
            int before = threads.size();
            wanted = oneMore();
            isNew = threads.size() > before;
        }
        start(wanted, isNew);
    }

    /** A thread to take turns beside the others, new or idle; null if there are enough. Under the lock. */
    private @Nullable StrandThread oneMore() {
        if (surplus() >= 0) {
            return null;
        }
        var wanted = idle.pollLast();
        if (wanted != null) {
            wakeUps++;
        } else if (threads.size() < threadCount + SPARE_THREADS_MAX) {
            wanted = newThread();
            threads.add(wanted);
        }
        return wanted;
    }

    /** How many threads take turns beyond those that should. Under the lock. */
    private int surplus() {
        return threads.size() - idle.size() - blocked - threadCount;
    }

    private static void start(@Nullable StrandThread wanted, boolean isNew) {
        if (wanted != null && isNew) {
            wanted.start();
        } else if (wanted != null) {
            wake(wanted);
        }
    }

    /** Runs {@code call}, by the run whose turn it is; while it blocks, other strands do not miss this thread. */
    <T> T blocking(Supplier<T> call) {
        if (threadCount == 0) {
            return call.get();
        }
        StrandThread wanted = null;
        boolean isNew;
        synchronized (lock) {
            blocked++;
            int before = threads.size();
            if (!line.isEmpty() && !isShutdown) {
                wanted = oneMore();
            }
            isNew = threads.size() > before;
        }
        start(wanted, isNew);
        try {
            return call.get();
        } finally {
            synchronized (lock) {
                blocked--;
            }
        }
    }

    private StrandThread newThread() {
        var runner = new StrandRunner(this);
        var thread = new StrandThread(runner, () -> giveTurns(runner),
                name + "-" + (threads.size() + 1));
        setUp.accept(thread);
        return thread;
    }

    private void giveTurns(StrandRunner runner) {
        var thread = (StrandThread) Thread.currentThread();
        Strand unfinished = null;
        while (true) {
            var strand = await(thread, unfinished);
            if (strand == null) {
                return;
            }
            unfinished = giveTurn(runner, strand) ? strand : null;
        }
    }

    /** The strand whose turn it is; null if there will be none any more. */
    private @Nullable Strand await(StrandThread thread, @Nullable Strand unfinished) {
        var back = unfinished;
        while (true) {
            synchronized (lock) {
                if (back != null) {
                    // Nobody is woken for it: this thread takes one from the line at once.
                    line.add(back, back.queue().isHeld());
                    back = null;
                }
                // One too many since a run that blocked goes on: the others take what is in the line.
                var strand = surplus() > 0 && !isShutdown ? null : line.next(chooser);
                if (strand != null || isShutdown) {
                    return strand;
                }
                thread.isWanted = false;
                idle.addLast(thread);
            }
            awaitWanted(thread);
        }
    }

    private static void awaitWanted(StrandThread thread) {
        long spinEndNs = System.nanoTime() + SPIN_NS;
        while (!thread.isWanted && System.nanoTime() - spinEndNs < 0) {
            Thread.onSpinWait();
        }
        thread.isParked = true;
        while (!thread.isWanted) {
            LockSupport.park(thread);
            // Left over from a run; with it set, park would not park.
            Thread.interrupted();
        }
        thread.isParked = false;
    }

    private static void wake(StrandThread thread) {
        thread.isWanted = true;
        if (thread.isParked) {
            LockSupport.unpark(thread);
        }
    }

    /** Runs one turn; true if it ended with something left to run. */
    private boolean giveTurn(StrandRunner runner, Strand strand) {
        long startNs = clock.nanoTime();
        long nowNs = startNs;
        long runs = 0;
        strand.startTurn(startNs, budgetNs);
        runner.strand = strand;
        while (true) {
            var run = strand.next(chooser);
            if (run == null) {
                if (strand.rest(nowNs - startNs, runs)) {
                    runner.strand = null;
                    return false;
                }
                startNs = nowNs;
                runs = 0;
                continue;
            }
            runCarefully(run);
            runs++;
            nowNs = clock.nanoTime();
            if (strand.queue().isTurnOver(nowNs) && !strand.hasNothingToRun()) {
                runner.strand = null;
                strand.endTurn(nowNs - startNs, runs);
                return true;
            }
        }
    }

    private static void runCarefully(Runnable run) {
        try {
            run.run();
        } catch (Throwable thrown) {
            var thread = Thread.currentThread();
            try {
                thread.getUncaughtExceptionHandler().uncaughtException(thread, thrown);
            } catch (Throwable _) {
                // What a handler throws is lost on any thread, and the strands go on.
            }
        }
    }

    /**
     * Gives one strand its turn on this thread; false if none waited. Only for an executor without threads, by one thread at
     * a time.
     */
    boolean step() {
        Strand strand;
        synchronized (lock) {
            strand = line.next(chooser);
        }
        if (strand == null) {
            return false;
        }
        stepper.step(() -> {
            if (giveTurn(stepper, strand)) {
                synchronized (lock) {
                    line.add(strand, strand.queue().isHeld());
                }
            }
        });
        return true;
    }

    /**
     * Adds to {@code ready} every run that may be next on an executor without threads: of the strands that wait, or of those
     * among them that are held, and within a strand the urgent ones, if there are any.
     */
    void gather(List<Ready> ready) {
        for (var strand = line.first(); strand != null; strand = strand.next) {
            strand.gather(ready);
        }
    }

    /**
     * Does one run that {@link #gather} named, and nothing else: a turn of one run, held or not, since a held strand comes
     * first in the next choice anyway.
     */
    void run(StrandEntry entry) {
        var strand = entry.strand();
        line.remove(strand);
        var before = stepper.strand;
        strand.startStep(clock.nanoTime());
        stepper.strand = strand;
        var due = strand.take(entry);
        if (due != null) {
            runCarefully(due);
        }
        stepper.strand = before;
        if (strand.endStep()) {
            return;
        }
        strand.queue().isTurnOver(clock.nanoTime());
        line.add(strand, strand.queue().isHeld());
    }

    /** Has {@code steps} run with this thread as the one that steps, so that each run need not say so. */
    void stepping(Runnable steps) {
        var before = steppedBy;
        steppedBy = Thread.currentThread();
        try {
            stepper.step(steps);
        } finally {
            steppedBy = before;
        }
    }

    /** Whether this thread is within {@link #stepping}: then no other takes turns. */
    @SuppressWarnings("ReferenceEquality") // a thread is only ever itself
    boolean isSteppedHere() {
        return threadCount == 0 && steppedBy == Thread.currentThread();
    }

    /** By the run whose turn it is. */
    void hold(Strand strand) {
        strand.queue().hold(clock.nanoTime(), holdMaxNs);
    }

    /** How often a parked or spinning thread was wanted. */
    long wakeUps() {
        synchronized (lock) {
            return wakeUps;
        }
    }

    /** Those started so far. */
    List<Thread> threads() {
        synchronized (lock) {
            return List.copyOf(threads);
        }
    }

    int idleThreads() {
        synchronized (lock) {
            return idle.size();
        }
    }

    @Override
    public void shutdown() {
        List<StrandThread> wanted;
        synchronized (lock) {
            isShutdown = true;
            wanted = List.copyOf(idle);
            idle.clear();
        }
        wanted.forEach(StrandExecutor::wake);
    }

    @Override
    public List<Runnable> shutdownNow() {
        synchronized (lock) {
            while (line.next(Chooser.FIRST) != null) {
                // Messages that are left go down with their actors.
            }
        }
        shutdown();
        return List.of();
    }

    @Override
    public boolean isShutdown() {
        synchronized (lock) {
            return isShutdown;
        }
    }

    @Override
    public boolean isTerminated() {
        return isShutdown() && threads().stream().noneMatch(Thread::isAlive);
    }

    @Override
    public boolean awaitTermination(long timeout, TimeUnit unit) throws InterruptedException {
        long endNs = System.nanoTime() + unit.toNanos(timeout);
        if (!isShutdown()) {
            throw new IllegalStateException("shutdown comes first");
        }
        for (var thread : threads()) {
            long leftNs = Math.max(1, endNs - System.nanoTime());
            TimeUnit.NANOSECONDS.timedJoin(thread, leftNs);
        }
        return isTerminated();
    }
}
