package io.tintype.store;

import java.lang.foreign.MemorySegment;

/** Takes the pages of a stored memory region, each verified before it is handed over. */
@FunctionalInterface
public interface PageVisitor {
    /** The page's 4096 bytes lie at {@code offset} of {@code data}, and only until this returns. */
    void page(int page, MemorySegment data, long offset);
}
