package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is wrong with the files of a disk is found when it is opened, or when a sealed group is read. */
class DamageTest {
    private static final DiskGeometry GEOMETRY = new DiskGeometry(64 * 4096, 4096);
    private static final ImageHeader HEADER = new ImageHeader(GEOMETRY, new ChainId(1, 1), 0);
    private static final long[] CONTENT = new long[512];

    @TempDir
    private Path folder;

    private Path base;
    private byte[] intact;

    @BeforeEach
    void shouldOpenWhatIsIntact() throws IOException {
        base = folder.resolve("layer-0.img");
        try (var chain =
                DiskChain.create(new FileImageDirectory(folder), GEOMETRY, new ChainId(1, 1))) {
            for (int group = 3; group < 9; group++) {
                Sectors.write(chain, 0, group * 8, 8, group);
                Arrays.fill(CONTENT, group * 8, group * 8 + 8, group);
            }
            chain.writeZeroes(0, 3 * 4096, 4096, true);
            Arrays.fill(CONTENT, 24, 32, 0);
            chain.switchTo(chain.prepareOverlay());
            chain.sync(1);
        }
        intact = Files.readAllBytes(base);
        assertArrayEquals(CONTENT, read());
    }

    @Test
    void shouldFindEveryFlippedBitOfHeaderAndIndex() throws IOException {
        int used = (int) HEADER.indexAt() + 64 * 8;
        for (int at = 0; at < used; at++) {
            boolean gap = (at >= ImageHeader.BYTES && at < HEADER.directoryAt())
                    || (at >= HEADER.directoryAt() + 8 && at < HEADER.indexAt());
            if (!gap) {
                // Every bit of header and entry by itself: FormatTest.
                put(at, (byte) (intact[at] ^ 1 << at % 7));

                var e = assertThrows(DamagedImageException.class, this::read);

                assertEquals(base.toString(), e.file());
                put(at, intact[at]);
            }
        }
        assertArrayEquals(CONTENT, read());
    }

    private void put(int at, byte octet) throws IOException {
        try (var file = FileChannel.open(base, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(new byte[] {octet}), at);
        }
    }

    @Test
    void shouldFindAFileCutAnywhere() throws IOException {
        int end = (int) HEADER.slotAt(6);
        for (int length = 0; length < end; length += 2039) {
            Files.write(base, Arrays.copyOf(intact, length));

            assertThrows(DamagedImageException.class, this::read, "cut to " + length);
        }
    }

    @Test
    void shouldSayWhichFileAndWhereAndWhat() throws IOException {
        var bytes = intact.clone();
        int entryOf5 = (int) HEADER.indexAt() + 5 * 8;
        bytes[entryOf5] ^= 1;
        Files.write(base, bytes);

        var e = assertThrows(DamagedImageException.class, this::read);

        assertEquals(base + ": damaged at byte " + entryOf5
                + ": the index entry of block group 5 has a wrong checksum", e.getMessage());
    }

    @Test
    void shouldFindAMissingFile() throws IOException {
        Files.delete(base);

        var e = assertThrows(DamagedImageException.class, this::read);

        assertEquals(base + ": damaged at byte 0: the file is missing", e.getMessage());
    }

    @Test
    void shouldFindTheFileOfAnotherLayerOrDisk() throws IOException {
        Files.write(base, Files.readAllBytes(folder.resolve("layer-1.img")));
        assertThrows(DamagedImageException.class, this::read);

        var other = new ImageHeader(GEOMETRY, new ChainId(1, 2), 0);
        var bytes = intact.clone();
        System.arraycopy(other.encode(), 0, bytes, 0, ImageHeader.BYTES);
        Files.write(base, bytes);
        assertThrows(DamagedImageException.class, this::read);
    }

    @Test
    void shouldFindAnIndexPageOfAnotherPlace() throws IOException {
        var bytes = intact.clone();
        System.arraycopy(bytes, (int) HEADER.indexAt() + 5 * 8, bytes,
                (int) HEADER.indexAt() + 20 * 8, 8);
        Files.write(base, bytes);

        assertThrows(DamagedImageException.class, this::read);
    }

    @Test
    void shouldFindTwoGroupsInOneSlot() throws IOException {
        int salt = Checksums.crc32c(HEADER.encode(), 0, 508);
        var bytes = intact.clone();
        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putLong(
                (int) HEADER.indexAt() + 20 * 8,
                GroupState.toEntry(20 ^ salt, GroupState.present(2)));
        Files.write(base, bytes);

        var e = assertThrows(DamagedImageException.class, this::read);

        assertTrue(e.getMessage() != null
                && e.getMessage().contains("lies in slot 2, and so does another"));
    }

