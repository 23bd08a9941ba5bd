package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One region of a guest's memory: a two-level page table over frames of a {@link FramePool}, every part of it copy-on-write.
 *
 * <p>One thread at a time, the VM's strand, calls it; the figures alone may be read by others, a little late. Addresses start
 * at 0 in each region, accesses are naturally aligned and little-endian. An address outside, or not aligned, is an
 * {@code IllegalArgumentException}; a closed region an {@code IllegalStateException}; a page for which no frame is left a
 * {@link FramesExhausted}, and that page unchanged.
 *
 * <p>The invariants, where <em>kept</em> is the epoch of the newest live frozen root (or of the memory this region was begun
 * on):
 * <ul>
 * <li>The root array, a leaf or a frame is reached by a live frozen root if and only if its epoch is not above kept. Those
 * are never written by the guest, the others in place.
 * <li>An entry's epoch is that in which its page was last made writable, at the latest in this epoch by the first store of
 * this epoch: a page is unchanged since root k if its epoch is not above k.
 * <li>A frame of this region is in exactly one of: the table, the dead lists of {@link FrozenRoots}, the dead of
 * {@link Pins}, the {@link LocalFrames}. All but those of the table and the last are <em>held</em>.
 * <li>The {@link Tlb} names for stores a page that was made writable in this epoch, for loads the frame in the table.
 * </ul>
 */
public final class MemoryRegion implements AutoCloseable {
    /** Bytes of a page of guest memory, see {@link FramePool#FRAME_BYTES}. */
    public static final int PAGE_BYTES = FramePool.FRAME_BYTES;

    /** Hears of copies that a pending read must be told about. */
    @FunctionalInterface
    public interface CopyListener {
        /**
         * A store to {@code page} took it from {@code fromFrame}, which is pinned as a target, to its copy {@code toFrame}.
         * Called on the storing thread, after the copy and before the store. It may pin, unpin and write the frames in the
         * pool, but not call the region for anything else.
         */
        void copied(int page, int fromFrame, int toFrame);
    }

    /** Epochs are counted in 31 bits: at a checkpoint every millisecond for 24 days. */
    private static final long EPOCH_MAX = Integer.MAX_VALUE;

    private static final int PAGE_BITS = Tlb.PAGE_BITS;
    private static final long IN_PAGE = Tlb.IN_PAGE;

    // As in the TLB.
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private final FramePool pool;
    private final CopyListener listener;
    private final LocalFrames free;
    private final HeldFrames held;
    private final FrozenRoots roots = new FrozenRoots();
    private final Pins pins = new Pins();
    private final long sizeBytes;

    private @Nullable Leaf[] leaves;
    /** As of {@link Leaf#epoch}. */
    private long leavesEpoch;
    private long epoch;
    private long kept;
    private int residentPages;
    private long faults;
    private boolean closed;

    /** What this region was begun on; its frames, of epochs up to {@link #borrowedEpoch}, are never given back here. */
    private final @Nullable FrozenMemory base;
    private final long borrowedEpoch;

    /** Where pages come from that are not loaded; null if all are. */
    private final @Nullable LazyMemory origin;

    // Never null; the region's own until somebody attaches another.
    private Tlb tlb = new Tlb() {};

    /**
     * A region of zero pages. Costs no frame, and less than 2 KiB of heap for 64 MiB.
     *
     * @param sizeBytes a multiple of 4096, below 8 TiB
     */
    public MemoryRegion(FramePool pool, long sizeBytes, CopyListener listener) {
        this(pool, sizeBytes, listener, new Leaf[leafCount(sizeBytes)], 0, null, null);
    }

    /**
     * A region that begins as a copy of {@code base} and shares its frames: it costs what it changes. {@code base}, and so
     * its region, cannot be released before this region is closed; the two regions may run on different threads. No read may
     * be pending on {@code base} any more.
     */
    public MemoryRegion(FrozenMemory base, CopyListener listener) {
        this(base.framePool(), base.pageCount() * (long) PAGE_BYTES, listener, base.borrow(),
                base.presentPages(), base, base.origin());
        if (origin != null) {
            origin.join(base);
        }
    }

