package io.tintype.cow.disk;

import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The first sector of an image file and, following from it, where everything else lies. Written once.
 *
 * <pre>
 *   0  8  magic "TTIMAGE1"      all numbers little-endian
 *   8  4  format version
 *  12  4  bytes in a block group
 *  16  8  bytes of the disk
 *  24 16  chain id
 *  40  4  lowest layer in this file
 *  44  4  0
 *  48  8  where the directory of index pages lies
 *  56  8  where the index lies
 *  64  8  where slot 0 lies
 *  72  8  where the table of sums lies (from version 2 on)
 *  80     zeros
 * 508  4  CRC32C of bytes 0 to 507   (here in every version, so that a newer one can be told from damage)
 * </pre>
 *
 * @param version 1 has no table of sums, so its groups are never sealed
 * @param layer the lowest layer in the file when it was made
 */
record ImageHeader(int version, DiskGeometry geometry, ChainId id, int layer) {
    static final int BYTES = DiskGeometry.SECTOR_BYTES;
    static final int VERSION = 2;

    /** What one checksum covers: the smallest read then needs no more than a page of the file. */
    static final int SUM_BLOCK_BYTES = 4096;
    static final int SUM_BYTES = Integer.BYTES;

    /** An index page has the entries of this many groups; each page has an entry in the directory. */
    static final int PAGE_ENTRIES = 512;
    static final int ENTRY_BYTES = 8;
    static final int PAGE_BYTES = PAGE_ENTRIES * ENTRY_BYTES;

    /**
     * Slots begin at a multiple of this, though groups may be smaller. It keeps them off the blocks that header and index
     * share, which the memory adapter keeps small and behind a lock.
     */
    private static final int DATA_ALIGNMENT_MIN = 64 * 1024;

    private static final long MAGIC = magic("TTIMAGE1");
    private static final int CRC_AT = BYTES - Integer.BYTES;

    static final ValueLayout.OfInt LITTLE_INT =
            ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    static final ValueLayout.OfLong LITTLE_LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    /** Of a new file. */
    ImageHeader(DiskGeometry geometry, ChainId id, int layer) {
        this(VERSION, geometry, id, layer);
    }

    static long magic(String text) {
        Invariant.check(text.length() == Long.BYTES, "a magic has eight letters");
        long magic = 0;
        for (int i = Long.BYTES - 1; i >= 0; i--) {
            magic = (magic << Byte.SIZE) | text.charAt(i);
        }
        return magic;
    }

    int pageCount() {
        return (geometry.groupCount() - 1) / PAGE_ENTRIES + 1;
    }

    long directoryAt() {
        return PAGE_BYTES;
    }

    long indexAt() {
        return roundUp(directoryAt() + (long) pageCount() * ENTRY_BYTES, PAGE_BYTES);
    }

    boolean hasSums() {
        return version > 1;
    }

    /** Checksums of one group. */
    int blocksAGroup() {
        return geometry.groupBytes() / SUM_BLOCK_BYTES;
    }

    /** 0 where there is no such table. */
    long sumsAt() {
        return hasSums() ? indexAt() + (long) pageCount() * PAGE_BYTES : 0;
    }

    /** Where the checksum of a slot's block lies; by slot, so that the table is as dense as the slots are. */
    long sumAt(int slot, int block) {
        return sumsAt() + ((long) slot * blocksAGroup() + block) * SUM_BYTES;
    }

    long dataAt() {
        long end = hasSums()
                ? sumAt(geometry.groupCount(), 0)
                : indexAt() + (long) pageCount() * PAGE_BYTES;
        return roundUp(end, Math.max(DATA_ALIGNMENT_MIN, geometry.groupBytes()));
    }

    /** Whether both are of the same layer of the same disk; the format may have changed between them. */
    boolean isSameLayer(ImageHeader other) {
        return geometry.equals(other.geometry) && id.equals(other.id) && layer == other.layer;
    }

    long slotAt(int slot) {
        return dataAt() + (long) slot * geometry.groupBytes();
    }

    byte[] encode() {
        var buffer = ByteBuffer.allocate(BYTES).order(ByteOrder.LITTLE_ENDIAN);
        buffer.putLong(MAGIC).putInt(version).putInt(geometry.groupBytes());
        buffer.putLong(geometry.sizeBytes());
        buffer.putLong(id.high()).putLong(id.low());
        buffer.putInt(layer).putInt(0);
        buffer.putLong(directoryAt()).putLong(indexAt()).putLong(dataAt()).putLong(sumsAt());
        buffer.putInt(CRC_AT, Checksums.crc32c(buffer.array(), 0, CRC_AT));
        return buffer.array();
    }

    /** @param file its name, for messages */
    static ImageHeader decode(String file, byte[] bytes)
            throws DamagedImageException, NewerVersionException {
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getLong(0) != MAGIC) {
            throw new DamagedImageException(file, 0, "this is no disk image");
        }
        int crc = Checksums.crc32c(bytes, 0, CRC_AT);
        if (buffer.getInt(CRC_AT) != crc) {
            throw new DamagedImageException(file, CRC_AT,
                    "the header's checksum is %08x, it says %08x"
                            .formatted(crc, buffer.getInt(CRC_AT)));
        }
        int version = buffer.getInt(8);
        if (version > VERSION) {
            throw new NewerVersionException(file, version, VERSION);
        }
        if (version < 1) {
            throw new DamagedImageException(file, 8, "there is no format version " + version);
        }
        ImageHeader header;
        try {
            header = new ImageHeader(version,
                    new DiskGeometry(buffer.getLong(16), buffer.getInt(12)),
                    new ChainId(buffer.getLong(24), buffer.getLong(32)), buffer.getInt(40));
        } catch (IllegalArgumentException e) {
            throw new DamagedImageException(file, 12, String.valueOf(e.getMessage()));
        }
        // Covers the rest: the layout is recorded for people, and follows from the geometry.
        if (!Arrays.equals(header.encode(), bytes)) {
            throw new DamagedImageException(file, 44,
                    "the header's layout is not version " + version + "'s");
        }
        return header;
    }

    private static long roundUp(long value, long multiple) {
        return (value + multiple - 1) / multiple * multiple;
    }
}
