package io.tintype.actors;

import java.util.Comparator;

/** Names one checkpoint among those of all VMs. Ordered by VM, then by age. */
public record CheckpointRef(VmId vm, CheckpointId id) implements Comparable<CheckpointRef> {
    private static final Comparator<CheckpointRef> ORDER =
            Comparator.comparing(CheckpointRef::vm).thenComparing(CheckpointRef::id);

    @Override
    public int compareTo(CheckpointRef other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return vm + "/" + id;
    }
}
