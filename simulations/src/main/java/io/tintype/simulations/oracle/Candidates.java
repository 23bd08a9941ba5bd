package io.tintype.simulations.oracle;

import io.tintype.vm.guest.SectorPattern;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * What a sector may hold where it is not exactly one thing: after a failed write, or when writes in flight share it.
 *
 * <p>A <em>state</em> is a number: 0 zeros that were never written, v &gt; 0 the data of version v, v &lt; 0 the zeros of the
 * discard or write-zeroes with version -v. Immutable.
 */
final class Candidates {
    /** More than that after so many failed writes in a row: then anything goes. */
    private static final int COUNT_MAX = 32;

    private final int[] states;
    /** For each state, the event with which its write completed; 0 if that is long ago. */
    private final long[] events;
    /** Whether writes met here, so that the sector may be a mixture. */
    private final boolean mixed;

    private Candidates(int[] states, long[] events, boolean mixed) {
        this.states = states;
        this.events = events;
        this.mixed = mixed;
    }

    /** Exactly {@code state}, settled long ago. */
    static Candidates of(int state) {
        return new Candidates(new int[] {state}, new long[1], false);
    }

    /**
     * After a write, submitted with one event, completed with another: what was settled before it was submitted is gone, what
     * completed while it was in flight may have come after it.
     */
    Candidates afterWrite(int state, long submitted, long completed) {
        int kept = 0;
        for (var event : events) {
            kept += event > submitted ? 1 : 0;
        }
        var newStates = new int[kept + 1];
        var newEvents = new long[kept + 1];
        int at = 0;
        for (int i = 0; i < states.length; i++) {
            if (events[i] > submitted) {
                newStates[at] = states[i];
                newEvents[at++] = events[i];
            }
        }
        newStates[at] = state;
        newEvents[at] = completed;
        return new Candidates(newStates, newEvents, kept > 0);
    }

    /** After a write that failed: old or new. */
    Candidates afterFailedWrite(int state, long submitted, long completed) {
        if (states.length >= COUNT_MAX) {
            return this;
        }
        var newStates = Arrays.copyOf(states, states.length + 1);
        var newEvents = Arrays.copyOf(events, states.length + 1);
        newStates[states.length] = state;
        newEvents[states.length] = completed;
        var met = mixed;
        for (var event : events) {
            met |= event > submitted;
        }
        return new Candidates(newStates, newEvents, met);
    }

    /** These or {@code state}, in any mixture. */
    Candidates with(int state) {
        var newStates = Arrays.copyOf(states, states.length + 1);
        newStates[states.length] = state;
        return new Candidates(newStates, Arrays.copyOf(events, states.length + 1), true);
    }

    /** Without the states of versions above a bound, unless there is nothing else. */
    Candidates upTo(int versionMax) {
        var kept = IntStream.range(0, states.length).filter(i -> Math.abs(states[i]) <= versionMax)
                .toArray();
        if (kept.length == 0 || kept.length == states.length) {
            return this;
        }
        return new Candidates(IntStream.of(kept).map(i -> states[i]).toArray(),
                IntStream.of(kept).mapToLong(i -> events[i]).toArray(), mixed);
    }

    /** Whether it is one state, and whole. */
    boolean isPlain() {
        return states.length == 1 && !mixed;
    }

    boolean mayBeMixed() {
        return mixed;
    }

    /** The newest state. */
    int last() {
        return states[states.length - 1];
    }

    /** Whether {@code seen}, of {@link SectorPattern#versionOf}, may be there, looking at versions up to a bound only. */
    boolean allows(int seen, int versionMax) {
        if (states.length >= COUNT_MAX) {
            return seen <= versionMax;
        }
        for (var state : states) {
            if (Math.abs(state) <= versionMax && matches(state, seen)) {
                return true;
            }
        }
        return false;
    }

    static boolean matches(int state, int seen) {
        return state > 0 ? seen == state : seen == SectorPattern.ZERO;
    }

    static String nameOf(int state) {
        if (state > 0) {
            return "version " + state;
        }
        return state == 0 ? "zeros" : "zeros of version " + -state;
    }

    static String nameOfSeen(int seen) {
        return switch (seen) {
            case SectorPattern.ZERO -> "zeros";
            case SectorPattern.TORN -> "a torn or foreign block";
            case SectorPattern.POISONED -> "a buffer without the data";
            default -> "version " + seen;
        };
    }

    @Override
    public String toString() {
        var name = new StringBuilder(nameOf(states[0]));
        for (int i = 1; i < states.length; i++) {
            name.append(" or ").append(nameOf(states[i]));
        }
        return name.toString();
    }
}
