package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.oracle.CrashCheck;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.Snapshot;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A checkpoint or a snapshot that was begun, as the simulation knows it from outside. */
final class Taken {
    enum Stage {
        PREPARING, PUT_OFF, STUNNED, HELD, DRAINING, SAVING
    }

    final String label;
    final CheckpointRef ref;
    final boolean isSnapshot;
    Stage stage = Stage.PREPARING;
    /** What it was doing when it was told to give up; null if it was not. */
    @Nullable
    Stage stageAtAbort;
    /** Requests of P that have not landed. */
    int pending;
    /** Whose T it shows; null before that. */
    @Nullable
    Life life;
    /** What a power failure must leave, as of T; null before that, and where nobody will ask. */
    @Nullable
    CrashCheck durable;
    /** What the guest's clock showed last before T. */
    long guestNs;
    @Nullable
    CheckpointOutcome outcome;
    boolean deleted;
    /** It is being deleted just now. */
    boolean isDeleting;
    @Nullable
    Snapshot snapshot;
    /** The operator closed it. */
    boolean closed;
    /** It was given up before there was a snapshot. */
    boolean refused;
    /** VMs made of it. */
    final List<String> clones = new ArrayList<>();

    Taken(String label, CheckpointRef ref, boolean isSnapshot) {
        this.label = label;
        this.ref = ref;
        this.isSnapshot = isSnapshot;
    }

    boolean isOver() {
        return outcome != null || snapshot != null || refused;
    }

    /** A snapshot that is there. */
    boolean isOpen() {
        var kept = snapshot;
        return kept != null && !kept.isClosed();
    }

    /** Whether a VM can be made of it. */
    boolean isUsable() {
        return isStored() || isOpen();
    }

    boolean isSealed() {
        var ended = outcome;
        return ended != null && ended.sealed();
    }

    /** Sealed, and there still. */
    boolean isStored() {
        return isSealed() && !deleted;
    }
}
