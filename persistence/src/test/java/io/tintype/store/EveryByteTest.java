package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.ChainId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskCopy;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.MemoryImageDirectory;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Changes one byte after the other of a store that has all there is in one: pages as they are and
 * compressed, zero pages, pages with the content of others, leaves and pages in older checkpoints and
 * in those of another VM, a copy of a disk. Each must be reported by {@link StoredCheckpoint#verify} with the file
 * and a place no further on; and whoever reads pages gets those that were written, or none.
 */
class EveryByteTest {
    private static final Path ROOT = Path.of("/store");
    private static final int PAGES = 70;
    /** Of what is long and all alike, one byte in so many. */
    private static final int STRIDE = 37;

    private final MemoryFiles files = new MemoryFiles();
    private final Line line = new Line("vm-1", PAGES);
    private CheckpointStore store;
    private Line clone;

    @BeforeEach
    void makeAStore() throws IOException {
        store = CheckpointStore.open(ROOT, files);
        for (int page = 0; page < 30; page++) {
            line.set(page, switch (page % 6) {
                case 0 -> line.unique(page);
                case 1 -> text("the same on several pages");
                case 2 -> new byte[Fixture.PAGE_BYTES];
                default -> text("page " + page);
            });
        }
        line.set(PAGES - 1, text("the last leaf is not full"));
        line.seal(store);
        line.set(3, text("changed"));
        line.set(4, text("page 5"));
        line.seal(store);
        clone = line.clone("vm-2");
        clone.set(40, text("of the clone"));
        clone.set(6, new byte[Fixture.PAGE_BYTES]);
        clone.seal(store);
        sealDiskCopy();
        verifyAll();
    }

    @AfterEach
    void close() throws StoreException {
        store.close();
    }

    @Test
    void shouldReportAChangeOfAnyByte() throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        var random = new Random(seed);
        var flipped = new TreeMap<String, Integer>();
        for (CheckpointRef ref : store.list()) {
            Path directory = ROOT.resolve("checkpoints").resolve(ref.vm().value())
                    .resolve(ref.id().toString());
            for (String name : files.list(directory)) {
                Path path = directory.resolve(name);
                flipped.merge(name, flipEach(ref, path, random, seed), Integer::sum);
            }
        }
        verifyAll();
        assertEquals(List.of("disk-0", "manifest", "memory-0", "registers"),
                List.copyOf(flipped.keySet()));
        assertTrue(flipped.getOrDefault("memory-0", 0) > 8_000, flipped.toString());
    }

    private int flipEach(CheckpointRef ref, Path path, Random random, long seed)
            throws IOException {
        int count = 0;
        byte[] whole;
        try (StoreFile file = files.openToRead(path)) {
            whole = new byte[(int) file.size()];
            file.read(0, ByteBuffer.wrap(whole));
        }
        boolean[] sampled = sampled(path, whole);
        for (int at = random.nextInt(STRIDE); at < whole.length; at +=
                sampled[at] ? 1 + random.nextInt(2 * STRIDE) : 1) {
            int mask = 1 + random.nextInt(255);
            put(path, at, (byte) (whole[at] ^ mask));
            String what = path + " at " + at + ", changed by " + mask + "; rerun with -Dseed="
                    + seed;
            var found = assertThrows(DamagedSegmentException.class,
                    () -> store.open(ref).verify(), what);
            assertEquals(path.toString(), found.file(), what);
            // Of a copy's header it is its checksum that is named, at its end; of all else the beginning.
            assertTrue(found.offset() <= at || path.endsWith("disk-0"),
                    what + ": " + found.getMessage());
            assertTrue(at < found.offset() + Fixture.PAGE_BYTES,
                    what + ": " + found.getMessage());
            if (path.endsWith("memory-0")) {
                assertNothingWrongIsRead(what);
            }
            put(path, at, whole[at]);
            count++;
        }
        return count;
    }

    /** What is one of many alike: pages as they are, the zeros of a header, and a copy of a disk, which has its own test. */
    private static boolean[] sampled(Path path, byte[] whole) {
        var sampled = new boolean[whole.length];
        for (int at = 0; at < whole.length; at++) {
            sampled[at] = path.endsWith("disk-0")
                    || (path.endsWith("memory-0") && at > 32 && at < MemoryFormat.BLOCK_CRC);
        }
        if (path.endsWith("memory-0")) {
            var bytes = ByteBuffer.wrap(whole).order(Envelope.BYTE_ORDER);
            int root = (int) bytes.getLong(whole.length - PageIndex.TRAILER_BYTES
                    + PageIndex.TRAILER_ROOT_POSITION);
            for (int leaf = 0; leaf < PageIndex.leafCount(PAGES); leaf++) {
                int entry = root + leaf * PageIndex.ROOT_ENTRY_BYTES;
                boolean own = bytes.getLong(entry) != 0 && bytes.getInt(entry + Long.BYTES) == 0;
                if (own) {
                    sampleRawPages(bytes, (int) bytes.getLong(entry), sampled);
                }
            }
        }
        return sampled;
    }

    private static void sampleRawPages(ByteBuffer bytes, int leaf, boolean[] sampled) {
        for (int i = 0; i < PageIndex.LEAF_PAGES; i++) {
            long place = bytes.getLong(leaf + 16 * i);
            boolean own = PageIndex.source(bytes.getLong(leaf + 16 * i + 8)) == 0;
            if (own && PageIndex.length(place) == Fixture.PAGE_BYTES) {
                int position = (int) PageIndex.position(place);
                Arrays.fill(sampled, position, position + Fixture.PAGE_BYTES, true);
            }
        }
    }

    private void assertNothingWrongIsRead(String what) {
        for (var of : List.of(line, clone)) {
            for (CheckpointRef ref : of.refs()) {
                try (MemoryPages pages = store.open(ref).pages(0)) {
                    var page = new byte[Fixture.PAGE_BYTES];
                    for (int i = 0; i < PAGES; i++) {
                        readOrRefuse(of, ref, pages, i, page, what);
                    }
                } catch (StoreException _) {
                    // Nothing was read.
                }
            }
        }
    }

    private static void readOrRefuse(Line of, CheckpointRef ref, MemoryPages pages, int i,
            byte[] page, String what) {
        try {
            pages.read(i, MemorySegment.ofArray(page), 0);
        } catch (StoreException _) {
            return;
        }
        assertArrayEquals(of.right(ref, i), page, what);
    }

    private void verifyAll() {
        assertDoesNotThrow(() -> {
            for (CheckpointRef ref : store.list()) {
                store.open(ref).verify();
            }
        });
    }

    private void put(Path path, int at, byte value) throws IOException {
        try (StoreFile file = files.openToRead(path)) {
            file.write(at, ByteBuffer.wrap(new byte[] {value}));
        }
    }

    private static byte[] text(String words) {
        var text = new StringBuilder();
        for (int i = 0; text.length() < Fixture.PAGE_BYTES; i++) {
            text.append(words).append(' ').append(i % 7).append(' ');
        }
        return text.substring(0, Fixture.PAGE_BYTES).getBytes(StandardCharsets.US_ASCII);
    }

    private void sealDiskCopy() throws IOException {
        var ref = Fixture.ref("vm-3", 1);
        var geometry = new DiskGeometry(8 * 4096, 4096);
        try (var arena = Arena.ofConfined();
                var staged = store.begin(ref);
                var chain = DiskChain.create(new MemoryImageDirectory(), geometry,
                        new ChainId(7, 7))) {
            var sectors = arena.allocate(4096);
            sectors.fill((byte) 5);
            chain.write(0, 4096, sectors);
            chain.write(0, 5 * 4096, sectors);
            chain.switchTo(chain.prepareOverlay());
            String name = StoredCheckpoint.diskName(0);
            var copy = DiskCopy.begin(chain, 0, staged.images(), name);
            while (copy.copyNext(64)) {
                // The rest.
            }
            var result = copy.finish();
            staged.addDisk(name, result.bytes(), result.rootSum());
            staged.seal(new Manifest(ref, Instant.EPOCH, 0, "none", List.of(),
                    List.of(new Manifest.Disk("images/vm-3/disk-0", 0, geometry.sizeBytes(), name)),
                    List.of(), Map.of()));
        }
    }
}
