package io.tintype.cow.disk;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Buffers that a thread borrows for the length of one call. Off-heap, so that file adapters need no copy; kept for each
 * thread, since a group is needed for each fault and a fresh buffer would cost as much as the fault.
 */
final class Scratch {
    private static final int BYTES_MIN = 64 * 1024;
    private static final int ALIGNMENT = 4096;

    private static final ThreadLocal<MemorySegment> OF_THREAD =
            ThreadLocal.withInitial(() -> allocate(BYTES_MIN));

    private static final ThreadLocal<MemorySegment> SECOND_OF_THREAD =
            ThreadLocal.withInitial(() -> allocate(BYTES_MIN + ALIGNMENT));

    /** Read only. */
    static final MemorySegment ZEROS = allocate(DiskGeometry.GROUP_BYTES_MAX).asReadOnly();

    private Scratch() {}

    /** At least {@code bytes} bytes of anything, this thread's until its next call of this. */
    static MemorySegment borrow(int bytes) {
        var buffer = OF_THREAD.get();
        if (buffer.byteSize() < bytes) {
            buffer = allocate(bytes);
            OF_THREAD.set(buffer);
        }
        return buffer;
    }

    /** As {@link #borrow}, another one: for what is done below a caller that uses the first. */
    static MemorySegment borrowSecond(int bytes) {
        var buffer = SECOND_OF_THREAD.get();
        if (buffer.byteSize() < bytes) {
            buffer = allocate(bytes);
            SECOND_OF_THREAD.set(buffer);
        }
        return buffer;
    }

    private static MemorySegment allocate(int bytes) {
        // Collected with its thread; there is no moment at which a thread of the caller's would close it.
        return Arena.ofAuto().allocate(bytes, ALIGNMENT);
    }
}
