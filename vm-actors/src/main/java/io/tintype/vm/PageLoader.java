package io.tintype.vm;

import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.FramesExhausted;
import io.tintype.cow.memory.LazyMemory;
import io.tintype.cow.memory.PageUnavailableException;
import java.util.List;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings in what restored memory has not loaded yet, a few at a time, so that whoever shares its executor gets a turn: first
 * the pages that the last VM on this checkpoint touched, in that order, then all others.
 *
 * <p>It gives up, and leaves the rest to faults, when memory gets scarce: a VM that runs needs frames more than one that may
 * never touch them. A page that cannot be read is passed over: nobody may ever touch it; after some of them it gives up, too.
 */
final class PageLoader implements Runnable {
    private static final Logger LOG = LoggerFactory.getLogger(PageLoader.class);

    // A sixteenth of all frames is left to those who run.
    private static final int SPARE_SHARE = 16;
    private static final int FAILURES_MAX = 16;

    private final String what;
    private final List<LazyMemory> memories;
    private final PageOrder order;
    private final FramePool pool;
    private final Executor executor;
    private final int stepPages;
    private final Runnable atEnd;
    private int hinted;
    private int region;
    private int page;
    private int failures;

    /**
     * @param what is restored, for the log
     * @param stepPages in one step
     * @param atEnd runs after the last one
     */
    PageLoader(String what, List<LazyMemory> memories, PageOrder order, FramePool pool,
            Executor executor, int stepPages, Runnable atEnd) {
        this.stepPages = stepPages;
        this.what = what;
        this.memories = memories;
        this.order = order;
        this.pool = pool;
        this.executor = executor;
        this.atEnd = atEnd;
    }

    /** One step; the next one is put behind what else the executor has to do. */
    @Override
    public void run() {
        if (step()) {
            executor.execute(this);
        } else {
            atEnd.run();
        }
    }

    private boolean step() {
        for (int i = 0; i < stepPages; i++) {
            if (!isMemoryLeft() || failures >= FAILURES_MAX || !loadNext()) {
                return false;
            }
        }
        return true;
    }

    private boolean isMemoryLeft() {
        return pool.frameCapacity() - pool.framesInUse() > pool.frameCapacity() / SPARE_SHARE;
    }

    /** Loads one page; false if there is none left, or nobody wants them any more. */
    private boolean loadNext() {
        while (hinted < order.count()) {
            int at = hinted++;
            int inRegion = order.region(at);
            if (inRegion < memories.size()
                    && order.page(at) < memories.get(inRegion).pageCount()) {
                return load(inRegion, order.page(at));
            }
        }
        while (region < memories.size()) {
            page = memories.get(region).nextUnloaded(page);
            if (page >= 0) {
                return load(region, page++);
            }
            page = 0;
            region++;
        }
        return false;
    }

    private boolean load(int inRegion, int at) {
        try {
            return memories.get(inRegion).load(at);
        } catch (PageUnavailableException failure) {
            failures++;
            if (failures == 1) {
                // What damages one page mostly damages its neighbours.
                LOG.warn("cannot load a page of {} ahead: {}", what, failure.getMessage());
            }
            return true;
        } catch (FramesExhausted _) {
            failures = FAILURES_MAX;
            return true;
        }
    }
}
