package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import io.tintype.store.BrokenFiles.Target;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The store's files, by Jazzer: each is broken behind right checksums. Run as an ordinary test it takes the seeds and what
 * was found before ({@code src/test/resources}, beside this class's name); docs/testing.md says how to fuzz.
 */
@Timeout(60)
class StoreFuzzTest {
    private static final long ALLOCATED_MAX = 64 << 20;
    /** To make one takes far longer than to break it. */
    private static final Map<Target, BrokenFiles> STORES = new EnumMap<>(Target.class);

    @MethodSource("manifests")
    @FuzzTest
    void manifest(byte[] json) throws IOException {
        try {
            Manifest manifest = ManifestJson.read(json);
            assertEquals(manifest, ManifestJson.read(ManifestJson.write(manifest)));
        } catch (IllegalArgumentException _) {
            // As it should be.
        }
        readAll(Target.MANIFEST, Envelope.wrap(StagedCheckpoint.MANIFEST_MAGIC, 1, json), false);
    }

    static Stream<Arguments> manifests() throws IOException {
        return Stream.of(Target.MANIFEST, Target.CHUNKS_MANIFEST).map(StoreFuzzTest::file)
                .map(file -> Arguments.of((Object) Arrays.copyOfRange(file, Envelope.HEADER_BYTES,
                        file.length - Integer.BYTES)));
    }

    @MethodSource("markers")
    @FuzzTest
    void marker(byte[] file) throws IOException {
        readAll(Target.MARKER, file, false);
        readAll(Target.MARKER, file, true);
    }

    static Stream<Arguments> markers() {
        return Stream.of(Arguments.of((Object) file(Target.MARKER)));
    }

    @MethodSource("hints")
    @FuzzTest
    void hint(byte[] file) throws IOException {
        readAll(Target.HINTS, file, false);
        readAll(Target.HINTS, file, true);
    }

    static Stream<Arguments> hints() {
        return Stream.of(Arguments.of((Object) file(Target.HINTS)));
    }

    @MethodSource("patches")
    @FuzzTest
    void memory(byte[] patches) throws IOException {
        readAll(Target.MEMORY, patched(file(Target.MEMORY), patches), true);
    }

    @MethodSource("patches")
    @FuzzTest
    void memoryOfAnAncestor(byte[] patches) throws IOException {
        readAll(Target.ANCESTOR, patched(file(Target.ANCESTOR), patches), true);
    }

    @MethodSource("patches")
    @FuzzTest
    void memoryOfVersion1(byte[] patches) throws IOException {
        readAll(Target.CHUNKS, patched(file(Target.CHUNKS), patches), true);
    }

    static Stream<Arguments> patches() {
        return Stream.of("", "\0\10\4\3\0\0\0", "\200\100\10\1\0\0\0\0\0\0\0").map(
                text -> Arguments.of((Object) text.getBytes(StandardCharsets.ISO_8859_1)));
    }

    /**
     * Some bytes of a large file replaced: what a fuzzer makes is a row of place (2 bytes, the highest bit: from the end), count
     * (1), bytes.
     */
    private static byte[] patched(byte[] file, byte[] patches) {
        var from = ByteBuffer.wrap(patches);
        while (from.remaining() > 3) {
            int place = from.getShort() & 0xffff;
            int count = Math.min(1 + (from.get() & 15), from.remaining());
            int at = (place & 0x7fff) % file.length;
            at = (place & 0x8000) == 0 ? at : file.length - 1 - at;
            int fitting = Math.min(count, file.length - at);
            from.get(file, at, fitting).position(from.position() + count - fitting);
        }
        return file;
    }

    private static byte[] file(Target target) {
        return store(target).intact();
    }

    private static BrokenFiles store(Target target) {
        return STORES.computeIfAbsent(target, of -> {
            try {
                return new BrokenFiles(of);
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
    }

    private static void readAll(Target target, byte[] broken, boolean isRepaired)
            throws IOException {
        var files = store(target);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        files.readAllWith(broken, isRepaired);
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_MAX, allocated + " bytes allocated");
    }
}