    /**
     * A region that begins as {@code origin} and has it for itself: each page comes when it is first touched, or before, and
     * then is this region's own. A touch may block, and throw {@link PageUnavailableException}; the page is unchanged then.
     */
    public MemoryRegion(LazyMemory origin, CopyListener listener) {
        this(origin.framePool(), origin.pageCount() * (long) PAGE_BYTES, listener,
                unloaded(origin.pageCount()), 0, null, origin);
        origin.takeOver();
    }

    private MemoryRegion(FramePool pool, long sizeBytes, CopyListener listener,
            @Nullable Leaf[] leaves,
            int residentPages, @Nullable FrozenMemory base, @Nullable LazyMemory origin) {
        this.origin = origin;
        this.pool = pool;
        this.sizeBytes = sizeBytes;
        this.listener = listener;
        this.leaves = leaves;
        this.residentPages = residentPages;
        this.base = base;
        borrowedEpoch = base == null ? 0 : base.epoch();
        kept = borrowedEpoch;
        leavesEpoch = base == null ? 1 : borrowedEpoch;
        // What is loaded later is older than whatever is stored here.
        epoch = (origin == null ? borrowedEpoch : Math.max(borrowedEpoch, LazyMemory.EPOCH)) + 1;
        tlb.of(pool.segment());
        free = new LocalFrames(pool);
        held = new HeldFrames(pool);
        pool.opened();
    }

    private static int leafCount(long sizeBytes) {
        var pages = sizeBytes / PAGE_BYTES;
        if (pages < 1 || pages > Integer.MAX_VALUE || sizeBytes % PAGE_BYTES != 0) {
            throw new IllegalArgumentException(
                    "the size of a memory region is a multiple of 4096 bytes below 8 TiB, got "
                            + sizeBytes);
        }
        return Math.toIntExact((pages + Leaf.ENTRY_COUNT - 1) / Leaf.ENTRY_COUNT);
    }

    private static @Nullable Leaf[] unloaded(int pageCount) {
        var leaves = new Leaf[leafCount(pageCount * (long) PAGE_BYTES)];
        Arrays.fill(leaves, Leaf.UNLOADED);
        return leaves;
    }

    /** Size of the region in bytes; addresses are below it. */
    public long sizeBytes() {
        return sizeBytes;
    }

    /** Size of the region in pages. */
    public int pageCount() {
        return (int) (sizeBytes >>> PAGE_BITS);
    }

    /** Pages that have a frame; all others are zero, or were not touched since this region began on a {@link LazyMemory}. */
    public int residentPages() {
        return residentPages;
    }

    /** Memory COW faults so far: copies because of frozen memory, first touches of zero pages not counted. */
    public long faults() {
        return faults;
    }

    /** Frames of this region that only its frozen memories or a pin need. */
    public long framesHeld() {
        return held.count();
    }

    /** What the next {@link #freeze} will name. */
    public long epoch() {
        return epoch;
    }

    /** Frozen memories not yet released. */
    public int frozenCount() {
        return roots.size();
    }

    // ---- the guest's loads and stores ----

    /** From now on translations are kept in {@code by}, which no other region may use; the one before stays empty. */
    public void attach(Tlb by) {
        checkOpen();
        tlb.forget();
        tlb = by;
        tlb.of(pool.segment());
    }

    /** Makes an aligned load of {@code bytes}, a power of two, hit the TLB that is attached. */
    public void translateLoad(long address, int bytes) {
        checkAccess(address, bytes);
        tlb.mapRead(address, Leaf.frame(entryOf(pageOf(address))));
    }

    /** Makes an aligned store of {@code bytes}, a power of two, hit: the page becomes writable, with a fault if need be. */
    public void translateStore(long address, int bytes) {
        checkAccess(address, bytes);
        tlb.mapWrite(address, writableFrame(pageOf(address)));
    }

    /** Loads 8 bytes. */
    public long getLong(long address) {
        if (!tlb.mayLoadLong(address)) {
            translateLoad(address, Long.BYTES);
        }
        return tlb.loadLong(address);
    }

    /** Loads 4 bytes. */
    public int getInt(long address) {
        if (!tlb.mayLoadInt(address)) {
            translateLoad(address, Integer.BYTES);
        }
        return tlb.loadInt(address);
    }

    /** Loads a byte. */
    public byte getByte(long address) {
        if (!tlb.mayLoadByte(address)) {
            translateLoad(address, Byte.BYTES);
        }
        return tlb.loadByte(address);
    }

