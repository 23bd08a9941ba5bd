package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.Commit;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;

/**
 * Commits overlays that no checkpoint and no clone needs apart from what lies below them into that. The store must be locked: nobody
 * else has its disks open.
 */
public final class Folder {
    private static final int GROUPS_A_STEP = 64;

    /**
     * What it came to.
     *
     * @param layers overlays committed, or that could be
     * @param bytes by which the images became smaller; 0 when it was only asked
     */
    public record Folded(int layers, long bytes) {}

    private final CheckpointStore store;
    /** By the directory of a disk's images, the views that something needs. */
    private final Map<Path, TreeSet<Integer>> needed = new TreeMap<>();

    private Folder(CheckpointStore store) {
        this.store = store;
    }

    /** Commits what can be committed. Throws as {@link #foldable}; what was committed before stays so, and harms nobody. */
    public static Folded fold(CheckpointStore store, BooleanSupplier isCancelled)
            throws IOException {
        return fold(store, List.of(), Set.of(), false, isCancelled);
    }

    /**
     * Counts what could be committed once others are gone. Changes nothing.
     *
     * @param disks directories of disks that go before
     * @param checkpoints that go before
     * @throws IOException when a checkpoint or a disk cannot be read, so that it is not known what is needed
     */
    public static Folded foldable(CheckpointStore store, Collection<Path> disks,
            Collection<CheckpointRef> checkpoints, BooleanSupplier isCancelled)
            throws IOException {
        return fold(store, disks, checkpoints, true, isCancelled);
    }

    private static Folded fold(CheckpointStore store, Collection<Path> withoutDisks,
            Collection<CheckpointRef> withoutCheckpoints, boolean dryRun,
            BooleanSupplier isCancelled) throws IOException {
        var folder = new Folder(store);
        folder.findNeeded(Set.copyOf(withoutDisks), Set.copyOf(withoutCheckpoints));
        var unneeded = Set.copyOf(store.unneededImages(List.of()).removed());
        int layers = 0;
        long bytes = 0;
        for (var entry : folder.needed.entrySet()) {
            if (isCancelled.getAsBoolean()) {
                break;
            }
            try {
                var folded = foldOne(entry.getKey(), entry.getValue(), dryRun, isCancelled);
                layers += folded.layers();
                bytes += folded.bytes();
            } catch (IOException unreadable) {
                // What a disk stood on may be gone with a checkpoint that had copies, if no checkpoint needs the disk any more.
                if (!unneeded.contains(entry.getKey())) {
                    throw unreadable;
                }
            }
        }
        return new Folded(layers, bytes);
    }

    private void findNeeded(Set<Path> withoutDisks, Set<CheckpointRef> withoutCheckpoints)
            throws IOException {
        for (var directory : chains()) {
            if (withoutDisks.contains(directory)) {
                continue;
            }
            needed.computeIfAbsent(directory, _ -> new TreeSet<>());
            var footing = DiskChain.footing(new FileImageDirectory(directory));
            if (footing != null) {
                needed.computeIfAbsent(Path.of(footing.directory().location()),
                        _ -> new TreeSet<>()).add(footing.view());
            }
        }
        for (var ref : store.list()) {
            if (withoutCheckpoints.contains(ref)) {
                continue;
            }
            for (var disk : store.manifest(ref).disks()) {
                if (disk.copy() != null) {
                    // It needs the copy; the layers that were copied may be gone.
                    continue;
                }
                needed.computeIfAbsent(store.directory().resolve(disk.images()),
                        _ -> new TreeSet<>()).add(disk.view());
            }
        }
    }

    private List<Path> chains() throws IOException {
        var found = new ArrayList<Path>();
        var images = store.directory().resolve("images");
        try (var vms = Files.newDirectoryStream(images, Files::isDirectory)) {
            for (var vm : vms) {
                try (var disks = Files.newDirectoryStream(vm,
                        disk -> Files.isRegularFile(disk.resolve("chain")))) {
                    disks.forEach(found::add);
                }
            }
        }
        return found;
    }

    private static Folded foldOne(Path directory, SortedSet<Integer> views, boolean dryRun,
            BooleanSupplier isCancelled) throws IOException {
        if (!Files.isRegularFile(directory.resolve("chain"))) {
            return new Folded(0, 0);
        }
        if (dryRun) {
            return new Folded(countOf(directory, views), 0);
        }
        int layers = 0;
        try (var chain = DiskChain.open(new FileImageDirectory(directory))) {
            long before = chain.bytesOnDisk();
            views.stream().filter(view -> view >= chain.firstLayer()).forEach(chain::hold);
            for (var next = chain.nextCommit(); next != null && !isCancelled.getAsBoolean();
                    next = chain.nextCommit()) {
                var commit = chain.commit(next.lastUpper());
                while (copyNext(commit, directory)) {
                    if (isCancelled.getAsBoolean()) {
                        commit.cancel();
                        // What was copied so far is there twice until it is finished.
                        return new Folded(layers, Math.max(0, before - chain.bytesOnDisk()));
                    }
                }
                commit.finish();
                layers++;
            }
            return new Folded(layers, before - chain.bytesOnDisk());
        }
    }

    /** What is copied needs room before that of the overlay is given back. */
    private static boolean copyNext(Commit commit, Path directory) throws IOException {
        try {
            return commit.copyNext(GROUPS_A_STEP);
        } catch (IOException failure) {
            var reason = String.valueOf(failure.getMessage());
            if (!reason.contains("No space left on device")
                    && !reason.contains("Disk quota exceeded")) {
                throw failure;
            }
            throw UserErrorException.of("disk", directory,
                    "an overlay cannot be committed: " + reason,
                    "nothing is lost; free some space there and run gc again");
        }
    }

    /** As {@link DiskChain#nextCommit} counts: files below the top but above the lowest, where no view ends just below. */
    private static int countOf(Path directory, SortedSet<Integer> views) throws IOException {
        try (var chain = DiskChain.openReadOnly(new FileImageDirectory(directory))) {
            return chain.foldable(views);
        }
    }
}
