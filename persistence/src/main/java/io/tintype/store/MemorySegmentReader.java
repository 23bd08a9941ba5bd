package io.tintype.store;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.zip.CRC32C;

/**
 * Reads a segment of format version 1 and believes none of it unchecked. What it
 * verifies: that the file is the one the manifest means, every byte of it, that each page is there
 * at most once and inside the region. What it does not: that the right pages were appended.
 */
final class MemorySegmentReader {
    private final Path path;
    private final StoreFile file;
    private final Manifest.Segment expected;
    private final MemoryHeader header;
    private final int pageCount;
    private final CRC32C crc = new CRC32C();

    /** @param header of the file, verified */
    MemorySegmentReader(Path path, StoreFile file, Manifest.Segment expected, MemoryHeader header,
            int pageCount) {
        this.path = path;
        this.file = file;
        this.expected = expected;
        this.header = header;
        this.pageCount = pageCount;
    }

    void forEachPage(ChunkBuffer buffer, PageVisitor visitor) throws IOException {
        long size = file.size();
        checkSize(size);
        ByteBuffer tail = readTail(size, header.crc());
        int trailer = tail.limit() - MemoryFormat.TRAILER_BYTES;
        long tailPosition = size - tail.limit();
        int chunkCount = tail.getInt(trailer + MemoryFormat.TRAILER_CHUNK_COUNT);
        long dataLeft = tail.getInt(trailer + MemoryFormat.TRAILER_DATA_COUNT);
        long zeroLeft = tail.getInt(trailer + MemoryFormat.TRAILER_ZERO_COUNT);
        var seen = new BitSet();
        long position = MemoryFormat.BLOCK_BYTES;
        for (int chunk = 0; chunk < chunkCount; chunk++) {
            int entry = chunk * MemoryFormat.TAIL_ENTRY_BYTES;
            long next = chunk + 1 < chunkCount
                    ? tail.getLong(entry + MemoryFormat.TAIL_ENTRY_BYTES)
                    : tailPosition;
            if (tail.getLong(entry) != position) {
                throw damaged(tailPosition + entry,
                        "chunk " + chunk + " is not where the one before it ends");
            }
            int entryCount = tail.getInt(entry + Long.BYTES);
            int dataCount = readChunk(buffer, chunk, position, next - position, entryCount,
                    tail.getInt(entry + Long.BYTES + Integer.BYTES));
            visit(buffer, position, entryCount, dataCount, seen, visitor);
            dataLeft -= dataCount;
            zeroLeft -= entryCount - dataCount;
            position = next;
        }
        if (position != tailPosition || dataLeft != 0 || zeroLeft != 0) {
            throw damaged(size - MemoryFormat.TRAILER_BYTES,
                    "its chunks do not add up to what it counts");
        }
    }

    /** Where each page lies in the file, and its checksum: all headers are read and verified, and no page. */
    Index index(ChunkBuffer buffer) throws IOException {
        long size = file.size();
        checkSize(size);
        ByteBuffer tail = readTail(size, header.crc());
        int chunkCount = tail.getInt(
                tail.limit() - MemoryFormat.TRAILER_BYTES + MemoryFormat.TRAILER_CHUNK_COUNT);
        long tailPosition = size - tail.limit();
        var index = new Index(new int[pageCount], new int[pageCount]);
        for (int chunk = 0; chunk < chunkCount; chunk++) {
            int entry = chunk * MemoryFormat.TAIL_ENTRY_BYTES;
            long position = tail.getLong(entry);
            long next = chunk + 1 < chunkCount
                    ? tail.getLong(entry + MemoryFormat.TAIL_ENTRY_BYTES)
                    : tailPosition;
            if (position < MemoryFormat.BLOCK_BYTES || position % MemoryFormat.BLOCK_BYTES != 0
                    || next > tailPosition) {
                throw damaged(tailPosition + entry, "chunk " + chunk + " is not in the file");
            }
            int entryCount = tail.getInt(entry + Long.BYTES);
            int dataCount = readChunkHeader(buffer, chunk, position, next - position, entryCount,
                    tail.getInt(entry + Long.BYTES + Integer.BYTES));
            addTo(index, buffer.segment(), position, entryCount, dataCount);
        }
        return index;
    }

    /**
     * By page: the number of the 4 KiB block with its data, 0 for a zero page, and the data's
     * CRC32C.
     */
    @SuppressWarnings("ArrayRecordComponent") // one owner
    record Index(int[] blocks, int[] crcs) {}

