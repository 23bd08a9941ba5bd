package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What the catalogue knows of one checkpoint.
 *
 * @param at when it began; once sealed, what its manifest says
 * @param stunNs how long the guest stood still; -1 before it did
 * @param pendingCount requests in flight at its instant
 * @param facts what became of it; null until it is sealed
 */
public record CheckpointRecord(CheckpointRef ref, Phase phase, Instant at, long stunNs,
        int pendingCount,
        @Nullable SealedFacts facts) {
    /** How far it is. One that was aborted or deleted is not in the catalogue any more. */
    public enum Phase {
        /** It has a name, and perhaps files that nobody sees. */
        BEGUN,
        /** The guest has left its instant behind; what was frozen is being saved. */
        STUNNED,
        /** Its manifest is durable and visible. */
        SEALED,
        /** It was sealed, and somebody asked that it goes. */
        DELETING
    }

    /** Returns whether it is neither sealed nor over. */
    public boolean isInProgress() {
        return phase == Phase.BEGUN || phase == Phase.STUNNED;
    }

    CheckpointRecord in(Phase next) {
        return new CheckpointRecord(ref, next, at, stunNs, pendingCount, facts);
    }
}
