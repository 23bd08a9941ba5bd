package io.tintype.actors.strand;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/**
 * Something a strand runs, bit by bit: a mailbox, one message at a time, or a task.
 *
 * <p>Its place in a lane belongs to whoever has the strand's turn. Its place in the inbox of the strand is how other threads
 * hand it over: {@link #enterInbox} lets one of them in, and it stays in until the strand's turn takes it out.
 */
abstract class StrandEntry extends Lane.Node<StrandEntry> implements Ready {
    private static final VarHandle IN_INBOX;

    static {
        try {
            IN_INBOX = MethodHandles.lookup()
                    .findVarHandle(StrandEntry.class, "inInbox", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private volatile boolean inInbox;
    /** The one that entered the inbox before this; written only by the thread that {@link #enterInbox} let in. */
    @Nullable
    StrandEntry enteredBefore;

    /** True to the one thread that is to put this into its strand's inbox, false while it is there already. */
    final boolean enterInbox() {
        return !inInbox && !(boolean) IN_INBOX.getAndSet(this, true);
    }

    final void leaveInbox() {
        enteredBefore = null;
        inInbox = false;
    }

    /** Whether it stands in its lane by its name, see {@link StrandQueue#addByName}. */
    boolean isByName;
    private long rank;

    @Override
    public final long rank() {
        return rank;
    }

    @Override
    public final void rank(long newRank) {
        rank = newRank;
    }

    /** The strand that it belongs to. */
    abstract Strand strand();

    /** Is there a run waiting? */
    abstract boolean isDue();

    /** Should the next run overtake? */
    abstract boolean isUrgent();

    /** The run that is due, which thereby is due no more; null if none is. By whoever has the strand's turn. */
    abstract @Nullable Runnable take();
}
