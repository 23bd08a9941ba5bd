package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What disks cost, printed; the bounds that are asserted are loose, since machines are shared. */
class DiskBenchmarkTest {
    private static final int REQUEST_BYTES = 4096;

    @TempDir
    private Path folder;

    private interface Operation {
        void run(long position) throws IOException;
    }

    @Test
    void shouldCostLittleUntilTouched() throws Exception {
        // 2,000 here so that the build stays quick: it takes 10,000 to be asked for.
        measureUntouched(2_000, 10_000);
    }

    @Test
    @Tag("benchmark")
    void shouldCreate10000DisksInTwoSeconds() throws Exception {
        measureUntouched(2_000, 2_000);
        measureUntouched(10_000, 2_000);
    }

    private static void measureUntouched(int count, long millisMax) throws IOException {
        var disks = new ArrayList<DiskChain>(count);
        long before = usedHeap();
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            disks.add(DiskChain.create(new MemoryImageDirectory(), DiskGeometry.of(32L << 30)));
        }
        long millis = (System.nanoTime() - start) / 1_000_000;
        long each = (usedHeap() - before) / disks.size();

        System.out.printf("untouched: %d disks of 32 GiB in %d ms, %d bytes of heap each%n", count,
                millis, each);
        assertTrue(each < 4096, each + " bytes each");
        assertTrue(millis < millisMax, millis + " ms");
    }

    @Test
    @Tag("benchmark")
    void shouldReadAndWriteHeldGroupsInMemoryWellUnderAMicrosecond() throws Exception {
        for (int depth : new int[] {1, 10, 100}) {
            var chain = DiskChain.create(new MemoryImageDirectory(), DiskGeometry.of(256L << 20));
            // Every layer holds some groups, and the top all that are asked for below.
            var group = Arena.ofAuto().allocate(65536);
            for (int layer = 0; layer < depth; layer++) {
                if (layer > 0) {
                    chain.switchTo(chain.prepareOverlay());
                }
                for (int g = layer; g < 1024; g += depth) {
                    chain.fault(layer, g, 0, group);
                }
            }
            int top = chain.top();
            var buffer = Arena.ofAuto().allocate(REQUEST_BYTES, 4096);

            var bare = Arena.ofAuto().allocate(64L << 20, 4096);
            double copy = nanos(1024,
                    position -> MemorySegment.copy(bare, position, buffer, 0, REQUEST_BYTES));
            double read =
                    nanos(1024, position -> chain.read(top, position, buffer, 0, REQUEST_BYTES));
            for (int g = 0; g < 1024; g++) {
                chain.fault(top, g, 0, MemorySegment.NULL);
            }
            double write =
                    nanos(1024, position -> chain.write(top, position, buffer, 0, REQUEST_BYTES));
            System.out.printf(
                    "memory, %d layers: 4 KiB read %.0f ns, write %.0f ns; a bare copy %.0f ns%n",
                    depth, read,
                    write, copy);
            assertTrue(read < 3000 && write < 3000);
        }
    }

    @Test
    @Tag("benchmark")
    void shouldFaultInMemory() throws Exception {
        var chain = DiskChain.create(new MemoryImageDirectory(), DiskGeometry.of(64L << 20));
        var group = Arena.ofAuto().allocate(65536);
        for (int g = 0; g < 1024; g++) {
            chain.write(0, g * 65536L, group);
        }
        long best = Long.MAX_VALUE;
        chain.switchTo(chain.prepareOverlay());
        for (int round = 0; round < 8; round++) {
            chain.switchTo(chain.prepareOverlay());
            long start = cpuNanos();
            for (int g = 0; g < 1024; g++) {
                chain.fault(chain.top(), g, 8192, group, 0, 4096);
            }
            best = Math.min(best, (cpuNanos() - start) / 1024);
            var commit = chain.commit(chain.top() - 1);
            while (commit.copyNext(64)) {
                Thread.onSpinWait();
            }
            commit.finish();
        }
        System.out.printf("memory: 4 KiB write that faults 64 KiB %d ns%n", best);
    }

    @Test
    @Tag("benchmark")
    void shouldWriteFilesAboutAsFastAsTheFileSystemDoes() throws Exception {
        int groups = 8192;
        var group = Arena.ofAuto().allocate(65536, 4096);
        group.fill((byte) 7);

        long start = System.nanoTime();
        try (var plain = FileChannel.open(folder.resolve("plain"), StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE)) {
            ByteBuffer buffer = group.asByteBuffer();
            for (int g = 0; g < groups; g++) {
                plain.write(buffer.clear(), g * 65536L);
            }
            plain.force(false);
        }
        double plainRate = rate(groups, start);

        try (var chain = DiskChain.create(new FileImageDirectory(folder.resolve("disk")),
                DiskGeometry.of(32L << 30))) {
            start = System.nanoTime();
            for (int g = 0; g < groups; g++) {
                chain.write(0, g * 65536L, group);
            }
            chain.sync(0);
            double first = rate(groups, start);
            start = System.nanoTime();
            for (int g = 0; g < groups; g++) {
                chain.write(0, g * 65536L, group);
            }
            chain.sync(0);
            double again = rate(groups, start);
            start = System.nanoTime();
            for (int g = 0; g < groups; g++) {
                chain.read(0, g * 65536L, group);
            }
            double read = rate(groups, start);
            chain.switchTo(chain.prepareOverlay());
            start = System.nanoTime();
            for (int g = 0; g < groups; g++) {
                chain.fault(1, g, 4096, group, 0, 4096);
            }
            double faults = (System.nanoTime() - start) / 1e3 / groups;
            chain.sync(1);
            chain.switchTo(chain.prepareOverlay());
            start = System.nanoTime();
            var commit = chain.commit(1);
            while (commit.copyNext(64)) {
                Thread.onSpinWait();
            }
            commit.finish();
            double committed = rate(groups, start);
            System.out.printf(
                    "files, MB/s with sync: plain %.0f, new groups %.0f, rewritten %.0f, commit %.0f;"
                            + " read (cached) %.0f; 4 KiB write that faults 64 KiB %.1f µs%n",
                    plainRate, first, again,
                    committed, read, faults);
        }
    }

    /** What it costs that data in files is verified while it can be written, in blocks and in parts of them. */
    @Test
    @Tag("benchmark")
    void shouldVerifyFilesCheaply() throws Exception {
        var geometry = DiskGeometry.of(64L << 20);
        for (int bytes : new int[] {512, 4096, 65536}) {
            var costs = new double[2][2];
            for (int verified = 0; verified < 2; verified++) {
                var files = new FileImageDirectory(folder.resolve(bytes + "-" + verified));
                var buffer = Arena.ofAuto().allocate(65536, 4096);
                try (var chain = DiskChain.create(verified == 1 ? files : trusted(files),
                        geometry)) {
                    for (int g = 0; g < 1024; g++) {
                        chain.write(0, g * 65536L, buffer);
                    }
                    costs[verified][0] = nanos(1024, position -> chain.read(0,
                            position & -bytes, buffer, 0, bytes));
                    costs[verified][1] = nanos(1024, position -> chain.write(0,
                            position & -bytes, buffer, 0, bytes));
                }
            }
            System.out.printf("files, %d bytes: read %.0f ns, verified %.0f ns;"
                    + " write %.0f ns, verified %.0f ns%n", bytes, costs[0][0], costs[1][0],
                    costs[0][1], costs[1][1]);
        }
        var crc = ByteBuffer.allocateDirect(4096);
        System.out.printf("a checksum of 512 bytes %.0f ns, of 4 KiB %.0f ns%n",
                nanos(1, _ -> Checksums.ofBlock(0, 0, crc.limit(512).position(0))),
                nanos(1, _ -> Checksums.ofBlock(0, 0, crc.limit(4096).position(0))));
    }

    /** The same files, said to be in memory: so nothing is verified before it is sealed. */
    private static ImageDirectory trusted(ImageDirectory files) {
        return (ImageDirectory) Proxy.newProxyInstance(ImageDirectory.class.getClassLoader(),
                new Class<?>[] {ImageDirectory.class},
                (_, method, arguments) -> method.getName().equals("isMemory")
                        ? true
                        : method.invoke(files, arguments));
    }

    private static double rate(int groups, long startNanos) {
        return groups * 65536.0 / 1e6 / ((System.nanoTime() - startNanos) / 1e9);
    }

    /** CPU time of the best of some rounds of random positions in so many groups; other processes do not count. */
    private static double nanos(int groups, Operation operation) throws IOException {
        var random = new Random(1);
        var positions = new long[100_000];
        for (int i = 0; i < positions.length; i++) {
            positions[i] = (long) random.nextInt(groups * 16) * REQUEST_BYTES;
        }
        double best = Double.MAX_VALUE;
        for (int round = 0; round < 30; round++) {
            long start = cpuNanos();
            for (long position : positions) {
                operation.run(position);
            }
            best = Math.min(best, (double) (cpuNanos() - start) / positions.length);
        }
        return best;
    }

    private static long cpuNanos() {
        return ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
    }

    private static long usedHeap() {
        System.gc();
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
