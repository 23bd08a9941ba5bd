package io.tintype.catalogue;

import org.jspecify.annotations.Nullable;

/**
 * Gauges of a catalogue.
 *
 * @param reason what is wrong, in one line; null unless {@code FAILED}
 * @param waiting facts that were told and are not durable yet
 * @param lost facts that were told and dropped, because too many waited: the next start finds them in the store
 * @param written events written by this process
 * @param failures how often the journal broke
 */
public record CatalogueHealth(Status status, @Nullable String reason, int waiting, long lost,
        long written, long failures) {
    /** Whether it records. */
    public enum Status {
        /** The journal is being read; what is told waits. */
        OPENING,
        /** It records. */
        WORKING,
        /** It does not: VMs run on, checkpoints are aborted, and it tries again. */
        FAILED,
        /** It was closed. */
        CLOSED
    }
}
