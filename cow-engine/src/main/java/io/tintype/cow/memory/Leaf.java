package io.tintype.cow.memory;

import org.jspecify.annotations.Nullable;

/** A page of the page table: the entries of 512 guest pages, 2 MiB. */
final class Leaf {
    static final int ENTRY_BITS = 9;
    static final int ENTRY_COUNT = 1 << ENTRY_BITS;

    /** The frame in the low half, in the high half the epoch in which the guest could first write it; 0: never touched. */
    final long[] entries;

    /** In which this leaf was last written. A frozen root reaches it only if that is not after the root's epoch. */
    long epoch;

    private Leaf(long[] entries, long epoch) {
        this.entries = entries;
        this.epoch = epoch;
    }

    static Leaf empty(long epoch) {
        return new Leaf(new long[ENTRY_COUNT], epoch);
    }

    Leaf copy(long epoch) {
        return new Leaf(entries.clone(), epoch);
    }

    static long entry(int frame, long birth) {
        return birth << 32 | frame;
    }

    static int frame(long entry) {
        return (int) entry;
    }

    static long birth(long entry) {
        return entry >>> 32;
    }

    /** The entry of {@code leaves} for {@code page}, or 0 where there is no leaf. */
    static long entryOf(@Nullable Leaf[] leaves, int page) {
        var leaf = leaves[page >>> ENTRY_BITS];
        return leaf == null ? 0 : leaf.entries[page & ENTRY_COUNT - 1];
    }
}
