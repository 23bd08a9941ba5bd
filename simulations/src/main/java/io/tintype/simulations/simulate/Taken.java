package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.vm.CheckpointOutcome;
import org.jspecify.annotations.Nullable;

/** A checkpoint that was begun, as the simulation knows it from outside. */
final class Taken {
    enum Stage {
        PREPARING, PUT_OFF, STUNNED, HELD, DRAINING, SAVING
    }

    final String label;
    final CheckpointRef ref;
    Stage stage = Stage.PREPARING;
    /** What it was doing when it was told to give up; null if it was not. */
    @Nullable
    Stage stageAtAbort;
    /** Requests of P that have not landed. */
    int pending;
    @Nullable
    CheckpointOutcome outcome;
    boolean deleted;

    Taken(String label, CheckpointRef ref) {
        this.label = label;
        this.ref = ref;
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
