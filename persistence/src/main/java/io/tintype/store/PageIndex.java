package io.tintype.store;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * The layout of what ends a memory segment's file since format version 2: which page is where, in
 * this file or in that of an older checkpoint. docs/checkpoint-store.md has the tables.
 *
 * <pre>
 * header │ data: pages, raw or compressed │ leaves: 64 pages each │ root: one entry a leaf │ sources │ trailer
 * </pre>
 *
 * An entry of a leaf says where a page is, one of the root where a leaf is. Both name a file by its
 * number in the <em>sources</em> of the file that they themselves are in; number 0 is that file.
 * Whatever a leaf of an older file leads to is among the sources of the newer one, too: so the
 * sources of a file are all that it needs.
 */
final class PageIndex {
    static final int LEAF_PAGES = 64;
    /** Two longs an entry. */
    static final int LEAF_LONGS = 2 * LEAF_PAGES;
    static final int LEAF_BYTES = LEAF_LONGS * Long.BYTES;

    /** Position (8), number of the source (4), CRC32C of the leaf (4); all 0: 64 zero pages. */
    static final int ROOT_ENTRY_BYTES = 16;

    /**
     * More than these and a checkpoint is written in full: it bounds the open files of a reader,
     * and what is kept of deleted checkpoints.
     */
    static final int SOURCE_COUNT_MAX = 128;

    static final String TRAILER_MAGIC = "TTMEMIDX";
    static final int TRAILER_BYTES = 64;
    // Offsets in the trailer.
    static final int TRAILER_ROOT_POSITION = 8;
    static final int TRAILER_LEAF_COUNT = 16;
    static final int TRAILER_SOURCE_COUNT = 20;
    static final int TRAILER_ROOT_CRC = 24;
    static final int TRAILER_HEADER_CRC = 28;
    static final int TRAILER_OWN_PAGES = 32;
    static final int TRAILER_OWN_LEAVES = 36;
    /** CRC32C of the sources and the trailer before it. */
    static final int TRAILER_CRC = TRAILER_BYTES - Integer.BYTES;

    /** Length of the VM's id (1), the id (63), checkpoint (8), region (4), CRC (4), bytes (8), pages (4), leaves (4). */
    static final int SOURCE_BYTES = 96;
    private static final int SOURCE_ID = 64;
    private static final int SOURCE_REGION = 72;
    private static final int SOURCE_CRC = 76;
    private static final int SOURCE_FILE_BYTES = 80;
    private static final int SOURCE_PAGES = 88;
    private static final int SOURCE_LEAVES = 92;

    private static final int POSITION_BITS = 48;
    private static final long POSITION_MASK = (1L << POSITION_BITS) - 1;
    /** 0 to 4096 in 13 bits; of the three above only the highest is used. */
    private static final int LENGTH_MASK = (1 << 13) - 1;
    /** The frame is followed by a checksum of its own. Not so in files of version 2. */
    private static final long FRAME_CHECKED = 1L << 63;
    private static final long UNUSED_MASK = 3L << 61;
    private static final int FRAME_CRC_BYTES = Integer.BYTES;

    /**
     * A file that pages or leaves of an index are in.
     *
     * @param bytes size of the file
     * @param crc that ends the file, which vouches for its index
     * @param pages of the index that has this source: how many are in that file
     * @param leaves how many are in that file
     */
    record Source(CheckpointRef ref, int region, long bytes, int crc, int pages, int leaves) {
        boolean sameFile(Source other) {
            return region == other.region && ref.equals(other.ref);
        }
    }

    /**
     * The end of a file.
     *
     * @param sources all but the file itself: number 1 and up
     * @param crc that ends the file
     * @param ownPages how many pages of the index are in this file; with {@code ownLeaves} what a
     *         {@link Source} says of the others
     */
    record Tail(long rootPosition, int leafCount, int rootCrc, int headerCrc, List<Source> sources,
            int ownPages, int ownLeaves, int crc) {}

    private PageIndex() {}

    // ---- entries of a leaf: where a page is ----

    /** @param length 1 to 4095: compressed; 4096: as it is; 0: a zero page, all else is 0 too */
    static long place(long position, int length) {
        return (long) length << POSITION_BITS | position;
    }

    /** Of a compressed page: a frame, and behind it the frame's CRC32C. */
    static long placeOfFrame(long position, int frameBytes) {
        return FRAME_CHECKED | place(position, frameBytes + FRAME_CRC_BYTES);
    }

