package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.GcReport;
import io.tintype.store.Retention;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Gives back what nothing in a store needs. */
public final class Reclaimer {
    /**
     * What it came to.
     *
     * @param isDryRun whether nothing was changed
     * @param dropped checkpoints that the retention does not keep, oldest first
     * @param leftovers directories of deleted and unfinished checkpoints, relative to the store
     * @param leftoverBytes of the files in them
     * @param layers overlays committed, or that could be
     * @param layerBytes by which that made images smaller
     * @param disks directories of disks that no checkpoint needs, relative to the store
     * @param diskBytes of the files in them
     * @param areDisksKept whether they were left as they are
     * @param interrupted whether it was ended before all was looked at
     * @param diskProblem why disks were left as they are, overlays and all: one is damaged, so that it is not known what they need; null
     *         if they were not
     */
    public record Reclaimed(boolean isDryRun, List<String> dropped, List<String> leftovers,
            long leftoverBytes,
            int layers, long layerBytes, List<String> disks, long diskBytes, boolean areDisksKept,
            boolean interrupted, @Nullable String diskProblem) {
        /** Copies the lists. */
        public Reclaimed {
            dropped = List.copyOf(dropped);
            leftovers = List.copyOf(leftovers);
            disks = List.copyOf(disks);
        }
    }

    private Reclaimer() {}

    /**
     * Reclaims, or says what could be.
     *
     * @param retention which checkpoints of each VM stay; null: all
     * @param withDisks whether disks go that no checkpoint needs
     * @param phase hears what is being done
     */
    public static Reclaimed reclaim(Path directory, @Nullable Retention retention,
            boolean withDisks, boolean dryRun, BooleanSupplier isCancelled, Consumer<String> phase)
            throws IOException {
        try (var look = CheckpointStore.openReadOnly(directory)) {
            // Opening it for more clears what a crash left; so that is counted now.
            var leftovers = look.leftovers();
            requireAllKnown(leftovers);
            var doomed = retention == null ? List.<CheckpointRef>of() : doomed(look, retention);
            if (!dryRun && !doomed.isEmpty()) {
                if (withDisks) {
                    // What would refuse below must do so before the first checkpoint is gone.
                    look.unneededImages(List.of());
                }
                var dropped = drop(directory, doomed, isCancelled, phase);
                var rest = reclaim(directory, null, withDisks, false, isCancelled, phase);
                return new Reclaimed(false, dropped.stream().map(CheckpointRef::toString).toList(),
                        rest.leftovers(), rest.leftoverBytes(), rest.layers(), rest.layerBytes(),
                        rest.disks(), rest.diskBytes(), rest.areDisksKept(), rest.interrupted(),
                        rest.diskProblem());
            }
            GcReport images;
            try {
                images = look.unneededImages(List.of(), doomed);
            } catch (StoreException unknown) {
                if (withDisks) {
                    throw unknown;
                }
                return withoutDisks(look, leftovers, doomed, dryRun, phase, unknown);
            }
            var disks = names(look.directory(), images.removed());
            if (dryRun) {
                phase.accept("looking at overlays");
                var foldable = Folder.foldable(look, withDisks ? images.removed() : List.of(),
                        doomed, isCancelled);
                return new Reclaimed(true, doomed.stream().map(CheckpointRef::toString).toList(),
                        names(look.directory(), leftovers.removed()),
                        leftovers.bytes(), foldable.layers(), 0, disks, images.bytes(), true,
                        isCancelled.getAsBoolean(), null);
            }
            try (var store = CheckpointStore.open(directory)) {
                phase.accept("deleting what is left over");
                store.gc();
                if (withDisks) {
                    phase.accept("deleting disks");
                    store.gcImages(List.of());
                }
                phase.accept("committing overlays");
                var folded = Folder.fold(store, isCancelled);
                return new Reclaimed(false, List.of(),
                        names(look.directory(), leftovers.removed()),
                        leftovers.bytes(), folded.layers(), folded.bytes(), disks, images.bytes(),
                        !withDisks, isCancelled.getAsBoolean(), null);
            }
        }
    }

    /** A disk is damaged: what is left of checkpoints goes all the same, and nothing that disks may need is touched. */
    private static Reclaimed withoutDisks(CheckpointStore look, GcReport leftovers,
            List<CheckpointRef> doomed, boolean dryRun, Consumer<String> phase,
            StoreException unknown) throws IOException {
        if (!dryRun) {
            try (var store = CheckpointStore.open(look.directory())) {
                phase.accept("deleting what is left over");
                store.gc();
            }
        }
        return new Reclaimed(dryRun, doomed.stream().map(CheckpointRef::toString).toList(),
                names(look.directory(), leftovers.removed()), leftovers.bytes(), 0, 0, List.of(),
                0, true, false, unknown.getMessage());
    }

    private static List<CheckpointRef> doomed(CheckpointStore store, Retention retention)
            throws IOException {
        var taken = new TreeMap<VmId, List<Retention.Taken>>();
        for (var ref : store.list()) {
            taken.computeIfAbsent(ref.vm(), _ -> new ArrayList<>()).add(
                    new Retention.Taken(ref, store.manifest(ref).createdAt()));
        }
        var doomed = new ArrayList<CheckpointRef>();
        taken.values().forEach(ofVm -> doomed.addAll(retention.toDrop(ofVm)));
        return doomed;
    }

    /** Those that are gone: fewer only when it was cancelled. */
    private static List<CheckpointRef> drop(Path directory, List<CheckpointRef> doomed,
            BooleanSupplier isCancelled, Consumer<String> phase) throws IOException {
        int count = 0;
        try (var store = CheckpointStore.open(directory)) {
            while (count < doomed.size() && !isCancelled.getAsBoolean()) {
                phase.accept("deleting checkpoint " + (count + 1) + " of " + doomed.size());
                store.drop(doomed.get(count));
                count++;
            }
        }
        return doomed.subList(0, count);
    }

    private static void requireAllKnown(GcReport report) {
        if (!report.unreadable().isEmpty()) {
            var first = report.unreadable().getFirst();
            throw UserErrorException.of("checkpoint", first,
                    "its manifest cannot be read, so that nobody knows what it needs",
                    "verify says why; delete it with rm, or use the Tintype that wrote it");
        }
    }

    /** Disks, of which each is a directory in that of its VM, which goes with the last of them. */
    private static List<String> names(Path directory, List<Path> paths) {
        return paths.stream().map(path -> directory.relativize(path).toString())
                .filter(name -> !name.matches("images/[^/]+")).sorted().toList();
    }
}
