package io.tintype.scheduler;

/**
 * The ordering rules, by the numbers that docs/ordering-rules.md explains. Each constant says where its rule is kept and how
 * the pure steps of this package misbehave once it is switched off, so that a test can show that its oracle notices. A rule
 * kept by the shells alone (by those that act, not by those that decide) is switched there, on the same {@link Rules}.
 */
public enum Rule {
    /** Overlay first. The order is {@link CheckpointPhase}'s, making it durable is the disk's. Switched in the shells. */
    R1,

    /** The stun is short. Kept by the shells: no step of this package waits for anything in the stun. Switched in the shells. */
    R2,

    /** Device state with its instant. The set of requests is {@link PendingSet}'s value; capture is the shell's, so is the switch. */
    R3,

    /** Pending writes land in their own layer. {@link DiskOrder} names it with every start; binding and switch are the shells'. */
    R4,

    /**
     * New writes land in the top only. {@link DiskOrder}; off: a write goes to whichever layer holds its group (no
     * copy-on-write), and a read sees the top of the moment it starts.
     */
    R5,

    /** Pending reads reach every copy of their frames. {@link PendingSet}; off: copies made of a target are forgotten. */
    R6,

    /** New reads get private frames first. Kept and switched in the shells, who choose the frames of {@link PendingSet.Target}. */
    R7,

    /**
     * A fault waits for lower writes to its group. {@link DiskOrder}; off: it starts at once. There still is only one fault
     * for a layer and group, since a second one would break the image rather than the rule.
     */
    R8,

    /**
     * Read and write of one block. {@link PendingSet}; off: {@link PendingSet#readWriteConflict()} answers no, and a reissue
     * asks the disk again where only the landed bytes would do.
     */
    R9,

    /** Saving waits for reads. {@link PendingSet}; off: {@link PendingSet#blockedFrames} is always empty. */
    R10,

    /** One completion, after all debts. {@link PendingSet}; off: a read with debts is delivered when it lands, and again when it has paid. */
    R11,

    /** All or nothing. {@link CheckpointPhase}; off: neither the pending set is waited for nor is the chain synced. */
    R12,

    /** A flush reaches the whole chain. {@link DiskOrder}; off: it syncs only the layer it is bound to. */
    R13,

    /**
     * Many at once. {@link PendingSet}; off: which copies are owed, and which frames are blocked, is remembered for the
     * latest checkpoint only.
     */
    R14,

    /**
     * Never hostage. {@link CheckpointPhase}, {@link DiskOrder}, {@link PendingSet}; off: the deadline is not heard, a write
     * waits for a lower one though no checkpoint needs that, and debts to frames that nobody sees any more are kept.
     */
    R15,

    /** Shared layers. {@link DiskOrder#mayCommit} decides what depends on requests (off: always yes), the disk the rest. */
    R16,

    /** A reset detaches what is in flight. {@link PendingSet} and {@link DiskOrder}; off: a reset is not heard. */
    R17
}
