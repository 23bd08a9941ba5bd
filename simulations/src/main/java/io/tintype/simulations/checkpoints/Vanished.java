package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.nio.file.Files;
import java.util.List;

/** Tells a checkpoint that another process deleted while it was looked at from one that is damaged. */
public final class Vanished {
    /** Something that reads checkpoints. */
    @FunctionalInterface
    public interface Look<T> {
        /** Reads. */
        T at() throws IOException;
    }

    private Vanished() {}

    /** Also of one whose files stay since others need its pages: its disks do not. */
    static boolean is(CheckpointStore store, CheckpointRef ref) {
        var id = Long.toString(ref.id().value());
        return !Files.exists(store.directory().resolve("checkpoints").resolve(ref.vm().value())
                .resolve(id).resolve("manifest"))
                || Files.exists(store.directory().resolve("retired")
                        .resolve(ref.vm().value() + "." + id));
    }

    /**
     * What {@code look} answers.
     *
     * @throws UserErrorException if it failed and one of {@code refs} is not there any more
     */
    public static <T> T guarded(CheckpointStore store, List<CheckpointRef> refs, Look<T> look)
            throws IOException {
        try {
            return look.at();
        } catch (IOException failure) {
            for (var ref : refs) {
                if (is(store, ref)) {
                    throw UserErrorException.of("checkpoint", ref,
                            "another process deleted it meanwhile", "choose another one");
                }
            }
            throw failure;
        }
    }
}
