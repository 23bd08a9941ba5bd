package io.tintype.actors.strand;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.apache.pekko.actor.ActorPath;
import org.jspecify.annotations.Nullable;

/**
 * A serial unit of actors: no two of them ever run at the same time.
 *
 * <pre>
 *            offer, by any thread           its turn comes
 *   RESTING ─────────────────────▶ WAITING ───────────────▶ RUNNING
 *      ▲                              ▲        turn over       │
 *      │                              └───────────────────────┤
 *      └─────────────────────── nothing to run ────────────────┘
 * </pre>
 *
 * <ul>
 *   <li>One thread at most has the turn. The queue and the figures are its own; the state and the lock of the line hand
 *       them on to the next.
 *   <li>Other threads reach a strand by its inbox alone. Who puts something into the inbox of a resting strand brings it
 *       into the line, and so does a turn that ends with something in the inbox: nothing is left behind.
 *   <li>No table names a strand. Its mailboxes do, and with the last of them it is gone.
 * </ul>
 *
 * <p>The public methods may be called from any thread.
 */
public final class Strand extends Lane.Node<Strand> {
    private static final int RESTING = 0;
    private static final int WAITING = 1;
    private static final int RUNNING = 2;

    private static final VarHandle STATE;
    private static final VarHandle INBOX;

    static {
        try {
            var lookup = MethodHandles.lookup();
            STATE = lookup.findVarHandle(Strand.class, "state", int.class);
            INBOX = lookup.findVarHandle(Strand.class, "inbox", StrandEntry.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final @Nullable ActorPath path;
    private final boolean isRoot;
    private final StrandQueue queue = new StrandQueue();

    private volatile int state;
    /** The entry handed over last, which leads to those before it. */
    private volatile @Nullable StrandEntry inbox;

    private volatile StrandStats stats = StrandStats.NONE;

    /**
     * @param path of the actor that roots the strand or is alone on it, null for a task
     * @param isRoot whether the actors below that one belong to the strand too
     */
    Strand(@Nullable ActorPath path, boolean isRoot) {
        this.path = path;
        this.isRoot = isRoot;
    }

    /** The name of the actor that roots the strand or is alone on it. */
    public String name() {
        return path == null ? "task" : path.name();
    }

    /** Do the actors below that actor belong to this strand too? */
    public boolean isRoot() {
        return isRoot;
    }

    /** How much it ran, up to the end of its last turn. */
    public StrandStats stats() {
        return stats;
    }

    /**
     * Hands over an entry that has become due or urgent. By any thread; the one that has the turn puts it straight into
     * the queue.
     */
    void offer(StrandEntry entry) {
        if (StrandRunner.hasTurnOf(this)) {
            queue.add(entry, entry.isUrgent());
        } else if (entry.enterInbox()) {
            StrandEntry before;
            do {
                before = inbox;
                entry.enteredBefore = before;
            } while (!INBOX.compareAndSet(this, before, entry));
        }
    }

    /** After an offer: true to the one caller that is to bring the strand into the line. */
    boolean mustLineUp() {
        return state == RESTING && STATE.compareAndSet(this, RESTING, WAITING);
    }

    /** {@link #mustLineUp} where nobody but this thread sends. */
    boolean mustLineUpHere() {
        if ((int) STATE.get(this) != RESTING) {
            return false;
        }
        STATE.set(this, WAITING);
        return true;
    }

    /** By the one that was to bring the strand into the line and cannot: another executor may. */
    void stayOut() {
        state = RESTING;
    }

    /** By the thread that got the turn, or brings the strand into the line. */
    StrandQueue queue() {
        return queue;
    }

    void startTurn(long nowNs, long budgetNs) {
        state = RUNNING;
        queue.startTurn(nowNs, budgetNs);
    }

    /** The run that is next; null if there is nothing to run. */
    @Nullable
    Runnable next(Chooser chooser) {
        emptyInbox();
        while (true) {
            var entry = queue.next(chooser);
            if (entry == null) {
                return null;
            }
            var due = entry.take();
            if (due != null) {
                return due;
            }
        }
    }

    /** Before a turn, by the one thread of an executor that has no others. */
    void gather(List<Ready> ready) {
        emptyInbox();
        queue.gather(ready);
    }

    /** In a turn: the run of an entry that waits; null if it is due no more. */
    @Nullable
    Runnable take(StrandEntry entry) {
        queue.remove(entry);
        return entry.take();
    }

    boolean hasNothingToRun() {
        return queue.isEmpty() && inbox == null;
    }

    /** Ends the turn of a strand that goes back into the line. */
    void endTurn(long ranNs, long runs) {
        count(ranNs, runs);
        state = WAITING;
    }

    /** Ends the turn of a strand that has nothing to run; false if it got something meanwhile and keeps its turn. */
    boolean rest(long ranNs, long runs) {
        count(ranNs, runs);
        state = RESTING;
        // Whoever offered before this line may have seen RUNNING and gone away.
        return inbox == null || !STATE.compareAndSet(this, RESTING, RUNNING);
    }

    /** {@link #startTurn} of one run, where nobody but this thread sends: no other has to see it, and none counts. */
    void startStep(long nowNs) {
        STATE.set(this, RUNNING);
        queue.startTurn(nowNs, 0);
    }

    /** Ends it; true if there is nothing to run, false if the strand goes back into the line. */
    boolean endStep() {
        boolean rests = hasNothingToRun();
        STATE.set(this, rests ? RESTING : WAITING);
        return rests;
    }

    private void count(long ranNs, long runs) {
        var before = stats;
        stats = new StrandStats(before.turns() + 1, before.runs() + runs, before.ranNs() + ranNs,
                queue.lapsedHolds());
    }

    private void emptyInbox() {
        if (inbox == null) {
            return;
        }
        var newest = (StrandEntry) INBOX.getAndSet(this, null);
        StrandEntry oldest = null;
        while (newest != null) {
            var before = newest.enteredBefore;
            newest.enteredBefore = oldest;
            oldest = newest;
            newest = before;
        }
        while (oldest != null) {
            var entry = oldest;
            oldest = entry.enteredBefore;
            // It leaves first: what becomes due after the question brings it here again.
            entry.leaveInbox();
            if (entry.isDue()) {
                queue.add(entry, entry.isUrgent());
            }
        }
    }

    @Override
    public String toString() {
        return "strand " + name();
    }
}
