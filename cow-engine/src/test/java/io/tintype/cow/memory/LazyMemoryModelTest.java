package io.tintype.cow.memory;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Regions on a memory that is still being loaded, against maps of byte arrays, under random calls: stores, loads ahead, reads
 * that fail, freezes, clones of clones, ends in any order. A page that was not loaded must never be taken for zero, and at the
 * end no frame is missing.
 *
 * <p>Not shown: other threads (see {@link LazyMemoryThreadsTest} and {@link LazyMemoryLincheckTest}).
 */
class LazyMemoryModelTest {
    private static final int PAGE = MemoryRegion.PAGE_BYTES;
    private static final int PAGE_COUNT = 1030;
    private static final int STEPS = 1500;
    private static final int[] PAGES = {0, 1, 2, 510, 511, 512, 513, 1022, 1023, 1024, 1028, 1029};

    static IntStream seeds() {
        var given = Integer.getInteger("seed");
        return given == null ? IntStream.range(0, 24) : IntStream.of(given);
    }

    @ParameterizedTest(name = "rerun with -Dseed={0}")
    @MethodSource("seeds")
    void shouldBehaveLikeMemoryThatWasLoadedAtOnce(int seed) {
        try (var pool = new FramePool(16 << 20, 8 << 20)) {
            new Run(pool, new Random(seed), seed % 2 == 0).run();

            assertEquals(0, pool.framesInUse());
            assertEquals(0, pool.framesHeld());
        }
    }

    /** Some pages stored, the others zero; fails when it is told to. */
    private static final class Source implements PageSource {
        final Map<Integer, byte[]> stored = new HashMap<>();
        boolean fails;
        boolean closed;

        @Override
        public int pageCount() {
            return PAGE_COUNT;
        }

        @Override
        public boolean stored(int page) {
            assertTrue(!closed, "nobody asks a closed source");
            return stored.containsKey(page);
        }

        @Override
        public void read(int page, MemorySegment to, long offset) {
            assertTrue(!closed, "nobody asks a closed source");
            var bytes = stored.getOrDefault(page, new byte[0]);
            // A failed read leaves rubbish behind.
            MemorySegment.copy(bytes, 0, to, ValueLayout.JAVA_BYTE, offset, fails ? 99 : PAGE);
            if (fails) {
                throw new PageUnavailableException("page " + page + " is damaged",
                        new IllegalStateException());
            }
        }

        @Override
        public void close() {
            assertTrue(!closed, "a source is closed once");
            closed = true;
        }
    }

    private record Frozen(FrozenMemory memory, Map<Integer, byte[]> bytes, List<Guest> clones) {}

    /** A region with what it should hold. */
    private static final class Guest {
        final MemoryRegion region;
        final Map<Integer, byte[]> bytes;
        final List<Frozen> frozen = new ArrayList<>();

        Guest(MemoryRegion region, Map<Integer, byte[]> bytes) {
            this.region = region;
            this.bytes = bytes;
        }
    }

    private static final class Run {
        final FramePool pool;
        final Random random;
        final Source source = new Source();
        final LazyMemory lazy;
        final List<Guest> guests = new ArrayList<>();
        final boolean exclusive;
        boolean ending;

        Run(FramePool pool, Random random, boolean exclusive) {
            this.pool = pool;
            this.random = random;
            this.exclusive = exclusive;
            for (var page : PAGES) {
                if (random.nextInt(4) != 0) {
                    var bytes = new byte[PAGE];
                    random.nextBytes(bytes);
                    source.stored.put(page, bytes);
                }
            }
            lazy = new LazyMemory(pool, source);
            begin();
        }

        void begin() {
            if (exclusive) {
                guests.add(new Guest(new MemoryRegion(lazy, (_, _, _) -> {}), copy(source.stored)));
                lazy.close();
            } else {
                guests.add(new Guest(new MemoryRegion(lazy.memory(), (_, _, _) -> {}),
                        copy(source.stored)));
            }
        }

        void run() {
            for (int step = 0; step < STEPS; step++) {
                step(guests.get(random.nextInt(guests.size())));
            }
            for (var guest : guests) {
                check(guest);
            }
            source.fails = false;
            lazy.close();
            ending = true;
            while (!guests.isEmpty()) {
                end(guests.get(random.nextInt(guests.size())));
            }
            assertTrue(source.closed, "a memory that nobody uses closes its source");
            assertTrue(!lazy.load(0) || !Leaf.isUnloaded(lazy.known(0)));
        }

        void step(Guest guest) {
            switch (random.nextInt(16)) {
                case 0, 1 -> ahead();
                case 2 -> source.fails = !source.fails && random.nextInt(4) == 0;
                case 3 -> freeze(guest);
                case 4 -> release(guest);
                case 5 -> cloneOf(guest);
                case 6 -> end(guest);
                case 7 -> checkSome(guest);
                case 8 -> target(guest);
                case 9 -> assertTrue(guest.region.reserve(random.nextInt(40)));
                case 10 -> guest.region.trim();
                default -> store(guest);
            }
        }

        void ahead() {
            var page = anyPage();
            if (!source.fails) {
                assertTrue(lazy.load(page));
            } else if (Leaf.isUnloaded(lazy.known(page)) && source.stored.containsKey(page)) {
                assertThrows(PageUnavailableException.class, () -> lazy.load(page));
                assertTrue(Leaf.isUnloaded(lazy.known(page)));
            }
        }

