package io.tintype.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Pages of a segment of format version 1. That has no index by page: so the headers of all chunks,
 * 4 KiB for each MiB, are read when the first page is asked for.
 */
final class ChunkedPages implements MemoryPages {
    private final Path path;
    private final StoreFile file;
    private final ChunkBuffer.Pool buffers;
    private final MemorySegmentReader reader;
    private final int pageCount;
    private final Runnable onClose;
    private volatile MemorySegmentReader.@Nullable Index index;
    private volatile boolean closed;

    ChunkedPages(Path path, StoreFile file, ChunkBuffer.Pool buffers, MemorySegmentReader reader,
            int pageCount, Runnable onClose) {
        this.path = path;
        this.file = file;
        this.buffers = buffers;
        this.reader = reader;
        this.pageCount = pageCount;
        this.onClose = onClose;
    }

    /** Hands over all pages that are not zero, in the order in which they lie in the file. */
    void forEachPage(ChunkBuffer buffer, PageVisitor visitor) throws StoreException {
        try {
            reader.forEachPage(buffer, visitor);
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        }
    }

    @Override
    public int pageCount() {
        return pageCount;
    }

    @Override
    public boolean stored(int page) throws StoreException {
        checkPage(page);
        return index().blocks()[page] != 0;
    }

    @Override
    public void read(int page, MemorySegment to, long offset) throws StoreException {
        checkPage(page);
        MemorySegmentReader.Index known = index();
        MemorySegment target = to.asSlice(offset, MemoryFormat.PAGE_BYTES);
        int block = known.blocks()[page];
        if (block == 0) {
            target.fill((byte) 0);
            return;
        }
        long position = (long) block * MemoryFormat.BLOCK_BYTES;
        ByteBuffer bytes = target.asByteBuffer();
        try {
            file.read(position, bytes);
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        }
        if (bytes.hasRemaining()) {
            throw new DamagedSegmentException(path, position + bytes.position(),
                    "it ends there while it is being read");
        }
        var crc = new CRC32C();
        crc.update(bytes.flip());
        int actual = (int) crc.getValue();
        int stored = known.crcs()[page];
        if (stored != actual) {
            throw new DamagedSegmentException(path, position,
                    "page " + page + ": " + Envelope.mismatch(stored, actual));
        }
    }

    @Override
    public synchronized void close() throws StoreException {
        if (closed) {
            return;
        }
        closed = true;
        onClose.run();
        try {
            file.close();
        } catch (IOException e) {
            throw StoreException.of("close", path, e);
        }
    }

    private MemorySegmentReader.Index index() throws StoreException {
        MemorySegmentReader.Index known = index;
        return known == null ? readIndex() : known;
    }

    private synchronized MemorySegmentReader.Index readIndex() throws StoreException {
        MemorySegmentReader.Index known = index;
        if (known != null) {
            return known;
        }
        ChunkBuffer buffer = buffers.take();
        try {
            MemorySegmentReader.Index read = reader.index(buffer);
            index = read;
            return read;
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        } finally {
            buffers.give(buffer);
        }
    }

    private void checkPage(int page) {
        if (page < 0 || page >= pageCount) {
            throw new IllegalArgumentException(
                    "page " + page + " of a region of " + pageCount + " pages");
        }
        if (closed) {
            throw new IllegalStateException("the pages of " + path + " are closed");
        }
    }
}