    /** Stores 8 bytes; faults if the page is zero or frozen. */
    public void putLong(long address, long value) {
        if (!tlb.mayStoreLong(address)) {
            translateStore(address, Long.BYTES);
        }
        tlb.storeLong(address, value);
    }

    /** Stores 4 bytes; faults if the page is zero or frozen. */
    public void putInt(long address, int value) {
        if (!tlb.mayStoreInt(address)) {
            translateStore(address, Integer.BYTES);
        }
        tlb.storeInt(address, value);
    }

    /** Stores a byte; faults if the page is zero or frozen. */
    public void putByte(long address, byte value) {
        if (!tlb.mayStoreByte(address)) {
            translateStore(address, Byte.BYTES);
        }
        tlb.storeByte(address, value);
    }

    /** Copies out of the region, over page boundaries, without alignment. */
    public void read(long address, MemorySegment destination, long destinationOffset, long bytes) {
        checkRange(address, bytes);
        for (long done = 0; done < bytes;) {
            var count = countInPage(address + done, bytes - done);
            MemorySegment.copy(pool.segment(),
                    positionOf(frame(pageOf(address + done)), address + done),
                    destination, destinationOffset + done, count);
            done += count;
        }
    }

    /**
     * Copies into the region, over page boundaries, without alignment. At {@link FramesExhausted} the pages before the one
     * that got no frame are written.
     */
    public void write(long address, MemorySegment source, long sourceOffset, long bytes) {
        checkRange(address, bytes);
        for (long done = 0; done < bytes;) {
            var count = countInPage(address + done, bytes - done);
            MemorySegment.copy(source, sourceOffset + done,
                    pool.segment(),
                    positionOf(privateFrame(pageOf(address + done)), address + done), count);
            done += count;
        }
    }

    /** Sets each byte of a range, over page boundaries, as {@link #write} would. Pages that are zero stay so without cost. */
    public void fill(long address, long bytes, byte value) {
        checkRange(address, bytes);
        for (long done = 0; done < bytes;) {
            var count = countInPage(address + done, bytes - done);
            var page = pageOf(address + done);
            if (value != 0 || frame(page) != 0) {
                pool.segment().asSlice(positionOf(privateFrame(page), address + done), count)
                        .fill(value);
            }
            done += count;
        }
    }

    /** Stores {@code count} longs one after another, at the speed of a raw loop, as {@link #putLong} would. */
    public void fillLongs(long address, long count, long value) {
        checkAligned(address, Long.BYTES);
        checkRange(address, Math.multiplyExact(count, (long) Long.BYTES));
        var end = address + count * Long.BYTES;
        for (long at = address; at < end;) {
            var slice = countInPage(at, end - at);
            var position = positionOf(privateFrame(pageOf(at)), at);
            var segment = pool.segment();
            for (long i = 0; i < slice; i += Long.BYTES) {
                segment.set(LONG, position + i, value);
            }
            at += slice;
        }
    }

    /**
     * Restores a page from 4096 bytes at {@code offset} of {@code source}. Zeros leave a page that was never touched without
     * a frame.
     */
    public void load(int page, MemorySegment source, long offset) {
        checkPage(page);
        var isZero = frame(page) == 0
                && MemorySegment.mismatch(source, offset, offset + PAGE_BYTES, pool.segment(), 0,
                        PAGE_BYTES) < 0;
        if (!isZero) {
            write((long) page << PAGE_BITS, source, offset, PAGE_BYTES);
        }
    }

    // ---- devices ----

    /**
     * The frame that {@code page} is mapped to now, which is what a write request sources; 0: the zero frame. Loads a page that
     * is not loaded yet, as every access does.
     */
    public int frame(int page) {
        checkPage(page);
        return Leaf.frame(entryOf(page));
    }

    /**
     * A frame for {@code page} that is its own and not frozen, which is what a read request targets (R7): a zero page gets
     * one, a frozen page is copied, a page of this epoch keeps its frame.
     */
    public int privateFrame(int page) {
        checkPage(page);
        return writableFrame(page);
    }

    private int writableFrame(int page) {
        var entry = entryOf(page);
        return Leaf.birth(entry) == epoch ? Leaf.frame(entry) : makeWritable(page, entry);
    }

