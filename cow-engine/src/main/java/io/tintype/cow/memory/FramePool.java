package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongFunction;
import org.jspecify.annotations.Nullable;

/**
 * All guest memory of a host: one segment, cut into frames of 4 KiB that the {@link MemoryRegion}s take and give back.
 *
 * <p>Frame 0 is the zero frame: every page that was never written is mapped to it, and nobody writes it. It counts neither
 * as capacity nor as in use.
 *
 * <p>Thread-safe, lock-free. The invariants:
 * <ul>
 * <li>A frame is in the pool, or belongs to exactly one region.
 * <li>Frames in use never exceed the capacity; a frame costs memory of the host only once it was touched.
 * <li>Frames held, those that no running VM maps any more and that are kept for frozen memory or for a pin, are bounded for
 * all allocations that were {@linkplain MemoryRegion#reserve reserved}.
 * </ul>
 */
public final class FramePool implements AutoCloseable {
    /** Bytes of a frame and of a page. */
    public static final int FRAME_BYTES = 4096;

    /**
     * Free frames: a Treiber stack of chains of chunks. Taking a chunk replaces the top node by a new one for the rest of its
     * chain; a node is pushed once, so a compare-and-set cannot succeed on a stale one (no ABA), though chunks come back.
     */
    private record Node(FrameList.Chunk chain, @Nullable Node next) {}

    private final HostMemory memory;
    private final int frameCapacity;
    private final long heldLimit;
    private final AtomicReference<@Nullable Node> free = new AtomicReference<>();
    private final AtomicInteger neverUsed = new AtomicInteger(1);
    private final AtomicLong inUse = new AtomicLong();
    private final AtomicLong heldGranted = new AtomicLong();
    private final AtomicLong held = new AtomicLong();
    private final AtomicLong heldMax = new AtomicLong();
    private final AtomicInteger openRegions = new AtomicInteger();

    /**
     * Sets address space aside; memory is used as frames are touched.
     *
     * @param capacityBytes for all guests and all frozen memory together; a multiple of 4096, below 8 TiB
     * @param heldBytesMax how much of it may be kept for checkpoints only; rounded down to whole frames
     * @throws IllegalArgumentException if a size is impossible, or the host has not that much address space
     */
    public FramePool(long capacityBytes, long heldBytesMax) {
        this(capacityBytes, heldBytesMax, true);
    }

    FramePool(long capacityBytes, long heldBytesMax, boolean mapped) {
        this(capacityBytes, heldBytesMax,
                mapped ? HostMemory::of : HostMemory::allocated);
    }

    /** With the memory that {@code source} gives for a number of bytes. */
    FramePool(long capacityBytes, long heldBytesMax, LongFunction<HostMemory> source) {
        var frames = capacityBytes / FRAME_BYTES;
        if (frames < 1 || frames >= Integer.MAX_VALUE || capacityBytes % FRAME_BYTES != 0) {
            throw new IllegalArgumentException(
                    "the capacity of a frame pool is a multiple of 4096 bytes below 8 TiB, got "
                            + capacityBytes);
        }
        if (heldBytesMax < 0) {
            throw new IllegalArgumentException(
                    "the bound of held memory cannot be negative, got " + heldBytesMax);
        }
        frameCapacity = (int) frames;
        heldLimit = heldBytesMax / FRAME_BYTES;
        memory = source.apply(capacityBytes + FRAME_BYTES);
    }

    /**
     * All frames; frame i lies at {@code i * 4096L}. Any thread may use it, also for file I/O; it is the caller's duty to
     * touch only frames that are pinned for it or belong to frozen memory. After {@link #close} each access throws.
     */
    public MemorySegment segment() {
        return memory.segment();
    }

    /** Frames that regions took: mapped, held, and the few that each keeps at hand (see {@link MemoryRegion#trim}). */
    public long framesInUse() {
        return inUse.get();
    }

    /** Frames that only frozen memory or a pin needs. A region reports its share in steps of up to 32 frames. */
    public long framesHeld() {
        return held.get();
    }

    /** The most that {@link #framesHeld} ever was. */
    public long framesHeldMax() {
        return heldMax.get();
    }

    /** The bound of {@link #framesHeld} for reserved allocations. */
    public long framesHeldLimit() {
        return heldLimit;
    }

    /** Frames that can be in use at once. */
    public long frameCapacity() {
        return frameCapacity;
    }

    /**
     * Gives the memory back to the host.
     *
     * @throws IllegalStateException if a region is still open; nothing was changed then
     */
    @Override
    public void close() {
        Invariant.check(openRegions.get() == 0, "all regions of a closing frame pool are closed");
        Invariant.check(inUse.get() == 0, "all frames of a closing frame pool were given back");
        memory.close();
    }

    /** Gives the memory back without asking who still uses it: for a simulator whose machine is gone, guests and all. */
    public void discard() {
        memory.close();
    }

    void opened() {
        openRegions.incrementAndGet();
    }

    void closed() {
        openRegions.decrementAndGet();
    }

    /** Takes 1 to {@link FrameList#CHUNK_FRAMES} frames, of any content; null if there are none. */
    FrameList.@Nullable Chunk take() {
        for (var top = free.get(); top != null; top = free.get()) {
            var chunk = top.chain();
            var rest = chunk.next; // stale if another thread took the chunk just now: then the next line fails
            if (free.compareAndSet(top, rest == null ? top.next() : new Node(rest, top.next()))) {
                chunk.next = null;
                inUse.addAndGet(chunk.count);
                return chunk;
            }
        }
        return takeNeverUsed();
    }

    private FrameList.@Nullable Chunk takeNeverUsed() {
        while (true) {
            var first = neverUsed.get();
            // Frames 1 to frameCapacity exist.
            var count = Math.min(FrameList.CHUNK_FRAMES, frameCapacity - first + 1);
            if (count == 0) {
                return null;
            }
            if (neverUsed.compareAndSet(first, first + count)) {
                var chunk = new FrameList.Chunk();
                for (int i = 0; i < count; i++) {
                    chunk.frames[i] = first + count - 1 - i; // popped from the end, so in ascending order
                }
                chunk.count = count;
                inUse.addAndGet(count);
                return chunk;
            }
        }
    }

    /** Takes back all frames of {@code list}, in O(1), and leaves it empty. */
    void giveBack(FrameList list) {
        var count = list.size();
        var chain = list.takeAll();
        if (chain != null) {
            push(chain, count);
        }
    }

    void giveBack(FrameList.Chunk chunk) {
        push(chunk, chunk.count);
    }

    private void push(FrameList.Chunk chain, long count) {
        // Before the frames can be taken again, so that the count never exceeds the capacity.
        inUse.addAndGet(-count);
        var top = free.get();
        while (!free.compareAndSet(top, new Node(chain, top))) {
            top = free.get();
        }
    }

    /** Allows {@code frames} more to be held; false if that would pass the bound. */
    boolean grantHeld(long frames) {
        var granted = heldGranted.get();
        while (granted + frames <= heldLimit) {
            if (heldGranted.compareAndSet(granted, granted + frames)) {
                return true;
            }
            granted = heldGranted.get();
        }
        return false;
    }

    /** For allocations that nobody reserved: they must not fail while frames are left. */
    void grantHeldRegardless(long frames) {
        heldGranted.addAndGet(frames);
    }

    void returnHeld(long frames) {
        heldGranted.addAndGet(-frames);
    }

    void reportHeld(long change) {
        var now = held.addAndGet(change);
        if (now > heldMax.get()) {
            heldMax.accumulateAndGet(now, Math::max);
        }
    }
}
