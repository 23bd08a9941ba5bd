package io.tintype.store;

import java.lang.foreign.ValueLayout;
import java.util.zip.CRC32C;

/**
 * The layout of a memory segment's file of version 1; of later ones, which have {@link PageIndex}
 * instead of chunks, the header alone. All integers little-endian, everything begins at a multiple
 * of 4 KiB, and every byte is covered by a checksum; docs/checkpoint-store.md has the tables.
 *
 * <pre>
 * header │ chunk header │ its data pages │ chunk header │ its data pages │ … │ tail: one entry a chunk, zeros, trailer
 *  4 KiB      4 KiB        ≤ 256 × 4 KiB                                       a multiple of 4 KiB, trailer at its end
 * </pre>
 *
 * The manifest holds the tail's checksum, the tail those of all headers, and a chunk's header those
 * of its pages: whoever changes or swaps any part is found out.
 */
final class MemoryFormat {
    /**
     * Written. Version 2, in which compressed pages have no checksum of what is stored, and version 1,
     * all below but the header, are still read.
     */
    static final int VERSION = 3;
    static final int VERSION_OF_CHUNKS = 1;
    static final String NAME_PREFIX = "memory-";
    static final int PAGE_BYTES = 4096;
    static final int BLOCK_BYTES = 4096;

    static final ValueLayout.OfInt INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(Envelope.BYTE_ORDER);
    static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(Envelope.BYTE_ORDER);

    /**
     * The last four bytes of the header and of each chunk header: CRC32C of the 4092 before them.
     */
    static final int BLOCK_CRC = BLOCK_BYTES - Integer.BYTES;

    // Header, of all versions.
    static final String HEADER_MAGIC = "TTMEMORY";
    static final int HEADER_VERSION = 8;
    static final int HEADER_REGION = 12;
    static final int HEADER_PAGE_COUNT = 16;
    static final int HEADER_PAGE_BYTES = 20;
    static final int HEADER_CHECKPOINT = 24;

    // Chunk header.
    static final String CHUNK_MAGIC = "TTCHUNK.";
    static final int CHUNK_INDEX = 8;
    static final int CHUNK_ENTRY_COUNT = 12;
    static final int CHUNK_DATA_COUNT = 16;
    static final int CHUNK_POSITION = 24;
    static final int CHUNK_ENTRIES = 32;
    /** Page number with {@link #ZERO_PAGE}, then the page's CRC32C, 0 for a zero page. */
    static final int CHUNK_ENTRY_BYTES = 8;
    /** (4092 − 32) ÷ 8: 256 pages with data and up to 251 zero pages, or more of the latter. */
    static final int CHUNK_ENTRY_COUNT_MAX = (BLOCK_CRC - CHUNK_ENTRIES) / CHUNK_ENTRY_BYTES;
    /** 256 × 4 KiB = 1 MiB of data in one write. */
    static final int CHUNK_DATA_COUNT_MAX = 256;
    static final int CHUNK_BYTES_MAX = BLOCK_BYTES + CHUNK_DATA_COUNT_MAX * PAGE_BYTES;
    /** The top bit of an entry's page number: the page is all zeros and has no data. */
    static final int ZERO_PAGE = 1 << 31;

    // Tail: entries of position (8), entry count (4) and CRC of the chunk's header (4).
    static final int TAIL_ENTRY_BYTES = 16;
    static final String TRAILER_MAGIC = "TTMEMEND";
    static final int TRAILER_BYTES = 64;
    // Offsets in the trailer.
    static final int TRAILER_TAIL_POSITION = 8;
    static final int TRAILER_CHUNK_COUNT = 16;
    static final int TRAILER_DATA_COUNT = 20;
    static final int TRAILER_ZERO_COUNT = 24;
    static final int TRAILER_HEADER_CRC = 28;
    /** CRC32C of the whole tail before it. */
    static final int TRAILER_CRC = TRAILER_BYTES - Integer.BYTES;

    private MemoryFormat() {}

    /** The file of one memory region, and the segment's name. */
    static String name(int region) {
        return NAME_PREFIX + region;
    }

    /** Tail entries, the trailer, and what fills it up to whole blocks. */
    static long tailBytes(long chunkCount) {
        long bytes = chunkCount * TAIL_ENTRY_BYTES + TRAILER_BYTES;
        return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    /** CRC32C of a part of a buffer, with a calculator that is used again and again. */
    static int crc(CRC32C calculator, ChunkBuffer buffer, int offset, int bytes) {
        calculator.reset();
        calculator.update(buffer.range(offset, bytes));
        return (int) calculator.getValue();
    }
}
