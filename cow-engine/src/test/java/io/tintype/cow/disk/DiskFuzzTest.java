package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Descriptors and images of disks, by Jazzer, broken behind right checksums. docs/testing.md says how to fuzz. */
@Timeout(60)
class DiskFuzzTest {
    private static final DiskGeometry GEOMETRY = new DiskGeometry(64 * 4096, 4096);
    private static final ChainId ID = new ChainId(1, 1);
    private static final long ALLOCATED_MAX = 32 << 20;
    private static final int GROUPS_READ = 64;
    private static final int ENTRY_CRC_SHIFT = 48;

    @MethodSource("descriptors")
    @FuzzTest
    void descriptor(byte[] file) throws IOException {
        decode(file);
        if (file.length >= 20) {
            byte[] repaired = file.clone();
            var buffer = ByteBuffer.wrap(repaired).order(ByteOrder.LITTLE_ENDIAN);
            buffer.putInt(12, repaired.length - 20);
            buffer.putInt(repaired.length - 4,
                    Checksums.crc32c(repaired, 0, repaired.length - 4));
            decode(repaired);
            open(repaired, image());
        }
    }

    static Stream<Arguments> descriptors() throws IOException {
        try (var chain = DiskChain.create(new MemoryImageDirectory(), GEOMETRY, ID)) {
            chain.switchTo(chain.prepareOverlay());
            chain.sync(1);
            var file = chain.directory().read("chain");
            var old = ChainDescriptor.decode("chain", file);
            var clone = new ChainDescriptor(old.generation(), old.geometry(), old.id(), 9,
                    new ChainDescriptor.Parent("../elsewhere", -1), old.files());
            return Stream.of(Arguments.of((Object) file), Arguments.of((Object) clone.encode()));
        }
    }

    /** The file is made of so many bytes of an intact one, with {@code patches} in it. */
    @MethodSource("patches")
    @FuzzTest
    void image(byte[] patches) throws IOException {
        byte[] file = patched(image(), patches);
        repair(file);
        open(descriptors().findFirst().map(one -> (byte[]) one.get()[0]).orElseThrow(), file);
    }

    static Stream<Arguments> patches() {
        return Stream.of("", "\0\10\4\3\0\0\0", "\40\0\7\3\0\0\0\0\1\0\0").map(
                text -> Arguments.of((Object) text.getBytes(StandardCharsets.ISO_8859_1)));
    }

    private static void decode(byte[] file) {
        try {
            var descriptor = ChainDescriptor.decode("chain", file);
            assertEquals(descriptor, ChainDescriptor.decode("chain", descriptor.encode()));
        } catch (DamagedImageException | NewerVersionException _) {
            // As it should be.
        }
    }

    private static void open(byte[] descriptor, byte[] image) throws IOException {
        var directory = new MemoryImageDirectory();
        directory.replace("chain", descriptor);
        try (var file = directory.create("layer-0.img"); var arena = Arena.ofConfined()) {
            var bytes = arena.allocate(image.length);
            MemorySegment.copy(MemorySegment.ofArray(image), 0, bytes, 0, image.length);
            file.write(0, bytes, 0, image.length);
        }
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try (var arena = Arena.ofConfined(); var chain = DiskChain.open(directory)) {
            var target = arena.allocate(4096);
            long bytes = Math.min(chain.geometry().sizeBytes(), GROUPS_READ * 4096L);
            for (long position = 0; position + 4096 <= bytes; position += 4096) {
                chain.read(chain.top(), position, target);
            }
        } catch (IOException _) {
            // As it should be.
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_MAX, allocated + " bytes allocated");
    }

    /** Header, directory, index and sums of a base with data in some groups, some of them sealed. */
    private static byte[] image() throws IOException {
        var directory = new MemoryImageDirectory();
        try (var chain = DiskChain.create(directory, GEOMETRY, ID)) {
            Sectors.write(chain, 0, 0, 16, 1);
            Sectors.write(chain, 0, 64, 8, 2);
            chain.writeZeroes(0, 20 * 4096, 4096, true);
            chain.switchTo(chain.prepareOverlay());
            chain.seal(0);
            chain.sync(1);
        }
        return directory.read("layer-0.img");
    }

    /** As in the store's fuzz test: place (2 bytes, in units of 2), count (1), bytes. */
    private static byte[] patched(byte[] intact, byte[] patches) {
        byte[] file = Arrays.copyOf(intact, intact.length);
        var from = ByteBuffer.wrap(patches);
        while (from.remaining() > 3) {
            int at = 2 * (from.getShort() & 0xffff) % file.length;
            int count = Math.min(1 + (from.get() & 15), from.remaining());
            int fitting = Math.min(count, file.length - at);
            from.get(file, at, fitting).position(from.position() + count - fitting);
        }
        return file;
    }

    /** The header's checksum, and those that entries of directory and index have in themselves. */
    private static void repair(byte[] file) {
        var buffer = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        int salt = Checksums.crc32c(file, 0, ImageHeader.BYTES - Integer.BYTES);
        buffer.putInt(ImageHeader.BYTES - Integer.BYTES, salt);
        repairEntry(buffer, ImageHeader.PAGE_BYTES, ~0 ^ salt);
        for (int group = 0; group < ImageHeader.PAGE_ENTRIES; group++) {
            repairEntry(buffer, 2 * ImageHeader.PAGE_BYTES + group * ImageHeader.ENTRY_BYTES,
                    group ^ salt);
        }
    }

    private static void repairEntry(ByteBuffer buffer, int at, int key) {
        long body = buffer.getLong(at) & (1L << ENTRY_CRC_SHIFT) - 1;
        if (body != 0) {
            buffer.putLong(at,
                    ((long) Checksums.crc16(key, body) << ENTRY_CRC_SHIFT) | body);
        }
    }
}
