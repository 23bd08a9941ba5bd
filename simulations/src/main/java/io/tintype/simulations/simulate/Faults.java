package io.tintype.simulations.simulate;

/** Which faults may happen in a run. */
public enum Faults {
    /** Storage is slow and reorders, and that is all. */
    NONE,
    /** Operations fail, never end, or find the disk full; bits rot. */
    STORAGE,
    /** The power fails, and the host starts again from what is left. */
    CRASH,
    ALL;

    boolean storage() {
        return this == STORAGE || this == ALL;
    }

    boolean crash() {
        return this == CRASH || this == ALL;
    }
}
