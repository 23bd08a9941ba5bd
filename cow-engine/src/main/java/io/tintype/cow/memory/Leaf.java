package io.tintype.cow.memory;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A page of the page table: the entries of 512 guest pages, 2 MiB, or of as many as the region has from here on. */
final class Leaf {
    static final int ENTRY_BITS = 9;
    static final int ENTRY_COUNT = 1 << ENTRY_BITS;

    private static final VarHandle ENTRIES = MethodHandles.arrayElementVarHandle(long[].class);

    /** What a page of a {@link LazyMemory} has that is not loaded: neither zero nor a frame. Its frame is negative. */
    private static final long UNLOADED_ENTRY = LazyMemory.EPOCH << 32 | 0xffff_ffffL;

    /** 2 MiB of which nothing is loaded. Stands in many tables, so nobody writes it. */
    static final Leaf UNLOADED = unloaded();

    /**
     * The frame in the low half, in the high half the epoch in which the guest could first write it; 0: never touched. Written by
     * its region's strand, but that whoever sees it may replace an unloaded entry by the one that it stands for.
     */
    final long[] entries;

    /** In which this leaf was last written. A frozen root reaches it only if that is not after the root's epoch. */
    long epoch;

    private Leaf(long[] entries, long epoch) {
        this.entries = entries;
        this.epoch = epoch;
    }

    private static Leaf unloaded() {
        var entries = new long[ENTRY_COUNT];
        Arrays.fill(entries, UNLOADED_ENTRY);
        return new Leaf(entries, LazyMemory.EPOCH);
    }

    /** Of no page that was ever touched, for the {@code pages} of its region that are here: a small region has a short leaf. */
    static Leaf empty(long epoch, int pages) {
        return new Leaf(new long[Math.min(pages, ENTRY_COUNT)], epoch);
    }

    Leaf copy(long epoch) {
        var copy = entries.clone();
        // The bytes of a frame whose entry was just copied, though another thread published it, are seen from here on.
        VarHandle.acquireFence();
        return new Leaf(copy, epoch);
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

    static boolean isUnloaded(long entry) {
        return (int) entry < 0;
    }

    /** The entry of {@code page}, and with it the bytes of a frame that was loaded on another thread. */
    long get(int page) {
        return (long) ENTRIES.getAcquire(entries, page & ENTRY_COUNT - 1);
    }

    /** Replaces an unloaded entry; the bytes of the frame are there. */
    void publish(int page, long entry) {
        ENTRIES.setRelease(entries, page & ENTRY_COUNT - 1, entry);
    }

    /** The entry of {@code leaves} for {@code page}, or 0 where there is no leaf. */
    static long entryOf(@Nullable Leaf[] leaves, int page) {
        var leaf = leaves[page >>> ENTRY_BITS];
        return leaf == null ? 0 : leaf.get(page);
    }
}
