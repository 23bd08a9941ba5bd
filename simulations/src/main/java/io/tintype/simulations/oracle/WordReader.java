package io.tintype.simulations.oracle;

import java.io.IOException;

/** One that has all pages at hand, so that none is copied whole for a few words of it. */
public interface WordReader extends PageReader {
    /**
     * Copies words that lie in one page; zeros, if it has none.
     *
     * @param page number of the page in the VM, all regions counted together
     * @param word of the page, the first one
     */
    void read(int page, int word, long[] destination, int index, int count) throws IOException;
}
