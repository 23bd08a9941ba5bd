package io.tintype.store;

import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;

/** Two pages that differ and have the same CRC32C. */
final class Crc32cTwins {
    private Crc32cTwins() {}

    /** By the birthday paradox: about 2^16 tries, each a page that differs in eight bytes. */
    static List<byte[]> pages() {
        var random = new Random(1);
        var seen = new HashMap<Integer, Long>();
        var crc = new CRC32C();
        while (true) {
            long salt = random.nextLong();
            crc.reset();
            crc.update(page(salt));
            Long other = seen.putIfAbsent((int) crc.getValue(), salt);
            if (other != null && other != salt) {
                return List.of(page(other), page(salt));
            }
        }
    }

    private static byte[] page(long salt) {
        return ByteBuffer.allocate(Fixture.PAGE_BYTES).putLong(salt).array();
    }
}
