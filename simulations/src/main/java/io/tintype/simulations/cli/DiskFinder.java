package io.tintype.simulations.cli;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.DamagedSegmentException;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Finds the disks that a path names, and the checkpoints that point to them; takes no lock and writes nothing. */
final class DiskFinder {
    /**
     * A disk.
     *
     * @param directory of its files
     * @param file null for a chain; else the one file that it is
     */
    record Found(Path directory, @Nullable String file) {
        /** As a person would write it. */
        Path path() {
            return file == null ? directory : directory.resolve(file);
        }
    }

    /**
     * A checkpoint's disk.
     *
     * @param images of the chain that it was of
     * @param copy null where it points to the chain's layers up to {@code view}
     */
    record Pointer(String checkpoint, Path images, int view, @Nullable Path copy) {}

    private DiskFinder() {}

    /** All disks in a store, the one in a directory, or the one that a file is. */
    static List<Found> find(Path path) throws IOException {
        if (!Files.exists(path)) {
            throw UserErrorException.of("PATH", path, "there is no such file or directory",
                    "name a disk's directory, an image file or a store");
        }
        if (Files.isRegularFile(path)) {
            var file = path.toAbsolutePath().normalize();
            return List.of(new Found(Objects.requireNonNull(file.getParent()),
                    Objects.requireNonNull(file.getFileName()).toString()));
        }
        var directory = path.toAbsolutePath().normalize();
        if (Files.exists(directory.resolve("chain"))) {
            return List.of(new Found(directory, null));
        }
        if (!Files.isRegularFile(directory.resolve(CheckpointStore.MARKER))) {
            throw UserErrorException.of("PATH", path,
                    "neither a disk (no file chain in it) nor a store (no file "
                            + CheckpointStore.MARKER
                            + " in it)",
                    "name a disk's directory, an image file or a store");
        }
        refuseNewer(directory);
        var disks = new ArrayList<Found>();
        for (var vm : list(directory.resolve("images"))) {
            for (var disk : list(vm)) {
                if (Files.exists(disk.resolve("chain"))) {
                    disks.add(new Found(disk, null));
                }
            }
        }
        for (var vm : list(directory.resolve("checkpoints"))) {
            for (var checkpoint : list(vm)) {
                for (var file : list(checkpoint)) {
                    var name = Objects.requireNonNull(file.getFileName()).toString();
                    if (name.matches("disk-\\d+")) {
                        disks.add(new Found(checkpoint, name));
                    }
                }
            }
        }
        return disks;
    }

    /** Where things are in it is not known then. Disks of a store whose marker is damaged are looked at all the same. */
    private static void refuseNewer(Path directory) throws StoreException {
        try (var _ = CheckpointStore.openReadOnly(directory)) {
            return;
        } catch (StoreException refused) {
            if (!isDamage(refused)) {
                throw refused;
            }
        }
    }

    private static boolean isDamage(StoreException refused) {
        return refused.getCause() instanceof DamagedSegmentException;
    }

    /** The checkpoints of the store that the path is, or lies in; those that cannot be read have a line in {@code problems}. */
    static List<Pointer> pointers(Path path, List<String> problems) throws StoreException {
        var store = storeOf(path.toAbsolutePath().normalize());
        var pointers = new ArrayList<Pointer>();
        if (store == null) {
            return pointers;
        }
        try (var opened = CheckpointStore.openReadOnly(store)) {
            addPointers(opened, pointers, problems);
        } catch (StoreException refused) {
            if (!isDamage(refused)) {
                throw refused;
            }
            problems.add(String.valueOf(refused.getMessage()));
        }
        return pointers;
    }

    private static void addPointers(CheckpointStore store, List<Pointer> pointers,
            List<String> problems) {
        // Not the directories: those of deleted checkpoints stay as long as others need their pages.
        for (var ref : store.list()) {
            try {
                add(store, ref, pointers);
            } catch (StoreException damaged) {
                problems.add(String.valueOf(damaged.getMessage()));
            }
        }
    }

    private static void add(CheckpointStore store, CheckpointRef ref, List<Pointer> pointers)
            throws StoreException {
        var directory = store.directory();
        for (var disk : store.open(ref).manifest().disks()) {
            var copy = disk.copy();
            pointers.add(new Pointer(ref.toString(), directory.resolve(disk.images()), disk.view(),
                    copy == null
                            ? null
                            : directory.resolve("checkpoints").resolve(ref.vm().value())
                                    .resolve(ref.id().toString()).resolve(copy)));
        }
    }

    private static @Nullable Path storeOf(Path path) {
        for (var at = path; at != null; at = at.getParent()) {
            if (Files.isRegularFile(at.resolve(CheckpointStore.MARKER))) {
                return at;
            }
        }
        return null;
    }

    private static List<Path> list(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (var files = Files.list(directory)) {
            return files.sorted().toList();
        }
    }
}
