package io.tintype.simulations.run;

/** What a checkpoint keeps of its VM's disks. */
public enum DiskPolicy {
    /** The layers themselves. */
    POINTER,
    /** A copy of each disk. */
    COPY
}