    static long position(long place) {
        return place & POSITION_MASK;
    }

    /** Of all that is stored, the frame's checksum included. */
    static int length(long place) {
        return (int) (place >>> POSITION_BITS) & LENGTH_MASK;
    }

    /** Whether a compressed page has a checksum of what is stored, besides that of the page. */
    static boolean isFrameChecked(long place) {
        return (place & FRAME_CHECKED) != 0;
    }

    /** Of a compressed page: how much of {@link #length} is to be decompressed. */
    static int frameBytes(long place) {
        return length(place) - (isFrameChecked(place) ? FRAME_CRC_BYTES : 0);
    }

    /** Whether it can be the place of a page, wherever the file ends. */
    static boolean isPlace(long place) {
        int length = length(place);
        return (place & UNUSED_MASK) == 0 && length <= MemoryFormat.PAGE_BYTES
                && frameBytes(place) > 0
                && !(isFrameChecked(place) && length == MemoryFormat.PAGE_BYTES)
                && position(place) >= MemoryFormat.BLOCK_BYTES;
    }

    /** @param crc CRC32C of the page, not of what it was compressed to */
    static long content(int crc, int source) {
        return (long) source << 32 | Integer.toUnsignedLong(crc);
    }

    static int crc(long content) {
        return (int) content;
    }

    static int source(long content) {
        return (int) (content >>> 32);
    }

    static int leafCount(int pageCount) {
        return (int) (((long) pageCount + LEAF_PAGES - 1) / LEAF_PAGES);
    }

    // ---- the tail ----

    /** Sources and trailer of a file, as bytes; the last four are its checksum. */
    static ByteBuffer write(Tail tail) {
        int sourceBytes = tail.sources().size() * SOURCE_BYTES;
        var bytes = ByteBuffer.allocate(sourceBytes + TRAILER_BYTES).order(Envelope.BYTE_ORDER);
        for (int i = 0; i < tail.sources().size(); i++) {
            Source source = tail.sources().get(i);
            int at = i * SOURCE_BYTES;
            byte[] vm = source.ref().vm().value().getBytes(StandardCharsets.US_ASCII);
            bytes.put(at, (byte) vm.length).put(at + 1, vm);
            bytes.putLong(at + SOURCE_ID, source.ref().id().value());
            bytes.putInt(at + SOURCE_REGION, source.region());
            bytes.putInt(at + SOURCE_CRC, source.crc());
            bytes.putLong(at + SOURCE_FILE_BYTES, source.bytes());
            bytes.putInt(at + SOURCE_PAGES, source.pages());
            bytes.putInt(at + SOURCE_LEAVES, source.leaves());
        }
        bytes.putLong(sourceBytes, Envelope.magicNumber(TRAILER_MAGIC));
        bytes.putLong(sourceBytes + TRAILER_ROOT_POSITION, tail.rootPosition());
        bytes.putInt(sourceBytes + TRAILER_LEAF_COUNT, tail.leafCount());
        bytes.putInt(sourceBytes + TRAILER_SOURCE_COUNT, tail.sources().size());
        bytes.putInt(sourceBytes + TRAILER_ROOT_CRC, tail.rootCrc());
        bytes.putInt(sourceBytes + TRAILER_HEADER_CRC, tail.headerCrc());
        bytes.putInt(sourceBytes + TRAILER_OWN_PAGES, tail.ownPages());
        bytes.putInt(sourceBytes + TRAILER_OWN_LEAVES, tail.ownLeaves());
        bytes.putInt(sourceBytes + TRAILER_CRC,
                crc(bytes, 0, sourceBytes + TRAILER_CRC));
        return bytes;
    }

