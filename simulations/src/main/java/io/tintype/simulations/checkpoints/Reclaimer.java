package io.tintype.simulations.checkpoints;

import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Gives back what nothing in a store needs. */
public final class Reclaimer {
    /**
     * What it came to.
     *
     * @param isDryRun whether nothing was changed
     * @param leftovers directories of deleted and unfinished checkpoints, relative to the store
     * @param leftoverBytes of the files in them
     * @param layers overlays committed, or that could be
     * @param layerBytes by which that made images smaller
     * @param disks directories of disks that no checkpoint needs, relative to the store
     * @param diskBytes of the files in them
     * @param areDisksKept whether they were left as they are
     * @param interrupted whether it was ended before all was looked at
     */
    public record Reclaimed(boolean isDryRun, List<String> leftovers, long leftoverBytes,
            int layers, long layerBytes, List<String> disks, long diskBytes, boolean areDisksKept,
            boolean interrupted) {
        /** Copies the lists. */
        public Reclaimed {
            leftovers = List.copyOf(leftovers);
            disks = List.copyOf(disks);
        }
    }

    private Reclaimer() {}

    /**
     * Reclaims, or says what could be.
     *
     * @param withDisks whether disks go that no checkpoint needs
     * @param phase hears what is being done
     */
    public static Reclaimed reclaim(Path directory, boolean withDisks, boolean dryRun,
            BooleanSupplier isCancelled, Consumer<String> phase) throws IOException {
        var before = leftovers(directory);
        long leftoverBytes = 0;
        for (var left : before) {
            leftoverBytes += bytes(left);
        }
        var leftovers = names(directory, before);
        try (var store = dryRun
                ? CheckpointStore.openReadOnly(directory)
                : CheckpointStore.open(directory)) {
            phase.accept("looking for disks that no checkpoint needs");
            var unneeded = unneeded(store);
            long diskBytes = 0;
            for (var disk : unneeded) {
                diskBytes += bytes(disk);
            }
            var disks = names(store.directory(), unneeded);
            boolean deletes = withDisks && !dryRun;
            if (deletes) {
                phase.accept("deleting disks");
                for (var disk : unneeded) {
                    delete(disk);
                }
            }
            phase.accept("committing overlays");
            var folded = Folder.fold(store, dryRun, isCancelled);
            return new Reclaimed(dryRun, leftovers, leftoverBytes, folded.layers(), folded.bytes(),
                    disks, diskBytes, !deletes, isCancelled.getAsBoolean());
        }
    }

    private static List<Path> leftovers(Path directory) throws IOException {
        var found = new ArrayList<Path>();
        try (var staging = Files.newDirectoryStream(directory.resolve("staging"))) {
            staging.forEach(found::add);
        } catch (NoSuchFileException _) {
            return List.of();
        }
        return found;
    }

    private static List<String> names(Path directory, List<Path> paths) {
        var absolute = directory.toAbsolutePath().normalize();
        return paths.stream()
                .map(path -> absolute.relativize(path.toAbsolutePath().normalize()).toString())
                .sorted().toList();
    }

    /** Disks that no checkpoint names, and that none which is named stands on. */
    private static List<Path> unneeded(CheckpointStore store) throws IOException {
        var needed = new TreeSet<Path>();
        var open = new ArrayDeque<Path>();
        for (var ref : store.list()) {
            for (var disk : store.open(ref).manifest().disks()) {
                open.add(store.directory().resolve(disk.images()));
            }
        }
        while (!open.isEmpty()) {
            var disk = open.remove();
            if (needed.add(disk)) {
                var footing = DiskChain.footing(new FileImageDirectory(disk));
                if (footing != null) {
                    open.add(Path.of(footing.directory().location()));
                }
            }
        }
        var unneeded = new ArrayList<Path>();
        try (var vms = Files.newDirectoryStream(store.directory().resolve("images"),
                Files::isDirectory)) {
            for (var vm : vms) {
                try (var disks = Files.newDirectoryStream(vm, Files::isDirectory)) {
                    disks.forEach(disk -> {
                        if (!needed.contains(disk)) {
                            unneeded.add(disk);
                        }
                    });
                }
            }
        }
        return unneeded;
    }

    private static long bytes(Path tree) throws IOException {
        long bytes = 0;
        try (var all = Files.walk(tree)) {
            for (var path : all.toList()) {
                bytes += Files.isRegularFile(path) ? Files.size(path) : 0;
            }
        }
        return bytes;
    }

    /** The descriptor first: a disk that an interruption leaves without one is none, and goes the next time. */
    private static void delete(Path disk) throws IOException {
        Files.deleteIfExists(disk.resolve("chain"));
        try (var all = Files.walk(disk)) {
            for (var path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
        var ofVm = disk.getParent();
        if (ofVm != null) {
            try (var left = Files.newDirectoryStream(ofVm)) {
                if (left.iterator().hasNext()) {
                    return;
                }
            }
            Files.delete(ofVm);
        }
    }
}
