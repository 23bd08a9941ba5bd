package io.tintype.cow.memory;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Memory that is somewhere else, and comes page by page: when a region that stands on it touches the page, or when somebody
 * {@linkplain #load loads} it ahead.
 *
 * <p>Thread-safe: regions on different strands, savers of what they froze, and whoever loads ahead may ask at once. Two that
 * want one page at a time may both read it; the frame of the first counts. Making one costs 8 bytes of heap for each 2 MiB of
 * memory, whatever is in it.
 *
 * <p>Either one region has it for itself ({@link MemoryRegion#MemoryRegion(LazyMemory, MemoryRegion.CopyListener)}), and
 * then the frames are that region's; or any number of regions share {@link #memory}, and then the frames belong to this and
 * go back when the last of them is closed. What is loaded counts as in use, never as held.
 *
 * <p>The invariants:
 * <ul>
 * <li>The entry of a page in {@link #leaves} is <em>unloaded</em> until it is known to be zero or has its frame; then it never
 * changes again. A frame is published after its bytes are there.
 * <li>An unloaded entry in any other table, of a region or a frozen memory, means what this one's entry means. So to replace it
 * by the latter changes nothing, whoever reads that table too.
 * <li>Unloaded is not zero: a page not loaded belongs to each checkpoint as of {@link #EPOCH}.
 * </ul>
 */
public final class LazyMemory implements AutoCloseable {
    /** Of every page here: older than all that a region changes. */
    static final long EPOCH = 1;

    /** 65,536 pages, 256 MiB: what is touched later comes with the rest. */
    private static final int TOUCHES_MAX = 1 << 16;

    private final FramePool pool;
    private final PageSource source;
    private final int pageCount;
    // Written under the lock; read without, see Leaf.entryOf.
    private final @Nullable Leaf[] leaves;
    private final FrozenMemory memory;

    private final Object lock = new Object();
    // All of these under the lock.
    private final LocalFrames frames;
    private int users = 1;
    private int readers;
    private int known;
    private int withFrame;
    private boolean exclusive;
    private boolean shared;
    private boolean creatorLeft;
    // The region that had it for itself is closed, and has counted its frames.
    private boolean sealed;
    private boolean sourceClosed;
    private int[] touches = new int[0];
    private int touchCount;

    /**
     * Memory of which nothing is loaded. Whoever makes it closes it when no further region shall begin on it; {@code source}
     * is closed by this, as soon as everything is loaded or nobody uses it.
     */
    public LazyMemory(FramePool pool, PageSource source) {
        this.pool = pool;
        this.source = source;
        pageCount = source.pageCount();
        leaves = unloaded(pageCount);
        memory = new FrozenMemory(pool, EPOCH, pageCount, 0, leaves, this, true);
        frames = new LocalFrames(pool);
        pool.opened();
    }

    private static @Nullable Leaf[] unloaded(int pageCount) {
        var all = new Leaf[(pageCount + Leaf.ENTRY_COUNT - 1) / Leaf.ENTRY_COUNT];
        Arrays.fill(all, Leaf.UNLOADED);
        return all;
    }

    /** For regions that share the frames: each is begun on this. */
    public FrozenMemory memory() {
        return memory;
    }

    /** Pages, loaded or not. */
    public int pageCount() {
        return pageCount;
    }

    /** Pages of which is known what they hold; all of them once this equals {@link #pageCount}. */
    public int loadedPages() {
        synchronized (lock) {
            return known;
        }
    }

    /** Pages that may have to be loaded still; 0 once all are, or nobody uses this any more. */
    public int wantedPages() {
        synchronized (lock) {
            return users <= 0 || sealed ? 0 : pageCount - known;
        }
    }

    /** Pages that have a frame here, or had before their region took it over. */
    public int presentPages() {
        synchronized (lock) {
            return withFrame;
        }
    }

    /** The first page not below {@code page} that is not loaded, or -1 if there is none. */
    public int nextUnloaded(int page) {
        for (int at = page; at < pageCount; at++) {
            if (Leaf.isUnloaded(Leaf.entryOf(leaves, at))) {
                return at;
            }
        }
        return -1;
    }

    /**
     * Loads a page, if it is not; blocks. Ahead of those who want it, on any thread.
     *
     * @return whether it is loaded now; false if nobody uses this memory any more
     * @throws PageUnavailableException if it cannot be read
     * @throws FramesExhausted if there is no frame for it
     */
    public boolean load(int page) {
        if (!Leaf.isUnloaded(Leaf.entryOf(leaves, page))) {
            return true;
        }
        if (!enter()) {
            return false;
        }
        try {
            return !Leaf.isUnloaded(read(page, null));
        } finally {
            leave();
        }
    }

    /** The pages in the order in which regions first wanted them, as far as recorded; each at least once. */
    public int[] touches() {
        synchronized (lock) {
            return Arrays.copyOf(touches, touchCount);
        }
    }

    /** One more user, for a region that is about to begin; false if nobody uses it any more: then it is gone. */
    public boolean use() {
        synchronized (lock) {
            if (users <= 0) {
                return false;
            }
            users++;
            return true;
        }
    }

    /** Takes back one {@link #use}. */
    public void unuse() {
        drop();
    }

    /** No further region begins on it, by whoever made it. Closing twice does nothing. */
    @Override
    public void close() {
        synchronized (lock) {
            if (creatorLeft) {
                return;
            }
            creatorLeft = true;
        }
        drop();
    }

    // ---- for regions and what they froze ----

    FramePool framePool() {
        return pool;
    }

    /** The entry of {@code page}, for a table that has it unloaded still. {@code own}: the frames to use first. */
    long fetch(int page, @Nullable LocalFrames own) {
        var entry = Leaf.entryOf(leaves, page);
        if (!Leaf.isUnloaded(entry)) {
            return entry;
        }
        Invariant.check(enter(), "a memory that is read from is in use");
        try {
            return read(page, own);
        } finally {
            leave();
        }
    }

    /** Whether {@code page} is not zero, without loading it. */
    boolean isPresent(int page) {
        var entry = Leaf.entryOf(leaves, page);
        if (!Leaf.isUnloaded(entry)) {
            return Leaf.frame(entry) != 0;
        }
        Invariant.check(enter(), "a memory that is asked is in use");
        try {
            var now = Leaf.entryOf(leaves, page);
            return Leaf.isUnloaded(now) ? source.stored(page) : Leaf.frame(now) != 0;
        } finally {
            leave();
        }
    }

    /** The table of those who share it. */
    @Nullable
    Leaf leaf(int index) {
        return leaves[index];
    }

    /** The entry of {@code page} as far as known. */
    long known(int page) {
        return Leaf.entryOf(leaves, page);
    }

    /** A region wanted {@code page} for the first time. */
    void touched(int page) {
        synchronized (lock) {
            if (touchCount == TOUCHES_MAX) {
                return;
            }
            if (touchCount == touches.length) {
                touches = Arrays.copyOf(touches, Math.max(64, touchCount * 2));
            }
            touches[touchCount++] = page;
        }
    }

    /** For a region that has it for itself. */
    void takeOver() {
        synchronized (lock) {
            Invariant.check(users > 0 && !exclusive && !shared,
                    "a memory is taken over while no other region is on it");
            exclusive = true;
            users++;
        }
    }

    /** For a region that shares it, or stands on what such a region froze. */
    void join(FrozenMemory base) {
        synchronized (lock) {
            Invariant.check(users > 0 && (base != memory || !exclusive),
                    "a memory that one region has for itself is not shared");
            shared |= base == memory;
            users++;
        }
    }

    /** The region that has it for itself counts what was loaded: from now on nothing is. */
    void seal() {
        synchronized (lock) {
            sealed = exclusive;
        }
    }

    void drop() {
        synchronized (lock) {
            users--;
        }
        tidy();
    }

    // ---- loading ----

    /** Keeps the source from being closed from now on, if it is not by now, until {@link #leave}. */
    private boolean enter() {
        synchronized (lock) {
            if (users <= 0 || sealed) {
                return false;
            }
            readers++;
            return true;
        }
    }

    private void leave() {
        synchronized (lock) {
            readers--;
        }
        tidy();
    }

    /** By one that {@linkplain #enter entered}. */
    private long read(int page, @Nullable LocalFrames own) {
        // Before it entered others may have loaded this page as the last one, and the source is closed since.
        var now = Leaf.entryOf(leaves, page);
        if (!Leaf.isUnloaded(now)) {
            return now;
        }
        if (!source.stored(page)) {
            return publish(page, 0);
        }
        int frame = own == null ? take() : own.take();
        long entry = 0;
        try {
            source.read(page, pool.segment(), (long) frame * FramePool.FRAME_BYTES);
            entry = publish(page, frame);
        } finally {
            if (Leaf.frame(entry) != frame) {
                give(frame);
            }
        }
        return entry;
    }

    private long publish(int page, int frame) {
        synchronized (lock) {
            var index = page >>> Leaf.ENTRY_BITS;
            var leaf = leaves[index];
            if (leaf == null || leaf == Leaf.UNLOADED) {
                leaf = Leaf.UNLOADED.copy(EPOCH);
                leaves[index] = leaf;
            }
            var before = leaf.get(page);
            if (sealed || !Leaf.isUnloaded(before)) {
                return before;
            }
            var entry = frame == 0 ? 0 : Leaf.entry(frame, EPOCH);
            leaf.publish(page, entry);
            known++;
            withFrame += frame == 0 ? 0 : 1;
            return entry;
        }
    }

    private int take() {
        synchronized (lock) {
            return frames.take();
        }
    }

    private void give(int frame) {
        synchronized (lock) {
            frames.give(frame);
        }
    }

    /** Closes the source when it is not needed any more, and gives everything back when nobody is left. */
    private void tidy() {
        boolean closeSource;
        boolean end;
        synchronized (lock) {
            if (readers > 0) {
                return;
            }
            end = users == 0;
            closeSource = !sourceClosed && (end || known == pageCount);
            sourceClosed |= closeSource;
            if (known == pageCount || end) {
                frames.trim();
            }
            if (end && users == 0) {
                users = -1;
            } else {
                end = false;
            }
        }
        if (closeSource) {
            source.close();
        }
        if (end) {
            end();
        }
    }

    private void end() {
        if (!exclusive) {
            var mine = new FrameList();
            for (var leaf : leaves) {
                if (leaf != null && leaf != Leaf.UNLOADED) {
                    for (int i = 0; i < Leaf.ENTRY_COUNT; i++) {
                        var frame = Leaf.frame(leaf.get(i));
                        if (frame > 0) {
                            mine.push(frame);
                        }
                    }
                }
            }
            pool.giveBack(mine);
        }
        memory.release();
        pool.closed();
    }
}