        void store(Guest guest) {
            var page = anyPage();
            var at = random.nextInt(PAGE) & -8;
            var value = random.nextLong();
            try {
                guest.region.putLong((long) page * PAGE + at, value);
            } catch (PageUnavailableException _) {
                assertTrue(source.fails);
                return;
            }
            MemorySegment.ofArray(guest.bytes.computeIfAbsent(page, _ -> new byte[PAGE]))
                    .set(ValueLayout.JAVA_LONG_UNALIGNED
                            .withOrder(java.nio.ByteOrder.LITTLE_ENDIAN),
                            at, value);
        }

        /** R7: the frame of a read's target is private and has the page's bytes. */
        void target(Guest guest) {
            var page = anyPage();
            try {
                var frame = guest.region.privateFrame(page);
                guest.bytes.computeIfAbsent(page, _ -> new byte[PAGE]);
                assertArrayEquals(guest.bytes.get(page), bytesOf(frame));
                for (var frozen : guest.frozen) {
                    assertTrue(!frozen.memory.isLoaded(page)
                            || frozen.memory.peek(page) != frame);
                }
            } catch (PageUnavailableException _) {
                assertTrue(source.fails);
            }
        }

        void freeze(Guest guest) {
            if (guest.frozen.size() < 4) {
                guest.frozen.add(
                        new Frozen(
                                random.nextBoolean()
                                        ? guest.region.freeze()
                                        : guest.region.freezeUnsettled(),
                                copy(guest.bytes), new ArrayList<>()));
            }
        }

        void release(Guest guest) {
            if (!guest.frozen.isEmpty()) {
                var gone = guest.frozen.get(random.nextInt(guest.frozen.size()));
                if (gone.clones.isEmpty()) {
                    check(gone);
                    guest.region.release(gone.memory);
                    guest.frozen.remove(gone);
                }
            }
        }

        void cloneOf(Guest guest) {
            if (guests.size() >= 6) {
                return;
            }
            if (!exclusive && random.nextBoolean()) {
                begin();
            } else if (!guest.frozen.isEmpty()) {
                var base = guest.frozen.get(random.nextInt(guest.frozen.size()));
                base.memory.settle();
                var clone = new Guest(new MemoryRegion(base.memory, (_, _, _) -> {}),
                        copy(base.bytes));
                base.clones.add(clone);
                guests.add(clone);
            }
        }

        void end(Guest guest) {
            if (guests.size() == 1 && !ending) {
                return;
            }
            if (guest.frozen.stream().anyMatch(frozen -> !frozen.clones.isEmpty())) {
                return;
            }
            for (var frozen : guest.frozen) {
                guest.region.release(frozen.memory);
            }
            guest.region.close();
            guests.remove(guest);
            guests.forEach(other -> other.frozen.forEach(one -> one.clones.remove(guest)));
        }

        void checkSome(Guest guest) {
            if (guest.frozen.isEmpty() || random.nextBoolean()) {
                check(guest);
            } else {
                check(guest.frozen.get(random.nextInt(guest.frozen.size())));
            }
        }

        void check(Guest guest) {
            for (var page : PAGES) {
                try {
                    assertArrayEquals(guest.bytes.getOrDefault(page, new byte[PAGE]),
                            bytesOf(guest.region.frame(page)), () -> "page " + page);
                } catch (PageUnavailableException _) {
                    assertTrue(source.fails);
                }
            }
        }

        void check(Frozen frozen) {
            if (source.fails) {
                return;
            }
            var pages = new ArrayList<Integer>();
            for (int page = frozen.memory.nextPresent(0); page >= 0;
                    page = frozen.memory.nextPresent(page + 1)) {
                pages.add(page);
                var wanted = frozen.bytes.get(page);
                var found = new byte[PAGE];
                if (frozen.memory.isSettled()) {
                    found = bytesOf(frozen.memory.frame(page));
                } else {
                    frozen.memory.readPage(page, MemorySegment.ofArray(found), 0);
                }
                assertArrayEquals(wanted, found, "frozen page " + page);
                assertTrue(frozen.memory.birthEpoch(page) >= LazyMemory.EPOCH);
            }
            assertEquals(frozen.bytes.keySet().stream().sorted().toList(), pages);
            assertEquals(pages.size(), frozen.memory.changedPages(0));
            // What is not loaded did not change since the beginning.
            for (int page = frozen.memory.nextChanged(0, LazyMemory.EPOCH); page >= 0;
                    page = frozen.memory.nextChanged(page + 1, LazyMemory.EPOCH)) {
                assertTrue(frozen.memory.isLoaded(page));
            }
        }

        byte[] bytesOf(int frame) {
            return pool.segment().asSlice((long) frame * PAGE, PAGE).toArray(ValueLayout.JAVA_BYTE);
        }

        int anyPage() {
            return PAGES[random.nextInt(PAGES.length)];
        }

        static Map<Integer, byte[]> copy(Map<Integer, byte[]> of) {
            var copy = new HashMap<Integer, byte[]>();
            of.forEach((page, bytes) -> copy.put(page, bytes.clone()));
            return copy;
        }
    }
}