    @Test
    void shouldNeverReturnDamagedDataOfASealedLayer() throws IOException {
        seal();
        var sealed = Files.readAllBytes(base);
        for (int slot = 1; slot < 6; slot++) {
            for (int octet = 0; octet < 4096; octet += 7) {
                int at = (int) HEADER.slotAt(slot) + octet;
                put(at, (byte) (sealed[at] ^ 1 << octet % 8));

                var e = assertThrows(DamagedImageException.class, this::read);

                assertEquals(base.toString(), e.file());
                assertEquals(HEADER.slotAt(slot), e.offset());
                put(at, sealed[at]);
            }
        }
        assertArrayEquals(CONTENT, read());
    }

    @Test
    void shouldFindEveryFlippedBitOfTheSums() throws IOException {
        seal();
        var sealed = Files.readAllBytes(base);
        for (int at = (int) HEADER.sumAt(1, 0); at < HEADER.sumAt(6, 0); at++) {
            for (int bit = 0; bit < 8; bit++) {
                put(at, (byte) (sealed[at] ^ 1 << bit));

                assertThrows(DamagedImageException.class, this::read);
            }
            put(at, sealed[at]);
        }
        assertArrayEquals(CONTENT, read());
    }

    @Test
    void shouldFindABlockOfAnotherPlace() throws IOException {
        seal();
        var bytes = Files.readAllBytes(base);
        System.arraycopy(bytes, (int) HEADER.slotAt(1), bytes, (int) HEADER.slotAt(2), 4096);
        System.arraycopy(bytes, (int) HEADER.sumAt(1, 0), bytes, (int) HEADER.sumAt(2, 0), 4);
        Files.write(base, bytes);

        var e = assertThrows(DamagedImageException.class, this::read);

        assertEquals(base + ": damaged at byte " + HEADER.slotAt(2)
                + ": the data of block group 5 has a wrong checksum", e.getMessage());
    }

    private void seal() throws IOException {
        try (var chain = DiskChain.open(new FileImageDirectory(folder))) {
            chain.seal(0);
        }
        assertArrayEquals(CONTENT, read());
    }

    @Test
    void shouldFindEveryFlippedBitOfACopy() throws IOException {
        var copies = new FileImageDirectory(folder.resolve("copies"));
        DiskCopy.Result result;
        try (var chain = DiskChain.openReadOnly(new FileImageDirectory(folder), 1)) {
            var copy = DiskCopy.begin(chain, 1, copies, "disk-0");
            assertFalse(copy.copyNext(100));
            result = copy.finish();
        }
        var file = folder.resolve("copies/disk-0");
        var bytes = Files.readAllBytes(file);
        assertEquals(bytes.length, result.bytes());
        DiskCopy.verify(copies, "disk-0", result.rootSum());

        for (int at = 0; at < bytes.length; at += 13) {
            var damaged = bytes.clone();
            damaged[at] ^= (byte) (1 << at % 8);
            Files.write(file, damaged);
            assertThrows(DamagedImageException.class,
                    () -> DiskCopy.verify(copies, "disk-0", result.rootSum()), "byte " + at);
        }
        for (int length = 0; length < bytes.length; length += 997) {
            Files.write(file, Arrays.copyOf(bytes, length));
            assertThrows(DamagedImageException.class,
                    () -> DiskCopy.verify(copies, "disk-0", result.rootSum()), "cut to " + length);
        }
    }

    @Test
    void shouldNotOpenANewerImage() throws IOException {
        var bytes = intact.clone();
        var buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(8, 3);
        buffer.putInt(508, Checksums.crc32c(bytes, 0, 508));
        Files.write(base, bytes);

        assertThrows(NewerVersionException.class, this::read);
    }

    @Test
    void shouldLeaveDamagedFilesAsTheyAre() throws IOException {
        var bytes = Arrays.copyOf(intact, intact.length - 1);
        bytes[(int) HEADER.indexAt() + 5 * 8] ^= 1;
        Files.write(base, bytes);
        Files.write(folder.resolve("layer-7.img"), new byte[10]);

        assertThrows(DamagedImageException.class,
                () -> DiskChain.open(new FileImageDirectory(folder)));

        assertArrayEquals(bytes, Files.readAllBytes(base));
        assertTrue(Files.exists(folder.resolve("layer-7.img")));
    }

    private long[] read() throws IOException {
        try (var chain = DiskChain.openReadOnly(new FileImageDirectory(folder), 1)) {
            return Sectors.read(chain, 1);
        }
    }
}
