package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Several threads read, write, fault, zero and sync one chain, each in sectors of its own that lie in groups it shares with
 * the others, while one thread adds overlays and commits them. Requests are bound and done under a read lock and a switch
 * takes the write lock: that stands for R8 and R16, which are the scheduler's.
 */
class DiskChainConcurrencyTest {
    private static final int WORKERS = 4;
    private static final DiskGeometry GEOMETRY = new DiskGeometry(24 * 8192, 8192);
    private static final int SECTORS = (int) (GEOMETRY.sizeBytes() / Sectors.BYTES);

    @TempDir
    private Path folder;

    @Test
    void shouldServeManyThreadsInMemory() throws Exception {
        run(new MemoryImageDirectory(), 60);
    }

    @Test
    void shouldServeManyThreadsInFiles() throws Exception {
        run(new FileImageDirectory(folder, new OpenFiles(2)), 15);
    }

    private static void run(ImageDirectory directory, int rounds) throws Exception {
        var failures = new ConcurrentLinkedQueue<Throwable>();
        var stop = new AtomicBoolean();
        var binding = new ReentrantReadWriteLock();
        try (var chain = DiskChain.create(directory, GEOMETRY)) {
            var expected = new long[SECTORS];
            List<Thread> workers = new ArrayList<>();
            for (int worker = 0; worker < WORKERS; worker++) {
                int own = worker;
                workers.add(Thread.ofPlatform().start(() -> {
                    try {
                        work(chain, binding, own, expected, stop);
                    } catch (Throwable e) {
                        failures.add(e);
                        stop.set(true);
                    }
                }));
            }
            var random = new Random(1);
            for (int round = 0; round < rounds && !stop.get(); round++) {
                var overlay = chain.prepareOverlay();
                binding.writeLock().lock();
                try {
                    chain.switchTo(overlay);
                } finally {
                    binding.writeLock().unlock();
                }
                for (int layer = chain.top(); layer > 0 && round % 3 != 0; layer--) {
                    if (chain.mayCommit(layer)) {
                        var commit = chain.commit(layer);
                        while (commit.copyNext(1 + random.nextInt(3))) {
                            Thread.onSpinWait();
                        }
                        commit.finish();
                        break;
                    }
                }
            }
            stop.set(true);
            for (var worker : workers) {
                worker.join();
            }
            assertEquals(List.of(), List.copyOf(failures));

            chain.sync(chain.top());
            try (var stored = DiskChain.openReadOnly(directory, chain.top())) {
                var versions = Sectors.read(stored, chain.top());
                for (int i = 0; i < SECTORS; i++) {
                    assertEquals(expected[i], versions[i], "sector " + i);
                }
            }
            assertTrue(chain.depth() < rounds + 1, "some were committed");
        }
    }

    /** Sectors whose number is {@code own} modulo the number of workers are this worker's alone. */
    private static void work(DiskChain chain, ReentrantReadWriteLock binding, int own,
            long[] expected,
            AtomicBoolean stop) throws IOException {
        var random = new Random(own);
        for (long version = 1; !stop.get(); version++) {
            int sector = random.nextInt(SECTORS / WORKERS) * WORKERS + own;
            binding.readLock().lock();
            try {
                int layer = chain.top();
                switch (random.nextInt(8)) {
                    case 0, 1, 2, 3 -> {
                        long stamp = version * WORKERS + own;
                        Sectors.write(chain, layer, sector, 1, stamp);
                        expected[sector] = stamp;
                    }
                    case 4 -> {
                        chain.writeZeroes(layer, (long) sector * Sectors.BYTES, Sectors.BYTES,
                                false);
                        expected[sector] = 0;
                    }
                    case 5 -> {
                        if (random.nextInt(20) == 0) {
                            chain.sync(layer);
                        }
                    }
                    default ->
                        assertEquals(expected[sector], Sectors.read(chain, layer, sector, 1)[0],
                                "sector " + sector + " in layer " + layer);
                }
            } finally {
                binding.readLock().unlock();
            }
        }
    }
}
