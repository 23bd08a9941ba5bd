package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.store.CheckpointStore;
import java.nio.file.Files;

/** Tells a checkpoint that another process deleted while it was looked at from one that is damaged. */
final class Vanished {
    private Vanished() {}

    static boolean is(CheckpointStore store, CheckpointRef ref) {
        return !Files.exists(store.directory().resolve("checkpoints").resolve(ref.vm().value())
                .resolve(Long.toString(ref.id().value())).resolve("manifest"));
    }
}
