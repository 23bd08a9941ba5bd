package io.tintype.actors.strand;

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

    @SuppressWarnings("ReferenceEquality") // a thread is only ever itself
    void sent() {
        var sender = Thread.currentThread();
        if (sender != owner) {
            foreign.incrementAndGet();
            if (first == null) {
                first = sender.getName();
            }
        }
    }

    void check() {
        if (foreign.get() > 0) {
            throw new IllegalStateException("a foreign thread, " + first + ", sent " + foreign
                    + " messages to a simulated system; a run with it proves nothing");
        }
    }
}
