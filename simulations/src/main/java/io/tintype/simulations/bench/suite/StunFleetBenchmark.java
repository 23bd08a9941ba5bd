package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.store.StoreException;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.Vm;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The stuns of a fleet: every VM always has something to run, does I/O to a file, and is checkpointed once a second, evenly
 * spread; each checkpoint is sealed in the store and deleted.
 */
final class StunFleetBenchmark implements Benchmark {
    private static final double P50_MICROS_MAX = 100;
    private static final double P99_MICROS_MAX = 1_000;
    private static final int THREADS = 2;
    private static final long SECOND_NS = 1_000_000_000;
    private static final long MEMORY_BYTES = 64 * Rig.MIB;
    // 64 VMs × 1 MiB = 64 MiB a second to the store. All of 64 × 64 MiB would measure the disk.
    private static final long HOT_BYTES = Rig.MIB;
    private static final long DISK_BYTES = 16 * Rig.MIB;
    private static final int DEPTH = 4;
    private static final int REQUEST_BYTES = 4096;

    /** What became of the checkpoints. Counted by the threads that hear of it. */
    private static final class Tally {
        final AtomicInteger sealed = new AtomicInteger();
        final AtomicInteger aborted = new AtomicInteger();
        final AtomicInteger skipped = new AtomicInteger();
        final AtomicLong pending = new AtomicLong();
    }

    @Override
    public String name() {
        return "stun-fleet";
    }

    @Override
    public String title() {
        return "stun of 64 busy VMs on 2 threads, each checkpointed every second";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        Rehearsal.play(context);
        int vmCount = context.quick() ? 8 : 64;
        int seconds = context.quick() ? 1 : 20;
        int warmupSeconds = context.quick() ? 0 : 8;
        long touchedBytes = 2 * HOT_BYTES * vmCount;
        var wish =
                Rig.Wish.diskFiles(touchedBytes, touchedBytes)
                        .withThreads(THREADS);
        var deleting = Executors.newFixedThreadPool(2);
        try (var rig = Rig.start(context, "fleet", wish)) {
            var probe = new StunProbe();
            var vms = new ArrayList<Vm>();
            for (int i = 0; i < vmCount; i++) {
                var load =
                        new LoadProfile(
                                context.seed() + i,
                                DEPTH,
                                REQUEST_BYTES,
                                50,
                                Work.STORE_RANDOM,
                                HOT_BYTES);
                vms.add(rig.create("vm-" + i, MEMORY_BYTES, List.of(DISK_BYTES), load, probe));
            }
            vms.forEach(Vm::start);
            checkpoint(rig, context, vms, warmupSeconds, deleting, new Tally());
            probe.take();
            context.note("measuring " + seconds + " s");
            var tally = new Tally();
            checkpoint(rig, context, vms, seconds, deleting, tally);
            var stuns = probe.take();
            if (stuns.getTotalCount() == 0) {
                return new BenchResult(List.of());
            }
            var of = ", " + vmCount + " busy VMs";
            double sealed = tally.sealed.get();
            return new BenchResult(
                    List.of(
                            Row.atMost("stun p50" + of, P50_MICROS_MAX, StunProbe.micros(stuns, 50),
                                    "µs"),
                            Row.atMost("stun p99" + of, P99_MICROS_MAX, StunProbe.micros(stuns, 99),
                                    "µs"),
                            Row.shown("stun max" + of, StunProbe.micros(stuns, 100), "µs"),
                            Row.shown("checkpoints sealed", sealed, "checkpoints"),
                            Row.shown("checkpoints aborted", tally.aborted.get(), "checkpoints"),
                            Row.shown(
                                    "not begun, the one before was still being saved",
                                    tally.skipped.get(),
                                    "checkpoints"),
                            Row.shown(
                                    "in flight at the stun, mean",
                                    tally.pending.get() / Math.max(1, sealed),
                                    "requests")));
        } finally {
            deleting.shutdown();
        }
    }

    private static void checkpoint(
            Rig rig,
            BenchContext context,
            List<Vm> vms,
            int seconds,
            ExecutorService deleting,
            Tally tally)
            throws IOException {
        var latest = new ArrayList<CompletableFuture<Void>>();
        vms.forEach(_ -> latest.add(CompletableFuture.completedFuture(null)));
        long start = System.nanoTime();
        for (int i = 0; i < seconds * vms.size() && !context.cancelled(); i++) {
            rig.pass(start + i * SECOND_NS / vms.size() - System.nanoTime());
            int index = i % vms.size();
            if (!latest.get(index).isDone()) {
                tally.skipped.incrementAndGet();
                continue;
            }
            latest.set(
                    index,
                    vms.get(index)
                            .checkpoint()
                            .thenAcceptAsync(outcome -> ended(rig, outcome, tally), deleting)
                            .toCompletableFuture());
        }
        Rig.answer(CompletableFuture.allOf(latest.toArray(CompletableFuture<?>[]::new)));
    }

    private static void ended(Rig rig, CheckpointOutcome outcome, Tally tally) {
        if (!outcome.sealed()) {
            tally.aborted.incrementAndGet();
            return;
        }
        tally.sealed.incrementAndGet();
        tally.pending.addAndGet(outcome.pendingCount());
        try {
            rig.host().delete(outcome.ref());
        } catch (StoreException failure) {
            throw new IllegalStateException("cannot delete " + outcome.ref(), failure);
        }
    }
}
