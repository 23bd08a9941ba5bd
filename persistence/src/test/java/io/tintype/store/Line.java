package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tintype.actors.CheckpointRef;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The memory of a VM, one region, and what each of its checkpoints has to show: the slow and obvious
 * twin of what is stored.
 */
final class Line {
    private static final int PAGE_BYTES = Fixture.PAGE_BYTES;
    private static final byte[] ZEROS = new byte[PAGE_BYTES];

    private final String vm;
    private final byte[][] memory;
    private final BitSet dirty = new BitSet();
    private final TreeSet<CheckpointRef> sealed = new TreeSet<>();
    /** Also of those whose seal failed: they may be there all the same, if it was at its end. */
    private final Map<CheckpointRef, byte[][]> expected = new HashMap<>();
    private @Nullable CheckpointRef parent;
    private long nextId = 1;

    Line(String vm, int pageCount) {
        this.vm = vm;
        memory = new byte[pageCount][];
        Arrays.fill(memory, ZEROS);
    }

    /** Another VM that begins as this one was last sealed. */
    Line clone(String name) {
        var clone = new Line(name, memory.length);
        System.arraycopy(memory, 0, clone.memory, 0, memory.length);
        clone.parent = parent;
        return clone;
    }

    /** What a page has to show. */
    byte[] right(CheckpointRef ref, int page) {
        return rightOf(ref)[page];
    }

    List<CheckpointRef> refs() {
        return List.copyOf(sealed);
    }

    void forget(CheckpointRef ref) {
        sealed.remove(ref);
    }

    void set(int page, byte[] content) {
        memory[page] = content;
        dirty.set(page);
    }

    /** Some pages at random: noise, text, zeros, and what is on other pages. */
    void change(Random random, int pages) {
        for (int i = 0; i < pages; i++) {
            int page = random.nextInt(memory.length);
            set(page, switch (random.nextInt(8)) {
                case 0 -> new byte[PAGE_BYTES];
                case 1 -> memory[random.nextInt(memory.length)].clone();
                case 2, 3 -> ("text " + random.nextInt(50)).repeat(PAGE_BYTES)
                        .substring(0, PAGE_BYTES)
                        .getBytes(StandardCharsets.US_ASCII);
                default -> unique(random.nextLong());
            });
        }
    }

    byte[] unique(long seed) {
        var bytes = ByteBuffer.allocate(PAGE_BYTES);
        var random = new Random(seed);
        while (bytes.hasRemaining()) {
            bytes.putLong(random.nextLong());
        }
        return bytes.array();
    }

    Sealed seal(CheckpointStore store) throws StoreException {
        var ref = Fixture.ref(vm, nextId++);
        expected.put(ref, memory.clone());
        try (var arena = Arena.ofConfined(); var staged = store.begin(ref)) {
            var frame = arena.allocate(PAGE_BYTES);
            var writer = staged.memory(0, memory.length, parent);
            for (int page = 0; page < memory.length; page++) {
                if (dirty.get(page) || !writer.isIncremental()) {
                    MemorySegment.copy(memory[page], 0, frame, ValueLayout.JAVA_BYTE, 0,
                            PAGE_BYTES);
                    writer.append(page, frame, 0);
                }
                if (page == memory.length / 2) {
                    writer.sync();
                }
            }
            staged.putSegment("registers", new byte[] {1, 2, 3});
            Sealed result = staged.seal(new Manifest(ref, Instant.EPOCH, 0, "none",
                    List.of(new Manifest.Region(memory.length)), List.of(), List.of(), Map.of()));
            sealed.add(ref);
            parent = ref;
            dirty.clear();
            return result;
        }
    }

    void checkAll(CheckpointStore store) throws StoreException {
        for (CheckpointRef ref : sealed) {
            check(store, ref);
        }
    }

    void check(CheckpointStore store, CheckpointRef ref) throws StoreException {
        var stored = store.open(ref);
        var found = new byte[memory.length][];
        stored.forEachPage(0, (page, data, offset) -> {
            assertEquals(null, found[page], "page " + page + " twice");
            found[page] = data.asSlice(offset, PAGE_BYTES).toArray(ValueLayout.JAVA_BYTE);
        });
        byte[][] right = rightOf(ref);
        for (int page = 0; page < memory.length; page++) {
            byte[] read = found[page];
            assertArrayEquals(right[page], read == null ? ZEROS : read,
                    "page " + page + " of " + ref);
        }
        try (MemoryPages pages = stored.pages(0)) {
            check(pages, ref);
        }
    }

    void check(MemoryPages pages, CheckpointRef ref) throws StoreException {
        byte[][] right = rightOf(ref);
        var page = new byte[PAGE_BYTES];
        for (int i = memory.length - 1; i >= 0; i--) {
            pages.read(i, MemorySegment.ofArray(page), 0);
            assertArrayEquals(right[i], page, "page " + i + " of " + ref);
        }
    }

    private byte[][] rightOf(CheckpointRef ref) {
        byte[][] right = expected.get(ref);
        if (right == null) {
            throw new IllegalArgumentException(ref + " is not of this line");
        }
        return right;
    }
}