    /**
     * Gives {@code page} a copy of its frame even though it is not frozen, so that a read in flight, detached by a reset,
     * lands beside this memory (R17). Nobody is told. Answers the new frame; a zero page gets one too.
     */
    public int detachPage(int page) {
        checkPage(page);
        var entry = entryOf(page);
        return Leaf.frame(entry) == 0 ? makeWritable(page, entry) : replace(page, entry);
    }

    /**
     * Pins a frame from which a request reads: it is not given back before as many {@link #unpinSource}. The frame is one
     * that is mapped now, or already pinned. The zero frame may be pinned, to no effect.
     */
    public void pinSource(int frame) {
        if (isPinnable(frame)) {
            pins.addSource(frame);
        }
    }

    /** Takes back one {@link #pinSource}. */
    public void unpinSource(int frame) {
        if (isPinnable(frame) && pins.removeSource(frame)) {
            unpinned(frame);
        }
    }

    /** Pins a frame into which a request writes, as {@link #pinSource} does; copies of it are told to the listener. */
    public void pinTarget(int frame) {
        if (isPinnable(frame)) {
            pins.addTarget(frame);
        }
    }

    /** Takes back one {@link #pinTarget}. */
    public void unpinTarget(int frame) {
        if (isPinnable(frame) && pins.removeTarget(frame)) {
            unpinned(frame);
        }
    }

    // ---- bounds ----

    /**
     * Makes sure that the next {@code count} pages that need a frame get one, within the bound of held frames if this region
     * has frozen memory or pins. Call it before each slice of guest code; cheap when the last reserve was hardly used.
     *
     * @return false if the pool has not that many, or held frames are at their bound; then nothing is kept at hand: let a
     * checkpoint end first. An allocation beyond what is reserved takes what the pool still has, past the bound if need be.
     */
    public boolean reserve(int count) {
        checkOpen();
        if (count < 0) {
            throw new IllegalArgumentException("cannot reserve " + count + " frames");
        }
        var isReserved = free.reserve(count) && (!mayHold() || held.reserve(count));
        if (!isReserved) {
            trim();
        }
        return isReserved;
    }

    /** How many allocations the last {@link #reserve} still promises: at 0 a slice of guest code should yield. */
    public int reservedFrames() {
        return free.reserved();
    }

    /** Frames of the pool that this region keeps at hand, reserved or left over. */
    public long framesAtHand() {
        return free.size();
    }

    /** Gives the frames kept at hand back to the pool, reserved ones too: for a VM that will be idle for long. */
    public void trim() {
        free.trim();
        held.trim();
    }

    // ---- checkpoints ----

    /** Freezes the memory as it is now, in O(1), for readers at once. What the guest stores from now on goes elsewhere. */
    public FrozenMemory freeze() {
        return freeze(true);
    }

    /**
     * As {@link #freeze}, for later or never: until this thread {@linkplain FrozenMemory#settle settles} it, what the guest
     * stores stays where it is, and the frozen memory gets the copies.
     */
    public FrozenMemory freezeUnsettled() {
        return freeze(false);
    }

    private FrozenMemory freeze(boolean isSettled) {
        checkOpen();
        Invariant.check(epoch < EPOCH_MAX, "a region is frozen less than 2^31 times");
        var frozen = new FrozenMemory(pool, epoch, pageCount(), residentPages, leaves, origin,
                isSettled);
        roots.add(frozen);
        kept = epoch;
        epoch++;
        tlb.forgetWrite();
        return frozen;
    }

    /**
     * Ends a frozen memory of this region and gives back what only it needed, in O(frozen memories), in any order. The
     * caller makes sure that nobody reads it any more.
     *
     * @throws IllegalStateException if it is not one of this region's, was released already, or a region stands on it
     */
    public void release(FrozenMemory frozen) {
        roots.checkContains(frozen);
        frozen.release();
        var freed = roots.remove(frozen);
        kept = roots.isEmpty() ? borrowedEpoch : roots.newestEpoch();
        var count = freed.size();
        pool.giveBack(freed);
        held.remove(count, free.reserved());
        if (!mayHold()) {
            held.trim();
        }
    }

