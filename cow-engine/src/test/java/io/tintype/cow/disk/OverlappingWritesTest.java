package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Requests in flight may overlap, and a guest may store into the buffer of one: what is there afterwards is anybody's, but it is
 * never taken for damage, and from then on it is verified as everything else.
 */
class OverlappingWritesTest {
    private static final DiskGeometry GEOMETRY = new DiskGeometry(8 * 16384 - 512, 16384);
    private static final int SECTORS = (int) (GEOMETRY.sizeBytes() / Sectors.BYTES);

    @TempDir
    private Path folder;

    private final SpyDirectory directory = SpyDirectory.untrusted(new MemoryImageDirectory());

    @Test
    void shouldReadAgainWhatAWriteCameInto() throws IOException {
        try (var chain = DiskChain.create(directory, GEOMETRY)) {
            Sectors.write(chain, 0, 0, 8, 1);
            directory.midRead(() -> Sectors.write(chain, 0, 0, 8, 2));

            var versions = Sectors.read(chain, 0, 0, 8);

            // Half of it was read before the write, and is not to be seen with the other half.
            assertArrayEquals(new long[] {2, 2, 2, 2, 2, 2, 2, 2}, versions);
        }
    }

    @Test
    void shouldLetAReadWaitForTheWriteThatItCameInto() throws Exception {
        try (var chain = DiskChain.create(directory, GEOMETRY)) {
            Sectors.write(chain, 0, 0, 8, 1);
            var failures = new ConcurrentLinkedQueue<Throwable>();
            var seen = new long[8];
            var readers = new ArrayList<Thread>();
            directory.midWrite(() -> {
                var begun = new CountDownLatch(1);
                directory.beforeRead(begun::countDown);
                readers.add(Thread.ofPlatform().start(() -> {
                    try {
                        System.arraycopy(Sectors.read(chain, 0, 0, 8), 0, seen, 0, 8);
                    } catch (Throwable e) {
                        failures.add(e);
                    }
                }));
                await(begun);
            });
            Sectors.write(chain, 0, 0, 8, 2);
            for (var reader : readers) {
                reader.join();
            }

            assertEquals(List.of(), List.copyOf(failures));
            assertArrayEquals(new long[] {2, 2, 2, 2, 2, 2, 2, 2}, seen);
        }
    }

