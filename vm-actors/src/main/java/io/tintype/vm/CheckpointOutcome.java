package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import org.jspecify.annotations.Nullable;

/**
 * How a checkpoint ended.
 *
 * @param ref which one
 * @param sealed whether it is complete, durable and visible; otherwise nothing of it is left
 * @param reason why it was aborted, in one line with the way out; null when sealed
 * @param stunNs how long the guest stood still; -1 when it never did
 * @param pendingCount requests in flight at T; 0 when there was no T
 * @param lateNs from resume to the last of P settled, in nanoseconds
 * @param totalNs from begin to end, in nanoseconds
 * @param pages pages stored
 * @param bytes size in the store
 * @param saveNs time spent writing memory to the store
 */
public record CheckpointOutcome(
        CheckpointRef ref,
        boolean sealed,
        @Nullable String reason,
        long stunNs,
        int pendingCount,
        long lateNs,
        long totalNs,
        long pages,
        long bytes,
        long saveNs) {
    /**
     * Returns this when it is sealed.
     *
     * @throws IllegalStateException with the reason when it was aborted
     */
    public CheckpointOutcome orThrow() {
        if (!sealed) {
            throw new IllegalStateException("checkpoint " + ref + " was aborted: " + reason);
        }
        return this;
    }

    static CheckpointOutcome aborted(CheckpointRef ref, String reason) {
        return new CheckpointOutcome(ref, false, reason, -1, 0, 0, 0, 0, 0, 0);
    }
}
