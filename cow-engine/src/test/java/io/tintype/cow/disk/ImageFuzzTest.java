package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Hands broken images and descriptors to those who open them, half of them behind right checksums.
 * Whatever comes, it is an {@link IOException}, soon, and without memory that the files' own size
 * does not explain.
 */
class ImageFuzzTest {
    private static final DiskGeometry GEOMETRY = new DiskGeometry(64 * 4096, 4096);
    private static final long BUDGET_NS = 2_000_000_000L;
    private static final long ALLOCATED_MAX = 32 << 20;
    private static final int CASES_MIN = 100;
    private static final int[] NUMBERS = {0, 1, -1, 2, 127, 128, 255, 4095, 4096, 65_536,
        Integer.MAX_VALUE, Integer.MIN_VALUE, 0x2e2e2f2e};

    @TempDir
    private Path folder;

    @BeforeEach
    void makeAChainOnAnother() throws IOException {
        try (var parent = DiskChain.create(directory("parent"), GEOMETRY, new ChainId(1, 1))) {
            Sectors.write(parent, 0, 0, 16, 1);
            parent.switchTo(parent.prepareOverlay());
            Sectors.write(parent, 1, 8, 8, 2);
            parent.sync(1);
            try (var clone =
                    DiskChain.createOn(directory("clone"), parent, 1, new ChainId(2, 2))) {
                Sectors.write(clone, clone.top(), 16, 8, 3);
                clone.writeZeroes(clone.top(), 8 * 512, 4096, true);
                clone.switchTo(clone.prepareOverlay());
                clone.sync(clone.top());
            }
        }
        readAll();
    }

    @ParameterizedTest
    @CsvSource({"clone/chain, descriptor", "parent/chain, descriptor", "clone/layer-2.img, image",
        "parent/layer-0.img, image", "parent/layer-1.img, image"})
    void shouldRefuseWhatIsBrokenAndNothingElseHappens(String name, String kind)
            throws IOException {
        long seed = Long.getLong("seed", new Random().nextLong());
        Path file = folder.resolve(name);
        byte[] intact = Files.readAllBytes(file);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long end = System.nanoTime() + BUDGET_NS;
        for (int i = 0; i < CASES_MIN || System.nanoTime() < end; i++) {
            var random = new Random(seed + i);
            byte[] broken = mutated(intact, random, kind.equals("image"));
            if (random.nextBoolean()) {
                repair(broken, kind.equals("image") ? ImageHeader.BYTES : broken.length);
            }
            Files.write(file, broken);
            long before = threads.getCurrentThreadAllocatedBytes();
            try {
                readAll();
            } catch (IOException _) {
                // As it should be.
            } catch (RuntimeException | Error e) {
                throw new AssertionError("rerun with -Dseed=" + (seed + i), e);
            }
            long allocated = threads.getCurrentThreadAllocatedBytes() - before;
            assertTrue(allocated < ALLOCATED_MAX,
                    allocated + " bytes allocated; rerun with -Dseed=" + (seed + i));
        }
        Files.write(file, intact);
    }

    /** A chain that says that it starts from itself, which would go on for ever. */
    @Test
    void shouldRefuseAChainThatIsItsOwnParent() throws IOException {
        Path file = folder.resolve("clone/chain");
        var old = ChainDescriptor.decode("chain", Files.readAllBytes(file));
        for (int view = 0; view < 4; view++) {
            var circle = new ChainDescriptor(old.generation(), old.geometry(), old.id(),
                    old.nextLayer(), new ChainDescriptor.Parent("../clone", view), old.files());
            Files.write(file, circle.encode());

            assertThrows(IOException.class, this::readAll, "view " + view);
        }
    }

    private void readAll() throws IOException {
        String locator = DiskChain.parentOf(directory("clone"));
        if (locator == null) {
            throw new IOException("the clone has lost its parent");
        }
        try (var arena = Arena.ofConfined(); var chain = DiskChain.open(directory("clone"))) {
            var target = arena.allocate(4096);
            long bytes = Math.min(chain.geometry().sizeBytes(), 64 * 4096);
            for (long position = 0; position + 4096 <= bytes; position += 4096) {
                chain.read(chain.top(), position, target);
            }
        }
    }

    private FileImageDirectory directory(String name) {
        return new FileImageDirectory(folder.resolve(name));
    }

    private static byte[] mutated(byte[] intact, Random random, boolean isImage) {
        byte[] bytes = intact.clone();
        for (int left = 1 + random.nextInt(3); left > 0 && bytes.length > 0; left--) {
            // Of an image: header, directory and index, which come before the data.
            int[] starts = {0, ImageHeader.PAGE_BYTES, 2 * ImageHeader.PAGE_BYTES};
            int start = isImage ? starts[random.nextInt(starts.length)] : 0;
            int at = Math.min(bytes.length - 1, start + random.nextInt(128));
            switch (random.nextInt(6)) {
                case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 1 -> bytes[at] = (byte) random.nextInt();
                case 2, 3 -> {
                    int aligned = at / 4 * 4;
                    if (aligned + 4 <= bytes.length) {
                        ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(aligned,
                                NUMBERS[random.nextInt(NUMBERS.length)] + random.nextInt(3) - 1);
                    }
                }
                case 4 -> Arrays.fill(bytes, at, Math.min(bytes.length, at + 16), (byte) 0);
                default -> {
                    if (random.nextInt(6) == 0) {
                        bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length));
                    }
                }
            }
        }
        return bytes;
    }

    /** The checksum at the end of a descriptor, or of an image's header. */
    private static void repair(byte[] bytes, int length) {
        if (length <= bytes.length && length > 4) {
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putInt(length - 4,
                    Checksums.crc32c(bytes, 0, length - 4));
        }
    }
}
