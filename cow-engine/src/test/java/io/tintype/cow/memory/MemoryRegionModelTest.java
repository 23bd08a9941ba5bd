package io.tintype.cow.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A region against a map of byte arrays, under the same random calls: contents of the ongoing and of every frozen memory,
 * which page is copied when, who is told, and that every frame out of the pool is mapped, frozen, pinned or at hand.
 *
 * <p>Not shown: other threads (see {@link FrozenMemoryReadersTest}).
 */
class MemoryRegionModelTest {
    private static final int PAGE = MemoryRegion.PAGE_BYTES;
    private static final int PAGE_COUNT = 1030;
    private static final int STEPS = 2000;

    /** Few, so that they collide; on both sides of the boundaries between leaves. */
    private static final int[] PAGES = {0, 1, 2, 510, 511, 512, 513, 1022, 1023, 1024, 1028, 1029};

    /** Those whose successor is one of them too. */
    private static final int[] FIRST_OF_TWO = {0, 1, 510, 511, 512, 1022, 1023, 1028};

    private record Copy(int page, int fromFrame, int toFrame) {}

    private record Frozen(FrozenMemory memory, Map<Integer, byte[]> bytes,
            Map<Integer, Long> births) {}

    static IntStream seeds() {
        var given = Integer.getInteger("seed");
        return given == null ? IntStream.range(0, 12) : IntStream.of(given);
    }

    @ParameterizedTest(name = "rerun with -Dseed={0}")
    @MethodSource("seeds")
    void shouldBehaveLikeAMapOfPages(int seed) {
        try (var pool = new FramePool(4 << 20, 2 << 20)) {
            new Run(pool, new Random(seed)).run();

            assertEquals(0, pool.framesInUse());
            assertEquals(0, pool.framesHeld());
        }
    }

    private static final class Run {
        final FramePool pool;
        final Random random;
        final MemoryRegion region;
        final Map<Integer, byte[]> bytes = new HashMap<>();
        final Map<Integer, Long> births = new HashMap<>();
        final List<Frozen> frozen = new ArrayList<>();
        final Map<Integer, Integer> sources = new HashMap<>();
        final Map<Integer, Integer> targets = new HashMap<>();
        final List<Copy> heard = new ArrayList<>();
        long faults;

        Run(FramePool pool, Random random) {
            this.pool = pool;
            this.random = random;
            region = new MemoryRegion(pool, (long) PAGE_COUNT * PAGE,
                    (page, from, to) -> heard.add(new Copy(page, from, to)));
        }

        void run() {
            for (int step = 0; step < STEPS; step++) {
                step();
                checkFrames();
                if (step % 256 == 0) {
                    checkContents();
                }
            }
            checkContents();
            unpinAll();
            while (!frozen.isEmpty()) {
                release();
                checkFrames();
            }
            checkContents();
            region.close();
        }

        void step() {
            switch (random.nextInt(21)) {
                case 0 -> freeze();
                case 1 -> release();
                case 2 -> pin(false);
                case 3 -> pin(true);
                case 4, 5 -> unpin();
                case 6 -> detach();
                case 7 -> privatePage();
                case 8 -> write();
                case 9 -> fill();
                case 10 -> load();
                case 11 -> region.trim();
                case 12 -> assertTrue(region.reserve(random.nextInt(40)));
                case 13 -> cloneAndDiscard();
                case 14 -> settle();
                default -> store();
            }
        }

        void store() {
            var page = anyPage();
            expectPrivate(page, () -> {
                var value = random.nextLong();
                var buffer = ByteBuffer.wrap(modelled(page)).order(ByteOrder.LITTLE_ENDIAN);
                switch (random.nextInt(3)) {
                    case 0 -> {
                        var at = random.nextInt(PAGE) & -8;
                        buffer.putLong(at, value);
                        region.putLong(address(page) + at, value);
                        assertEquals(value, region.getLong(address(page) + at));
                    }
                    case 1 -> {
                        var at = random.nextInt(PAGE) & -4;
                        buffer.putInt(at, (int) value);
                        region.putInt(address(page) + at, (int) value);
                        assertEquals((int) value, region.getInt(address(page) + at));
                    }
                    default -> {
                        var at = random.nextInt(PAGE);
                        buffer.put(at, (byte) value);
                        region.putByte(address(page) + at, (byte) value);
                        assertEquals((byte) value, region.getByte(address(page) + at));
                    }
                }
            });
        }

