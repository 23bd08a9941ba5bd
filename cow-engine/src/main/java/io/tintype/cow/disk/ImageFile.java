package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/**
 * One open file of an {@link ImageDirectory}. Any thread may call any method at any time; reads and writes of disjoint
 * ranges do not disturb each other. After {@link #close} every call throws {@link ClosedImageException}, and so may one
 * that was under way.
 */
public interface ImageFile extends AutoCloseable {
    /**
     * Reads {@code bytes} bytes at {@code position} to {@code target} from {@code targetOffset} on; what lies past the end
     * of the file reads as zeros.
     */
    void read(long position, MemorySegment target, long targetOffset, int bytes)
            throws IOException;

    /** Writes {@code bytes} bytes of {@code source} to {@code position}; the file grows as needed. */
    void write(long position, MemorySegment source, long sourceOffset, int bytes)
            throws IOException;

    /**
     * Makes durable every write and change of size that returned before this was called. A failure is final: what it
     * should have made durable may be lost, and calling again proves nothing.
     */
    void sync() throws IOException;

    long size() throws IOException;

    /** Cuts the file, or extends it with zeros that take no space. Not concurrently with writes past the new end. */
    void setSize(long bytes) throws IOException;

    /** Gives the file's resources back once the calls under way are through; does not make anything durable. Idempotent. */
    @Override
    void close();
}
