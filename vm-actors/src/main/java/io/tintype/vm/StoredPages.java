package io.tintype.vm;

import io.tintype.actors.strand.Strands;
import io.tintype.cow.memory.PageSource;
import io.tintype.cow.memory.PageUnavailableException;
import io.tintype.store.MemoryPages;
import io.tintype.store.StoreException;
import io.tintype.store.StoredCheckpoint;
import java.lang.foreign.MemorySegment;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One region of a stored checkpoint, page by page. A strand that asks stands still; the other strands do not. */
final class StoredPages implements PageSource {
    private static final Logger LOG = LoggerFactory.getLogger(StoredPages.class);

    private final MemoryPages pages;

    StoredPages(StoredCheckpoint stored, int region) throws StoreException {
        pages = stored.pages(region);
    }

    @Override
    public int pageCount() {
        return pages.pageCount();
    }

    @Override
    public boolean stored(int page) {
        return Strands.blocking(() -> {
            try {
                return pages.stored(page);
            } catch (StoreException failure) {
                throw unavailable(failure);
            }
        });
    }

    @Override
    public void read(int page, MemorySegment to, long offset) {
        Strands.blocking(() -> {
            try {
                pages.read(page, to, offset);
                return page;
            } catch (StoreException failure) {
                throw unavailable(failure);
            }
        });
    }

    private static PageUnavailableException unavailable(StoreException failure) {
        return new PageUnavailableException(String.valueOf(failure.getMessage()), failure);
    }

    @Override
    public void close() {
        try {
            pages.close();
        } catch (StoreException failure) {
            LOG.warn("memory that was restored did not close cleanly: {}", failure.getMessage());
        }
    }
}
