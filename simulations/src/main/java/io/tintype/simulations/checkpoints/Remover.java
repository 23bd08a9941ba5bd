package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/** Deletes checkpoints, those that build on another one before it, so that whatever stops it leaves none without its parent. */
public final class Remover {
    private static final int NAMED_MAX = 3;

    private final CheckpointStore store;
    private final Map<CheckpointRef, List<CheckpointRef>> children = new TreeMap<>();

    private Remover(CheckpointStore store) {
        this.store = store;
    }

    /**
     * Which checkpoints have to go, in which order.
     *
     * @param cascade whether those that build on them go, too
     * @throws UserErrorException without {@code cascade}, when one that stays builds on one that goes
     * @throws IOException when a manifest cannot be read, so that it is not known what builds on what
     */
    public static List<CheckpointRef> plan(CheckpointStore store, List<CheckpointRef> asked,
            boolean cascade) throws IOException {
        var remover = new Remover(store);
        remover.readChildren(asked);
        var ordered = new LinkedHashSet<CheckpointRef>();
        for (var ref : asked) {
            remover.descend(ref, ordered);
        }
        var orphans = new TreeSet<>(ordered);
        asked.forEach(orphans::remove);
        if (!cascade && !orphans.isEmpty()) {
            throw new UserErrorException(remover.refusal(asked, orphans));
        }
        return List.copyOf(ordered);
    }

    private void readChildren(List<CheckpointRef> asked) throws IOException {
        for (var ref : store.list()) {
            try {
                var manifest = store.manifest(ref);
                var below = new TreeSet<CheckpointRef>();
                if (manifest.parent() != null) {
                    below.add(manifest.parent());
                }
                below.addAll(copiesBelow(manifest));
                below.forEach(
                        on -> children.computeIfAbsent(on, _ -> new ArrayList<>()).add(ref));
            } catch (IOException damaged) {
                // One that is damaged may go, and only it knew on what it builds.
                if (!asked.contains(ref)) {
                    throw damaged;
                }
            }
        }
    }

    /** Of which checkpoints there are copies below the disks that it points to: a VM that was restored from one stands on them. */
    private Set<CheckpointRef> copiesBelow(Manifest manifest) throws IOException {
        var found = new TreeSet<CheckpointRef>();
        for (var disk : manifest.disks()) {
            if (disk.copy() == null) {
                addCopyBelow(new FileImageDirectory(store.directory().resolve(disk.images())),
                        found);
            }
        }
        return found;
    }

    private void addCopyBelow(ImageDirectory disk, Set<CheckpointRef> found) throws IOException {
        var seen = new TreeSet<String>();
        for (var at = disk; seen.add(at.location());) {
            var copy = DiskChain.copyBelow(at);
            if (copy != null) {
                var place = Path.of(copy);
                store.list().stream()
                        .filter(ref -> ShownDisk.directoryOf(store, ref).equals(place))
                        .forEach(found::add);
                return;
            }
            var footing = DiskChain.footing(at);
            if (footing == null) {
                return;
            }
            at = footing.directory();
        }
    }

    private void descend(CheckpointRef ref, SequencedSet<CheckpointRef> ordered) {
        for (var child : children.getOrDefault(ref, List.of())) {
            descend(child, ordered);
        }
        ordered.add(ref);
    }

    private String refusal(List<CheckpointRef> asked, Set<CheckpointRef> orphans) {
        var first = asked.stream()
                .filter(ref -> children.getOrDefault(ref, List.of()).stream()
                        .anyMatch(orphans::contains))
                .findFirst().orElse(asked.getFirst());
        var names = orphans.stream().limit(NAMED_MAX).map(CheckpointRef::toString).toList();
        var more = orphans.size() - names.size();
        return "checkpoint " + first + ": " + String.join(", ", names)
                + (more > 0 ? " and " + more + " more" : "")
                + (orphans.size() == 1 ? " builds on it" : " build on it")
                + "; delete all of them with --cascade, or leave it";
    }

    /** Deletes them in that order; answers how many, fewer only when it was cancelled. */
    public static int remove(CheckpointStore store, List<CheckpointRef> ordered,
            BooleanSupplier isCancelled, Consumer<CheckpointRef> removed) throws IOException {
        int count = 0;
        for (var ref : ordered) {
            if (isCancelled.getAsBoolean()) {
                break;
            }
            store.delete(ref);
            removed.accept(ref);
            count++;
        }
        return count;
    }
}
