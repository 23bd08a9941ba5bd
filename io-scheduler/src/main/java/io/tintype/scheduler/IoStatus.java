package io.tintype.scheduler;

/** How a request ended. */
public enum IoStatus {
    OK,
    /** The device failed; the blocks of a write hold the old or the new bytes. */
    ERROR,
    /** Refused before anything was done. */
    UNSUPPORTED
}
