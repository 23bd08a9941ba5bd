package io.tintype.store;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;

/**
 * Off-heap memory for one chunk of a memory segment, header and pages, on its way to or from a
 * file. One user at a time.
 */
final class ChunkBuffer {
    // Shared: a writer may be used by one thread after the other.
    private final Arena arena = Arena.ofShared();
    private final MemorySegment segment =
            arena.allocate(MemoryFormat.CHUNK_BYTES_MAX, MemoryFormat.BLOCK_BYTES);
    private final ByteBuffer bytes = segment.asByteBuffer();

    private ChunkBuffer() {}

    MemorySegment segment() {
        return segment;
    }

    /** A view that the next call invalidates. */
    ByteBuffer range(int offset, int byteCount) {
        return bytes.limit(offset + byteCount).position(offset);
    }

    /**
     * The buffers of one store. Whoever takes one gives it back, or closes it. Any thread.
     *
     * <p>There is no bound on those lent: a writer holds one only while it has pages to write, and
     * to wait for one here while holding another would be a deadlock. There is one on those kept.
     */
    static final class Pool implements AutoCloseable {
        /** 16 × 1 MiB held at most by a store that does nothing. */
        private static final int KEPT_COUNT_MAX = 16;

        private final ArrayDeque<ChunkBuffer> kept = new ArrayDeque<>();
        private boolean closed;

        ChunkBuffer take() {
            synchronized (this) {
                ChunkBuffer buffer = kept.pollLast();
                if (buffer != null) {
                    return buffer;
                }
            }
            return new ChunkBuffer();
        }

        void give(ChunkBuffer buffer) {
            synchronized (this) {
                if (!closed && kept.size() < KEPT_COUNT_MAX) {
                    kept.addLast(buffer);
                    return;
                }
            }
            buffer.arena.close();
        }

        @Override
        public void close() {
            synchronized (this) {
                closed = true;
                kept.forEach(buffer -> buffer.arena.close());
                kept.clear();
            }
        }
    }
}
