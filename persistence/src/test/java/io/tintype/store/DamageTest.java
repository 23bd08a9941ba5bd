package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damages every file of a sealed checkpoint in every way that was thought of: each must be found,
 * and named.
 */
class DamageTest {
    private static final Fixture FIXTURE = Fixture.small("vm-1", 1);

    @TempDir
    private Path directory;

    private CheckpointStore store;

    @BeforeEach
    void seal() throws StoreException {
        store = CheckpointStore.open(directory);
        FIXTURE.seal(store);
        Fixture.small("vm-1", 2).seal(store);
        FIXTURE.check(store.open(FIXTURE.ref()));
    }

    @AfterEach
    void close() throws StoreException {
        store.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"manifest", "registers", "queues"})
    void shouldNameTheFileAndOffsetOfAFlippedBit(String name) throws IOException {
        Path file = file(1, name);
        long size = Files.size(file);
        for (int offset = 0; offset < size; offset++) {
            flip(file, offset, 1 << offset % 8);
            DamagedSegmentException found = damage();
            flip(file, offset, 1 << offset % 8);

            assertEquals(file.toString(), found.file());
            assertTrue(found.offset() <= offset, found.getMessage());
        }
        store.open(FIXTURE.ref()).verify();
    }

    /**
     * Every byte of every structure, and one in 61 of the pages, each within the structure that is
     * named.
     */
    @Test
    void shouldNameThePageOrStructureOfAFlippedBit() throws IOException {
        Path file = file(1, "memory-0");
        byte[] whole = Files.readAllBytes(file);
        long pagesEnd = ByteBuffer.wrap(whole).order(Envelope.BYTE_ORDER).getLong(
                whole.length - PageIndex.TRAILER_BYTES + PageIndex.TRAILER_ROOT_POSITION)
                - PageIndex.LEAF_BYTES;
        var checkpoint = store.open(FIXTURE.ref());
        for (int offset = 0; offset < whole.length; offset++) {
            boolean data = offset >= MemoryFormat.BLOCK_BYTES && offset < pagesEnd;
            if (data && offset % 61 != 0) {
                continue;
            }
            flip(file, offset, 1 << offset % 8);
            var found = assertThrows(DamagedSegmentException.class,
                    () -> checkpoint.forEachPage(0, (_, _, _) -> {}), "offset " + offset);
            flip(file, offset, 1 << offset % 8);

            assertEquals(file.toString(), found.file());
            assertTrue(found.offset() <= offset && offset < found.offset() + Fixture.PAGE_BYTES,
                    "offset " + offset + ": " + found.getMessage());
        }
        assertTrue(pagesEnd > 5 * Fixture.PAGE_BYTES, "the test knows the layout");
        checkpoint.verify();
    }

    /**
     * The files that an incremental checkpoint needs of others, too: it shows what it should, or the
     * damaged file is named.
     */
    @Test
    void shouldFindDamageInTheFilesOfAncestors() throws IOException {
        var line = new Line("line", 130);
        for (int i = 0; i < 4; i++) {
            line.change(new Random(i), i == 0 ? 60 : 4);
            line.seal(store);
        }
        store.drop(line.refs().getFirst());
        var last = line.refs().getLast();
        int found = 0;
        for (Path file : List.of(directory.resolve("checkpoints/line/1/memory-0"),
                directory.resolve("checkpoints/line/2/memory-0"),
                directory.resolve("checkpoints/line/3/memory-0"),
                directory.resolve("checkpoints/line/4/memory-0"))) {
            byte[] whole = Files.readAllBytes(file);
            int tail = whole.length - 2500;
            for (int offset = 0; offset < whole.length; offset += offset < tail ? 397 : 3) {
                flip(file, offset, 1 << offset % 8);
                try {
                    line.check(store, last);
                } catch (DamagedSegmentException e) {
                    found++;
                    assertEquals(file.toString(), e.file());
                    assertTrue(e.offset() <= offset, e.getMessage());
                }
                flip(file, offset, 1 << offset % 8);
            }
        }
        assertTrue(found > 1000, "only " + found);
        line.check(store, last);
    }

    @Test
    void shouldNameAnAncestorThatIsMissingOrCut() throws IOException {
        var line = new Line("line", 130);
        for (int i = 0; i < 3; i++) {
            line.change(new Random(i), 20);
            line.seal(store);
        }
        var last = line.refs().getLast();
        Path file = directory.resolve("checkpoints/line/1/memory-0");
        byte[] whole = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(whole, whole.length - 5));
        assertEquals(file.toString(), assertThrows(DamagedSegmentException.class,
                () -> line.check(store, last)).file());
        Path moved = directory.resolve("elsewhere");
        Files.move(file.getParent(), moved);

        var missing = assertThrows(StoreException.class, () -> store.open(last));

        assertTrue(
                String.valueOf(missing.getMessage())
                        .startsWith("checkpoint line/3 needs pages of checkpoint"
                                + " line/1, and there is no " + file.getParent()),
                missing.getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"manifest", "registers", "queues", "memory-0", "memory-1"})
    void shouldNameAFileThatIsTooShortOrTooLong(String name) throws IOException {
        Path file = file(1, name);
        byte[] whole = Files.readAllBytes(file);
        int stride = whole.length > 10_000 ? 127 : 1;
        for (int length = 0; length < whole.length; length += stride) {
            Files.write(file, Arrays.copyOf(whole, length));

            DamagedSegmentException found = damage();

            assertEquals(file.toString(), found.file());
            assertTrue(found.offset() <= length, found.getMessage());
        }
        for (int extra : List.of(1, 4, 64, Fixture.PAGE_BYTES)) {
            Files.write(file, Arrays.copyOf(whole, whole.length + extra));
            assertEquals(file.toString(), damage().file());
        }
        Files.delete(file);
        assertEquals(file + " is damaged at offset 0: there is no such file;"
                + " this checkpoint cannot be restored, use another one", damage().getMessage());
    }

    @ParameterizedTest
    @ValueSource(strings = {"manifest", "registers", "memory-0"})
    void shouldNoticeAFileOfAnotherCheckpoint(String name) throws IOException {
        byte[] other = Files.readAllBytes(file(2, name));
        assertEquals(Files.size(file(1, name)), other.length, "the test would notice the length");
        Files.write(file(1, name), other);

        assertEquals(file(1, name).toString(), damage().file());
    }

    @Test
    void shouldNoticeAFileOfAnotherRegion() throws IOException {
        Files.copy(file(1, "memory-0"), file(1, "swap"));
        Files.write(file(1, "memory-0"), Files.readAllBytes(file(1, "memory-1")));
        Files.write(file(1, "memory-1"), Files.readAllBytes(file(1, "swap")));

        assertTrue(damage().file().contains("memory-"));
    }

    @Test
    void shouldNoticeBlocksThatChangedPlaces() throws IOException {
        Path file = file(1, "memory-0");
        byte[] whole = Files.readAllBytes(file);
        int blocks = whole.length / Fixture.PAGE_BYTES;
        for (int one = 0; one < blocks; one++) {
            for (int other = one + 1; other < blocks; other++) {
                byte[] swapped = whole.clone();
                System.arraycopy(whole, one * Fixture.PAGE_BYTES, swapped,
                        other * Fixture.PAGE_BYTES, Fixture.PAGE_BYTES);
                System.arraycopy(whole, other * Fixture.PAGE_BYTES, swapped,
                        one * Fixture.PAGE_BYTES, Fixture.PAGE_BYTES);
                if (Arrays.equals(whole, swapped)) {
                    continue;
                }
                Files.write(file, swapped);

                assertEquals(file.toString(), damage().file(), one + " and " + other);
            }
        }
    }

    @Test
    void shouldNoticeZerosWhereSomethingWas() throws IOException {
        Path file = file(1, "memory-1");
        byte[] whole = Files.readAllBytes(file);
        for (int from = 0; from < whole.length; from += 512) {
            byte[] lost = whole.clone();
            Arrays.fill(lost, from, Math.min(from + 512, lost.length), (byte) 0);
            if (Arrays.equals(whole, lost)) {
                continue;
            }
            Files.write(file, lost);

            assertEquals(file.toString(), damage().file(), "sector at " + from);
        }
    }

    @Test
    void shouldKeepItsWordThatOtherCheckpointsAreWell() throws IOException {
        flip(file(1, "memory-0"), 5000, 1);
        damage();

        var other = Fixture.small("vm-1", 2);
        other.check(store.open(other.ref()));
        assertEquals(List.of(FIXTURE.ref(), other.ref()), store.list());
    }

    @Test
    void shouldTellANewerMemoryFormatFromDamage() throws IOException {
        Path file = file(1, "memory-0");
        byte[] header = Arrays.copyOf(Files.readAllBytes(file), MemoryFormat.BLOCK_BYTES);
        header[MemoryFormat.HEADER_VERSION] = MemoryFormat.VERSION + 1;
        var crc = new CRC32C();
        crc.update(header, 0, MemoryFormat.BLOCK_CRC);
        ByteBuffer.wrap(header).order(Envelope.BYTE_ORDER).putInt(MemoryFormat.BLOCK_CRC,
                (int) crc.getValue());
        try (var raw = new RandomAccessFile(file.toFile(), "rw")) {
            raw.write(header);
        }

        var refused = assertThrows(StoreException.class, () -> store.open(FIXTURE.ref()).verify());

        assertEquals(file
                + " has format version 4, and this program knows no version after 3; use a newer Tintype",
                refused.getMessage());
    }

    @Test
    void shouldRefuseAManifestThatIsNotUnderstood() throws IOException {
        Path file = file(1, "manifest");
        byte[] wrapped = Files.readAllBytes(file);
        String json =
                new String(wrapped, Envelope.HEADER_BYTES, wrapped.length - Envelope.OVERHEAD_BYTES,
                        StandardCharsets.UTF_8);
        for (String wrong : List.of(json.replace("\"stunNs\" : 41000", "\"stunNs\" : \"long\""),
                json.replace("\"stunNs\"", "\"stun\""),
                json.replace("\"pages\" : 10", "\"pages\" : -1"),
                json.replace("\"vm\" : \"vm-1\"", "\"vm\" : \"../..\""), json + "}", "[]", "")) {
            byte[] payload = wrong.getBytes(StandardCharsets.UTF_8);
            Files.write(file, Envelope.wrap(StagedCheckpoint.MANIFEST_MAGIC, 1, payload));

            assertEquals(file.toString(), damage().file(), wrong);
        }
        Files.write(file, wrapped);
        assertArrayEquals(wrapped, Files.readAllBytes(file));
        store.open(FIXTURE.ref()).verify();
    }

    private DamagedSegmentException damage() {
        return assertThrows(DamagedSegmentException.class,
                () -> FIXTURE.check(store.open(FIXTURE.ref())));
    }

    private Path file(int checkpoint, String name) {
        return directory.resolve("checkpoints/vm-1").resolve(String.valueOf(checkpoint))
                .resolve(name);
    }

    private static void flip(Path file, long offset, int mask) throws IOException {
        try (var raw = new RandomAccessFile(file.toFile(), "rw")) {
            raw.seek(offset);
            int old = raw.read();
            raw.seek(offset);
            raw.write(old ^ mask);
        }
    }
}
