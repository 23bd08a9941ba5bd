package io.tintype.simulations.torture;

import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What a torture came to. Counts are of all rounds; a round is a victim's life from its orders to the kill.
 *
 * @param seed which repeats the load and the delays, though not the timing
 * @param seconds from the first order to the last comparison
 * @param kills victims killed and compared
 * @param killsBeforeReady of them while they opened the store, recovered it or restored their VMs
 * @param killsInCheckpoint while at least one checkpoint was between its instant and its report
 * @param killsInFlush while at least one flush was in flight
 * @param killsInDelete while a checkpoint was being deleted
 * @param sealed checkpoints that were reported sealed
 * @param unreported checkpoints that were found sealed, the kill having been quicker than the report
 * @param verified checkpoints read from disk and compared whole with what their guests knew
 * @param compared older checkpoints read again after a later kill, and found unchanged
 * @param restored VMs restored from a checkpoint after a kill, which ran on and did I/O
 * @param aborted checkpoints that ended without being sealed, by the reason
 * @param acknowledged writes that were acknowledged as durable and looked for after a kill
 * @param sectors sectors of running VMs' disks compared after a kill
 * @param requests requests that guests issued
 * @param interrupted whether it was ended early by whoever started it
 * @param violations what was lost or is wrong, one line each; empty when all is well
 * @param evidence where the store lies as the kill left it; null when nothing was lost
 */
public record TortureResult(long seed, double seconds, long kills, long killsBeforeReady,
        long killsInCheckpoint, long killsInFlush, long killsInDelete, long sealed, long unreported,
        long verified, long compared, long restored, SortedMap<String, Long> aborted,
        long acknowledged, long sectors, long requests, boolean interrupted,
        List<String> violations, @Nullable String evidence) {
    /** Copies the list. */
    public TortureResult {
        violations = List.copyOf(violations);
    }

    /** Whether nothing was lost. */
    public boolean isFine() {
        return violations.isEmpty();
    }
}
