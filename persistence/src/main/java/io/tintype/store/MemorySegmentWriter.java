package io.tintype.store;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes the pages of one memory region of one checkpoint, in any order, each page once. A page
 * that is never appended is, in the stored checkpoint, zero.
 *
 * <p>Any thread, one at a time; writers of one checkpoint and of many may be in use at once. A call
 * may block on the disk. Memory held: a buffer of 1 MiB from the first {@link #append} after a
 * {@link #sync} to the next.
 *
 * <p>The first failure is the last: every later call throws it again, and the checkpoint can only
 * be aborted.
 */
public final class MemorySegmentWriter {
    private static final MemorySegment ZEROS =
            Arena.ofAuto().allocate(MemoryFormat.PAGE_BYTES, MemoryFormat.PAGE_BYTES).asReadOnly();

    private final StagedCheckpoint checkpoint;
    private final int region;
    private final int pageCount;
    private final ChunkBuffer.Pool buffers;
    private final Path path;
    private final StoreFile file;
    private final CRC32C crc = new CRC32C();
    private final BitSet appended = new BitSet();
    private @Nullable ChunkBuffer chunk;
    private int entryCount;
    private int dataCount;
    private long position;
    private int headerCrc;
    private ByteBuffer tailEntries =
            ByteBuffer.allocate(64 * MemoryFormat.TAIL_ENTRY_BYTES).order(Envelope.BYTE_ORDER);
    private int chunkCount;
    // Volatile: progress may be asked for while another thread writes.
    private volatile long dataPages;
    private volatile long zeroPages;
    private boolean closed;

    MemorySegmentWriter(StagedCheckpoint checkpoint, int region, int pageCount,
            ChunkBuffer.Pool buffers, Path path,
            StoreFile file) {
        this.checkpoint = checkpoint;
        this.region = region;
        this.pageCount = pageCount;
        this.buffers = buffers;
        this.path = path;
        this.file = file;
    }

    /**
     * Takes a copy of the 4096 bytes at {@code offset} of {@code source}, which nobody changes
     * meanwhile.
     *
     * @param page from 0 to the region's page count − 1, and not appended before
     */
    public synchronized void append(int page, MemorySegment source, long offset)
            throws StoreException {
        checkpoint.checkUsable();
        if (page < 0 || page >= pageCount) {
            throw new IllegalArgumentException(
                    "page " + page + " of a region of " + pageCount + " pages");
        }
        if (appended.get(page)) {
            throw new IllegalArgumentException("page " + page + " was appended before");
        }
        boolean zero = isZero(source, offset);
        ChunkBuffer buffer = buffer();
        MemorySegment bytes = buffer.segment();
        long entry =
                MemoryFormat.CHUNK_ENTRIES + (long) entryCount * MemoryFormat.CHUNK_ENTRY_BYTES;
        if (zero) {
            bytes.set(MemoryFormat.INT, entry, page | MemoryFormat.ZERO_PAGE);
            bytes.set(MemoryFormat.INT, entry + Integer.BYTES, 0);
        } else {
            int at = MemoryFormat.BLOCK_BYTES + dataCount * MemoryFormat.PAGE_BYTES;
            MemorySegment.copy(source, offset, bytes, at, MemoryFormat.PAGE_BYTES);
            bytes.set(MemoryFormat.INT, entry, page);
            // Of the copy, which is what is written.
            int pageCrc = MemoryFormat.crc(crc, buffer, at, MemoryFormat.PAGE_BYTES);
            bytes.set(MemoryFormat.INT, entry + Integer.BYTES, pageCrc);
            dataCount++;
        }
        appended.set(page);
        entryCount++;
        count(zero);
        if (dataCount == MemoryFormat.CHUNK_DATA_COUNT_MAX
                || entryCount == MemoryFormat.CHUNK_ENTRY_COUNT_MAX) {
            try {
                writeChunk(buffer);
            } catch (IOException e) {
                throw failed(e);
            }
        }
    }

    /**
     * Makes durable what was appended so far and lets go of the buffer; to be called when the next
     * page is some time away. May be called any number of times; each call that follows an append
     * begins a new chunk, which costs 4 KiB.
     */
    public synchronized void sync() throws StoreException {
        checkpoint.checkUsable();
        try {
            writeChunkAndRelease();
            file.force();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Pages appended, the zero ones included. */
    public long pages() {
        return dataPages + zeroPages;
    }

    /** How many of {@link #pages} are zero and take no room for data. */
    public long zeroPages() {
        return zeroPages;
    }

    /** Bytes of page data appended; the headers add less than half a percent to full chunks. */
    public long bytes() {
        return dataPages * MemoryFormat.PAGE_BYTES;
    }

    int pageCount() {
        return pageCount;
    }

    synchronized void begin(long checkpointId) throws IOException {
        ChunkBuffer buffer = buffer();
        MemorySegment header = buffer.segment().asSlice(0, MemoryFormat.BLOCK_BYTES).fill((byte) 0);
        header.set(MemoryFormat.LONG, 0, Envelope.magicNumber(MemoryFormat.HEADER_MAGIC));
        header.set(MemoryFormat.INT, MemoryFormat.HEADER_VERSION, MemoryFormat.VERSION);
        header.set(MemoryFormat.INT, MemoryFormat.HEADER_REGION, region);
        header.set(MemoryFormat.INT, MemoryFormat.HEADER_PAGE_COUNT, pageCount);
        header.set(MemoryFormat.INT, MemoryFormat.HEADER_PAGE_BYTES, MemoryFormat.PAGE_BYTES);
        header.set(MemoryFormat.LONG, MemoryFormat.HEADER_CHECKPOINT, checkpointId);
        headerCrc = MemoryFormat.crc(crc, buffer, 0, MemoryFormat.BLOCK_CRC);
        header.set(MemoryFormat.INT, MemoryFormat.BLOCK_CRC, headerCrc);
        file.write(0, buffer.range(0, MemoryFormat.BLOCK_BYTES));
        position = MemoryFormat.BLOCK_BYTES;
        release();
    }

    /** Writes the rest and makes everything durable; no call but {@link #close} may follow. */
    synchronized Manifest.Segment finish() throws IOException {
        writeChunkAndRelease();
        ByteBuffer tail = tail();
        int tailCrc = tail.getInt(tail.limit() - Integer.BYTES);
        file.write(position, tail);
        position += tail.limit();
        file.force();
        return new Manifest.Segment(MemoryFormat.name(region), position, tailCrc);
    }

    /** Frees what is held, whatever state it is in; waits for a call in progress. */
    synchronized void close() throws IOException {
        release();
        if (!closed) {
            closed = true;
            file.close();
        }
    }

    private void writeChunkAndRelease() throws IOException {
        if (chunk != null) {
            if (entryCount > 0) {
                writeChunk(chunk);
            }
            release();
        }
    }

    private void writeChunk(ChunkBuffer buffer) throws IOException {
        MemorySegment header = buffer.segment();
        header.set(MemoryFormat.LONG, 0, Envelope.magicNumber(MemoryFormat.CHUNK_MAGIC));
        header.set(MemoryFormat.INT, MemoryFormat.CHUNK_INDEX, chunkCount);
        header.set(MemoryFormat.INT, MemoryFormat.CHUNK_ENTRY_COUNT, entryCount);
        header.set(MemoryFormat.LONG, MemoryFormat.CHUNK_DATA_COUNT, dataCount);
        header.set(MemoryFormat.LONG, MemoryFormat.CHUNK_POSITION, position);
        int entriesEnd = MemoryFormat.CHUNK_ENTRIES + entryCount * MemoryFormat.CHUNK_ENTRY_BYTES;
        header.asSlice(entriesEnd, MemoryFormat.BLOCK_CRC - entriesEnd).fill((byte) 0);
        int chunkCrc = MemoryFormat.crc(crc, buffer, 0, MemoryFormat.BLOCK_CRC);
        header.set(MemoryFormat.INT, MemoryFormat.BLOCK_CRC, chunkCrc);
        int bytes = MemoryFormat.BLOCK_BYTES + dataCount * MemoryFormat.PAGE_BYTES;
        file.write(position, buffer.range(0, bytes));

        if (!tailEntries.hasRemaining()) {
            tailEntries = ByteBuffer.allocate(2 * tailEntries.capacity()).order(Envelope.BYTE_ORDER)
                    .put(tailEntries.flip());
        }
        tailEntries.putLong(position).putInt(entryCount).putInt(chunkCrc);
        position += bytes;
        chunkCount++;
        entryCount = 0;
        dataCount = 0;
    }

    private ByteBuffer tail() {
        int bytes = Math.toIntExact(MemoryFormat.tailBytes(chunkCount));
        int trailer = bytes - MemoryFormat.TRAILER_BYTES;
        var tail = ByteBuffer.allocate(bytes).order(Envelope.BYTE_ORDER);
        tail.put(tailEntries.flip());
        tail.putLong(trailer, Envelope.magicNumber(MemoryFormat.TRAILER_MAGIC));
        tail.putLong(trailer + MemoryFormat.TRAILER_TAIL_POSITION, position);
        tail.putInt(trailer + MemoryFormat.TRAILER_CHUNK_COUNT, chunkCount);
        tail.putInt(trailer + MemoryFormat.TRAILER_DATA_COUNT, Math.toIntExact(dataPages));
        tail.putInt(trailer + MemoryFormat.TRAILER_ZERO_COUNT, Math.toIntExact(zeroPages));
        tail.putInt(trailer + MemoryFormat.TRAILER_HEADER_CRC, headerCrc);
        crc.reset();
        crc.update(tail.slice(0, trailer + MemoryFormat.TRAILER_CRC));
        tail.putInt(trailer + MemoryFormat.TRAILER_CRC, (int) crc.getValue());
        return tail.rewind();
    }

    private ChunkBuffer buffer() {
        ChunkBuffer buffer = chunk;
        if (buffer == null) {
            buffer = buffers.take();
            chunk = buffer;
        }
        return buffer;
    }

    private void release() {
        if (chunk != null) {
            buffers.give(chunk);
            chunk = null;
        }
    }

    private StoreException failed(IOException cause) {
        return checkpoint.fail(StoreException.of("write", path, cause));
    }

    /**
     * Only under the monitor, so that reading and writing the volatile fields need not be one step.
     */
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void count(boolean zero) {
        if (zero) {
            zeroPages++;
        } else {
            dataPages++;
        }
    }

    private static boolean isZero(MemorySegment source, long offset) {
        // Most pages with data differ in their first word, and need no call into the vector loop.
        if (source.get(ValueLayout.JAVA_LONG_UNALIGNED, offset) != 0) {
            return false;
        }
        return MemorySegment.mismatch(source, offset, offset + MemoryFormat.PAGE_BYTES,
                ZEROS, 0, MemoryFormat.PAGE_BYTES) < 0;
    }
}
