package io.tintype.catalogue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Events and states of the journal, by Jazzer: a line with the manifest, then the JSON. */
@Timeout(60)
class EventFuzzTest {
    private static final long ALLOCATED_MAX = 64 << 20;
    private static final EventJson JSON = new EventJson(EventJson.Upcasters.NONE);

    /** Loads the classes: what is counted then is not what instrumenting them takes. */
    @BeforeAll
    static void readOne() {
        var event = new CatalogueEvent.OperationEnded("name", null);
        JSON.read(JSON.manifest(event), JSON.write(event));
    }

    @MethodSource("stored")
    @FuzzTest
    void stored(byte[] bytes) {
        int end = 0;
        while (end < bytes.length && bytes[end] != '\n') {
            end++;
        }
        var manifest = new String(bytes, 0, end, StandardCharsets.UTF_8);
        byte[] json = Arrays.copyOfRange(bytes, Math.min(end + 1, bytes.length), bytes.length);
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            var read = JSON.read(manifest, json);
            byte[] again = JSON.write(read);
            assertArrayEquals(again, JSON.write(JSON.read(JSON.manifest(read), again)));
        } catch (IllegalArgumentException _) {
            // As it should be.
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_MAX, allocated + " bytes allocated");
    }

    static Stream<Arguments> stored() throws IOException {
        try (var files = Files.list(Path.of("src/test/resources/catalogue-v1"))) {
            return files.sorted().toList().stream().map(file -> {
                try {
                    return Arguments.of((Object) Files.readAllBytes(file));
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
        }
    }
}
