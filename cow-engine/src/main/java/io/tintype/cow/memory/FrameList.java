package io.tintype.cow.memory;

import org.jspecify.annotations.Nullable;

/**
 * A bag of frames, last in first out, as a chain of chunks: frames go in and out one by one, and whole bags are joined or
 * given back in O(1). The same chunks hold free frames in the pool, a region's own, and those that only frozen memory needs.
 * Not thread-safe.
 */
final class FrameList {
    /**
     * What a region takes from the pool at a time: 128 KiB, so 10,000 regions that touched one page each hold back 1.25 GiB
     * of address space (and no memory), and the pool's shared words are touched once in 32 faults, or 10 µs.
     */
    static final int CHUNK_FRAMES = 32;

    /** A chunk in a list, or in the pool, is never empty. */
    static final class Chunk {
        final int[] frames = new int[CHUNK_FRAMES];
        int count;
        @Nullable
        Chunk next;
    }

    private @Nullable Chunk head;
    private @Nullable Chunk tail;
    private long size;

    long size() {
        return size;
    }

    void push(int frame) {
        var chunk = head;
        if (chunk == null || chunk.count == CHUNK_FRAMES) {
            chunk = new Chunk();
            chunk.next = head;
            head = chunk;
            if (tail == null) {
                tail = chunk;
            }
        }
        chunk.frames[chunk.count++] = frame;
        size++;
    }

    /** The list must not be empty. */
    int pop() {
        var chunk = head;
        if (chunk == null) {
            throw new IllegalStateException("no frame in the list");
        }
        var frame = chunk.frames[--chunk.count];
        size--;
        if (chunk.count == 0) {
            dropHead(chunk);
        }
        return frame;
    }

    /**
     * Adds a chunk of which the caller lets go. What fits into the head goes there: regions that come and go give back chunks
     * with a frame or two, and whoever takes many frames would otherwise take ever more chunks.
     */
    void push(Chunk chunk) {
        var first = head;
        if (first != null && first.count + chunk.count <= CHUNK_FRAMES) {
            System.arraycopy(chunk.frames, 0, first.frames, first.count, chunk.count);
            first.count += chunk.count;
            size += chunk.count;
            return;
        }
        chunk.next = head;
        head = chunk;
        if (tail == null) {
            tail = chunk;
        }
        size += chunk.count;
    }

    /** Takes out the chunk last added to, at most {@link #CHUNK_FRAMES} frames. The list must not be empty. */
    Chunk popChunk() {
        var chunk = head;
        if (chunk == null) {
            throw new IllegalStateException("no frame in the list");
        }
        size -= chunk.count;
        dropHead(chunk);
        return chunk;
    }

    /** Moves all frames of {@code other} to this list, in O(1). */
    void addAll(FrameList other) {
        if (other.tail == null) {
            return;
        }
        other.tail.next = head;
        head = other.head;
        if (tail == null) {
            tail = other.tail;
        }
        size += other.size;
        other.clear();
    }

    /** Lets go of the whole chain, in O(1); null if it is empty. */
    @Nullable
    Chunk takeAll() {
        var chain = head;
        clear();
        return chain;
    }

    private void dropHead(Chunk chunk) {
        head = chunk.next;
        chunk.next = null;
        if (head == null) {
            tail = null;
        }
    }

    private void clear() {
        head = null;
        tail = null;
        size = 0;
    }
}
