package io.tintype.vm.guest;

/**
 * Executes a {@link HeapPattern} at a rate. Its registers: the steps done and when the next one is due.
 *
 * <p>A guest that was held up catches up, but for no more than a tenth of a second.
 */
final class HeapWriter {
    /** A rate without a limit. */
    static final long UNLIMITED = -1;

    /** Stores between two questions whether to yield. */
    static final int BATCH_STEPS = 16;

    /** Slept at least between two batches when there is a rate: 20 stores at 20,000/s, and not one wake-up for each. */
    private static final long WAKE_NS = 1_000_000;

    private static final long CATCH_UP_NS_MAX = 100_000_000;

    private final HeapPattern pattern;
    private final long heap;
    private final long intervalNs;
    private final boolean active;
    private long steps;
    private long dueNs;

    /** @param ratePerSecond stores a second, 0 for none, or {@link #UNLIMITED} */
    HeapWriter(HeapPattern pattern, GuestLayout layout, long ratePerSecond) {
        this.pattern = pattern;
        heap = layout.heap();
        active = ratePerSecond != 0 && pattern.pageCount() > 0;
        intervalNs = ratePerSecond > 0 ? Math.max(1, 1_000_000_000 / ratePerSecond) : 0;
    }

    void boot(long nowNs) {
        dueNs = nowNs;
    }

    long steps() {
        return steps;
    }

    /** Does the stores that are due, at most a batch. */
    boolean run(GuestMemory memory, long nowNs) {
        if (!active || nowNs < dueNs) {
            return false;
        }
        dueNs = Math.max(dueNs, nowNs - CATCH_UP_NS_MAX);
        for (int i = 0; i < BATCH_STEPS && dueNs <= nowNs; i++) {
            step(memory);
            dueNs += intervalNs;
        }
        return true;
    }

    /** When to run again at the latest; {@code Long.MAX_VALUE} if never. */
    long wakeNs() {
        return active ? dueNs + Math.max(0, WAKE_NS - intervalNs) : Long.MAX_VALUE;
    }

    private void step(GuestMemory memory) {
        steps++;
        var choices = pattern.choices(steps);
        var page = pattern.page(choices);
        var word = pattern.word(page, HeapPattern.slot(choices));
        memory.putLong(heap + (long) page * GuestMemory.PAGE_BYTES + (long) word * Long.BYTES,
                pattern.value(steps));
    }

    void save(RegisterWriter registers) {
        registers.putLong(dueNs);
    }

    void restore(RegisterReader registers) {
        steps = registers.header().heapSteps();
        dueNs = registers.getLong();
    }
}
