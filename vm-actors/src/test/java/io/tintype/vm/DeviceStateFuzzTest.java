package io.tintype.vm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.sun.management.ThreadMXBean;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.store.StoreException;
import io.tintype.vm.device.QueueState;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The device state of a checkpoint, by Jazzer. docs/testing.md says how to fuzz. */
@Timeout(60)
class DeviceStateFuzzTest {
    private static final long ALLOCATED_MAX = 64 << 20;

    /** Loads the classes: what is counted then is not what instrumenting them takes. */
    @BeforeAll
    static void readOne() throws JsonProcessingException, StoreException {
        var state = new DeviceState("none", new byte[0], List.of(), List.of(), 0, null);
        DeviceState.parse("some checkpoint", state.bytes());
    }

    @MethodSource("states")
    @FuzzTest
    void state(byte[] json) throws JsonProcessingException, StoreException {
        var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        try {
            byte[] again = DeviceState.parse("some checkpoint", json).bytes();
            assertArrayEquals(again, DeviceState.parse("some checkpoint", again).bytes());
        } catch (StoreException _) {
            // As it should be.
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        assertTrue(allocated < ALLOCATED_MAX, allocated + " bytes allocated");
    }

    static Stream<Arguments> states() throws JsonProcessingException {
        var state = new DeviceState("synthetic", new byte[] {1, 2, 3},
                List.of(new QueueState(4096, 8192, 64, 7, 9, 5)),
                List.of(new DeviceState.Pending(17, 0, 3, IoKind.WRITE, 8, 16, IoStatus.OK)),
                123, "0000-1111");
        return Stream.of(Arguments.of((Object) state.bytes()));
    }
}
