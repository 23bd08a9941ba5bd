package io.tintype.vm;

import io.tintype.cow.disk.DiskChain;
import io.tintype.scheduler.IoKind;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Moves the bytes of requests between frames and a disk's layers. Blocks; safe on any thread, since the
 * frames are pinned and the ordering rules have let the operation start.
 */
final class DiskTransfer {
    private static final int SECTOR_BYTES = 512;
    private static final long FRAME_BYTES = 4096;
    // One system call for each group instead of one for each page: a copy of 64 KiB costs 5 µs, a call 1–2.
    private static final int BOUNCE_BYTES = 64 * 1024;
    private static final int BOUNCE_MARGIN = 2 * SECTOR_BYTES;
    private static final ThreadLocal<MemorySegment> BOUNCE =
            ThreadLocal.withInitial(
                    () -> Arena.ofAuto().allocate(BOUNCE_BYTES + BOUNCE_MARGIN, FRAME_BYTES));

    /** Where the bytes to be written lie. */
    private record Source(MemorySegment bytes, long offset) {}

    private final DiskChain chain;
    private final MemorySegment pool;
    private final int groupBytes;

    DiskTransfer(DiskChain chain, MemorySegment pool) {
        this.chain = chain;
        this.pool = pool;
        this.groupBytes = chain.geometry().groupBytes();
    }

    /** Reads the whole request as {@code view} shows it into the frames of its buffer. */
    void read(IoRequest request, int view) throws IOException {
        var buffer = request.buffer();
        long start = request.sector() * SECTOR_BYTES;
        int index = 0;
        while (index < buffer.count()) {
            int last = lastAdjoining(buffer, index);
            long from = start + buffer.requestOffset(index);
            long to = start + buffer.requestOffset(last) + buffer.size(last);
            if (last == index && (from | to) % SECTOR_BYTES == 0) {
                chain.read(view, from, pool, address(buffer, index), to - from);
            } else {
                // A piece may begin and end inside a sector; the disk only knows whole ones.
                long fromSector = from / SECTOR_BYTES * SECTOR_BYTES;
                long toSector = (to + SECTOR_BYTES - 1) / SECTOR_BYTES * SECTOR_BYTES;
                var bounce = BOUNCE.get();
                chain.read(view, fromSector, bounce, 0, toSector - fromSector);
                long at = from - fromSector;
                for (int i = index; i <= last; i++) {
                    MemorySegment.copy(bounce, at, pool, address(buffer, i), buffer.size(i));
                    at += buffer.size(i);
                }
            }
            index = last + 1;
        }
    }

    /** Writes the request's bytes that lie in {@code group} into {@code layer}, which holds the group. */
    void write(IoRequest request, int layer, long group) throws IOException {
        long from = partStart(request, group);
        int bytes = partBytes(request, group);
        if (isErase(request)) {
            chain.writeZeroes(layer, from, bytes, request.kind() == IoKind.DISCARD);
        } else {
            var source = gather(request, from, bytes);
            chain.write(layer, from, source.bytes(), source.offset(), bytes);
        }
    }

    /** Brings {@code group} into {@code layer} and writes the request's bytes of it in the same go. */
    void fault(IoRequest request, int layer, long group) throws IOException {
        long from = partStart(request, group);
        int bytes = partBytes(request, group);
        if (isErase(request)) {
            chain.writeZeroes(layer, from, bytes, request.kind() == IoKind.DISCARD);
        } else {
            var source = gather(request, from, bytes);
            chain.fault(
                    layer,
                    group,
                    from - group * groupBytes,
                    source.bytes(),
                    source.offset(),
                    bytes);
        }
    }

    private static boolean isErase(IoRequest request) {
        return request.kind() == IoKind.DISCARD || request.kind() == IoKind.WRITE_ZEROES;
    }

    private long partStart(IoRequest request, long group) {
        return Math.max(request.sector() * SECTOR_BYTES, group * groupBytes);
    }

    private int partBytes(IoRequest request, long group) {
        long end = (request.sector() + request.sectorCount()) * SECTOR_BYTES;
        return (int) (Math.min(end, (group + 1) * groupBytes) - partStart(request, group));
    }

    /** Returns the bytes [{@code from}, {@code from + bytes}) of the disk as the guest wrote them. */
    private Source gather(IoRequest request, long from, int bytes) {
        var buffer = request.buffer();
        int skip = (int) (from - request.sector() * SECTOR_BYTES);
        int index = 0;
        while (buffer.requestOffset(index) + buffer.size(index) <= skip) {
            index++;
        }
        int inPiece = skip - buffer.requestOffset(index);
        if (buffer.size(index) - inPiece >= bytes) {
            return new Source(pool, address(buffer, index) + inPiece);
        }
        var bounce = bytes <= BOUNCE_BYTES ? BOUNCE.get() : Arena.ofAuto().allocate(bytes);
        int done = 0;
        while (done < bytes) {
            int now = Math.min(buffer.size(index) - inPiece, bytes - done);
            MemorySegment.copy(pool, address(buffer, index) + inPiece, bounce, done, now);
            done += now;
            inPiece = 0;
            index++;
        }
        return new Source(bounce, 0);
    }

    /** Returns the last piece that continues {@code index} in the request and fits the bounce buffer. */
    private static int lastAdjoining(IoBuffer buffer, int index) {
        int last = index;
        int start = buffer.requestOffset(index);
        while (last + 1 < buffer.count()
                && buffer.requestOffset(last + 1) == buffer.requestOffset(last) + buffer.size(last)
                && buffer.requestOffset(last + 1) + buffer.size(last + 1) - start <= BOUNCE_BYTES) {
            last++;
        }
        return last;
    }

    private static long address(IoBuffer buffer, int index) {
        return buffer.frame(index) * FRAME_BYTES + buffer.offset(index);
    }
}
