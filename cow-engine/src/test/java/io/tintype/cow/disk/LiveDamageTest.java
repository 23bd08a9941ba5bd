package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What changes in the file of a top by itself is found: while the chain is open, and after it was closed in an orderly way. */
class LiveDamageTest {
    private static final int GROUP = 16384;
    private static final int GROUP_SECTORS = GROUP / Sectors.BYTES;
    private static final int BLOCK = 4096;
    private static final int BLOCK_SECTORS = BLOCK / Sectors.BYTES;
    // The last group is short, and its last block is shorter than a block.
    private static final DiskGeometry GEOMETRY = new DiskGeometry(8 * GROUP - 5 * 512, GROUP);
    private static final int SECTORS = (int) (GEOMETRY.sizeBytes() / Sectors.BYTES);

    @TempDir
    private Path folder;

    private DiskChain chain;
    private final long[] expected = new long[SECTORS];

    /** Groups get into the top in each way there is: whole, in part over nothing, over zeros, and by a fault over data. */
    @BeforeEach
    void writeInEachWay() throws IOException {
        chain = DiskChain.create(new FileImageDirectory(folder), GEOMETRY, new ChainId(1, 1));
        write(0, 2 * GROUP_SECTORS);
        chain.switchTo(chain.prepareOverlay());
        write(0, GROUP_SECTORS);
        write(GROUP_SECTORS + 3, 1);
        write(2 * GROUP_SECTORS + 5, BLOCK_SECTORS);
        write(3 * GROUP_SECTORS, GROUP_SECTORS);
        chain.writeZeroes(1, 3L * GROUP, GROUP, true);
        Arrays.fill(expected, 3 * GROUP_SECTORS, 4 * GROUP_SECTORS, 0);
        write(3 * GROUP_SECTORS + 7, 2);
        write(7 * GROUP_SECTORS + 1, SECTORS - 7 * GROUP_SECTORS - 1);
        // Again, inside blocks and across them.
        write(GROUP_SECTORS + 2, 3);
        write(6, 5);
        write(7 * GROUP_SECTORS + 4, BLOCK_SECTORS);
        assertArrayEquals(expected, Sectors.read(chain, 1));
    }

    @AfterEach
    void close() {
        chain.close();
    }

    private void write(int first, int count) throws IOException {
        long version = 1000L + first;
        Sectors.write(chain, chain.top(), first, count, version);
        Arrays.fill(expected, first, first + count, version);
    }

    private Path file(int layer) {
        return folder.resolve("layer-" + layer + ".img");
    }

    private void flip(Path file, long at, int bit) throws IOException {
        try (var channel = FileChannel.open(file, StandardOpenOption.READ,
                StandardOpenOption.WRITE)) {
            var octet = ByteBuffer.allocate(1);
            channel.read(octet, at);
            octet.put(0, (byte) (octet.get(0) ^ 1 << bit)).flip();
            channel.write(octet, at);
        }
    }

    private static ImageHeader header(int layer) {
        return new ImageHeader(GEOMETRY, new ChainId(1, 1), layer);
    }

    private interface Reader {
        void readAll() throws IOException;
    }

    /** Flips bits all over the slots of a layer's file: each time the block is named, and all is well when it is as it was. */
    private void assertEveryFlippedBitIsFound(int layer, Reader reader) throws IOException {
        long end = header(layer).slotAt(slots(layer));
        int flips = 0;
        for (long at = header(layer).dataAt(); at < end; at += 509) {
            if (isBehindTheDisk(layer, at)) {
                continue;
            }
            flip(file(layer), at, flips++ % 8);

            var e = assertThrows(DamagedImageException.class, reader::readAll, "byte " + at);

            assertEquals(file(layer).toString(), e.file());
            assertEquals(at & -BLOCK, e.offset());
            flip(file(layer), at, (flips - 1) % 8);
        }
        assertTrue(flips > 50, flips + " flips");
        reader.readAll();
    }

    private int slots(int layer) {
        return layer == 0 ? 2 : 5;
    }

    /** The last slot of the top is the disk's last group, which is short. */
    private boolean isBehindTheDisk(int layer, long at) {
        return layer == 1 && at >= header(layer).slotAt(4) + GEOMETRY.groupLength(7);
    }

    @Test
    void shouldFindEveryFlippedBitOfAnOpenTop() throws IOException {
        assertEveryFlippedBitIsFound(1,
                () -> assertArrayEquals(expected, Sectors.read(chain, 1)));
    }

    @Test
    void shouldFindEveryFlippedBitBelowAnOpenTop() throws IOException {
        // As of an aborted checkpoint: complete, and not sealed.
        assertEveryFlippedBitIsFound(0, () -> Sectors.read(chain, 0));
    }

    @Test
    void shouldFindEveryFlippedBitAfterAnOrderlyEnd() throws IOException {
        chain.sealAll();
        chain.close();
        for (int layer = 0; layer < 2; layer++) {
            int view = layer;
            assertEveryFlippedBitIsFound(layer, () -> {
                try (var again =
                        DiskChain.openReadOnly(new FileImageDirectory(folder), view)) {
                    Sectors.read(again, view);
                }
            });
        }
        chain = DiskChain.open(new FileImageDirectory(folder));
        assertArrayEquals(expected, Sectors.read(chain, 1));
        assertEquals(0, DiskInspector.check(new FileImageDirectory(folder), _ -> {})
                .unprovedBytes());
    }

