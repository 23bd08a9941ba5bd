package io.tintype.vm.device;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.QueueLayout;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The device's end of the queue pair of one virtual disk.
 *
 * <p>Used by the VM's strand only. All reads and writes go through the guest's memory, so a completion is never written into
 * a frozen frame. Whatever the guest puts into the rings, nothing here throws for it: a request that makes no sense
 * completes with {@link QueueLayout#STATUS_INVALID}, rings outside memory make the device deaf until it is configured again.
 * Only {@link io.tintype.cow.memory.FramesExhausted} gets out, with nothing changed: reserve
 * one frame for each {@link #complete} and each entry that {@link #fetch} may reject.
 */
public final class DiskQueue {
    /** Most sectors of a read or a write: 1 MiB. */
    public static final int DATA_SECTORS_MAX = 2048;

    /** Most sectors of a discard or write-zeroes: 32 MiB. */
    public static final int ZEROES_SECTORS_MAX = 65_536;

    /** Most scatter-gather elements; more than one for each page of the longest request. */
    public static final int ELEMENT_COUNT_MAX = 512;

    private final long sectorCount;
    private @Nullable QueueLayout layout;
    private int head;
    private int tail;
    private long sequence;
    private boolean interrupt;

    /** The queue of a disk of {@code diskBytes} bytes, not configured yet: it fetches nothing. */
    public DiskQueue(long diskBytes) {
        if (diskBytes < QueueLayout.SECTOR_BYTES || diskBytes % QueueLayout.SECTOR_BYTES != 0) {
            throw new IllegalArgumentException(
                    "a disk is a multiple of 512 bytes, got " + diskBytes);
        }
        sectorCount = diskBytes / QueueLayout.SECTOR_BYTES;
    }

    /** A queue that goes on where {@code state} was saved. */
    public static DiskQueue restore(long diskBytes, QueueState state) {
        var queue = new DiskQueue(diskBytes);
        if (state.entryCount() != 0) {
            queue.layout = new QueueLayout(state.submissionAddress(), state.completionAddress(),
                    state.entryCount());
        }
        queue.head = state.head();
        queue.tail = state.tail();
        queue.sequence = state.sequence();
        return queue;
    }

    /** What {@link #restore} needs. */
    public QueueState save() {
        return layout == null
                ? new QueueState(0, 0, 0, head, tail, sequence)
                : new QueueState(layout.submissionAddress(), layout.completionAddress(),
                        layout.entryCount(), head, tail,
                        sequence);
    }

    /** The guest says where its rings are; the device starts afresh. */
    public void configure(QueueLayout newLayout) {
        layout = newLayout;
        reset();
    }

    /** The guest announces entries up to {@code newTail}; an impossible one is ignored. */
    public void doorbell(int newTail) {
        if (layout != null && Integer.compareUnsigned(newTail - head, layout.entryCount()) <= 0) {
            tail = newTail;
        }
    }

    /** Entries announced and not fetched. */
    public int waiting() {
        return tail - head;
    }

    /**
     * Takes the next request out of the submission ring; null when there is none. Entries that make no sense are completed on
     * the way, see {@link #takeInterrupt}. The caller completes each request that it got exactly once, unless a reset comes
     * between.
     */
    public @Nullable QueueRequest fetch(GuestMemory memory) {
        var rings = layout;
        if (rings == null || !isInside(memory, rings)) {
            return null;
        }
        while (head != tail) {
            var entry = rings.submission(head);
            var request = parse(memory, entry);
            if (request == null) {
                write(memory, rings, memory.getInt(entry + 4), QueueLayout.STATUS_INVALID);
            }
            head++;
            if (request != null) {
                return request;
            }
        }
        return null;
    }

    /** Writes the completion of a request into the completion ring: from now on the guest can see it. */
    public void complete(GuestMemory memory, int tag, IoStatus status) {
        var rings = layout;
        if (rings != null && isInside(memory, rings)) {
            write(memory, rings, tag, switch (status) {
                case OK -> QueueLayout.STATUS_OK;
                case ERROR -> QueueLayout.STATUS_ERROR;
                case UNSUPPORTED -> QueueLayout.STATUS_INVALID;
            });
        }
    }

    /** Whether a completion was written since this was last asked: then a guest that waits must run. */
    public boolean takeInterrupt() {
        var raised = interrupt;
        interrupt = false;
        return raised;
    }

    /** Forgets all requests and counts from 0. Requests in flight are the caller's to detach; none is completed any more. */
    public void reset() {
        head = 0;
        tail = 0;
        sequence = 0;
        interrupt = false;
    }

    private void write(GuestMemory memory, QueueLayout rings, int tag, int status) {
        var entry = rings.completion(sequence + 1);
        memory.putLong(entry, (tag & 0xffff_ffffL) | (long) status << 32);
        memory.putLong(entry + 8, sequence + 1);
        sequence++;
        interrupt = true;
    }

    private static boolean isInside(GuestMemory memory, QueueLayout rings) {
        return memory.contains(rings.submissionAddress(),
                (long) rings.entryCount() * QueueLayout.SUBMISSION_BYTES)
                && memory.contains(rings.completionAddress(),
                        (long) rings.entryCount() * QueueLayout.COMPLETION_BYTES);
    }

    /** Null if the entry makes no sense. */
    private @Nullable QueueRequest parse(GuestMemory memory, long entry) {
        var word = memory.getLong(entry);
        var kind = QueueLayout.kindOf((int) word & 0xff);
        var flags = (int) (word >>> 8) & 0xff;
        if (kind == null || (flags & ~QueueLayout.FLAG_FUA) != 0) {
            return null;
        }
        var fua = flags != 0;
        var tag = (int) (word >>> 32);
        if (kind == IoKind.FLUSH) {
            return new QueueRequest(kind, false, tag, 0, 0, List.of());
        }
        var sector = memory.getLong(entry + 8);
        var count = memory.getInt(entry + 16);
        var isData = kind == IoKind.READ || kind == IoKind.WRITE;
        if (count < 1 || count > (isData ? DATA_SECTORS_MAX : ZEROES_SECTORS_MAX)
                || sector < 0 || sector > sectorCount - count) {
            return null;
        }
        if (!isData) {
            return new QueueRequest(kind, fua, tag, sector, count, List.of());
        }
        var elementCount = (int) (word >>> 16) & 0xffff;
        var buffers = buffers(memory, memory.getLong(entry + 24), elementCount,
                count * QueueLayout.SECTOR_BYTES);
        return buffers == null ? null : new QueueRequest(kind, fua, tag, sector, count, buffers);
    }

    private static @Nullable List<QueueRequest.Buffer> buffers(GuestMemory memory, long elements,
            int elementCount,
            int bytesWanted) {
        if (elementCount < 1 || elementCount > ELEMENT_COUNT_MAX || elements % Long.BYTES != 0
                || !memory.contains(elements, (long) elementCount * QueueLayout.ELEMENT_BYTES)) {
            return null;
        }
        if (elementCount == 1) {
            var only = buffer(memory, elements);
            return only == null || only.bytes() != bytesWanted ? null : List.of(only);
        }
        var buffers = new ArrayList<QueueRequest.Buffer>(elementCount);
        long bytes = 0;
        for (int i = 0; i < elementCount; i++) {
            var buffer = buffer(memory, elements + (long) i * QueueLayout.ELEMENT_BYTES);
            if (buffer == null) {
                return null;
            }
            buffers.add(buffer);
            bytes += buffer.bytes();
        }
        return bytes == bytesWanted ? buffers : null;
    }

    private static QueueRequest.@Nullable Buffer buffer(GuestMemory memory, long element) {
        var address = memory.getLong(element);
        var bytes = memory.getInt(element + 8);
        var isRight = bytes > 0 && bytes % Long.BYTES == 0 && address % Long.BYTES == 0
                && memory.contains(address, bytes);
        return isRight ? new QueueRequest.Buffer(address, bytes) : null;
    }
}