    /**
     * Reads the end of a file and believes nothing of it.
     *
     * @param size of the file
     * @param expectedCrc what the manifest, or the index that has it as a source, says of it
     * @param leafCount of the region
     */
    static Tail read(Path path, StoreFile file, long size, int expectedCrc, int leafCount)
            throws IOException {
        long trailerPosition = size - TRAILER_BYTES;
        if (trailerPosition < MemoryFormat.BLOCK_BYTES) {
            throw new DamagedSegmentException(path, size, "it ends there, before it has an index");
        }
        ByteBuffer trailer = readFully(path, file, trailerPosition, TRAILER_BYTES);
        if (trailer.getLong(0) != Envelope.magicNumber(TRAILER_MAGIC)) {
            throw new DamagedSegmentException(path, trailerPosition,
                    "its trailer does not begin with \"" + TRAILER_MAGIC + "\"");
        }
        int sourceCount = trailer.getInt(TRAILER_SOURCE_COUNT);
        long rootPosition = trailer.getLong(TRAILER_ROOT_POSITION);
        long rootBytes = (long) leafCount * ROOT_ENTRY_BYTES;
        // Before anything is allocated by a number that may be wrong.
        if (sourceCount < 0 || sourceCount > SOURCE_COUNT_MAX
                || trailer.getInt(TRAILER_LEAF_COUNT) != leafCount
                || rootPosition < MemoryFormat.BLOCK_BYTES
                || rootPosition != trailerPosition - (long) sourceCount * SOURCE_BYTES
                        - rootBytes) {
            throw new DamagedSegmentException(path, trailerPosition, "its trailer counts "
                    + trailer.getInt(TRAILER_LEAF_COUNT) + " leaves and " + sourceCount
                    + " sources, with a root at " + rootPosition);
        }
        int sourceBytes = sourceCount * SOURCE_BYTES;
        long position = trailerPosition - sourceBytes;
        ByteBuffer bytes = readFully(path, file, position, sourceBytes + TRAILER_BYTES);
        int stored = bytes.getInt(sourceBytes + TRAILER_CRC);
        int actual = crc(bytes, 0, sourceBytes + TRAILER_CRC);
        if (stored != actual) {
            throw new DamagedSegmentException(path, position,
                    "its sources: " + Envelope.mismatch(stored, actual));
        }
        if (stored != expectedCrc) {
            throw new DamagedSegmentException(path, trailerPosition,
                    "it is another checkpoint's: its checksum is %08x, and %08x is expected"
                            .formatted(stored, expectedCrc));
        }
        var sources = new ArrayList<Source>(sourceCount);
        for (int i = 0; i < sourceCount; i++) {
            sources.add(source(path, bytes, i * SOURCE_BYTES, position));
        }
        return new Tail(rootPosition, leafCount, bytes.getInt(sourceBytes + TRAILER_ROOT_CRC),
                bytes.getInt(sourceBytes + TRAILER_HEADER_CRC), List.copyOf(sources),
                bytes.getInt(sourceBytes + TRAILER_OWN_PAGES),
                bytes.getInt(sourceBytes + TRAILER_OWN_LEAVES), stored);
    }

    private static Source source(Path path, ByteBuffer bytes, int at, long position)
            throws DamagedSegmentException {
        int length = bytes.get(at);
        int region = bytes.getInt(at + SOURCE_REGION);
        long fileBytes = bytes.getLong(at + SOURCE_FILE_BYTES);
        int pages = bytes.getInt(at + SOURCE_PAGES);
        int leaves = bytes.getInt(at + SOURCE_LEAVES);
        if (length < 1 || length > VmId.LENGTH_MAX || region < 0 || fileBytes < 0 || pages < 0
                || leaves < 0) {
            throw new DamagedSegmentException(path, position + at, "that is no source");
        }
        var vm = new byte[length];
        bytes.get(at + 1, vm);
        try {
            var ref = new CheckpointRef(new VmId(new String(vm, StandardCharsets.US_ASCII)),
                    new CheckpointId(bytes.getLong(at + SOURCE_ID)));
            return new Source(ref, region, fileBytes, bytes.getInt(at + SOURCE_CRC), pages, leaves);
        } catch (IllegalArgumentException e) {
            throw new DamagedSegmentException(path, position + at,
                    "that is no source: " + e.getMessage());
        }
    }

    static ByteBuffer readFully(Path path, StoreFile file, long position, int bytes)
            throws IOException {
        var buffer = ByteBuffer.allocate(bytes).order(Envelope.BYTE_ORDER);
        file.read(position, buffer);
        if (buffer.hasRemaining()) {
            throw new DamagedSegmentException(path, position + buffer.position(),
                    "it ends there while it is being read");
        }
        return buffer.rewind();
    }

    /** Of a part of a buffer, wherever its position is. */
    static int crc(ByteBuffer bytes, int offset, int length) {
        var crc = new CRC32C();
        crc.update(bytes.duplicate().clear().slice(offset, length));
        return (int) crc.getValue();
    }
}
