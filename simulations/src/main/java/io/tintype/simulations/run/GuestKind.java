package io.tintype.simulations.run;

/** What runs in every VM of the fleet. */
public enum GuestKind {
    /** A load made up from the seed. */
    SYNTHETIC,
    /** A recorded disk trace. */
    TRACE
}
