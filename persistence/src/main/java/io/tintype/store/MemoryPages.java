package io.tintype.store;

import java.lang.foreign.MemorySegment;

/**
 * The pages of one stored memory region, to be read one by one in any order.
 *
 * <p>Any number of threads may read at once, each call may block on the disk. What says where the
 * pages are is read when it is needed, not before. Whoever opened it closes it when nobody reads
 * any more; reading after that is an {@code IllegalStateException}.
 */
public sealed interface MemoryPages extends AutoCloseable permits ChunkedPages, IndexedPages {
    /** Pages in the region, those included that are zero. */
    int pageCount();

    /**
     * Whether there is something to read; false: the page is all zeros.
     *
     * @throws StoreException if what says so is damaged or cannot be read
     */
    boolean stored(int page) throws StoreException;

    /**
     * Puts the page's 4096 bytes, zeros for one that is not stored, at {@code offset} of {@code
     * to}, once their checksum was verified. When it throws, those bytes of {@code to} are
     * undefined, and not the page's.
     *
     * @throws DamagedSegmentException if it is not what was written; names file and offset
     */
    void read(int page, MemorySegment to, long offset) throws StoreException;

    /** Closes the files. Doing it again does nothing. */
    @Override
    void close() throws StoreException;
}
