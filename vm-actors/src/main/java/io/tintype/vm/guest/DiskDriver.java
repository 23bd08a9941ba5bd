package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;

/**
 * The guest's end of the queue pair of one disk. Its three counters belong to the guest's registers.
 *
 * <p>The caller keeps at most {@link QueueLayout#entryCount} requests between {@link #submit} and {@link #poll}.
 */
public final class DiskDriver {
    /** What {@link #poll} answers when there is no completion. */
    public static final long NOTHING = -1;

    private final int disk;
    private final QueueLayout layout;
    private int tail;
    private int rungTail;
    private long consumed;

    /** A driver of a device that was just started; {@link GuestContext#configureDisk} is the caller's. */
    public DiskDriver(int disk, QueueLayout layout) {
        this.disk = disk;
        this.layout = layout;
    }

    /** Puts a request into the submission ring; the device hears of it at {@link #ring}. */
    public void submit(GuestMemory memory, IoKind kind, boolean fua, int tag, long sector,
            int sectorCount,
            long elementsAddress, int elementCount) {
        var entry = layout.submission(tail);
        long flags = fua ? QueueLayout.FLAG_FUA : 0;
        memory.putLong(entry, QueueLayout.operation(kind) | flags << 8 | (long) elementCount << 16
                | (long) tag << 32);
        memory.putLong(entry + 8, sector);
        memory.putLong(entry + 16, sectorCount & 0xffff_ffffL);
        memory.putLong(entry + 24, elementsAddress);
        tail++;
    }

    /** Tells the device about all requests submitted since the last time, if there are any. */
    public void ring(GuestContext context) {
        if (rungTail != tail) {
            rungTail = tail;
            context.doorbell(disk, tail);
        }
    }

    /** Takes the next completion: {@link #tagOf}, {@link #statusOf}; or {@link #NOTHING}. */
    public long poll(GuestMemory memory) {
        var entry = layout.completion(consumed + 1);
        if (memory.getLong(entry + 8) != consumed + 1) {
            return NOTHING;
        }
        consumed++;
        // Status fits in 31 bits, so this is never NOTHING.
        return memory.getLong(entry) & Long.MAX_VALUE;
    }

    /** Which request an answer of {@link #poll} is about. */
    public static int tagOf(long completion) {
        return (int) completion;
    }

    /** How an answer of {@link #poll} says that the request ended, a {@code STATUS_} of {@link QueueLayout}. */
    public static int statusOf(long completion) {
        return (int) (completion >>> 32);
    }

    /** Resets the device and starts afresh, with empty rings. */
    public void reset(GuestContext context) {
        var longs = (long) layout.entryCount() * QueueLayout.COMPLETION_BYTES / Long.BYTES;
        context.resetDisk(disk);
        context.memory().fillLongs(layout.completionAddress(), longs, 0);
        tail = 0;
        rungTail = 0;
        consumed = 0;
    }

    /** Completions taken since the last reset. */
    public long consumed() {
        return consumed;
    }

    void save(RegisterWriter registers) {
        registers.putInt(tail);
        registers.putInt(rungTail);
        registers.putLong(consumed);
    }

    void restore(RegisterReader registers) {
        tail = registers.getInt();
        rungTail = registers.getInt();
        consumed = registers.getLong();
    }
}
