package io.tintype.vm.guest;

import io.tintype.cow.memory.MemoryRegion;
import io.tintype.cow.memory.Tlb;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The memory of a VM as guest and devices see it: regions one after another from address 0.
 *
 * <p>Used by the VM's strand only; owns nothing. Accesses of {@code Long} and {@code Int} are naturally aligned and
 * little-endian. An address outside is an {@code IllegalArgumentException}; a store may throw
 * {@link io.tintype.cow.memory.FramesExhausted}, and that page is unchanged then.
 */
public final class GuestMemory extends Tlb {
    /** Bytes of a page. */
    public static final int PAGE_BYTES = MemoryRegion.PAGE_BYTES;

    private final MemoryRegion first;
    private final long firstEnd;
    private final MemoryRegion[] regions;
    private final long[] ends;

    /** The memory made of {@code regions}, at least one. */
    public GuestMemory(List<MemoryRegion> regions) {
        if (regions.isEmpty()) {
            throw new IllegalArgumentException("a guest needs at least one memory region");
        }
        this.regions = regions.toArray(new MemoryRegion[0]);
        ends = new long[this.regions.length];
        long end = 0;
        for (int i = 0; i < ends.length; i++) {
            end += this.regions[i].sizeBytes();
            ends[i] = end;
        }
        // Its addresses are the guest's, so what hits there is right whatever comes after it.
        first = this.regions[0];
        firstEnd = ends[0];
        first.attach(this);
    }

    /** Size of all regions together in bytes; addresses are below it. */
    public long sizeBytes() {
        return ends[ends.length - 1];
    }

    /** How many regions there are. */
    public int regionCount() {
        return regions.length;
    }

    /** The region with this index. */
    public MemoryRegion region(int index) {
        return regions[index];
    }

    /** The address at which the region with this index begins. */
    public long regionStart(int index) {
        return index == 0 ? 0 : ends[index - 1];
    }

    /** The index of the region that holds {@code address}. */
    public int regionOf(long address) {
        if (!contains(address, 1)) {
            throw new IllegalArgumentException(
                    "address 0x" + Long.toHexString(address) + " is outside " + sizeBytes()
                            + " bytes of memory");
        }
        int index = 0;
        while (address >= ends[index]) {
            index++;
        }
        return index;
    }

    /** Whether all of {@code bytes} bytes from {@code address} are memory. */
    public boolean contains(long address, long bytes) {
        return address >= 0 && bytes >= 0 && address <= sizeBytes() - bytes;
    }

    private boolean isInFirst(long address) {
        return address >= 0 && address < firstEnd;
    }

    /** Loads 8 bytes. */
    public long getLong(long address) {
        return mayLoadLong(address) ? loadLong(address) : fetchLong(address);
    }

    private long fetchLong(long address) {
        if (isInFirst(address)) {
            first.translateLoad(address, Long.BYTES);
            return loadLong(address);
        }
        var index = regionOf(address);
        return regions[index].getLong(address - regionStart(index));
    }

    /** Stores 8 bytes. */
    public void putLong(long address, long value) {
        if (mayStoreLong(address)) {
            storeLong(address, value);
        } else {
            faultLong(address, value);
        }
    }

    private void faultLong(long address, long value) {
        if (isInFirst(address)) {
            first.translateStore(address, Long.BYTES);
            storeLong(address, value);
            return;
        }
        var index = regionOf(address);
        regions[index].putLong(address - regionStart(index), value);
    }

    /** Loads 4 bytes. */
    public int getInt(long address) {
        return mayLoadInt(address) ? loadInt(address) : fetchInt(address);
    }

    private int fetchInt(long address) {
        if (isInFirst(address)) {
            first.translateLoad(address, Integer.BYTES);
            return loadInt(address);
        }
        var index = regionOf(address);
        return regions[index].getInt(address - regionStart(index));
    }

    /** Stores 4 bytes. */
    public void putInt(long address, int value) {
        if (mayStoreInt(address)) {
            storeInt(address, value);
        } else {
            faultInt(address, value);
        }
    }

    private void faultInt(long address, int value) {
        if (isInFirst(address)) {
            first.translateStore(address, Integer.BYTES);
            storeInt(address, value);
            return;
        }
        var index = regionOf(address);
        regions[index].putInt(address - regionStart(index), value);
    }

    /** Loads a byte. */
    public byte getByte(long address) {
        return mayLoadByte(address) ? loadByte(address) : fetchByte(address);
    }

    private byte fetchByte(long address) {
        if (isInFirst(address)) {
            first.translateLoad(address, Byte.BYTES);
            return loadByte(address);
        }
        var index = regionOf(address);
        return regions[index].getByte(address - regionStart(index));
    }

    /** Stores a byte. */
    public void putByte(long address, byte value) {
        if (mayStoreByte(address)) {
            storeByte(address, value);
        } else {
            faultByte(address, value);
        }
    }

    private void faultByte(long address, byte value) {
        if (isInFirst(address)) {
            first.translateStore(address, Byte.BYTES);
            storeByte(address, value);
            return;
        }
        var index = regionOf(address);
        regions[index].putByte(address - regionStart(index), value);
    }

    /** Copies out of memory, over page and region boundaries, without alignment. */
    public void read(long address, MemorySegment destination, long destinationOffset, long bytes) {
        for (long done = 0; done < bytes;) {
            var index = regionOf(address + done);
            var count = Math.min(bytes - done, ends[index] - address - done);
            regions[index].read(address + done - regionStart(index), destination,
                    destinationOffset + done, count);
            done += count;
        }
    }

    /** Copies into memory, over page and region boundaries, without alignment. */
    public void write(long address, MemorySegment source, long sourceOffset, long bytes) {
        for (long done = 0; done < bytes;) {
            var index = regionOf(address + done);
            var count = Math.min(bytes - done, ends[index] - address - done);
            regions[index].write(address + done - regionStart(index), source, sourceOffset + done,
                    count);
            done += count;
        }
    }

    /** Stores {@code count} equal longs one after another. */
    public void fillLongs(long address, long count, long value) {
        var end = address + count * Long.BYTES;
        for (long at = address; at < end;) {
            var index = regionOf(at);
            var bytes = Math.min(end, ends[index]) - at;
            regions[index].fillLongs(at - regionStart(index), bytes / Long.BYTES, value);
            at += bytes;
        }
    }
}
