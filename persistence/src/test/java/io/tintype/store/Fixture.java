package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A checkpoint whose content follows from its name: two regions, some pages of which are zero and
 * some never appended, in random order, and two other segments.
 */
record Fixture(CheckpointRef ref, int pageCount) {
    static final int PAGE_BYTES = 4096;
    /** More than a chunk of pages with data. */
    static final int LARGE = 700;
    /** One chunk. */
    static final int SMALL = 10;

    static CheckpointRef ref(String vm, long id) {
        return new CheckpointRef(new VmId(vm), new CheckpointId(id));
    }

    static Fixture large(String vm, long id) {
        return new Fixture(ref(vm, id), LARGE);
    }

    static Fixture small(String vm, long id) {
        return new Fixture(ref(vm, id), SMALL);
    }

    Sealed seal(CheckpointStore store) throws StoreException {
        try (StagedCheckpoint staged = store.begin(ref)) {
            write(staged);
            return staged.seal(manifest());
        }
    }

    void write(StagedCheckpoint staged) throws StoreException {
        for (int region = 0; region < 2; region++) {
            writeRegion(staged, region);
        }
        staged.putSegment("registers", registers());
        staged.putSegment("queues", new byte[0]);
    }

    void writeRegion(StagedCheckpoint staged, int region) throws StoreException {
        MemorySegmentWriter writer = staged.memory(region, pageCount);
        List<Integer> pages = pagesOf(region);
        int late = pages.size() * 9 / 10;
        append(writer, region, pages.subList(0, late));
        writer.sync();
        append(writer, region, pages.subList(late, pages.size()));
    }

    private void append(MemorySegmentWriter writer, int region, List<Integer> pages)
            throws StoreException {
        try (var arena = Arena.ofConfined()) {
            // Not at the beginning of the segment, as it would not be in a pool of frames.
            MemorySegment pool = arena.allocate(3L * PAGE_BYTES);
            for (int page : pages) {
                fill(pool, PAGE_BYTES, region, page);
                writer.append(page, pool, PAGE_BYTES);
            }
        }
    }

    Manifest manifest() {
        return new Manifest(ref, Instant.parse("2026-01-02T03:04:05.678901Z"), 41_000, "synthetic",
                List.of(new Manifest.Region(pageCount), new Manifest.Region(pageCount)),
                List.of(new Manifest.Disk("images/" + ref.vm() + "/disk-0", 3, 1L << 35)),
                List.of(new Manifest.Pending(17, "WRITE", 0, 1L << 33, 8, "OK"),
                        new Manifest.Pending(18, "READ", 0, 4096, 16, "ERROR")),
                Map.of("memoryFaults", 12, "guestSpeed", 0.93, "note", "as \"ever\"", "throttled",
                        false));
    }

    /** That what is stored is what was written, no more and no less. */
    void check(StoredCheckpoint stored) throws StoreException {
        assertEquals(manifest(), stored.manifest().standingOn(null, List.of())
                .withSegments(List.of()));
        assertArrayEquals(registers(), stored.segment("registers"));
        assertArrayEquals(new byte[0], stored.segment("queues"));
        for (int region = 0; region < 2; region++) {
            assertEquals(expected(region), read(stored, region), "region " + region + " of " + ref);
        }
    }

    /** The same through {@link StoredCheckpoint#pages}. */
    void checkPages(StoredCheckpoint stored) throws StoreException {
        for (int region = 0; region < 2; region++) {
            var expected = expected(region);
            try (var arena = Arena.ofConfined(); MemoryPages pages = stored.pages(region)) {
                MemorySegment found = arena.allocate(3L * PAGE_BYTES);
                MemorySegment page = arena.allocate(PAGE_BYTES);
                assertEquals(pageCount, pages.pageCount());
                for (int number = pageCount - 1; number >= 0; number--) {
                    boolean isStored = expected.getOrDefault(number, false);
                    assertEquals(isStored, pages.stored(number), "page " + number);
                    found.fill((byte) 77);
                    pages.read(number, found, PAGE_BYTES);
                    page.fill((byte) 0);
                    if (isStored) {
                        fill(page, 0, region, number);
                    }
                    assertEquals(-1, page.mismatch(found.asSlice(PAGE_BYTES, PAGE_BYTES)),
                            "page " + number);
                }
            }
        }
    }

    /**
     * The pages handed over, by number. Each is compared with what it should be.
     */
    private Map<Integer, Boolean> read(StoredCheckpoint stored, int region) throws StoreException {
        var pages = new TreeMap<Integer, Boolean>();
        try (var arena = Arena.ofConfined()) {
            MemorySegment page = arena.allocate(PAGE_BYTES);
            stored.forEachPage(region, (number, data, offset) -> {
                fill(page, 0, region, number);
                assertEquals(-1, page.mismatch(data.asSlice(offset, PAGE_BYTES)),
                        "page " + number);
                assertEquals(null, pages.put(number, true));
            });
        }
        return pages;
    }

    private Map<Integer, Boolean> expected(int region) {
        var expected = new TreeMap<Integer, Boolean>();
        pagesOf(region).stream().filter(page -> !isZero(page))
                .forEach(page -> expected.put(page, true));
        return expected;
    }

    private List<Integer> pagesOf(int region) {
        var pages = new ArrayList<Integer>();
        for (int page = 0; page < pageCount; page++) {
            if (page % 7 != region) {
                pages.add(page);
            }
        }
        Collections.shuffle(pages, new Random(ref.hashCode()));
        return pages;
    }

    private static boolean isZero(int page) {
        return page % 5 == 3;
    }

    private byte[] registers() {
        return ("registers of " + ref).getBytes(StandardCharsets.UTF_8);
    }

    private void fill(MemorySegment target, long offset, int region, int page) {
        target.asSlice(offset, PAGE_BYTES).fill((byte) 0);
        if (isZero(page)) {
            return;
        }
        if (page % 5 == 4) {
            // All zeros but for the very last byte.
            target.set(ValueLayout.JAVA_BYTE, offset + PAGE_BYTES - 1, (byte) 1);
            return;
        }
        var random = new Random(31L * ref.toString().hashCode() + 1_000_003L * region + page);
        for (int at = 0; at < PAGE_BYTES; at += Long.BYTES) {
            target.set(ValueLayout.JAVA_LONG, offset + at, random.nextLong());
        }
    }
}
