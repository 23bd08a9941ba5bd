package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class FormatTest {
    private static final ImageHeader HEADER =
            new ImageHeader(1, DiskGeometry.of(32L << 30), new ChainId(7, 8), 3);

    private static final ChainDescriptor CHAIN = new ChainDescriptor(9, DiskGeometry.of(1 << 20),
            new ChainId(-1, 5), 8, new ChainDescriptor.Parent("../größer", 2),
            List.of(new ChainDescriptor.LayerFile(3, 5, true, "layer-3.img"),
                    new ChainDescriptor.LayerFile(7, 7, false, "layer-7.img")));

    @Test
    void shouldReadBackAHeader() throws Exception {
        assertEquals(HEADER, ImageHeader.decode("h", HEADER.encode()));
    }

    /** Written by version 1; never change it, add one for the next version. */
    @Test
    void shouldReadAHeaderOfVersion1() throws Exception {
        var bytes = new byte[ImageHeader.BYTES];
        System.arraycopy(HexFormat.of().parseHex(HEADER_1), 0, bytes, 0, HEADER_1.length() / 2);
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(508,
                Checksums.crc32c(bytes, 0, 508));

        assertEquals(HEADER, ImageHeader.decode("h", bytes));
    }

    private static final String HEADER_1 = "5454494d41474531" + "01000000" + "00000100"
            + "0000000008000000" + "0700000000000000" + "0800000000000000" + "03000000" + "00000000"
            + "0010000000000000" + "0030000000000000" + "0000410000000000";

    @Test
    void shouldFindEveryFlippedBitOfAHeader() {
        var bytes = new ImageHeader(DiskGeometry.of(32L << 30), new ChainId(7, 8), 3).encode();
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            var flipped = flip(bytes, bit);
            assertThrows(DamagedImageException.class, () -> ImageHeader.decode("h", flipped));
        }
    }

    @Test
    void shouldTellANewerHeaderFromADamagedOne() {
        var bytes = HEADER.encode();
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 3);
        buffer.putInt(508, Checksums.crc32c(bytes, 0, 508));

        var e = assertThrows(NewerVersionException.class, () -> ImageHeader.decode("h", bytes));

        assertEquals(
                "h: has format version 3, this program knows up to version 2; use a newer program",
                e.getMessage());
    }

    @Test
    void shouldReadBackADescriptor() throws Exception {
        var read = ChainDescriptor.decode("c", CHAIN.encode());

        assertEquals(CHAIN, read);
        assertArrayEquals(CHAIN.encode(), read.encode());
    }

    /** Written by version 1; never change it. */
    @Test
    void shouldReadADescriptorOfVersion1() throws Exception {
        assertEquals(CHAIN, ChainDescriptor.decode("c", HexFormat.of().parseHex(CHAIN_1)));
    }

    private static final String CHAIN_1 =
            "5454434841494e31010000006f0000000900000000000000000010000000000000000100"
                    + "ffffffffffffffff050000000000000008000000020000000b002e2e2f6772c3b6c39f65"
                    + "72020000000300000005000000010000000b006c617965722d332e696d67070000000700"
                    + "0000000000000b006c617965722d372e696d6769c01251";

    @Test
    void shouldReadBackADescriptorOnACopy() throws Exception {
        var chain = new ChainDescriptor(1, DiskGeometry.of(1 << 20), new ChainId(3, 4), 9,
                new ChainDescriptor.Parent("../../checkpoints/vm-1/3", 4, "disk-0"),
                List.of(new ChainDescriptor.LayerFile(5, 7, false, true, "flat-7.img"),
                        new ChainDescriptor.LayerFile(8, 8, false, "layer-8.img")));

        assertEquals(chain, ChainDescriptor.decode("c", chain.encode()));
    }

    @Test
    void shouldFindEveryFlippedBitOfADescriptor() {
        var bytes = CHAIN.encode();
        for (int bit = 0; bit < bytes.length * 8; bit++) {
            var flipped = flip(bytes, bit);
            assertThrows(DamagedImageException.class, () -> ChainDescriptor.decode("c", flipped));
        }
    }

    @Test
    void shouldFindADescriptorCutAnywhere() {
        var bytes = CHAIN.encode();
        for (int length = 0; length < bytes.length; length++) {
            var cut = Arrays.copyOf(bytes, length);
            assertThrows(DamagedImageException.class, () -> ChainDescriptor.decode("c", cut));
        }
    }

    @Test
    void shouldTellANewerDescriptorFromADamagedOne() {
        var bytes = CHAIN.encode();
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 3);
        buffer.putInt(bytes.length - 4, Checksums.crc32c(bytes, 0, bytes.length - 4));

        assertThrows(NewerVersionException.class, () -> ChainDescriptor.decode("c", bytes));
    }

    @Test
    void shouldFindUpToThreeFlippedBitsOfAnIndexEntry() {
        for (long value : new long[] {GroupState.present(0), GroupState.present(123456),
            GroupState.zeros(77), GroupState.zeros(GroupState.NO_SLOT), GroupState.sealed(4)}) {
            long entry = GroupState.toEntry(4711, value);
            assertEquals(value, GroupState.fromEntry(4711, entry));
            for (int a = 0; a < 64; a++) {
                for (int b = a; b < 64; b++) {
                    for (int c = b; c < 64; c++) {

                        long flipped = entry ^ 1L << a ^ 1L << b ^ 1L << c;
                        assertTrue(flipped == entry || GroupState.fromEntry(4711, flipped) == -1);
                    }
                    long flipped = entry ^ 1L << a ^ 1L << b;
                    assertTrue(a == b || GroupState.fromEntry(4711, flipped) == -1);
                }
            }
        }
    }

    @Test
    void shouldNotTakeAnotherGroupsIndexEntry() {
        long entry = GroupState.toEntry(4711, GroupState.present(5));

        assertEquals(-1, GroupState.fromEntry(4712, entry));
        assertEquals(-1, GroupState.fromEntry(4711 + 512, entry));
    }

    private static byte[] flip(byte[] bytes, int bit) {
        var flipped = bytes.clone();
        flipped[bit / 8] ^= (byte) (1 << bit % 8);
        return flipped;
    }
}
