package io.tintype.cow.memory;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class HostMemoryTest {
    private static final long PAGE = MemoryRegion.PAGE_BYTES;

    @Test
    void shouldStartOnAPageAndBeZero() {
        try (var memory = HostMemory.of(1 << 20)) {
            assertEquals(0, memory.segment().address() % PAGE);
            assertEquals(1 << 20, memory.segment().byteSize());
            assertEquals(0, memory.segment().get(ValueLayout.JAVA_LONG, (1 << 20) - 8));
        }
    }

    @Test
    void shouldSetAsideMoreThanTheHostHas() {
        assertTrue(HostMemory.NATIVE, "the build's JVM may make native calls");
        try (var memory = HostMemory.of(1L << 40)) {
            memory.segment().set(ValueLayout.JAVA_LONG, (1L << 40) - 8, 1);
        }
    }

    @Test
    void shouldSayWhatTheHostDoesNotMap() {
        var thrown = assertThrows(IllegalArgumentException.class, () -> HostMemory.of(1L << 60));

        assertTrue(
                thrown.toString().contains("does not map " + ((1L << 60) + (2 << 20)) + " bytes"),
                thrown::toString);
    }

    @Test
    void shouldRefuseUseAfterItsEndInsteadOfDying() {
        var memory = HostMemory.of(1 << 20);
        memory.close();

        assertThrows(IllegalStateException.class,
                () -> memory.segment().get(ValueLayout.JAVA_LONG, 0));
    }

    @Test
    void shouldWorkOnAllocatedMemory() {
        try (var pool = new FramePool(16 * PAGE, 16 * PAGE, false)) {
            checkpointOnce(pool);
        }
    }

    @Test
    void shouldWorkWhereNativeCallsAreForbidden() throws Exception {
        var java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        var process = new ProcessBuilder(java, "-Xmx64m", "-XX:-UsePerfData",
                "--illegal-native-access=deny",
                "-cp", System.getProperty("java.class.path"), HostMemoryTest.class.getName())
                .redirectErrorStream(true).start();

        var output = new String(process.getInputStream().readAllBytes(), UTF_8);

        assertEquals(0, process.waitFor(), output);
        assertEquals("native=false raw=false" + System.lineSeparator(), output);
    }

    /** The JVM of the test above. */
    public static void main(String[] arguments) {
        try (var pool = new FramePool(16 * PAGE, 16 * PAGE)) {
            checkpointOnce(pool);
        }
        System.out.println("native=" + HostMemory.NATIVE + " raw=" + Tlb.RAW);
    }

    private static void checkpointOnce(FramePool pool) {
        try (var region = new MemoryRegion(pool, 8 * PAGE, (_, _, _) -> {})) {
            region.putLong(PAGE, 1);
            var frozen = region.freeze();
            region.putLong(PAGE, 2);
            region.putInt(PAGE + 8, 3);
            region.putByte(PAGE + 12, (byte) 4);

            assertEquals(2, region.getLong(PAGE));
            assertEquals(3, region.getInt(PAGE + 8));
            assertEquals(4, region.getByte(PAGE + 12));
            assertEquals(1, frozen.pool().get(ValueLayout.JAVA_LONG, frozen.frame(1) * PAGE));
            region.release(frozen);
        }
    }
}
