package io.tintype.store;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32C;

/**
 * What every small file of a store is wrapped in, whatever the version of its payload.
 * Little-endian:
 *
 * <pre>
 * offset    bytes
 *      0        8   magic, ASCII, says what kind of file it is
 *      8        4   version of the payload's format, from 1
 *     12        4   n, length of the payload
 *     16        n   payload
 * 16 + n        4   CRC32C of all bytes before it
 * </pre>
 *
 * The checksum is looked at before the version, so that a damaged version is not taken for a newer
 * one.
 */
final class Envelope {
    static final ByteOrder BYTE_ORDER = ByteOrder.LITTLE_ENDIAN;
    static final int HEADER_BYTES = 16;
    static final int OVERHEAD_BYTES = HEADER_BYTES + Integer.BYTES;

    private static final int VERSION_OFFSET = 8;
    private static final int LENGTH_OFFSET = 12;

    private Envelope() {}

    /** {@code magic} is eight ASCII characters; {@code version} counts from 1. */
    static byte[] wrap(String magic, int version, byte[] payload) {
        var bytes = ByteBuffer.allocate(Math.addExact(OVERHEAD_BYTES, payload.length))
                .order(BYTE_ORDER);
        bytes.putLong(magicNumber(magic)).putInt(version).putInt(payload.length).put(payload);
        bytes.putInt(crc(bytes.array(), bytes.position()));
        return bytes.array();
    }

    /**
     * The payload, once all of {@code bytes} is verified.
     *
     * @param file for messages only
     * @param versionMax the newest version that the caller understands
     */
    static byte[] unwrap(Path file, byte[] bytes, String magic, int versionMax)
            throws StoreException {
        if (bytes.length < OVERHEAD_BYTES) {
            throw new DamagedSegmentException(file, bytes.length,
                    "it ends there, and an empty one would have " + OVERHEAD_BYTES + " bytes");
        }
        var buffer = ByteBuffer.wrap(bytes).order(BYTE_ORDER);
        if (buffer.getLong(0) != magicNumber(magic)) {
            throw new DamagedSegmentException(file, 0, "it does not begin with \"" + magic + "\"");
        }
        long length = Integer.toUnsignedLong(buffer.getInt(LENGTH_OFFSET));
        if (length != bytes.length - OVERHEAD_BYTES) {
            throw new DamagedSegmentException(file, LENGTH_OFFSET, "a payload of " + length
                    + " bytes is announced and there are " + (bytes.length - OVERHEAD_BYTES));
        }
        int stored = storedCrc(bytes);
        int actual = crc(bytes, bytes.length - Integer.BYTES);
        if (stored != actual) {
            throw new DamagedSegmentException(file, 0, mismatch(stored, actual));
        }
        checkVersion(file, buffer.getInt(VERSION_OFFSET), versionMax);
        return Arrays.copyOfRange(bytes, HEADER_BYTES, bytes.length - Integer.BYTES);
    }

    /** Of something whose checksum is right: so the version is what was written. */
    static void checkVersion(Path file, int version, int versionMax) throws StoreException {
        if (version < 1 || version > versionMax) {
            throw new StoreException(
                    file + " has format version " + Integer.toUnsignedString(version)
                            + ", and this program knows no version after " + versionMax
                            + "; use a newer Tintype");
        }
    }

    /** The checksum that ends a wrapped file; says which content it is. */
    static int storedCrc(byte[] wrapped) {
        return ByteBuffer.wrap(wrapped).order(BYTE_ORDER).getInt(wrapped.length - Integer.BYTES);
    }

    static String mismatch(int stored, int actual) {
        return "the checksum stored is %08x, that of the content %08x".formatted(stored, actual);
    }

    static long magicNumber(String magic) {
        byte[] ascii = magic.getBytes(StandardCharsets.US_ASCII);
        if (ascii.length != Long.BYTES) {
            throw new IllegalArgumentException("a magic has 8 characters, got \"" + magic + "\"");
        }
        return ByteBuffer.wrap(ascii).order(BYTE_ORDER).getLong();
    }

    private static int crc(byte[] bytes, int length) {
        var crc = new CRC32C();
        crc.update(bytes, 0, length);
        return (int) crc.getValue();
    }
}
