package io.tintype.vm.guest;

/**
 * What lies where in the memory of a guest:
 *
 * <pre>
 * page 0            nothing, so that a null address is always a mistake
 * queue pairs       one for each disk: submission ring, completion ring, each from a page of its own
 * slot records      32 bytes for each slot
 * tables            the scatter-gather elements of each slot
 * buffers           for each slot, the pages of the longest request and one more
 * heap              all whole pages that are left
 * </pre>
 *
 * <p>Buffers of neighbours may meet in the middle of a page, as those of real programs do: then the guest prepares one
 * request in a page that another one, in flight, is to be read into.
 *
 * <p>Immutable. A <em>slot</em> is a place for one request in flight; its number is the request's tag, on every disk.
 */
public final class GuestLayout {
    /** Most slots of a guest. */
    public static final int SLOT_COUNT_MAX = 1024;

    /** Most disks of a guest. */
    public static final int DISK_COUNT_MAX = 16;

    /** Bytes of a slot record. */
    public static final int RECORD_BYTES = 32;

    /** Buffer shape: one piece from the start of the buffer. */
    public static final int SHAPE_PLAIN = 0;

    /** Buffer shape, a bit: 256 bytes further, so that each eighth sector straddles two pages. */
    public static final int SHAPE_STRADDLING = 1;

    /** Buffer shape, a bit: a piece for each 4 KiB, in descending order. */
    public static final int SHAPE_SCATTERED = 2;

    private static final int PAGE_BYTES = GuestMemory.PAGE_BYTES;
    private static final int STRADDLE_BYTES = 256;
    private static final int HALF_PAGE_BYTES = PAGE_BYTES / 2;

    private final int diskCount;
    private final int slotCount;
    private final int requestBytesMax;
    private final int entryCount;
    private final int bufferPages;
    private final boolean shared;
    private final long records;
    private final long tables;
    private final long buffers;
    private final long heap;
    private final int heapPageCount;

    /**
     * Lays out a memory.
     *
     * @param memoryBytes size of the memory
     * @param diskCount from 0
     * @param slotCount from 0
     * @param requestBytesMax longest read or write, a multiple of 512; may be 0 if there are no slots
     * @param shared whether buffers of neighbours meet in the middle of a page
     * @throws IllegalArgumentException if a number is impossible or the memory too small; the message says what is needed
     */
    public GuestLayout(long memoryBytes, int diskCount, int slotCount, int requestBytesMax,
            boolean shared) {
        check("disks", diskCount, DISK_COUNT_MAX);
        check("requests in flight", slotCount, SLOT_COUNT_MAX);
        check("bytes in a request", requestBytesMax, 1 << 20);
        this.diskCount = diskCount;
        this.slotCount = slotCount;
        this.requestBytesMax = requestBytesMax;
        this.shared = shared;
        entryCount = Math.max(16, Integer.highestOneBit(Math.max(1, slotCount * 2 - 1)));
        bufferPages = (requestBytesMax + PAGE_BYTES - 1) / PAGE_BYTES + 1;
        records = PAGE_BYTES + diskCount * queuePairBytes();
        tables = pageEnd(records + (long) slotCount * RECORD_BYTES);
        buffers = pageEnd(tables + (long) slotCount * bufferPages * QueueLayout.ELEMENT_BYTES);
        heap = buffers + (long) slotCount * bufferPages * PAGE_BYTES;
        if (memoryBytes < heap) {
            throw new IllegalArgumentException(
                    "a guest with " + slotCount + " requests of up to " + requestBytesMax
                            + " bytes in flight needs " + heap + " bytes of memory, this one has "
                            + memoryBytes);
        }
        heapPageCount = Math.toIntExact((memoryBytes - heap) / PAGE_BYTES);
    }

    private static void check(String what, int count, int countMax) {
        if (count < 0 || count > countMax) {
            throw new IllegalArgumentException(
                    "a guest has 0 to " + countMax + " " + what + ", got " + count);
        }
    }

    private static long pageEnd(long address) {
        return (address + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    }

    private long queuePairBytes() {
        return pageEnd((long) entryCount * QueueLayout.SUBMISSION_BYTES)
                + pageEnd((long) entryCount * QueueLayout.COMPLETION_BYTES);
    }

    /** Number of disks. */
    public int diskCount() {
        return diskCount;
    }

    /** Number of slots. */
    public int slotCount() {
        return slotCount;
    }

    /** Bytes of the longest read or write. */
    public int requestBytesMax() {
        return requestBytesMax;
    }

    /** Entries of each ring, at least as many as slots. */
    public int entryCount() {
        return entryCount;
    }

    /** The queue pair of a disk. */
    public QueueLayout queue(int disk) {
        var submission = PAGE_BYTES + disk * queuePairBytes();
        return new QueueLayout(submission,
                submission + pageEnd((long) entryCount * QueueLayout.SUBMISSION_BYTES),
                entryCount);
    }

    /** Address of the record of a slot. */
    public long record(int slot) {
        return records + (long) slot * RECORD_BYTES;
    }

    /** Address of the scatter-gather table of a slot. */
    public long table(int slot) {
        return tables + (long) slot * bufferPages * QueueLayout.ELEMENT_BYTES;
    }

    /** Address of the buffer of a slot, which begins a page. */
    public long buffer(int slot) {
        return buffers + (long) slot * bufferPages * PAGE_BYTES;
    }

    /** Pages of the buffer of a slot: those of the longest request and one more; a request touches no more. */
    public int bufferPages() {
        return bufferPages;
    }

    /**
     * Address of a byte of a request in the buffer of its slot. The bytes of one sector lie in one piece.
     *
     * @param shape a {@code SHAPE_}, or both bits
     * @param requestBytes size of the whole request
     * @param offset of the byte in the request
     */
    public long bufferAddress(int slot, int shape, int requestBytes, int offset) {
        var at = offset;
        var extent = requestBytes;
        if ((shape & SHAPE_SCATTERED) != 0) {
            var pieces = (requestBytes + PAGE_BYTES - 1) / PAGE_BYTES;
            extent = pieces * PAGE_BYTES;
            at = (pieces - 1 - offset / PAGE_BYTES) * PAGE_BYTES + offset % PAGE_BYTES;
        }
        var straddle = (shape & SHAPE_STRADDLING) != 0 ? STRADDLE_BYTES : 0;
        if (!shared) {
            return buffer(slot) + at + straddle;
        }
        // Even slots begin half a page later, odd ones end there, in the first page of their neighbour's.
        if ((slot & 1) == 0) {
            return buffer(slot) + HALF_PAGE_BYTES + at + straddle;
        }
        var end = buffer(slot + 1) + (slot + 1 < slotCount ? HALF_PAGE_BYTES : 0);
        return end - extent - straddle + at;
    }

    /** Address of the heap, which begins a page. */
    public long heap() {
        return heap;
    }

    /** Pages of the heap. */
    public int heapPageCount() {
        return heapPageCount;
    }
}