    /**
     * Gives back all frames, in O(resident pages). Closing twice does nothing.
     *
     * @throws IllegalStateException if a pin or a frozen memory is left; nothing was changed then
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        Invariant.check(pins.isEmpty(), "no frame of a closing region is pinned");
        Invariant.check(roots.isEmpty(), "all frozen memories of a closing region were released");
        closed = true;
        tlb.forget();
        if (origin != null && borrowedEpoch == 0) {
            origin.seal();
        }
        var mapped = new FrameList();
        for (int i = 0; i < leaves.length; i++) {
            var leaf = leaves[i];
            if (leaf == Leaf.UNLOADED) {
                // Loaded ahead, perhaps, and never touched.
                leaf = origin == null ? null : origin.leaf(i);
            }
            if (leaf != null && leaf != Leaf.UNLOADED) {
                pushOwn(mapped, i << Leaf.ENTRY_BITS, leaf);
            }
        }
        leaves = new Leaf[0];
        residentPages = 0;
        pool.giveBack(mapped);
        trim();
        if (base != null) {
            base.giveBack();
        }
        if (origin != null) {
            origin.drop();
        }
        pool.closed();
    }

    private void pushOwn(FrameList mapped, int firstPage, Leaf leaf) {
        for (int i = 0; i < leaf.entries.length; i++) {
            var entry = leaf.get(i);
            if (Leaf.isUnloaded(entry) && origin != null) {
                entry = origin.known(firstPage + i);
            }
            if (Leaf.birth(entry) > borrowedEpoch && !Leaf.isUnloaded(entry)) {
                mapped.push(Leaf.frame(entry));
            }
        }
    }

    // ---- the slow paths ----

    private long entryOf(int page) {
        var entry = Leaf.entryOf(leaves, page);
        return Leaf.isUnloaded(entry) ? arrived(page) : entry;
    }

    /**
     * The entry of a page that this region had as unloaded, put into its table. That may be shared with frozen memories and
     * their readers: the entry says what it said before.
     */
    private long arrived(int page) {
        var from = origin;
        if (from == null) {
            throw new IllegalStateException("page " + page + " is not loaded, and cannot be");
        }
        var entry = from.fetch(page, free);
        from.touched(page);
        var index = page >>> Leaf.ENTRY_BITS;
        var leaf = leaves[index];
        if (leaf == Leaf.UNLOADED && borrowedEpoch > 0) {
            // The table that all who share it read: theirs is this region's too, until it writes.
            leaves[index] = from.leaf(index);
            return entry;
        }
        if (leaf == null || leaf == Leaf.UNLOADED) {
            leaf = Leaf.UNLOADED.copy(LazyMemory.EPOCH);
            leaves[index] = leaf;
        }
        leaf.publish(page, entry);
        if (borrowedEpoch == 0 && Leaf.frame(entry) != 0) {
            residentPages++;
        }
        return entry;
    }

    /** Of a page that was not yet writable in this epoch. */
    private int makeWritable(int page, long entry) {
        var frame = Leaf.frame(entry);
        if (frame == 0) {
            var fresh = free.take();
            pool.segment().asSlice((long) fresh << PAGE_BITS, PAGE_BYTES).fill((byte) 0);
            map(page, fresh);
            residentPages++;
            return fresh;
        }
        if (Leaf.birth(entry) > kept) {
            // Whoever froze it is gone: no copy. But an incremental checkpoint must see that it changed.
            map(page, frame);
            return frame;
        }
        faults++;
        if (mayStay(page, entry)) {
            stay(page, entry);
            return frame;
        }
        var copy = replace(page, entry);
        if (pins.isTarget(frame)) {
            listener.copied(page, frame, copy);
        }
        return copy;
    }

    /** Whether the guest may go on in the frame and leave a copy to those who froze it: nobody else knows this frame. */
    private boolean mayStay(int page, long entry) {
        return Leaf.birth(entry) > borrowedEpoch && !pins.isPinned(Leaf.frame(entry))
                && roots.mayMove(page, entry);
    }

    /** The frozen memories get the copy, the page keeps its frame. */
    private void stay(int page, long entry) {
        var copy = copyOf(Leaf.frame(entry));
        var leaf = writableLeaf(page);
        roots.move(page, entry, Leaf.entry(copy, Leaf.birth(entry)));
        bury(copy, Leaf.birth(entry));
        leaf.entries[page & Leaf.ENTRY_COUNT - 1] = Leaf.entry(Leaf.frame(entry), epoch);
    }

