package io.tintype.simulations.oracle;

import org.jspecify.annotations.Nullable;

/** What 128 sectors hold, each one state or several {@link Candidates}. About 600 bytes. */
final class SectorGroup {
    static final int SECTOR_COUNT = 128;
    private static final int SEVERAL = Integer.MIN_VALUE;

    private final int[] states;
    private @Nullable Candidates @Nullable [] candidates;
    /** In which epoch of its disk it was last changed. */
    long epoch;

    SectorGroup() {
        states = new int[SECTOR_COUNT];
    }

    private SectorGroup(SectorGroup other) {
        states = other.states.clone();
        candidates = other.candidates == null ? null : other.candidates.clone();
        epoch = other.epoch;
    }

    SectorGroup copy() {
        return new SectorGroup(this);
    }

    boolean isPlain(int index) {
        return states[index] != SEVERAL;
    }

    /** Only if it is plain. */
    int state(int index) {
        return states[index];
    }

    Candidates candidates(int index) {
        var several = candidates == null ? null : candidates[index];
        return several == null ? Candidates.of(states[index]) : several;
    }

    void set(int index, int state) {
        states[index] = state;
        if (candidates != null) {
            candidates[index] = null;
        }
    }

    void set(int index, Candidates several) {
        if (candidates == null) {
            candidates = new Candidates[SECTOR_COUNT];
        }
        states[index] = SEVERAL;
        candidates[index] = several;
    }

    /** Whether the sector may hold something else than in {@code other}. */
    boolean differs(int index, SectorGroup other) {
        return states[index] != other.states[index] || states[index] == SEVERAL;
    }
}
