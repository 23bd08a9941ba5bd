package io.tintype.simulations.simulate;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Many runs, on several threads, each with a simulated machine of its own; seeds are handed out in order, and what is reported does
 * not depend on which thread ran which.
 *
 * <p>It ends at the first violation, in the order of the seeds, since one that has been seen is best mended before looking for more.
 * Any thread may ask for the totals and cancel.
 */
public final class Campaign {
    /**
     * What to run.
     *
     * @param firstSeed of consecutive seeds
     * @param seeds how many at most
     * @param forNs real time after which no run begins; {@code Long.MAX_VALUE} for no limit
     * @param jobs threads
     */
    public record Plan(long firstSeed, long seeds, long forNs, Scenario scenario,
            Strategy strategy, Faults faults, @Nullable Rule broken, int jobs) {
        Knobs knobs(long seed) {
            return Knobs.draw(seed, scenario, strategy, faults, broken);
        }
    }

    /**
     * What was run so far.
     *
     * @param traceHash of all runs, in the order of their seeds, as far as there is no gap
     */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Totals(long runs, long messages, long virtualNs, long realNs, long traceHash,
            long[] situations) {
        /** How many kinds of situation occurred. */
        public int situationsReached() {
            int reached = 0;
            for (long count : situations) {
                reached += count > 0 ? 1 : 0;
            }
            return reached;
        }
    }

    private record Failed(long seed, List<Violation> violations) {}

    /** Seeds looked at for a failure that is easier to tell. */
    private static final int OTHERS_MAX = 3_000;

    private final Plan plan;
    private final long startNs = System.nanoTime();
    private final AtomicLong nextSeed;
    private final AtomicLong messages = new AtomicLong();
    private final AtomicReference<@Nullable Throwable> broke = new AtomicReference<>();
    private volatile boolean cancelled;
    private volatile long endNs;

    // Guarded by this.
    private final TreeMap<Long, RunRecord> early = new TreeMap<>();
    private final long[] situations = new long[Situation.values().length];
    private long counted;
    private long runs;
    private long virtualNs;
    private long hash;
    private @Nullable Failed failed;

    public Campaign(Plan plan) {
        this.plan = plan;
        this.nextSeed = new AtomicLong(plan.firstSeed());
        this.counted = plan.firstSeed();
    }

    /** Whether the runs are over, and a failure is being shrunk. */
    public boolean isShrinking() {
        return endNs != 0;
    }

    /** No run begins any more. */
    public void cancel() {
        cancelled = true;
    }

    /** Runs all, and returns what failed, shrunk and told; null if nothing did. */
    public @Nullable Finding run() throws InterruptedException {
        var threads = new ArrayList<Thread>();
        for (int i = 0; i < plan.jobs(); i++) {
            threads.add(Thread.ofPlatform().daemon().name("simulation-" + (i + 1))
                    .start(this::work));
        }
        for (var thread : threads) {
            thread.join();
        }
        var thrown = broke.get();
        if (thrown != null) {
            throw new IllegalStateException("the simulator failed by a mistake of its own",
                    thrown);
        }
        Failed first;
        synchronized (this) {
            first = failed;
        }
        if (first == null) {
            return null;
        }
        endNs = System.nanoTime();
        try (var machine = new SimulatedMachine()) {
            return told(machine, first);
        }
    }

    /**
     * The story of a failure: of the first one, unless it needs an exact order of messages and one of the next seeds fails without,
     * whose story is much shorter.
     */
    private Finding told(SimulatedMachine machine, Failed first) {
        var violation = first.violations().getFirst();
        var knobs = plan.knobs(first.seed());
        if (!Finding.failsSettled(machine, knobs, violation)) {
            for (long seed = first.seed() + 1; seed <= first.seed() + OTHERS_MAX && !cancelled
                    && plan.broken() != null; seed++) {
                var other = plan.knobs(seed);
                for (var also : Simulation.free(machine, other, false).violations()) {
                    if (also.rule() == violation.rule()
                            && Finding.failsSettled(machine, other, also)) {
                        return Finding.of(machine, other, also);
                    }
                }
            }
        }
        return Finding.of(machine, knobs, violation);
    }

    private void work() {
        long last = plan.firstSeed() + plan.seeds();
        try (var machine = new SimulatedMachine()) {
            long before = machine.messages();
            while (!cancelled && System.nanoTime() - startNs < plan.forNs()) {
                long seed = nextSeed.getAndIncrement();
                if (seed >= last || isBeyondFailure(seed)) {
                    return;
                }
                RunRecord run;
                try {
                    run = Simulation.free(machine, plan.knobs(seed), false);
                } catch (RuntimeException | Error e) {
                    throw new IllegalStateException("seed " + seed, e);
                }
                long now = machine.messages();
                messages.addAndGet(now - before);
                before = now;
                ended(seed, run);
            }
        } catch (RuntimeException | Error e) {
            broke.compareAndSet(null, e);
            cancelled = true;
        }
    }

    private synchronized boolean isBeyondFailure(long seed) {
        return failed != null && seed > failed.seed();
    }

    private synchronized void ended(long seed, RunRecord run) {
        early.put(seed, run);
        while (failed == null) {
            var next = early.remove(counted);
            if (next == null) {
                return;
            }
            runs++;
            virtualNs += next.virtualNs();
            hash = Dice.mix(hash) ^ next.traceHash();
            for (int i = 0; i < situations.length; i++) {
                situations[i] += next.situations()[i];
            }
            if (!next.violations().isEmpty()) {
                failed = new Failed(counted, next.violations());
            }
            counted++;
        }
    }

    public synchronized Totals totals() {
        return new Totals(runs, messages.get(), virtualNs,
                (endNs == 0 ? System.nanoTime() : endNs) - startNs, hash,
                situations.clone());
    }

    /** Counts by the names that programs know. */
    public static Map<String, Long> byKey(long[] situations) {
        var counts = new TreeMap<String, Long>();
        for (var each : Situation.values()) {
            counts.put(each.key(), situations[each.index()]);
        }
        return counts;
    }
}
