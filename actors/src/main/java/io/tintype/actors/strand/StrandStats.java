package io.tintype.actors.strand;

/**
 * What a strand did since it began.
 *
 * @param turns how often it had the turn
 * @param runs messages handled and tasks run
 * @param ranNs how long it had the turn, in nanoseconds
 * @param lapsedHolds holds that lasted too long and were ended; more than none is a mistake in an actor
 */
public record StrandStats(long turns, long runs, long ranNs, long lapsedHolds) {
    static final StrandStats NONE = new StrandStats(0, 0, 0, 0);
}
