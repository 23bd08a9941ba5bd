package io.tintype.simulations.run;

/** Where the bytes of a pending read come from that a copied page is still owed (R6, R9). */
public enum ReissuePolicy {
    /** From the frame that the read landed in. */
    LANDED,
    /** From the disk, a second time. */
    DISK
}
