package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * A region's memory as of one instant. Its content never changes: any thread that it was handed to may read it without locks
 * until its region releases it; from then on each call throws.
 *
 * <p>It is <em>settled</em>, from the start or by {@link #settle}, before anybody else reads it. The frames that a settled one
 * names are not written by anyone but the reads that were pending at that instant, and are not given back before it is released.
 * Since the last of those reads landed, bytes and all stay the same for good. As long as it is not settled its region may move its
 * pages: the guest goes on in the frames that it has in cache, and this memory names copies of them. It tells no frame then.
 */
public final class FrozenMemory {
    private static final int RELEASED = -1;

    private final FramePool framePool;
    private final long epoch;
    private final int pageCount;
    private final int presentPages;
    /** Where pages come from that are not loaded; null if all are. */
    private final @Nullable LazyMemory origin;

    /** Null once released, so that a forgotten reference keeps no page table alive. */
    private volatile @Nullable Leaf @Nullable [] leaves;

    /** Written by the region's thread, before this is handed to readers. Never false again. */
    private volatile boolean isSettled;

    /** Regions that stand on this memory, or {@link #RELEASED}. */
    private final AtomicInteger borrowers = new AtomicInteger();

    FrozenMemory(FramePool framePool, long epoch, int pageCount, int presentPages,
            @Nullable Leaf[] leaves, @Nullable LazyMemory origin, boolean isSettled) {
        this.origin = origin;
        this.isSettled = isSettled;
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

    /** Pages that were ever touched; all others are zero, or not loaded. */
    public int presentPages() {
        return presentPages;
    }

    /**
     * The frame of {@code page}; 0, the zero frame, if the page was never touched. A page that is not loaded yet is loaded: that
     * blocks.
     *
     * @throws PageUnavailableException if it cannot be loaded
     * @throws IllegalStateException if this is not settled: the frame could be another one as soon as the guest runs
     */
    public int frame(int page) {
        checkSettled();
        return Leaf.frame(loaded(page, entry(page)));
    }

    /**
     * Copies a page to {@code destination}, at {@code offset}. For the region's own thread, on which no page moves meanwhile: it
     * need not be settled for this. A page that is not loaded yet is loaded: that blocks.
     *
     * @throws PageUnavailableException if it cannot be loaded
     */
    public void readPage(int page, MemorySegment destination, long offset) {
        var frame = Leaf.frame(loaded(page, entry(page)));
        MemorySegment.copy(framePool.segment(), frame * (long) FramePool.FRAME_BYTES, destination,
                offset, FramePool.FRAME_BYTES);
    }

    /**
     * From here on the frames that this names stay, and anybody may ask for them who learns of it after this. Called by the
     * region's own thread, so no store runs meanwhile that would move a page: neither readers nor the guest ever have to look
     * at each other. Settling twice does nothing.
     */
    public void settle() {
        isSettled = true;
    }

    /** Whether it names its frames for good. */
    public boolean isSettled() {
        return isSettled;
    }

    /** Whether {@link #frame} answers without loading. */
    public boolean isLoaded(int page) {
        var entry = entry(page);
        return !Leaf.isUnloaded(entry)
                || (origin != null && !Leaf.isUnloaded(origin.known(page)));
    }

    /**
     * The epoch in which {@code page} was last made writable; 0 if it was never touched, and that of what its region was begun
     * on if it is not loaded yet. So it is unchanged since an earlier
     * frozen memory of the region if this is not greater than that one's {@link #epoch}, released or not.
     */
    public long birthEpoch(int page) {
        return Leaf.birth(entry(page));
    }

    /** All frames of the host, read-only; frame i lies at {@code i * 4096L}. */
    public MemorySegment pool() {
        return framePool.segment().asReadOnly();
    }

    /** Shows {@code visitor} the pages that are not zero, in ascending order; loads those that are not loaded yet. */
    public void forEachPresent(PageVisitor visitor) {
        for (int page = nextPresent(0); page >= 0; page = nextPresent(page + 1)) {
            visitor.visit(page, frame(page));
        }
    }

    /**
     * For those who go in steps: the first page not below {@code page} that is not zero, or -1 if there is none. Loads nothing,
     * but may have to ask where a page would come from, which blocks.
     *
     * @throws PageUnavailableException if that cannot be found out
     */
    public int nextPresent(int page) {
        var table = table();
        for (int at = page; at < pageCount; at++) {
            var leaf = table[at >>> Leaf.ENTRY_BITS];
            if (leaf == null) {
                at |= Leaf.ENTRY_COUNT - 1;
                continue;
            }
            var entry = leaf.get(at);
            if (Leaf.isUnloaded(entry) ? theOrigin().isPresent(at) : Leaf.frame(entry) != 0) {
                return at;
            }
        }
        return -1;
    }

    /**
     * For those who go in steps: the first page not below {@code page} whose birth is above {@code epoch}, or -1 if there is
     * none; 0 for all that were ever touched. Skips 512 pages at a time where none of them changed. A page that is not loaded
     * is as old as what its region was begun on; it is not loaded for this.
     *
     * @throws PageUnavailableException if it cannot be found out whether such a page is zero
     */
    public int nextChanged(int page, long epoch) {
        var table = table();
        for (int at = page; at < pageCount; at++) {
            var leaf = table[at >>> Leaf.ENTRY_BITS];
            if (leaf == null || leaf.epoch <= epoch) {
                at |= Leaf.ENTRY_COUNT - 1;
                continue;
            }
            var entry = leaf.get(at);
            if (Leaf.birth(entry) > epoch
                    && (!Leaf.isUnloaded(entry) || theOrigin().isPresent(at))) {
                return at;
            }
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
    LazyMemory origin() {
        return origin;
    }

    private LazyMemory theOrigin() {
        if (origin == null) {
            throw new IllegalStateException("frozen memory " + epoch
                    + " has a page that is not loaded, and nothing to load it from");
        }
        return origin;
    }

    private void checkSettled() {
        if (!isSettled) {
            throw new IllegalStateException("frozen memory " + epoch
                    + " is not settled: its region may still move its pages");
        }
    }

    /** The frame of {@code page} for now; it may be another one as soon as the region runs. */
    int peek(int page) {
        return Leaf.frame(entry(page));
    }

    /** Whether {@link #move} may have {@code page} elsewhere: nobody knows a frame yet, and the page is loaded. */
    boolean mayMove(int page, long entry) {
        return !isSettled && Leaf.entryOf(table(), page) == entry;
    }

    /** Names another frame for {@code page}, which holds the same. By the region, which shares that leaf no more. */
    void move(int page, long entry) {
        var leaf = table()[page >>> Leaf.ENTRY_BITS];
        if (leaf == null) {
            throw new IllegalStateException("page " + page + " was never touched");
        }
        leaf.publish(page, entry);
    }

    private long loaded(int page, long entry) {
        return Leaf.isUnloaded(entry) ? theOrigin().fetch(page, null) : entry;
    }

    @Nullable
    Leaf[] borrow() {
        checkSettled();
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
