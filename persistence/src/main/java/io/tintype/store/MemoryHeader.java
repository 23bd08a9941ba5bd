package io.tintype.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * The first 4 KiB of a memory segment's file, the same for all versions but for the number.
 *
 * @param version of all that follows
 * @param crc that ends the header
 */
record MemoryHeader(int version, int crc) {
    /** Reads and verifies it: whether it is that of the region which the manifest means. */
    static MemoryHeader read(Path path, StoreFile file, int region, int pageCount)
            throws IOException {
        var header = ByteBuffer.allocate(MemoryFormat.BLOCK_BYTES).order(Envelope.BYTE_ORDER);
        file.read(0, header);
        if (header.hasRemaining()) {
            throw new DamagedSegmentException(path, header.position(),
                    "it ends there while it is being read");
        }
        if (header.getLong(0) != Envelope.magicNumber(MemoryFormat.HEADER_MAGIC)) {
            throw new DamagedSegmentException(path, 0,
                    "\"" + MemoryFormat.HEADER_MAGIC + "\" should be there");
        }
        var crc = new CRC32C();
        crc.update(header.slice(0, MemoryFormat.BLOCK_CRC));
        int stored = header.getInt(MemoryFormat.BLOCK_CRC);
        int actual = (int) crc.getValue();
        if (stored != actual) {
            throw new DamagedSegmentException(path, 0, Envelope.mismatch(stored, actual));
        }
        int version = header.getInt(MemoryFormat.HEADER_VERSION);
        Envelope.checkVersion(path, version, MemoryFormat.VERSION);
        int pageBytes = header.getInt(MemoryFormat.HEADER_PAGE_BYTES);
        int storedRegion = header.getInt(MemoryFormat.HEADER_REGION);
        int storedCount = header.getInt(MemoryFormat.HEADER_PAGE_COUNT);
        if (pageBytes != MemoryFormat.PAGE_BYTES || storedRegion != region
                || storedCount != pageCount) {
            throw new DamagedSegmentException(path, 0, "it is of region " + storedRegion + " with "
                    + storedCount + " pages of " + pageBytes
                    + " bytes, and its manifest says region " + region + " with " + pageCount);
        }
        return new MemoryHeader(version, stored);
    }

    /** Writes one of the current version; answers its checksum. */
    static int write(StoreFile file, int region, int pageCount, long checkpointId)
            throws IOException {
        var header = ByteBuffer.allocate(MemoryFormat.BLOCK_BYTES).order(Envelope.BYTE_ORDER);
        header.putLong(0, Envelope.magicNumber(MemoryFormat.HEADER_MAGIC));
        header.putInt(MemoryFormat.HEADER_VERSION, MemoryFormat.VERSION);
        header.putInt(MemoryFormat.HEADER_REGION, region);
        header.putInt(MemoryFormat.HEADER_PAGE_COUNT, pageCount);
        header.putInt(MemoryFormat.HEADER_PAGE_BYTES, MemoryFormat.PAGE_BYTES);
        header.putLong(MemoryFormat.HEADER_CHECKPOINT, checkpointId);
        var crc = new CRC32C();
        crc.update(header.slice(0, MemoryFormat.BLOCK_CRC));
        header.putInt(MemoryFormat.BLOCK_CRC, (int) crc.getValue());
        file.write(0, header);
        return (int) crc.getValue();
    }
}
