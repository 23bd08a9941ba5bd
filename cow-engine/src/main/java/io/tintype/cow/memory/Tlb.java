package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import org.agrona.UnsafeApi;

/**
 * Where the page last loaded from and the page last stored to lie in the host: what a {@link MemoryRegion} asks before its page
 * table. It belongs to whoever executes guest code, as in a processor, and not to the region: so a load or store that hits
 * reads two fields of the object it is called on and nothing else, which in a loop is what it costs.
 *
 * <p>The region fills and empties it. Used on the region's thread. A subclass may call {@code loadX} and {@code storeX} only right
 * after the matching {@code mayLoadX} or {@code mayStoreX} was true for this address: they check nothing.
 */
public abstract class Tlb {
    static final int PAGE_BITS = 12;
    static final long IN_PAGE = FramePool.FRAME_BYTES - 1;

    /** No tag: bits 3 to 11 of a tag are zero. */
    static final long NO_PAGE = -1;

    /**
     * What of an address is compared with the page: the page, and the bits that alignment wants zero. So one compare checks the
     * region's bounds, the page, that it is writable, and the alignment.
     */
    private static final long LONG_TAG = ~IN_PAGE | Long.BYTES - 1;
    private static final long INT_TAG = ~IN_PAGE | Integer.BYTES - 1;
    private static final long BYTE_TAG = ~IN_PAGE;

    // Unaligned, since the compare has checked it already.
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /**
     * Whether bytes are reached by their address in the host. It is safe because the delta comes from a frame in the table, and a
     * pool refuses to close before its regions. Through a segment that spans the address space a store took a sixth longer, through
     * the pool's own three times as long; the latter is what is left where the JVM opens nothing.
     */
    static final boolean RAW = isRaw();

    // An address on the page plus the delta is where its bytes lie: in the host, or in the frames if not RAW.
    private long readPage = NO_PAGE;
    private long readDelta;
    private long writePage = NO_PAGE;
    private long writeDelta;
    private MemorySegment frames = MemorySegment.NULL;

    private static boolean isRaw() {
        try {
            return ByteOrder.nativeOrder() == ByteOrder.LITTLE_ENDIAN
                    && UnsafeApi.arrayBaseOffset(long[].class) > 0;
        } catch (LinkageError _) {
            return false;
        }
    }

    /** Whether an aligned load of 8 bytes at {@code address} hits. */
    protected final boolean mayLoadLong(long address) {
        return (address & LONG_TAG) == readPage;
    }

    /** As {@link #mayLoadLong}, of 4 bytes. */
    protected final boolean mayLoadInt(long address) {
        return (address & INT_TAG) == readPage;
    }

    /** As {@link #mayLoadLong}, of a byte. */
    protected final boolean mayLoadByte(long address) {
        return (address & BYTE_TAG) == readPage;
    }

    /** Whether an aligned store of 8 bytes at {@code address} hits. */
    protected final boolean mayStoreLong(long address) {
        return (address & LONG_TAG) == writePage;
    }

    /** As {@link #mayStoreLong}, of 4 bytes. */
    protected final boolean mayStoreInt(long address) {
        return (address & INT_TAG) == writePage;
    }

    /** As {@link #mayStoreLong}, of a byte. */
    protected final boolean mayStoreByte(long address) {
        return (address & BYTE_TAG) == writePage;
    }

    /** Loads 8 bytes of the page that was hit. */
    protected final long loadLong(long address) {
        var at = address + readDelta;
        return RAW ? UnsafeApi.getLong(at) : frames.get(LONG, at);
    }

    /** Loads 4 bytes of the page that was hit. */
    protected final int loadInt(long address) {
        var at = address + readDelta;
        return RAW ? UnsafeApi.getInt(at) : frames.get(INT, at);
    }

    /** Loads a byte of the page that was hit. */
    protected final byte loadByte(long address) {
        var at = address + readDelta;
        return RAW ? UnsafeApi.getByte(at) : frames.get(ValueLayout.JAVA_BYTE, at);
    }

    /** Stores 8 bytes to the page that was hit. */
    protected final void storeLong(long address, long value) {
        var at = address + writeDelta;
        if (RAW) {
            UnsafeApi.putLong(at, value);
        } else {
            frames.set(LONG, at, value);
        }
    }

    /** Stores 4 bytes to the page that was hit. */
    protected final void storeInt(long address, int value) {
        var at = address + writeDelta;
        if (RAW) {
            UnsafeApi.putInt(at, value);
        } else {
            frames.set(INT, at, value);
        }
    }

    /** Stores a byte to the page that was hit. */
    protected final void storeByte(long address, byte value) {
        var at = address + writeDelta;
        if (RAW) {
            UnsafeApi.putByte(at, value);
        } else {
            frames.set(ValueLayout.JAVA_BYTE, at, value);
        }
    }

    /** Empties it, and makes it one of a region whose frames are these. */
    final void of(MemorySegment newFrames) {
        forget();
        frames = newFrames;
    }

    /** From now on loads from the page of {@code address} hit. */
    final void mapRead(long address, int frame) {
        readPage = address & ~IN_PAGE;
        readDelta = delta(readPage, frame);
    }

    /** From now on stores to the page of {@code address} hit, and loads too. */
    final void mapWrite(long address, int frame) {
        mapRead(address, frame);
        writePage = readPage;
        writeDelta = readDelta;
    }

    private long delta(long page, int frame) {
        return (RAW ? frames.address() : 0) + ((long) frame << PAGE_BITS) - page;
    }

    final void forget() {
        readPage = NO_PAGE;
        forgetWrite();
    }

    final void forgetWrite() {
        writePage = NO_PAGE;
    }
}
