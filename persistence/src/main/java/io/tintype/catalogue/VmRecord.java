package io.tintype.catalogue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What the catalogue knows of one VM.
 *
 * @param status what it last was
 * @param reason why it failed, or why its last checkpoint was aborted; null when there is nothing to say
 * @param regionBytes sizes of its memory regions; empty when only its disks were found
 * @param diskBytes sizes of its disks
 * @param origin the checkpoint that its state came from last; null for one that began empty
 * @param since when it got its status
 * @param lastId the highest id of its checkpoints, those that were aborted included; 0 for none
 * @param checkpoints by id
 */
public record VmRecord(VmId id, Status status, @Nullable String reason, List<Long> regionBytes,
        List<Long> diskBytes, @Nullable CheckpointRef origin, Instant since, long lastId,
        Sorted<CheckpointId, CheckpointRecord> checkpoints) {
    /** What a VM is doing, as far as was told. */
    public enum Status {
        /** It was made, and did not run yet. */
        CREATED,
        /** It runs, or ran when its process ended. */
        RUNNING,
        /** Somebody stopped it. */
        STOPPED,
        /** It broke. */
        FAILED,
        /** It was found in the store; nobody told of it. */
        FOUND,
        /** Its disks are being removed. */
        REMOVING
    }

    /** Copies the lists. */
    public VmRecord {
        regionBytes = List.copyOf(regionBytes);
        diskBytes = List.copyOf(diskBytes);
    }

    /** Returns the newest checkpoint that is sealed and stays so; null if there is none. */
    public @Nullable CheckpointRecord lastSealed() {
        CheckpointRecord last = null;
        for (var checkpoint : checkpoints.values()) {
            if (checkpoint.phase() == CheckpointRecord.Phase.SEALED) {
                last = checkpoint;
            }
        }
        return last;
    }

    VmRecord with(Status next, @Nullable String why, Instant at) {
        return new VmRecord(id, next, why, regionBytes, diskBytes, origin, at, lastId, checkpoints);
    }

    VmRecord withReason(@Nullable String why) {
        return new VmRecord(id, status, why, regionBytes, diskBytes, origin, since, lastId,
                checkpoints);
    }

    VmRecord restored(CheckpointRef from) {
        return new VmRecord(id, status, reason, regionBytes, diskBytes, from, since, lastId,
                checkpoints);
    }

    VmRecord sized(List<Long> regions, List<Long> disks) {
        return new VmRecord(id, status, reason, regions, disks, origin, since, lastId, checkpoints);
    }

    VmRecord with(CheckpointRecord checkpoint) {
        var checkpointId = checkpoint.ref().id();
        return new VmRecord(id, status, reason, regionBytes, diskBytes, origin, since,
                Math.max(lastId, checkpointId.value()),
                checkpoints.with(checkpointId, checkpoint));
    }

    VmRecord without(CheckpointId checkpoint) {
        return new VmRecord(id, status, reason, regionBytes, diskBytes, origin, since,
                Math.max(lastId, checkpoint.value()), checkpoints.without(checkpoint));
    }
}
