package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

class EnvelopeTest {
    private static final Path FILE = Path.of("some", "file");
    private static final String MAGIC = "TTSEGMNT";
    private static final byte[] PAYLOAD = "what matters".getBytes(StandardCharsets.UTF_8);

    @Test
    void shouldGiveBackWhatWasWrapped() throws StoreException {
        assertArrayEquals(PAYLOAD,
                Envelope.unwrap(FILE, Envelope.wrap(MAGIC, 1, PAYLOAD), MAGIC, 1));
        assertArrayEquals(new byte[0],
                Envelope.unwrap(FILE, Envelope.wrap(MAGIC, 1, new byte[0]), MAGIC, 1));
    }

    @Test
    void shouldLieInTheFileAsDocumented() {
        String hex = HexFormat.of().formatHex(Envelope.wrap(MAGIC, 1, new byte[] {0x0a, 0x0b}));

        assertEquals("54545345474d4e54" + "01000000" + "02000000" + "0a0b" + hex.substring(36),
                hex);
        assertEquals(2 * (Envelope.OVERHEAD_BYTES + 2), hex.length());
    }

    @Test
    void shouldNoticeEveryFlippedBit() {
        byte[] wrapped = Envelope.wrap(MAGIC, 1, PAYLOAD);
        for (int bit = 0; bit < wrapped.length * Byte.SIZE; bit++) {
            byte[] damaged = wrapped.clone();
            damaged[bit / Byte.SIZE] ^= (byte) (1 << bit % Byte.SIZE);

            var found = assertThrows(DamagedSegmentException.class,
                    () -> Envelope.unwrap(FILE, damaged, MAGIC, 1));

            assertEquals(FILE.toString(), found.file());
            assertTrue(found.offset() <= bit / Byte.SIZE, "bit " + bit + ": " + found.getMessage());
        }
    }

    @Test
    void shouldNoticeEveryTruncationAndWhatWasAppended() {
        byte[] wrapped = Envelope.wrap(MAGIC, 1, PAYLOAD);
        for (int length = 0; length <= wrapped.length + 9; length++) {
            if (length == wrapped.length) {
                continue;
            }
            byte[] cut = Arrays.copyOf(wrapped, length);

            assertThrows(DamagedSegmentException.class, () -> Envelope.unwrap(FILE, cut, MAGIC, 1));
        }
    }

    @Test
    void shouldTellANewerVersionFromDamage() {
        byte[] newer = Envelope.wrap(MAGIC, 2, PAYLOAD);

        var refused =
                assertThrows(StoreException.class, () -> Envelope.unwrap(FILE, newer, MAGIC, 1));

        assertFalse(refused instanceof DamagedSegmentException);
        assertEquals(
                "some/file has format version 2, and this program knows no version after 1; use a newer Tintype",
                refused.getMessage());
    }

    @Test
    void shouldNotTakeOneKindOfFileForAnother() {
        byte[] other = Envelope.wrap("TTSTORE.", 1, PAYLOAD);

        var found =
                assertThrows(StoreException.class, () -> Envelope.unwrap(FILE, other, MAGIC, 1));

        assertEquals(0, assertInstanceOf(DamagedSegmentException.class, found).offset());
    }
}
