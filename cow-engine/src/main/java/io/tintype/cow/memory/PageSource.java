package io.tintype.cow.memory;

import java.lang.foreign.MemorySegment;

/**
 * Where the pages of a {@link LazyMemory} come from. Any number of threads may ask at once, and each call may block; {@link
 * #close} comes once, when nobody asks any more.
 */
public interface PageSource extends AutoCloseable {
    /** Pages of the memory. */
    int pageCount();

    /**
     * Whether {@code page} has bytes of its own; false: it is all zeros.
     *
     * @throws PageUnavailableException if that cannot be found out
     */
    boolean stored(int page);

    /**
     * Puts the 4096 bytes of {@code page}, verified, at {@code offset} of {@code to}.
     *
     * @throws PageUnavailableException if they are damaged or cannot be read; what was put does not count then
     */
    void read(int page, MemorySegment to, long offset);

    /** Nobody asks any more. Does not throw. */
    @Override
    void close();
}