    @Test
    void shouldFindEveryFlippedBitOfATopThatIsWrittenAgain() throws IOException {
        chain.sealAll();
        chain.close();
        chain = DiskChain.open(new FileImageDirectory(folder));
        write(GROUP_SECTORS + 9, 2);
        write(7 * GROUP_SECTORS + 1, 1);

        assertEveryFlippedBitIsFound(1,
                () -> assertArrayEquals(expected, Sectors.read(chain, 1)));
    }

    @Test
    void shouldNotTakeItForDamageWhenAnotherInstanceWritesAgain() throws IOException {
        chain.sealAll();
        chain.close();
        chain = DiskChain.open(new FileImageDirectory(folder));
        try (var reader = DiskChain.openReadOnly(new FileImageDirectory(folder), 1)) {
            write(GROUP_SECTORS + 9, 2);
            assertArrayEquals(expected, Sectors.read(reader, 1));
        }
        // In the middle of a check, too: when it has read the index, and not yet all data.
        var isWritten = new AtomicBoolean();
        var checked = DiskInspector.check(new FileImageDirectory(folder), _ -> {
            if (isWritten.compareAndSet(false, true)) {
                assertDoesNotThrow(() -> write(7 * GROUP_SECTORS + 1, 1));
            }
        });
        assertEquals(List.of(), checked.damages());
        assertTrue(checked.unprovedBytes() > 0);
    }

    @Test
    void shouldFindWhatChangesAfterACrashOnceItWasRead() throws IOException {
        chain.sync(1);
        chain.close();
        chain = DiskChain.open(new FileImageDirectory(folder));
        assertArrayEquals(expected, Sectors.read(chain, 1), "taken as it is");

        assertEveryFlippedBitIsFound(1,
                () -> assertArrayEquals(expected, Sectors.read(chain, 1)));
    }

    @Test
    void shouldFindATopThatIsCutUnderAnOpenChain() throws IOException {
        long end = header(1).slotAt(4) + GEOMETRY.groupLength(7);
        for (long length = end - 9; length > header(1).dataAt(); length -= 4093) {
            var intact = Files.readAllBytes(file(1));
            try (var channel = FileChannel.open(file(1), StandardOpenOption.WRITE)) {
                channel.truncate(length);
                // Blocks of zeros are no different for it.
                assertThrows(DamagedImageException.class, () -> Sectors.read(chain, 1),
                        "cut to " + length);
                channel.write(ByteBuffer.wrap(intact), 0);
            }
        }
        assertArrayEquals(expected, Sectors.read(chain, 1));
    }

    @Test
    void shouldNotGiveDamageANewChecksum() throws IOException {
        long at = header(1).slotAt(0) + BLOCK + 100;
        flip(file(1), at, 3);

        // The rest of the block would count as right from then on.
        assertThrows(DamagedImageException.class, () -> write(BLOCK_SECTORS + 4, 1));
        assertThrows(DamagedImageException.class, () -> chain.read(1, BLOCK,
                Sectors.filled(0, BLOCK_SECTORS)));

        // All of it is new: nothing is left of the damage.
        write(BLOCK_SECTORS, BLOCK_SECTORS);
        assertArrayEquals(expected, Sectors.read(chain, 1));
    }

    @Test
    void shouldNotPassDamageOn() throws IOException {
        chain.switchTo(chain.prepareOverlay());
        flip(file(1), header(1).slotAt(0) + 100, 3);

        // A fault into the next layer, a copy and a commit read it.
        assertThrows(DamagedImageException.class,
                () -> chain.fault(2, 0, 8192, Sectors.filled(1, 1)));
        var commit = chain.commit(1);
        assertThrows(DamagedImageException.class, () -> commit.copyNext(100));
        commit.cancel();
        // What nobody reads to seal it is found by whoever reads it later.
        chain.seal(1);
        assertThrows(DamagedImageException.class, () -> Sectors.read(chain, 1));
        assertEquals(1,
                DiskInspector.check(new FileImageDirectory(folder), _ -> {}).damages().size());
    }

    @Test
    void shouldSealWithoutReadingWhatItKnows() throws IOException {
        var directory = SpyDirectory.untrusted(new MemoryImageDirectory());
        try (var other = DiskChain.create(directory, GEOMETRY)) {
            Sectors.write(other, 0, 3, 50, 1);
            other.switchTo(other.prepareOverlay());
            directory.calls();

            other.seal(0);

            assertEquals(List.of(), directory.calls().stream()
                    .filter(call -> call.startsWith("read")).toList());
            assertEquals(0, DiskInspector.check(directory, _ -> {}).unprovedBytes());
        }
    }

    @Test
    void shouldUnsealALayerThatIsWrittenAgainWithFewSyncs() throws IOException {
        var geometry = new DiskGeometry(1000 * 4096L, 4096);
        var directory = SpyDirectory.untrusted(new MemoryImageDirectory());
        try (var first = DiskChain.create(directory, geometry)) {
            for (int group = 0; group < 1000; group++) {
                Sectors.write(first, 0, group * 8, 8, 1);
            }
            first.sealAll();
        }
        try (var again = DiskChain.open(directory)) {
            directory.calls();
            for (int group = 0; group < 1000; group++) {
                Sectors.write(again, 0, (group * 7) % 1000 * 8, 1, 2);
            }

            // 1 + 2 + 4 + … groups, each time before the first of them is written.
            long syncs = directory.calls().stream().filter(call -> call.startsWith("sync")).count();
            assertTrue(syncs >= 10 && syncs <= 40, syncs + " syncs");
            var all = new long[8000];
            for (int i = 0; i < all.length; i++) {
                all[i] = i % 8 == 0 ? 2 : 1;
            }
            assertArrayEquals(all, Sectors.read(again, 0));
        }
    }
}
