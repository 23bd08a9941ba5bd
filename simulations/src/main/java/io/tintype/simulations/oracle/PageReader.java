package io.tintype.simulations.oracle;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Reads the memory of a checkpoint or of a VM. */
@FunctionalInterface
public interface PageReader {
    /**
     * Fills {@code destination}, 4096 bytes on the heap, with a page.
     *
     * @param page number of the page in the VM, all regions counted together
     * @return false if the page is zero; {@code destination} is of no interest then
     */
    boolean read(int page, MemorySegment destination) throws IOException;
}