    private void addTo(Index index, MemorySegment header, long position, int entryCount,
            int dataCount) throws StoreException {
        int block = Math.toIntExact(position / MemoryFormat.BLOCK_BYTES);
        int data = 0;
        for (int i = 0; i < entryCount; i++) {
            long entry = MemoryFormat.CHUNK_ENTRIES + (long) i * MemoryFormat.CHUNK_ENTRY_BYTES;
            int tagged = header.get(MemoryFormat.INT, entry);
            int page = tagged & ~MemoryFormat.ZERO_PAGE;
            boolean zero = tagged != page;
            if (page >= pageCount || index.blocks[page] != 0 || (!zero && data == dataCount)) {
                throw damaged(position + entry, "page " + page + " is not expected there");
            }
            if (!zero) {
                data++;
                index.blocks[page] = block + data;
                index.crcs[page] = header.get(MemoryFormat.INT, entry + Integer.BYTES);
            }
        }
    }

    private void checkSize(long size) throws StoreException {
        if (size != expected.bytes() || size < 2 * MemoryFormat.BLOCK_BYTES) {
            throw damaged(Math.min(size, expected.bytes()),
                    "it has " + size + " bytes, and its manifest says " + expected.bytes());
        }
    }

    private ByteBuffer readTail(long size, int headerCrc) throws IOException {
        long trailerPosition = size - MemoryFormat.TRAILER_BYTES;
        ByteBuffer trailer = readWhole(trailerPosition, MemoryFormat.TRAILER_BYTES);
        if (trailer.getLong(0) != Envelope.magicNumber(MemoryFormat.TRAILER_MAGIC)) {
            throw damaged(trailerPosition,
                    "its trailer does not begin with \"" + MemoryFormat.TRAILER_MAGIC + "\"");
        }
        long chunkCount = Integer.toUnsignedLong(trailer.getInt(MemoryFormat.TRAILER_CHUNK_COUNT));
        long tailBytes = MemoryFormat.tailBytes(chunkCount);
        // Before anything is allocated by a number that may be wrong.
        if (tailBytes > size - MemoryFormat.BLOCK_BYTES
                || trailer.getLong(MemoryFormat.TRAILER_TAIL_POSITION) != size - tailBytes) {
            throw damaged(trailerPosition,
                    "its trailer counts " + chunkCount + " chunks and a tail at "
                            + trailer.getLong(MemoryFormat.TRAILER_TAIL_POSITION));
        }
        ByteBuffer tail = readWhole(size - tailBytes, Math.toIntExact(tailBytes));
        int stored = tail.getInt(tail.limit() - Integer.BYTES);
        crc.reset();
        crc.update(tail.slice(0, tail.limit() - Integer.BYTES));
        int actual = (int) crc.getValue();
        if (stored != actual) {
            throw damaged(size - tailBytes, "its tail: " + Envelope.mismatch(stored, actual));
        }
        if (stored != expected.crc()) {
            throw damaged(size - tailBytes,
                    "it is another checkpoint's: the tail's checksum is %08x, in the manifest %08x"
                            .formatted(stored, expected.crc()));
        }
        int trailerOffset = tail.limit() - MemoryFormat.TRAILER_BYTES;
        if (tail.getInt(trailerOffset + MemoryFormat.TRAILER_HEADER_CRC) != headerCrc) {
            throw damaged(0, "its header is not the one its tail was written for");
        }
        return tail;
    }

    /**
     * Reads a chunk and verifies its header, against itself and against the tail. Answers how many
     * pages have data.
     */
    private int readChunk(ChunkBuffer buffer, int chunk, long position, long bytes, int entryCount,
            int headerCrc)
            throws IOException {
        checkChunkSize(chunk, position, bytes);
        read(buffer, position, (int) bytes);
        return checkChunkHeader(buffer, chunk, position, bytes, entryCount, headerCrc);
    }

    /** The same without the pages. */
    private int readChunkHeader(ChunkBuffer buffer, int chunk, long position, long bytes,
            int entryCount, int headerCrc) throws IOException {
        checkChunkSize(chunk, position, bytes);
        read(buffer, position, MemoryFormat.BLOCK_BYTES);
        return checkChunkHeader(buffer, chunk, position, bytes, entryCount, headerCrc);
    }

