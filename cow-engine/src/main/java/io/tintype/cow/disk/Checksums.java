package io.tintype.cow.disk;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C for what is written as a whole and for blocks of data, CRC-16 for what must check itself within 8 bytes. */
final class Checksums {
    /** CRC-16/CCITT, polynomial x^16 + x^12 + x^5 + 1: finds every burst of up to 16 bits. */
    private static final int POLYNOMIAL = 0x1021;

    private static final short[] TABLE = table();

    private Checksums() {}

    static int crc32c(byte[] bytes, int offset, int length) {
        var crc = new CRC32C();
        crc.update(bytes, offset, length);
        return (int) crc.getValue();
    }

    /**
     * The checksum of one block of a sealed group: CRC32C of its bytes, mixed with where it belongs, so that a block that
     * strayed in from another place or file is found too.
     *
     * @param block its number on the disk
     */
    static int ofBlock(int salt, long block, ByteBuffer bytes) {
        var crc = new CRC32C();
        crc.update(bytes);
        return mixed((int) crc.getValue(), salt, block);
    }

    /** The same, of a block whose bytes have this CRC32C. */
    static int mixed(int crc32c, int salt, long block) {
        return crc32c ^ salt ^ (int) ((block * 0x9E3779B97F4A7C15L) >>> 32);
    }

    /** CRC-16 of {@code key}'s four bytes and {@code value}'s lowest six, most significant first. */
    static int crc16(int key, long value) {
        int crc = 0xFFFF;
        for (int shift = 24; shift >= 0; shift -= 8) {
            crc = add(crc, key >>> shift);
        }
        for (int shift = 40; shift >= 0; shift -= 8) {
            crc = add(crc, (int) (value >>> shift));
        }
        return crc;
    }

    private static int add(int crc, int octet) {
        return ((crc << 8) ^ TABLE[((crc >>> 8) ^ octet) & 0xFF]) & 0xFFFF;
    }

    private static short[] table() {
        var table = new short[256];
        for (int octet = 0; octet < 256; octet++) {
            int crc = octet << 8;
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc & 0x8000) != 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
            }
            table[octet] = (short) crc;
        }
        return table;
    }
}
