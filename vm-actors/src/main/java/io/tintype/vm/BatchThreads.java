package io.tintype.vm;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Threads that do not push aside who runs when they are woken. A strand wakes them in the middle of a turn; an ordinary thread
 * would take its core at once, and the guest would stand still until that thread is done or its time is up. These wait for a
 * core that is free, or for the end of somebody's time: they get as much of a busy machine as others, only later.
 *
 * <p>That is the policy SCHED_BATCH of Linux, which every thread may choose for itself. On other systems, and where native calls
 * are not enabled for Tintype, they are ordinary threads.
 */
final class BatchThreads implements ThreadFactory {
    private static final Logger LOG = LoggerFactory.getLogger(BatchThreads.class);
    private static final int SCHED_BATCH = 3;

    private final String name;
    private final AtomicInteger count = new AtomicInteger();

    /** @param name begins the names of all of its threads */
    BatchThreads(String name) {
        this.name = name;
    }

    @Override
    public Thread newThread(Runnable task) {
        return Thread.ofPlatform().name(name + count.getAndIncrement()).daemon().unstarted(() -> {
            letOthersFirst();
            task.run();
        });
    }

    private static void letOthersFirst() {
        var call = Native.SET_SCHEDULER;
        if (call == null) {
            return;
        }
        try (var arena = Arena.ofConfined()) {
            // struct sched_param: the priority, which must be 0 here.
            var parameter = arena.allocate(ValueLayout.JAVA_INT);
            int result = (int) call.invokeExact(0, SCHED_BATCH, parameter);
            if (result != 0) {
                LOG.debug("threads for work in the background are like all others here");
            }
        } catch (Throwable failure) {
            // It is a favour to others, no condition.
            LOG.debug("threads for work in the background are like all others here", failure);
        }
    }

    /** Found when the first such thread starts, on that thread: it takes some ten milliseconds. */
    private static final class Native {
        static final @Nullable MethodHandle SET_SCHEDULER = find();

        @SuppressWarnings("restricted") // asked for below whether it is enabled
        private static @Nullable MethodHandle find() {
            boolean mayCall = BatchThreads.class.getModule().isNativeAccessEnabled();
            if (!mayCall || !System.getProperty("os.name", "").equals("Linux")) {
                return null;
            }
            var linker = Linker.nativeLinker();
            var type = FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                    ValueLayout.JAVA_INT, ValueLayout.ADDRESS);
            return linker.defaultLookup()
                    .find("sched_setscheduler")
                    .map((MemorySegment symbol) -> linker.downcallHandle(symbol, type))
                    .orElse(null);
        }
    }
}
