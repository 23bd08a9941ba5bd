package io.tintype.vm;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Running totals of one VM. Written by its strand only; any thread may read, each counter by itself.
 */
public final class VmCounters {
    private final AtomicLong slices = new AtomicLong();
    private final AtomicLong steps = new AtomicLong();
    private final AtomicLong ioCompleted = new AtomicLong();
    private final AtomicLong ioFailed = new AtomicLong();
    private final AtomicLong memoryFaults = new AtomicLong();
    private final AtomicLong readsReissued = new AtomicLong();
    private final AtomicLong writesDelayed = new AtomicLong();
    private final AtomicLong diskFaults = new AtomicLong();
    private final AtomicLong throttles = new AtomicLong();

    /** Returns how many slices the guest got. */
    public long slices() {
        return slices.get();
    }

    /** Returns how many steps the guest executed, as it counts them. */
    public long steps() {
        return steps.get();
    }

    /** Returns how many requests were delivered to the guest, failed ones included. */
    public long ioCompleted() {
        return ioCompleted.get();
    }

    /** Returns how many requests were delivered with an error. */
    public long ioFailed() {
        return ioFailed.get();
    }

    /** Returns the memory COW faults so far. */
    public long memoryFaults() {
        return memoryFaults.get();
    }

    /** Returns how many reads owed their bytes to a copied page. */
    public long readsReissued() {
        return readsReissued.get();
    }

    /** Returns how many writes waited under R8. */
    public long writesDelayed() {
        return writesDelayed.get();
    }

    /** Returns the disk COW faults so far. */
    public long diskFaults() {
        return diskFaults.get();
    }

    /** Returns how often the guest was held back because no frame was free. */
    public long throttles() {
        return throttles.get();
    }

    // One writer: a plain increment, made visible without a fence.
    private static void add(AtomicLong counter, long count) {
        counter.lazySet(counter.getPlain() + count);
    }

    void ran(long stepsNow, long memoryFaultsNow) {
        add(slices, 1);
        steps.lazySet(stepsNow);
        memoryFaults.lazySet(memoryFaultsNow);
    }

    void ioDelivered(boolean failed) {
        add(ioCompleted, 1);
        if (failed) {
            add(ioFailed, 1);
        }
    }

    void readReissued() {
        add(readsReissued, 1);
    }

    void writeDelayed() {
        add(writesDelayed, 1);
    }

    void diskFault() {
        add(diskFaults, 1);
    }

    void throttled() {
        add(throttles, 1);
    }
}
