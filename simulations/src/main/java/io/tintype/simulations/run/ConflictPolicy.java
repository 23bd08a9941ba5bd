package io.tintype.simulations.run;

/** What happens under {@link ReissuePolicy#DISK} when a read and a write of one block are pending together (R9). */
public enum ConflictPolicy {
    /** The checkpoint's instant is put off, the guest running, until no such pair is pending. */
    PUT_OFF,
    /** The guest resumes only after all that was pending completed. */
    DELAY_RESUME
}
