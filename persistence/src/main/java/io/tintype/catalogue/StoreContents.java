package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What was really in a store when it was opened, before anything was done in it.
 *
 * @param sealed every checkpoint that is visible there
 * @param disks of each VM with a directory of images, which of its disks have a description: 0 for disk-0, and so on
 * @param disksKnown whether {@code disks} means anything: not where disks live in memory
 */
public record StoreContents(SortedSet<CheckpointRef> sealed, SortedMap<VmId, List<Integer>> disks,
        boolean disksKnown) {
    /** Copies both. */
    public StoreContents {
        sealed = Collections.unmodifiableSortedSet(new TreeSet<>(sealed));
        disks = Collections.unmodifiableSortedMap(new TreeMap<>(disks));
    }

    /** Returns contents of which only the checkpoints are known. */
    public static StoreContents ofCheckpoints(Iterable<CheckpointRef> sealed) {
        var all = new TreeSet<CheckpointRef>();
        sealed.forEach(all::add);
        return new StoreContents(all, new TreeMap<>(Map.of()), false);
    }

    /** Returns whether there is nothing. */
    public boolean isEmpty() {
        return sealed.isEmpty() && disks.isEmpty();
    }
}
