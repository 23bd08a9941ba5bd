package io.tintype.actors.strand;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What one strand has to run, which of it is next, and when its turn is over.
 *
 * <pre>
 * resting --add--> waiting --startTurn--> running --isTurnOver--> waiting
 *                                            └──── isEmpty ─────> resting
 * </pre>
 *
 * <ul>
 *   <li>An entry waits at most once; one that is added again becomes urgent if it now is, and otherwise keeps its place.
 *   <li>Urgent entries run before all others; entries that are equally urgent run in the order in which they were added.
 *   <li>A turn is over when its budget is used up, checked between two runs, so a turn runs at least one.
 *   <li>A hold keeps the turn from being over, for at most {@code holdMaxNs}.
 * </ul>
 *
 * <p>No thread, clock or lock is in here: time arrives as an argument. For one thread at a time, which is whoever has the
 * strand's turn.
 */
final class StrandQueue {
    private final Lane<StrandEntry> urgent = new Lane<>();
    private final Lane<StrandEntry> ordinary = new Lane<>();
    private long turnEndNs;
    private long holdEndNs;
    private boolean isHeld;
    private long lapsedHolds;

    void add(StrandEntry entry, boolean isUrgent) {
        var lane = entry.lane;
        if (lane == null) {
            entry.isByName = false;
            (isUrgent ? urgent : ordinary).addLast(entry);
        } else if (isUrgent && lane == ordinary) {
            ordinary.remove(entry);
            urgent.addLast(entry);
        }
    }

    /** Adds an ordinary entry that came in no order of its own: those at the end that did so, too, are by the paths of their actors. */
    void addByName(StrandEntry entry) {
        if (entry.lane != null) {
            return;
        }
        StrandEntry after = null;
        for (var last = ordinary.last(); last != null && last.isByName
                && last.actor().compareTo(entry.actor()) > 0; last = last.previous) {
            after = last;
        }
        entry.isByName = true;
        ordinary.addBefore(after, entry);
    }

    /** Takes the entry that is next; null if there is none. */
    @Nullable
    StrandEntry next(Chooser chooser) {
        return (urgent.isEmpty() ? ordinary : urgent).take(chooser);
    }

    /** Those that may be next. */
    void gather(List<Ready> ready) {
        var lane = urgent.isEmpty() ? ordinary : urgent;
        for (var entry = lane.first(); entry != null; entry = entry.next) {
            ready.add(entry);
        }
    }

    /** Takes out an entry that waits here. */
    void remove(StrandEntry entry) {
        (entry.lane == urgent ? urgent : ordinary).remove(entry);
    }

    boolean isEmpty() {
        return urgent.isEmpty() && ordinary.isEmpty();
    }

    void startTurn(long nowNs, long budgetNs) {
        turnEndNs = nowNs + budgetNs;
    }

    /** Asked after each run. A hold that lasted too long ends here. */
    boolean isTurnOver(long nowNs) {
        if (isHeld) {
            if (nowNs - holdEndNs < 0) {
                return false;
            }
            isHeld = false;
            lapsedHolds++;
        }
        return nowNs - turnEndNs >= 0;
    }

    /** Begins a hold, or begins the present one anew. */
    void hold(long nowNs, long holdMaxNs) {
        isHeld = true;
        holdEndNs = nowNs + holdMaxNs;
    }

    /** Does nothing if there is no hold, since it may have lapsed. */
    void endHold() {
        isHeld = false;
    }

    boolean isHeld() {
        return isHeld;
    }

    /** How many holds were ended because they lasted too long. */
    long lapsedHolds() {
        return lapsedHolds;
    }
}
