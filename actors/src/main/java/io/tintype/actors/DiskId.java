package io.tintype.actors;

import java.util.Comparator;

/**
 * Names one virtual disk.
 *
 * @param index counts the disks of {@code vm} from 0
 */
public record DiskId(VmId vm, int index) implements Comparable<DiskId> {
    private static final Comparator<DiskId> ORDER =
            Comparator.comparing(DiskId::vm).thenComparingInt(DiskId::index);

    public DiskId {
        if (index < 0) {
            throw new IllegalArgumentException("disks count from 0, got " + index);
        }
    }

    @Override
    public int compareTo(DiskId other) {
        return ORDER.compare(this, other);
    }

    @Override
    public String toString() {
        return vm + "/disk-" + index;
    }
}
