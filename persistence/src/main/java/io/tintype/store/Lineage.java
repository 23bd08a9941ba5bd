package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Which checkpoints stand on which, and whose files are therefore needed. Any thread.
 *
 * <p>A checkpoint's files are needed by itself, by those that have it among their sources, and by
 * those who read it just now.
 */
final class Lineage {
    private record Node(@Nullable CheckpointRef parent, List<CheckpointRef> sources,
            List<String> images) {}

    /** In order, for messages. */
    private final TreeMap<CheckpointRef, Node> nodes = new TreeMap<>();
    /** How many checkpoints have it among their sources, or are being read and do. */
    private final Map<CheckpointRef, Integer> uses = new HashMap<>();

    synchronized boolean knows(CheckpointRef ref) {
        return nodes.containsKey(ref);
    }

    /** None for one that is not known. */
    synchronized List<CheckpointRef> sources(CheckpointRef ref) {
        Node node = nodes.get(ref);
        return node == null ? List.of() : node.sources();
    }

    synchronized void add(Manifest manifest) {
        var node = new Node(manifest.parent(), manifest.sources(),
                // A copy stands for itself.
                manifest.disks().stream().filter(disk -> disk.copy() == null)
                        .map(Manifest.Disk::images).toList());
        if (nodes.putIfAbsent(manifest.ref(), node) == null) {
            node.sources().forEach(source -> uses.merge(source, 1, Integer::sum));
        }
    }

    /** Does nothing if it is not known. */
    synchronized void remove(CheckpointRef ref) {
        Node node = nodes.remove(ref);
        if (node != null) {
            node.sources().forEach(this::drop);
        }
    }

    /**
     * Somebody reads a checkpoint from now on: what it needs stays until {@link #unpin}. False if it
     * is gone already.
     *
     * @param isListed whether it is not deleted; who deletes it says so there first, and here then
     */
    synchronized boolean pin(Manifest manifest, Predicate<CheckpointRef> isListed) {
        if (!isListed.test(manifest.ref()) && !isUsed(manifest.ref())) {
            return false;
        }
        uses.merge(manifest.ref(), 1, Integer::sum);
        manifest.sources().forEach(source -> uses.merge(source, 1, Integer::sum));
        return true;
    }

    synchronized void unpin(Manifest manifest) {
        drop(manifest.ref());
        manifest.sources().forEach(this::drop);
    }

    /** Whether others need the files of that checkpoint. */
    synchronized boolean isUsed(CheckpointRef ref) {
        return uses.containsKey(ref);
    }

    /** The directories of images that checkpoints name, others than {@code without}. */
    synchronized Set<String> images(Set<CheckpointRef> without) {
        var images = new TreeSet<String>();
        nodes.forEach((ref, node) -> {
            if (!without.contains(ref)) {
                images.addAll(node.images());
            }
        });
        return images;
    }

    /** Those that have it as their parent, in order. */
    synchronized List<CheckpointRef> children(CheckpointRef ref) {
        var children = new ArrayList<CheckpointRef>();
        nodes.forEach((child, node) -> {
            if (ref.equals(node.parent())) {
                children.add(child);
            }
        });
        return children;
    }

    private void drop(CheckpointRef ref) {
        uses.computeIfPresent(ref, (_, count) -> count == 1 ? null : count - 1);
    }
}
