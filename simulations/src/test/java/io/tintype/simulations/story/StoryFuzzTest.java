package io.tintype.simulations.story;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files of stories, by Jazzer, as they come and behind a right checksum. docs/testing.md says how to fuzz. */
@Timeout(60)
class StoryFuzzTest {
    private static final long ALLOCATED_MAX = 64 << 20;

    /** Loads the classes: what is counted then is not what instrumenting them takes. */
    @BeforeAll
    static void readOne() throws TraceFileException {
        var text = TraceFile.render(MadeUpStory.ofR8());
        TraceFile.read(Path.of("some.story"), text.getBytes(StandardCharsets.UTF_8));
    }

    @MethodSource("stories")
    @FuzzTest
    void story(byte[] file) {
        read(file);
        read(TraceFile.sealed(new String(file, StandardCharsets.UTF_8))
                .getBytes(StandardCharsets.UTF_8));
    }

    private static void read(byte[] file) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            var story = TraceFile.read(Path.of("some.story"), file);
            assertEquals(story, TraceFile.read(Path.of("some.story"),
                    TraceFile.render(story).getBytes(StandardCharsets.UTF_8)));
        } catch (TraceFileException _) {
            // As it should be.
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_MAX, allocated + " bytes allocated");
    }

    static Stream<Arguments> stories() {
        return Stream.of(Arguments.of((Object) TraceFile.render(MadeUpStory.ofR8())
                .getBytes(StandardCharsets.UTF_8)));
    }
}
