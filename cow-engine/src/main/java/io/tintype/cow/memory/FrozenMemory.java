package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A region's memory as of one instant. Immutable: any thread that it was handed to may read it without locks until its
 * region releases it; from then on each call throws.
 *
 * <p>The frames it names are not written by anyone but the reads that were pending at that instant, and are not given back
 * before it is released. Since the last of those reads landed, bytes and all stay the same for good.
 */
public final class FrozenMemory {
    private static final int RELEASED = -1;

    private final FramePool framePool;
    private final long epoch;
    private final int pageCount;
    private final int presentPages;

    /** Null once released, so that a forgotten reference keeps no page table alive. */
    private volatile @Nullable Leaf @Nullable [] leaves;

    /** Regions that stand on this memory, or {@link #RELEASED}. */
    private final AtomicInteger borrowers = new AtomicInteger();

    FrozenMemory(FramePool framePool, long epoch, int pageCount, int presentPages,
            @Nullable Leaf[] leaves) {
        this.framePool = framePool;
        this.epoch = epoch;
        this.pageCount = pageCount;
        this.presentPages = presentPages;
        this.leaves = leaves;
    }

    /** Which of its region's frozen memories this is: 1, 2, 3 … in the order frozen. */
    public long epoch() {
        return epoch;
    }

    /** Pages of the region, present or not. */
    public int pageCount() {
        return pageCount;
    }

    /** Pages that were ever touched; all others are zero. */
    public int presentPages() {
        return presentPages;
    }

    /** The frame of {@code page}; 0, the zero frame, if the page was never touched. */
    public int frame(int page) {
        return Leaf.frame(entry(page));
    }

    /**
     * The epoch in which {@code page} was last made writable; 0 if it was never touched. So it is unchanged since an earlier
     * frozen memory of the region if this is not greater than that one's {@link #epoch}, released or not.
     */
    public long birthEpoch(int page) {
        return Leaf.birth(entry(page));
    }

    /** All frames of the host, read-only; frame i lies at {@code i * 4096L}. */
    public MemorySegment pool() {
        return framePool.segment().asReadOnly();
    }

    /** Shows {@code visitor} the pages that were ever touched, in ascending order. */
    public void forEachPresent(PageVisitor visitor) {
        var table = table();
        for (int i = 0; i < table.length; i++) {
            var leaf = table[i];
            if (leaf != null) {
                for (int j = 0; j < Leaf.ENTRY_COUNT; j++) {
                    var frame = Leaf.frame(leaf.entries[j]);
                    if (frame != 0) {
                        visitor.visit((i << Leaf.ENTRY_BITS) + j, frame);
                    }
                }
            }
        }
    }

    /** For those who go in steps: the first page not below {@code page} that was ever touched, or -1 if there is none. */
    public int nextPresent(int page) {
        var table = table();
        int from = page;
        for (int i = page >>> Leaf.ENTRY_BITS; i < table.length; i++) {
            var leaf = table[i];
            if (leaf != null) {
                for (int j = from & Leaf.ENTRY_COUNT - 1; j < Leaf.ENTRY_COUNT; j++) {
                    if (Leaf.frame(leaf.entries[j]) != 0) {
                        return (i << Leaf.ENTRY_BITS) + j;
                    }
                }
            }
            from = 0;
        }
        return -1;
    }

    /**
     * For those who go in steps: the first page not below {@code page} whose birth is above {@code epoch}, or -1 if there is
     * none; 0 for all that were ever touched. Skips 512 pages at a time where none of them changed.
     */
    public int nextChanged(int page, long epoch) {
        var table = table();
        int from = page;
        for (int i = page >>> Leaf.ENTRY_BITS; i < table.length; i++) {
            var leaf = table[i];
            if (leaf != null && leaf.epoch > epoch) {
                for (int j = from & Leaf.ENTRY_COUNT - 1; j < Leaf.ENTRY_COUNT; j++) {
                    if (Leaf.birth(leaf.entries[j]) > epoch) {
                        return (i << Leaf.ENTRY_BITS) + j;
                    }
                }
            }
            from = 0;
        }
        return -1;
    }

    /** How many pages have a birth above {@code epoch}. */
    public int changedPages(long epoch) {
        int count = 0;
        for (int page = nextChanged(0, epoch); page >= 0; page = nextChanged(page + 1, epoch)) {
            count++;
        }
        return count;
    }

    FramePool framePool() {
        return framePool;
    }

    @Nullable
    Leaf[] borrow() {
        var now = borrowers.get();
        while (now != RELEASED) {
            if (borrowers.compareAndSet(now, now + 1)) {
                return table();
            }
            now = borrowers.get();
        }
        throw released();
    }

    void giveBack() {
        borrowers.decrementAndGet();
    }

    void release() {
        Invariant.check(borrowers.compareAndSet(0, RELEASED),
                "no region stands on a memory that is released");
        leaves = null;
    }

    private long entry(int page) {
        if (page < 0 || page >= pageCount) {
            throw new IllegalArgumentException(
                    "page " + page + " is outside a region of " + pageCount + " pages");
        }
        return Leaf.entryOf(table(), page);
    }

    private @Nullable Leaf[] table() {
        var table = leaves;
        if (table == null) {
            throw released();
        }
        return table;
    }

    private IllegalStateException released() {
        return new IllegalStateException("frozen memory " + epoch + " was released");
    }
}