    private void checkChunkSize(int chunk, long position, long bytes) throws StoreException {
        if (bytes < MemoryFormat.BLOCK_BYTES || bytes > MemoryFormat.CHUNK_BYTES_MAX) {
            throw damaged(position, "chunk " + chunk + " has " + bytes + " bytes");
        }
    }

    private int checkChunkHeader(ChunkBuffer buffer, int chunk, long position, long bytes,
            int entryCount, int headerCrc) throws StoreException {
        MemorySegment header = buffer.segment();
        checkMagic(header, MemoryFormat.CHUNK_MAGIC, position);
        int dataCount = header.get(MemoryFormat.INT, MemoryFormat.CHUNK_DATA_COUNT);
        boolean fits = checkBlockCrc(buffer, position) == headerCrc
                && header.get(MemoryFormat.INT, MemoryFormat.CHUNK_INDEX) == chunk
                && header.get(MemoryFormat.LONG, MemoryFormat.CHUNK_POSITION) == position
                && header.get(MemoryFormat.INT, MemoryFormat.CHUNK_ENTRY_COUNT) == entryCount
                && entryCount >= 0 && entryCount <= MemoryFormat.CHUNK_ENTRY_COUNT_MAX
                && dataCount >= 0 && dataCount <= entryCount
                && bytes == MemoryFormat.BLOCK_BYTES + (long) dataCount * MemoryFormat.PAGE_BYTES;
        if (!fits) {
            throw damaged(position, "it is not chunk " + chunk + " of this file");
        }
        return dataCount;
    }

    private void visit(ChunkBuffer buffer, long position, int entryCount, int dataCount,
            BitSet seen, PageVisitor visitor)
            throws StoreException {
        MemorySegment bytes = buffer.segment();
        MemorySegment readOnly = bytes.asReadOnly();
        int data = 0;
        for (int i = 0; i < entryCount; i++) {
            long entry = MemoryFormat.CHUNK_ENTRIES + (long) i * MemoryFormat.CHUNK_ENTRY_BYTES;
            int tagged = bytes.get(MemoryFormat.INT, entry);
            int page = tagged & ~MemoryFormat.ZERO_PAGE;
            boolean zero = tagged != page;
            if (page >= pageCount || seen.get(page) || (!zero && data == dataCount)) {
                throw damaged(position + entry, "page " + page + " is not expected there");
            }
            seen.set(page);
            if (zero) {
                continue;
            }
            int at = MemoryFormat.BLOCK_BYTES + data * MemoryFormat.PAGE_BYTES;
            int stored = bytes.get(MemoryFormat.INT, entry + Integer.BYTES);
            int actual = MemoryFormat.crc(crc, buffer, at, MemoryFormat.PAGE_BYTES);
            if (stored != actual) {
                throw damaged(position + at,
                        "page " + page + ": " + Envelope.mismatch(stored, actual));
            }
            data++;
            visitor.page(page, readOnly, at);
        }
        if (data != dataCount) {
            throw damaged(position, "it counts " + dataCount + " pages and lists " + data);
        }
    }

    private void checkMagic(MemorySegment block, String magic, long position)
            throws StoreException {
        if (block.get(MemoryFormat.LONG, 0) != Envelope.magicNumber(magic)) {
            throw damaged(position, "\"" + magic + "\" should be there");
        }
    }

    private int checkBlockCrc(ChunkBuffer buffer, long position) throws StoreException {
        int stored = buffer.segment().get(MemoryFormat.INT, MemoryFormat.BLOCK_CRC);
        int actual = MemoryFormat.crc(crc, buffer, 0, MemoryFormat.BLOCK_CRC);
        if (stored != actual) {
            throw damaged(position, Envelope.mismatch(stored, actual));
        }
        return stored;
    }

    private void read(ChunkBuffer buffer, long position, int bytes) throws IOException {
        readFully(position, buffer.range(0, bytes));
    }

    private ByteBuffer readWhole(long position, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes).order(Envelope.BYTE_ORDER);
        readFully(position, buffer);
        return buffer.rewind();
    }

    private void readFully(long position, ByteBuffer target) throws IOException {
        int before = target.position();
        file.read(position, target);
        if (target.hasRemaining()) {
            throw damaged(position + target.position() - before,
                    "it ends there while it is being read");
        }
    }

    private DamagedSegmentException damaged(long offset, String what) {
        return new DamagedSegmentException(path, offset, what);
    }
}
