package io.tintype.actors.strand;

import org.jspecify.annotations.Nullable;

/**
 * The strands that wait for a turn. First come, first served, except that a strand which is held – it had nothing to run in
 * the middle of what must not be interrupted, and now has – goes before those that are not.
 *
 * <p>So with n strands that always have something to run, n turns pass from one turn of a strand to its next, whatever
 * they do. No thread, clock or lock is in here; for one thread at a time.
 */
final class StrandLine {
    private final Lane<Strand> held = new Lane<>();
    private final Lane<Strand> ordinary = new Lane<>();

    void add(Strand strand, boolean isHeld) {
        (isHeld ? held : ordinary).addLast(strand);
    }

    /** Takes the strand whose turn it is; null if none waits. */
    @Nullable
    Strand next(Chooser chooser) {
        return (held.isEmpty() ? ordinary : held).take(chooser);
    }

    /** The first of those that may be next, which leads to the others; null if none waits. */
    @Nullable
    Strand first() {
        return (held.isEmpty() ? ordinary : held).first();
    }

    /** Takes out one that waits, which gets its turn out of order. */
    void remove(Strand strand) {
        (strand.lane == held ? held : ordinary).remove(strand);
    }

    boolean isEmpty() {
        return held.isEmpty() && ordinary.isEmpty();
    }

    int size() {
        return held.size() + ordinary.size();
    }
}
