package io.tintype.actors.strand;

/**
 * How strands share the machine.
 *
 * @param threadCount threads that give strands their turns, at least 1
 * @param budgetNs how long a strand may run while others wait, in nanoseconds; checked between two messages
 * @param holdMaxNs how long {@link Strands#holdTurn} keeps a turn from ending at most, in nanoseconds
 * @param blockingThreadCount threads for what blocks or is long, at least 1
 */
public record StrandOptions(int threadCount, long budgetNs, long holdMaxNs,
        int blockingThreadCount) {
    // Two slices of a guest, or a few hundred messages.
    private static final long BUDGET_NS = 200_000;
    // Far above any stun, far below what a user takes for a hanging process.
    private static final long HOLD_MAX_NS = 100_000_000;

    public StrandOptions {
        check(threadCount >= 1, "threadCount", threadCount, "at least 1");
        check(budgetNs >= 0, "budgetNs", budgetNs, "0 or more");
        check(holdMaxNs >= 0, "holdMaxNs", holdMaxNs, "0 or more");
        check(blockingThreadCount >= 1, "blockingThreadCount", blockingThreadCount, "at least 1");
    }

    public StrandOptions(int threadCount, long budgetNs) {
        this(threadCount, budgetNs, HOLD_MAX_NS, Math.max(4, threadCount));
    }

    /** As many threads as there are cores and at least 2, turns of 200 µs. */
    public static StrandOptions defaults() {
        return new StrandOptions(Math.max(2, Runtime.getRuntime().availableProcessors()),
                BUDGET_NS);
    }

    public StrandOptions withThreadCount(int count) {
        return new StrandOptions(count, budgetNs, holdMaxNs, blockingThreadCount);
    }

    public StrandOptions withBudgetNs(long ns) {
        return new StrandOptions(threadCount, ns, holdMaxNs, blockingThreadCount);
    }

    public StrandOptions withHoldMaxNs(long ns) {
        return new StrandOptions(threadCount, budgetNs, ns, blockingThreadCount);
    }

    public StrandOptions withBlockingThreadCount(int count) {
        return new StrandOptions(threadCount, budgetNs, holdMaxNs, count);
    }

    private static void check(boolean holds, String name, long value, String wanted) {
        if (!holds) {
            throw new IllegalArgumentException(name + " must be " + wanted + ", got " + value);
        }
    }
}
