package io.tintype.simulations.checkpoints;

import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.GcReport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
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
        try (var look = CheckpointStore.openReadOnly(directory)) {
            // Opening it for more clears what a crash left; so that is counted now.
            var leftovers = look.leftovers();
            requireAllKnown(leftovers);
            var images = look.unneededImages(List.of());
            var disks = names(look.directory(), images.removed());
            if (dryRun) {
                phase.accept("looking at overlays");
                var foldable = Folder.fold(look, true, isCancelled);
                return new Reclaimed(true, names(look.directory(), leftovers.removed()),
                        leftovers.bytes(), foldable.layers(), 0, disks, images.bytes(), true,
                        isCancelled.getAsBoolean());
            }
            try (var store = CheckpointStore.open(directory)) {
                phase.accept("deleting what is left over");
                store.gc();
                if (withDisks) {
                    phase.accept("deleting disks");
                    store.gcImages(List.of());
                }
                phase.accept("committing overlays");
                var folded = Folder.fold(store, false, isCancelled);
                return new Reclaimed(false, names(look.directory(), leftovers.removed()),
                        leftovers.bytes(), folded.layers(), folded.bytes(), disks, images.bytes(),
                        !withDisks, isCancelled.getAsBoolean());
            }
        }
    }

    private static void requireAllKnown(GcReport report) {
        if (!report.unreadable().isEmpty()) {
            var first = report.unreadable().getFirst();
            throw UserErrorException.of("checkpoint", first,
                    "its manifest is damaged, so that nobody knows what it needs",
                    "look at it with verify, and delete it with rm");
        }
    }

    /** Disks, of which each is a directory in that of its VM, which goes with the last of them. */
    private static List<String> names(Path directory, List<Path> paths) {
        return paths.stream().map(path -> directory.relativize(path).toString())
                .filter(name -> !name.matches("images/[^/]+")).sorted().toList();
    }
}
