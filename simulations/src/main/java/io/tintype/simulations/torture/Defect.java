package io.tintype.simulations.torture;

/** Something broken on purpose, to see whether a torture finds it. */
public enum Defect {
    /** Nothing is. */
    NONE,
    /** A memory segment's file is written a while after the store believes it is: a checkpoint is sealed before it is there. */
    LATE_SEGMENTS,
    /** A write completes before it is made. */
    EARLY_COMPLETIONS,
    /** A flush, or a write with FUA, completes and has made nothing durable. */
    EMPTY_FLUSHES,
    /** A flush makes durable what is in its own layer, not what lies below (R13 is off). */
    SHALLOW_FLUSHES,
    /** A checkpoint is sealed before the requests in flight at its instant completed and the disks were synced (R12 is off). */
    EARLY_SEALS,
    /** What is deleted stays. */
    UNDELETED
}
