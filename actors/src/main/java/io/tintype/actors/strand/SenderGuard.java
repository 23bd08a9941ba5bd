package io.tintype.actors.strand;

import java.util.IdentityHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Counts what threads other than the one of a simulated system send to its actors: it would arrive at a moment that no seed
 * determines. It counts and does not throw, since Pekko swallows what a mailbox throws.
 */
final class SenderGuard {
    private final Thread owner = Thread.currentThread();
    private final AtomicLong foreign = new AtomicLong();
    private volatile @Nullable String first;
    private @Nullable IdentityHashMap<Object, String> sites;
    private @Nullable IdentityHashMap<Object, Object> marks;
    private @Nullable Object mark;

    /** Counts {@code message} if another thread than the owner sends it; false then. */
    @SuppressWarnings("ReferenceEquality") // a thread is only ever itself
    boolean sent(Object message) {
        var sender = Thread.currentThread();
        var known = sites;
        if (known != null && sender == owner) {
            known.put(message, site());
        }
        var marked = marks;
        if (marked != null && sender == owner && mark != null) {
            marked.put(message, mark);
        }
        if (sender != owner) {
            foreign.incrementAndGet();
            if (first == null) {
                first = sender.getName();
            }
        }
        return sender == owner;
    }

    /** From now on it is remembered where each message is sent; costs a walk over the stack each time. */
    void rememberSites(boolean on) {
        sites = on ? new IdentityHashMap<>() : null;
    }

    /** Where that very message was sent; empty where that was not remembered. */
    String siteOf(@Nullable Object message) {
        var known = sites;
        return known == null || message == null ? "" : known.getOrDefault(message, "");
    }

    /** From now on each message that is sent is marked with what {@link #mark} said last. */
    void rememberMarks(boolean on) {
        marks = on ? new IdentityHashMap<>() : null;
        mark = null;
    }

    void mark(Object newMark) {
        mark = newMark;
    }

    /** What that very message was marked with when it was sent last; null if with nothing. */
    @Nullable
    Object markOf(@Nullable Object message) {
        var known = marks;
        return known == null || message == null ? null : known.get(message);
    }

    private static String site() {
        return StackWalker.getInstance().walk(frames -> frames
                .filter(frame -> frame.getClassName().startsWith("io.tintype.")
                        && !frame.getClassName().equals(SenderGuard.class.getName())
                        && !frame.getClassName().equals(StrandMailbox.class.getName()))
                .findFirst()
                .map(frame -> frame.getFileName() + ":" + frame.getLineNumber())
                .orElse("Pekko"));
    }

    void check() {
        if (foreign.get() > 0) {
            throw new IllegalStateException("a foreign thread, " + first + ", sent " + foreign
                    + " messages to a simulated system; a run with it proves nothing");
        }
    }
}
