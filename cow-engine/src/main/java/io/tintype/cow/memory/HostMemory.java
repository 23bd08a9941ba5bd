package io.tintype.cow.memory;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Page-aligned, zero-filled memory of the host that costs only what is touched.
 *
 * <p>On Linux: an anonymous mapping without a reservation, in huge pages where the kernel grants them (a first touch then
 * costs a fifth). Elsewhere, and where the JVM forbids native calls, memory of an arena, all of which is touched at once.
 *
 * <p>The segment belongs to an arena of its own, not to the global one: whoever still uses it after {@link #close} gets an
 * {@code IllegalStateException} instead of a dead process. The liveness check this costs is hoisted out of bulk copies, and
 * the guest's fast path does without it (see {@link Tlb}).
 */
final class HostMemory implements AutoCloseable {
    /** Whether this JVM may make native calls. */
    static final boolean NATIVE = mayCallNative();

    private static final int PROT_READ_WRITE = 0x1 | 0x2;
    private static final int MAP_PRIVATE_ANONYMOUS_NORESERVE = 0x2 | 0x20 | 0x4000;
    private static final int MADV_HUGEPAGE = 14;
    private static final long MAP_FAILED = -1;
    private static final long HUGE_PAGE_BYTES = 2 << 20;

    private final Arena arena;
    private final MemorySegment segment;

    private HostMemory(Arena arena, MemorySegment segment) {
        this.arena = arena;
        this.segment = segment;
    }

    /** @throws IllegalArgumentException if the host does not give that much address space */
    static HostMemory of(long sizeBytes) {
        return NATIVE && System.getProperty("os.name", "").equals("Linux")
                ? mapped(sizeBytes)
                : allocated(sizeBytes);
    }

    static HostMemory allocated(long sizeBytes) {
        var arena = Arena.ofShared();
        return new HostMemory(arena, arena.allocate(sizeBytes, FramePool.FRAME_BYTES));
    }

    @SuppressWarnings("restricted")
    private static HostMemory mapped(long sizeBytes) {
        // One huge page more, so that the frames can start on the boundary of one.
        var mappedBytes = Math.addExact(sizeBytes, HUGE_PAGE_BYTES);
        var mapped = Kernel.map(mappedBytes);
        var start = (mapped + HUGE_PAGE_BYTES - 1) & -HUGE_PAGE_BYTES;
        Kernel.adviseHugePages(start, sizeBytes);
        var arena = Arena.ofShared();
        var segment = MemorySegment.ofAddress(start)
                .reinterpret(sizeBytes, arena, _ -> Kernel.unmap(mapped, mappedBytes));
        return new HostMemory(arena, segment);
    }

    MemorySegment segment() {
        return segment;
    }

    @Override
    public void close() {
        arena.close();
    }

    @SuppressWarnings("restricted")
    private static boolean mayCallNative() {
        try {
            return MemorySegment.NULL.reinterpret(Long.MAX_VALUE).byteSize() > 0;
        } catch (IllegalCallerException _) {
            return false;
        }
    }

    /** The three calls of the C library. Apart, so that a JVM that forbids native calls never loads it. */
    @SuppressWarnings("restricted")
    private static final class Kernel {
        private static final Linker LINKER = Linker.nativeLinker();
        private static final Linker.Option WITH_ERRNO = Linker.Option.captureCallState("errno");
        private static final MethodHandle MMAP = handle("mmap",
                FunctionDescriptor.of(ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT,
                        ValueLayout.JAVA_LONG),
                WITH_ERRNO);
        private static final MethodHandle MADVISE = handle("madvise",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_INT));
        private static final MethodHandle MUNMAP = handle("munmap",
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG,
                        ValueLayout.JAVA_LONG));

        private static MethodHandle handle(String name, FunctionDescriptor type,
                Linker.Option... options) {
            return LINKER.downcallHandle(LINKER.defaultLookup().findOrThrow(name), type, options);
        }

        static long map(long sizeBytes) {
            var stateLayout = Linker.Option.captureStateLayout();
            try (var arena = Arena.ofConfined()) {
                var state = arena.allocate(stateLayout);
                var address = (long) MMAP.invokeExact(state, 0L, sizeBytes, PROT_READ_WRITE,
                        MAP_PRIVATE_ANONYMOUS_NORESERVE, -1, 0L);
                if (address == MAP_FAILED) {
                    var errno =
                            stateLayout.varHandle(MemoryLayout.PathElement.groupElement("errno"));
                    throw new IllegalArgumentException("the host does not map " + sizeBytes
                            + " bytes for guest memory (errno " + (int) errno.get(state, 0L)
                            + "): ask for less, or raise its limit on address space");
                }
                return address;
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        /** A hint: a kernel without huge pages refuses it, and nothing but speed is lost. */
        static void adviseHugePages(long address, long sizeBytes) {
            try {
                var _ = (int) MADVISE.invokeExact(address, sizeBytes, MADV_HUGEPAGE);
            } catch (Throwable e) {
                throw unexpected(e);
            }
        }

        static void unmap(long address, long sizeBytes) {
            int status;
            try {
                status = (int) MUNMAP.invokeExact(address, sizeBytes);
            } catch (Throwable e) {
                throw unexpected(e);
            }
            Invariant.check(status == 0, "what was mapped can be unmapped");
        }

        private static RuntimeException unexpected(Throwable e) {
            return switch (e) {
                case RuntimeException expected -> expected;
                case Error error -> throw error;
                default -> new IllegalStateException(e);
            };
        }
    }
}
