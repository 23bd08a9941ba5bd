package io.tintype.vm.guest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Disk traces and the programs of guests, by Jazzer. docs/testing.md says how to fuzz. */
@Timeout(60)
class GuestFilesFuzzTest {
    private static final long ALLOCATED_MAX = 64 << 20;

    @MethodSource("traces")
    @FuzzTest
    void trace(byte[] file) {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            var trace = VscsiTrace.read(Path.of("some.vscsi"), file);
            assertTrue(trace.requestCount() > 0);
        } catch (TraceException _) {
            // As it should be.
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_MAX, allocated + " bytes allocated");
    }

    static Stream<Arguments> traces() {
        var records = ByteBuffer.allocate(64).order(ByteOrder.LITTLE_ENDIAN);
        records.putInt(0).putInt(4096).putInt(1).putShort((short) 0x2a).putShort((short) 0x100)
                .putLong(8).putLong(250);
        records.putInt(1).putInt(512).putInt(1).putShort((short) 0x28).putShort((short) 0x100)
                .putLong(16).putLong(200);
        return Stream.of(Arguments.of((Object) records.array()));
    }

    @MethodSource("programs")
    @FuzzTest
    void program(byte[] json) {
        try {
            var profile = Programs.read(new String(json, StandardCharsets.UTF_8),
                    LoadProfile.class);
            assertEquals(profile, Programs.read(Programs.write(profile), LoadProfile.class));
        } catch (IllegalArgumentException _) {
            // As it should be.
        }
    }

    static Stream<Arguments> programs() {
        var text = Programs.write(LoadProfile.io(7, 16, 4096, 70));
        return Stream.of(Arguments.of((Object) text.getBytes(StandardCharsets.UTF_8)));
    }
}