    private int copyOf(int frame) {
        var copy = free.take();
        MemorySegment.copy(pool.segment(), (long) frame << PAGE_BITS, pool.segment(),
                (long) copy << PAGE_BITS, PAGE_BYTES);
        return copy;
    }

    private int replace(int page, long entry) {
        var frame = Leaf.frame(entry);
        var copy = copyOf(frame);
        map(page, copy);
        if (Leaf.birth(entry) > borrowedEpoch) {
            bury(frame, Leaf.birth(entry));
        }
        return copy;
    }

    private void map(int page, int frame) {
        writableLeaf(page).entries[page & Leaf.ENTRY_COUNT - 1] = Leaf.entry(frame, epoch);
        tlb.forget();
    }

    private Leaf writableLeaf(int page) {
        if (leavesEpoch <= kept) {
            leaves = Arrays.copyOf(leaves, leaves.length);
        }
        leavesEpoch = epoch;
        var index = page >>> Leaf.ENTRY_BITS;
        var leaf = leaves[index];
        if (leaf == null || leaf == Leaf.UNLOADED || leaf.epoch <= kept) {
            leaf = leaf == null
                    ? Leaf.empty(epoch, pageCount() - (index << Leaf.ENTRY_BITS))
                    : leaf.copy(epoch);
            leaves[index] = leaf;
        }
        leaf.epoch = epoch;
        return leaf;
    }

    /** What becomes of a frame of this region that its page lost in this epoch. */
    private void bury(int frame, long birth) {
        if (pins.isPinned(frame)) {
            pins.died(frame, birth, epoch);
            held.add();
        } else if (roots.keep(frame, birth, epoch)) {
            held.add();
        } else {
            free.give(frame);
        }
    }

    private void unpinned(int frame) {
        var lifetime = pins.takeDead(frame);
        if (lifetime != 0 && !roots.keep(frame, lifetime >>> 32, lifetime & EPOCH_MAX)) {
            free.give(frame);
            held.remove(1, free.reserved());
        }
        if (!mayHold()) {
            held.trim();
        }
    }

    private boolean mayHold() {
        return !roots.isEmpty() || !pins.isEmpty();
    }

    private boolean isPinnable(int frame) {
        if (frame < 0 || frame > pool.frameCapacity()) {
            throw new IllegalArgumentException(
                    "frame " + frame + " is outside a pool of " + pool.frameCapacity());
        }
        return frame != 0;
    }

    // ---- addresses ----

    private static int pageOf(long address) {
        return (int) (address >>> PAGE_BITS);
    }

    /** Where the byte at {@code address} lies in the pool. */
    private static long positionOf(int frame, long address) {
        return ((long) frame << PAGE_BITS) + (address & IN_PAGE);
    }

    private static long countInPage(long address, long bytes) {
        return Math.min(bytes, PAGE_BYTES - (address & IN_PAGE));
    }

    /** An aligned access that begins in the region also ends there. */
    private void checkAccess(long address, int bytes) {
        if ((address & bytes - 1) != 0 || address < 0 || address >= sizeBytes || closed) {
            checkAligned(address, bytes);
            checkRange(address, bytes);
        }
    }

    private static void checkAligned(long address, int bytes) {
        if ((address & bytes - 1) != 0) {
            throw new IllegalArgumentException(
                    "address 0x" + Long.toHexString(address) + " is not aligned to " + bytes
                            + " bytes");
        }
    }

    private void checkRange(long address, long bytes) {
        checkOpen();
        if (address < 0 || bytes < 0 || bytes > sizeBytes - address) {
            throw new IllegalArgumentException(
                    "address 0x" + Long.toHexString(address) + " and " + bytes
                            + " bytes from there are outside a region of 0x"
                            + Long.toHexString(sizeBytes) + " bytes");
        }
    }

    private void checkPage(int page) {
        checkOpen();
        if (page < 0 || page >= pageCount()) {
            throw new IllegalArgumentException(
                    "page " + page + " is outside a region of " + pageCount() + " pages");
        }
    }

    private void checkOpen() {
        if (closed) {
            throw new IllegalStateException("the memory region is closed");
        }
    }
}