        void write() {
            var page = FIRST_OF_TWO[random.nextInt(FIRST_OF_TWO.length)];
            var start = random.nextInt(PAGE);
            var source = new byte[random.nextInt(2 * PAGE - start)];
            random.nextBytes(source);
            for (int i = 0; i < source.length; i++) {
                modelled(page + (start + i) / PAGE)[(start + i) % PAGE] = source[i];
            }
            if (source.length > 0) {
                births.put(page, region.epoch());
            }
            if (start + source.length > PAGE) {
                births.put(page + 1, region.epoch());
            }
            var before = region.faults();
            region.write(address(page) + start, MemorySegment.ofArray(source), 0, source.length);
            faults += region.faults() - before;
            heard.clear();

            var read = new byte[source.length];
            region.read(address(page) + start, MemorySegment.ofArray(read), 0, read.length);
            assertArrayEquals(source, read);
        }

        void fill() {
            var page = anyPage();
            var value = (byte) random.nextInt(2);
            if (value == 0 && !bytes.containsKey(page)) {
                region.fill(address(page), PAGE, value);
                assertEquals(0, region.frame(page));
            } else if (random.nextBoolean()) {
                expectPrivate(page, () -> {
                    Arrays.fill(modelled(page), 8, 4088, value);
                    region.fill(address(page) + 8, 4080, value);
                });
            } else {
                expectPrivate(page, () -> {
                    Arrays.fill(modelled(page), 8, 4088, (byte) 7);
                    region.fillLongs(address(page) + 8, 510, 0x0707070707070707L);
                });
            }
        }

        void load() {
            var page = anyPage();
            var source = new byte[PAGE + 8];
            if (random.nextBoolean()) {
                random.nextBytes(source);
            }
            if (!bytes.containsKey(page)
                    && Arrays.equals(source, 8, PAGE + 8, new byte[PAGE], 0, PAGE)) {
                region.load(page, MemorySegment.ofArray(source), 8);
                assertEquals(0, region.frame(page));
            } else {
                expectPrivate(page, () -> {
                    System.arraycopy(source, 8, modelled(page), 0, PAGE);
                    region.load(page, MemorySegment.ofArray(source), 8);
                });
            }
        }

        void privatePage() {
            var page = anyPage();
            expectPrivate(page, () -> {
                modelled(page);
                assertEquals(region.privateFrame(page), region.frame(page));
            });
        }

        /** Runs a store to {@code page}: it must copy exactly if a frozen memory has the frame, and tell if that is a target. */
        void expectPrivate(int page, Runnable store) {
            var before = region.frame(page);
            var holders = before == 0
                    ? List.<Frozen>of()
                    : frozen.stream().filter(f -> f.memory.peek(page) == before).toList();
            var isFrozen = !holders.isEmpty();
            // Readers of what is settled, or a request in flight, know the frame: the guest goes elsewhere. Else the copy does.
            var mustMove = isFrozen && (isPinned(before)
                    || holders.stream().anyMatch(f -> f.memory.isSettled()));
            births.put(page, region.epoch());

            store.run();

            var after = region.frame(page);
            assertEquals(before == 0 || mustMove, before != after, "moved page " + page);
            for (var holder : holders) {
                assertEquals(!mustMove, holder.memory.peek(page) != before, "left page " + page);
            }
            assertEquals(
                    isFrozen && targets.containsKey(before)
                            ? List.of(new Copy(page, before, after))
                            : List.of(),
                    heard);
            heard.clear();
            faults += isFrozen ? 1 : 0;
            assertEquals(faults, region.faults());
        }

        void detach() {
            var page = anyPage();
            modelled(page);
            births.put(page, region.epoch());
            var before = region.frame(page);

            var after = region.detachPage(page);

            assertTrue(before != after && region.frame(page) == after);
            assertEquals(List.of(), heard);
        }

        void freeze() {
            if (frozen.size() < 5) {
                var copy = new HashMap<Integer, byte[]>();
                bytes.forEach((page, content) -> copy.put(page, content.clone()));
                frozen.add(new Frozen(
                        random.nextBoolean() ? region.freeze() : region.freezeUnsettled(), copy,
                        Map.copyOf(births)));
            }
        }

        void settle() {
            if (!frozen.isEmpty()) {
                frozen.get(random.nextInt(frozen.size())).memory.settle();
            }
        }

        void release() {
            if (!frozen.isEmpty()) {
                var gone = frozen.remove(random.nextInt(frozen.size()));
                checkFrozen(gone);
                region.release(gone.memory);
            }
        }

        void pin(boolean isTarget) {
            var pins = isTarget ? targets : sources;
            var frame = isTarget ? privateFrame(anyPage()) : region.frame(anyPage());
            if (isTarget) {
                region.pinTarget(frame);
            } else {
                region.pinSource(frame);
            }
            if (frame != 0) {
                pins.merge(frame, 1, Integer::sum);
            }
        }

