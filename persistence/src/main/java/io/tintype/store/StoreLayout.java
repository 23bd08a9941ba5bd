package io.tintype.store;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where things lie in the directory of a store, which {@link CheckpointStore} draws, and what the names there mean.
 *
 * @param directory of the store, absolute
 */
record StoreLayout(Path directory) {
    static final String CHECKPOINTS = "checkpoints";
    static final String STAGING = "staging";
    static final String IMAGES = "images";
    private static final String HINTS = "hints";
    private static final String RETIRED = "retired";
    private static final String DELETED_SUFFIX = ".deleted";

    Path checkpoints() {
        return directory.resolve(CHECKPOINTS);
    }

    Path checkpointsOf(VmId vm) {
        return checkpoints().resolve(vm.value());
    }

    Path sealedAt(CheckpointRef ref) {
        return checkpointsOf(ref.vm()).resolve(Long.toString(ref.id().value()));
    }

    Path images() {
        return directory.resolve(IMAGES);
    }

    Path staging() {
        return directory.resolve(STAGING);
    }

    /** No VM's id has a dot in it. */
    static String stagingName(CheckpointRef ref) {
        return ref.vm() + "." + ref.id();
    }

    /** Where one is being written. */
    Path stagedAt(CheckpointRef ref) {
        return staging().resolve(stagingName(ref));
    }

    /** Where one is being deleted. */
    Path doomedAt(CheckpointRef ref) {
        return staging().resolve(stagingName(ref) + DELETED_SUFFIX);
    }

    Path hints() {
        return directory.resolve(HINTS);
    }

    Path hintOf(CheckpointRef ref) {
        return hints().resolve(ref.vm() + "." + ref.id());
    }

    Path retired() {
        return directory.resolve(RETIRED);
    }

    Path retiredAt(CheckpointRef ref) {
        return retired().resolve(stagingName(ref));
    }

    /** The checkpoints whose directories are there, deleted ones included. */
    List<CheckpointRef> sealed(StoreFiles files) throws StoreException {
        var found = new ArrayList<CheckpointRef>();
        try {
            for (String vm : files.list(checkpoints())) {
                Path ofVm = checkpoints().resolve(vm);
                if (files.kind(ofVm) == StoreFiles.Kind.DIRECTORY) {
                    for (String id : idsIn(ofVm, files)) {
                        addTo(found, refOf(vm, id));
                    }
                }
            }
        } catch (IOException e) {
            throw StoreException.of("read", checkpoints(), e);
        }
        return found;
    }

    /** None if the last of them was just deleted, and the directory with it. */
    private static List<String> idsIn(Path ofVm, StoreFiles files) throws IOException {
        try {
            return files.list(ofVm);
        } catch (NoSuchFileException gone) {
            return List.of();
        }
    }

    /** Those that are marked as deleted. */
    List<CheckpointRef> retired(StoreFiles files) throws StoreException {
        var found = new ArrayList<CheckpointRef>();
        try {
            if (files.kind(retired()) == StoreFiles.Kind.DIRECTORY) {
                for (String name : files.list(retired())) {
                    addTo(found, ofDotted(name));
                }
            }
        } catch (IOException e) {
            throw StoreException.of("read", retired(), e);
        }
        return found;
    }

    private static void addTo(List<CheckpointRef> found, @Nullable CheckpointRef ref) {
        if (ref != null) {
            found.add(ref);
        }
    }

    /** The checkpoint {@code VM.ID}; null for a name that is not ours. */
    static @Nullable CheckpointRef ofDotted(String name) {
        int dot = name.indexOf('.');
        return dot < 0 ? null : refOf(name.substring(0, dot), name.substring(dot + 1));
    }

    /** Null for a name that is not ours, such as lost+found. */
    private static @Nullable CheckpointRef refOf(String vm, String id) {
        try {
            var ref = new CheckpointRef(new VmId(vm), new CheckpointId(Long.parseLong(id)));
            // "+1" and "01" are numbers, but no names that we give.
            return id.equals(Long.toString(ref.id().value())) ? ref : null;
        } catch (IllegalArgumentException _) {
            return null;
        }
    }
}