    private static void await(CountDownLatch latch) throws IOException {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IOException(e);
        }
    }

    @Test
    void shouldKnowWhatTwoWritesInFlightLeft() throws Exception {
        try (var chain = DiskChain.create(directory, GEOMETRY)) {
            Sectors.write(chain, 0, 0, 8, 1);
            var failures = new ConcurrentLinkedQueue<Throwable>();
            var writers = new ArrayList<Thread>();
            directory.midWrite(() -> {
                // One to the same sectors, one to others of the block, which are nobody's else.
                for (int sector : new int[] {2, 6}) {
                    writers.add(Thread.ofPlatform().start(() -> {
                        try {
                            Sectors.write(chain, 0, sector, 2, 3 + sector);
                        } catch (Throwable e) {
                            failures.add(e);
                        }
                    }));
                }
            });
            Sectors.write(chain, 0, 0, 4, 2);
            for (var writer : writers) {
                writer.join();
            }

            assertEquals(List.of(), List.copyOf(failures));
            var versions = Sectors.read(chain, 0, 0, 8);
            assertArrayEquals(new long[] {2, 2, versions[2], versions[3], 1, 1, 9, 9}, versions);
            assertEquals(versions[2], versions[3]);
        }
    }

    @Test
    void shouldTakeTheChecksumOfWhatItWroteAndNotOfTheGuestsBuffer() throws IOException {
        try (var chain = DiskChain.create(directory, GEOMETRY)) {
            for (int count : new int[] {1, 8, 32}) {
                var source = Sectors.filled(7, count);
                directory.midWrite(() -> source.fill((byte) 1));

                chain.write(0, 0, source);

                for (long version : Sectors.read(chain, 0, 0, count)) {
                    assertEquals(7, version);
                }
            }
        }
    }

    @Test
    void shouldNotKnowWhatAFailedWriteLeft() throws IOException {
        try (var chain = DiskChain.create(directory, GEOMETRY)) {
            Sectors.write(chain, 0, 0, 32, 1);
            directory.midWrite(() -> {
                throw new IOException("no");
            });

            try {
                Sectors.write(chain, 0, 0, 16, 2);
            } catch (IOException e) {
                assertEquals("no", e.getMessage());
            }

            var versions = Sectors.read(chain, 0, 0, 16);
            for (int i = 0; i < 16; i++) {
                assertEquals(i < 8 ? 2 : 1, versions[i]);
            }
        }
    }

    @Test
    void shouldNeverTakeConcurrencyForDamage() throws Exception {
        long seed = Long.getLong("seed", new Random().nextLong());
        stress(new FileImageDirectory(folder.resolve("files"), new OpenFiles(2)), seed, 6);
        stress(SpyDirectory.untrusted(new MemoryImageDirectory()), seed, 30);
    }

    /** Workers do what guests may do to sectors all of them share, and one goes on with overlays, seals and commits below. */
    private static void stress(ImageDirectory directory, long seed, int rounds) throws Exception {
        var failures = new ConcurrentLinkedQueue<Throwable>();
        var chain = DiskChain.create(directory, GEOMETRY);
        for (int round = 0; round < rounds; round++) {
            // Requests are bound to a layer and done before it is sealed: as the scheduler has it (R16).
            var overlay = chain.prepareOverlay();
            int below = chain.top();
            chain.switchTo(overlay);
            chain.seal(below);
            var stop = new AtomicBoolean();
            var workers = new ArrayList<Thread>();
            for (int i = 0; i < 4; i++) {
                var open = chain;
                var random = new Random(seed + 31L * round + i);
                workers.add(Thread.ofPlatform().start(() -> {
                    try (var arena = Arena.ofShared()) {
                        work(open, random, arena.allocate(GEOMETRY.groupBytes(), 8), stop);
                    } catch (Throwable e) {
                        failures.add(new AssertionError("rerun with -Dseed=" + seed, e));
                    }
                }));
            }
            if (chain.top() > 2 && chain.mayCommit(chain.top() - 1)) {
                var commit = chain.commit(chain.top() - 1);
                while (commit.copyNext(1)) {
                    Thread.onSpinWait();
                }
                commit.finish();
            }
            for (int i = 0; i < 20 && failures.isEmpty(); i++) {
                chain.sync(chain.top());
                chain.read(below, 0, Sectors.filled(0, SECTORS));
            }
            stop.set(true);
            for (var worker : workers) {
                worker.join();
            }
            assertEquals(List.of(), List.copyOf(failures));

            var buffer = Sectors.filled(0, SECTORS);
            chain.read(chain.top(), 0, buffer);
            if (round % 3 == 2) {
                chain.sealAll();
                chain.close();
                var checked = DiskInspector.check(directory, _ -> {});
                assertEquals(List.of(), checked.damages(), "rerun with -Dseed=" + seed);
                assertEquals(0, checked.unprovedBytes());
                assertTrue(checked.provedBytes() > 0);
                chain = DiskChain.open(directory);
                var again = Sectors.filled(0, SECTORS);
                chain.read(chain.top(), 0, again);
                assertEquals(-1, buffer.mismatch(again));
            }
        }
        chain.close();
    }

    private static void work(DiskChain chain, Random random, MemorySegment buffer,
            AtomicBoolean stop) throws IOException {
        int layer = chain.top();
        while (!stop.get()) {
            int group = random.nextInt(GEOMETRY.groupCount());
            int groupSectors = GEOMETRY.groupLength(group) / Sectors.BYTES;
            int first = random.nextInt(groupSectors);
            int count = 1 + random.nextInt(random.nextBoolean() ? 2 : groupSectors - first);
            count = Math.min(count, groupSectors - first);
            if (random.nextInt(4) == 0) {
                first = 0;
                count = groupSectors;
            }
            long position = GEOMETRY.positionOf(group) + (long) first * Sectors.BYTES;
            int bytes = count * Sectors.BYTES;
            switch (random.nextInt(8)) {
                case 0, 1, 2, 3 -> {
                    buffer.set(ValueLayout.JAVA_LONG, 8L * random.nextInt(bytes / 8),
                            random.nextLong());
                    if (chain.holds(layer, group)) {
                        chain.write(layer, position, buffer, 0, bytes);
                    } else {
                        chain.fault(layer, group, (long) first * Sectors.BYTES, buffer, 0, bytes);
                    }
                }
                case 4 -> chain.writeZeroes(layer, position, bytes, true);
                default -> chain.read(layer, position, buffer, 0, bytes);
            }
        }
    }
}