        int privateFrame(int page) {
            expectPrivate(page, () -> {
                modelled(page);
                region.privateFrame(page);
            });
            return region.frame(page);
        }

        void unpin() {
            var isTarget = random.nextBoolean();
            var pins = isTarget ? targets : sources;
            if (!pins.isEmpty()) {
                var frames = List.copyOf(pins.keySet());
                var frame = frames.get(random.nextInt(frames.size()));
                if (isTarget) {
                    region.unpinTarget(frame);
                } else {
                    region.unpinSource(frame);
                }
                pins.computeIfPresent(frame, (_, count) -> count == 1 ? null : count - 1);
            }
        }

        void unpinAll() {
            while (!sources.isEmpty() || !targets.isEmpty()) {
                unpin();
                checkFrames();
            }
        }

        boolean isPinned(int frame) {
            return sources.containsKey(frame) || targets.containsKey(frame);
        }

        void cloneAndDiscard() {
            if (frozen.isEmpty()) {
                return;
            }
            var base = frozen.get(random.nextInt(frozen.size()));
            base.memory.settle();
            try (var clone = new MemoryRegion(base.memory, (_, _, _) -> {})) {
                var page = anyPage();
                clone.putLong(address(page), 1);
                var again = clone.freeze();
                clone.putLong(address(page), 2);
                var other = anyPage();
                clone.fill(address(other), PAGE, (byte) 3);
                clone.release(again);
                clone.detachPage(anyPage());
            }
            checkFrozen(base);
        }

        /** Every frame out of the pool is at hand, mapped, frozen or pinned, and only the latter two are held. */
        void checkFrames() {
            var mapped = new HashSet<Integer>();
            for (var page : PAGES) {
                mapped.add(region.frame(page));
            }
            mapped.remove(0);
            assertEquals(mapped.size(), region.residentPages());

            Set<Integer> reached = new HashSet<>(mapped);
            for (var root : frozen) {
                for (var page : PAGES) {
                    reached.add(root.memory.peek(page));
                }
            }
            reached.remove(0);
            reached.addAll(sources.keySet());
            reached.addAll(targets.keySet());
            assertEquals(reached.size(), pool.framesInUse() - region.framesAtHand());
            assertEquals(reached.size() - mapped.size(), region.framesHeld());
            assertTrue(Math.abs(pool.framesHeld() - region.framesHeld()) <= 32);
            assertTrue(pool.framesHeld() <= pool.framesHeldMax());
        }

        void checkContents() {
            for (var page : PAGES) {
                assertArrayEquals(bytes.getOrDefault(page, new byte[PAGE]),
                        bytesOf(region.frame(page)),
                        () -> "page " + page);
            }
            frozen.forEach(this::checkFrozen);
        }

        void checkFrozen(Frozen root) {
            var pages = root.bytes.keySet().stream().sorted().toList();
            assertEquals(pages.size(), root.memory.presentPages());
            if (root.memory.isSettled()) {
                var visited = new ArrayList<Integer>();
                root.memory.forEachPresent((page, frame) -> {
                    visited.add(page);
                    assertEquals(frame, root.memory.frame(page));
                    assertArrayEquals(root.bytes.get(page), bytesOf(frame),
                            () -> "frozen page " + page);
                });
                assertEquals(pages, visited);
            } else {
                for (var page : PAGES) {
                    var read = new byte[PAGE];
                    root.memory.readPage(page, MemorySegment.ofArray(read), 0);
                    assertArrayEquals(root.bytes.getOrDefault(page, new byte[PAGE]), read,
                            () -> "unsettled page " + page);
                }
            }
            for (var page : PAGES) {
                assertEquals(root.births.getOrDefault(page, 0L), root.memory.birthEpoch(page),
                        "birth of " + page);
            }
            var stepped = new ArrayList<Integer>();
            for (int page = root.memory.nextPresent(0); page >= 0;
                    page = root.memory.nextPresent(page + 1)) {
                stepped.add(page);
            }
            assertEquals(pages, stepped);
        }

        byte[] modelled(int page) {
            return bytes.computeIfAbsent(page, _ -> new byte[PAGE]);
        }

        int anyPage() {
            return PAGES[random.nextInt(PAGES.length)];
        }

        byte[] bytesOf(int frame) {
            return pool.segment().asSlice((long) frame * PAGE, PAGE).toArray(ValueLayout.JAVA_BYTE);
        }

        static long address(int page) {
            return (long) page * PAGE;
        }
    }
}
