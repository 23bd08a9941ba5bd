package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.actors.DiskId;
import io.tintype.catalogue.OperationRecord;
import io.tintype.cow.disk.Commit;
import io.tintype.cow.disk.DiskChain;
import java.io.IOException;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What takes long about keeping a disk's chain short: commits and flattens, one at a time. The disk's actor begins them and hears
 * of their end; nothing in between needs its strand, on which the guest could not run meanwhile.
 *
 * <pre>
 *   strand       commit(k) ─┐                                                           ┌─▶ the future is complete
 *   upkeep                  └▶ begin, durably ─┐                     ┌▶ finish ─▶ look ─┘
 *   copying                                    └▶ part ─▶ part ─▶ … ─┘
 * </pre>
 *
 * <p>What the chain is like is worked out here too ({@link #see}), as is the end of a hold: they are much for a turn in which the
 * guest does not run.
 *
 * <p>Each is an operation in the catalogue, told from these threads. What the catalogue does with it neither delays the work nor
 * fails it. Any thread may call.
 */
final class ChainWork {
    /**
     * So that a commit's cost is known: what it had to copy.
     *
     * @param wasAllowed false: nothing was done, since somebody had begun to hold a view, on another thread: a clone of a
     *     checkpoint
     */
    record Committed(int groups, boolean wasAllowed) {}

    /**
     * What the chain was like at a moment.
     *
     * @param number ascending in the order of these moments: messages may overtake each other
     */
    record Seen(long number, DiskChain.Outlook outlook) {}

    /** Work goes on only as long as it answers true. */
    private interface Copying {
        boolean copyNext(int groupsMax) throws IOException;
    }

    private interface Finish {
        void run() throws IOException;
    }

    // As long as a slice of a guest: where there is no core to spare, this is how long one of them waits longer.
    private static final long STEP_NS = 100_000;
    // Where no time passes, as in a simulation: 16 × 64 KiB = 1 MiB.
    private static final int STEP_GROUPS_MAX = 16;

    private final @Nullable DiskId disk;
    private final DiskChain chain;
    private final Executor upkeep;
    private final Executor later;
    private final Executor copying;
    private final Clock clock;
    private final Operations operations;
    private final String place;

    private volatile boolean stopped;
    private volatile boolean flattenCancelled;
    // Told to the catalogue and not ended. Guarded by this.
    private @Nullable String open;
    // Guarded by its own lock: a strand never waits for it.
    private final Object seeing = new Object();
    private long seenCount;

    /**
     * @param later the same threads as {@code upkeep}, for the strand, see {@link HostWorld#later}
     * @param disk whose chain it is; null for a chain that no VM's disk is, on which nothing new is begun
     */
    ChainWork(@Nullable DiskId disk, DiskChain chain, Executor upkeep, Executor later,
            Executor copying,
            Clock clock,
            Operations operations) {
        this.disk = disk;
        this.chain = chain;
        this.upkeep = upkeep;
        this.later = later;
        this.copying = copying;
        this.clock = clock;
        this.operations = operations;
        this.place = Operations.nameOf(chain);
    }

    /** Copies for at most so long that nobody notices; whether there is more. */
    private static boolean copySome(Clock clock, Copying what) throws IOException {
        long endNs = clock.nanoTime() + STEP_NS;
        for (int left = STEP_GROUPS_MAX; left > 0; left--) {
            if (!what.copyNext(1)) {
                return false;
            }
            if (clock.nanoTime() >= endNs) {
                return true;
            }
        }
        return true;
    }

    /** The same for a copy that a checkpoint keeps. */
    static boolean copySome(Clock clock, DiskCopier copier) throws IOException {
        return copySome(clock, copier::copyNext);
    }

    /** What the chain is like now; not for a strand. */
    Seen see() {
        synchronized (seeing) {
            return new Seen(++seenCount, chain.outlook());
        }
    }

    /** Looks what the chain is like. On a strand: all that is done there is to ask for it. */
    CompletableFuture<Seen> look() {
        return Blocking.call(later, this::see);
    }

    /** Ends a hold of {@code view}, then looks what the chain is like. On a strand: all that is done there is to ask for it. */
    CompletableFuture<Seen> release(int view) {
        return Blocking.call(later, () -> {
            chain.release(view);
            return see();
        });
    }

    /** Commits a file into the one below it. On a strand: all that is done there is to ask for it. */
    CompletableFuture<Committed> commit(DiskChain.Candidate file) {
        var over = new CompletableFuture<Committed>();
        later.execute(() -> commit(file, over));
        return over;
    }

    private void commit(DiskChain.Candidate file, CompletableFuture<Committed> over) {
        if (!file.equals(chain.nextCommit())) {
            over.complete(new Committed(0, false));
            return;
        }
        int layer = file.lastUpper();
        var name = commitName(layer);
        begun(name, OperationRecord.Kind.DISK_COMMIT, Map.of(OperationRecord.LAYER, layer,
                OperationRecord.INTO, file.firstUpper() - 1));
        settle(name, over, begun(() -> begin(layer)).thenCompose(this::goOn));
    }

    private static <T> CompletableFuture<T> begun(Callable<T> begin) {
        return Blocking.call(Runnable::run, begin);
    }

    private <T> void settle(String name, CompletableFuture<T> over, CompletableFuture<T> work) {
        var _ = work.whenComplete((done, failure) -> {
            ended(name, failure);
            if (failure == null) {
                over.complete(done);
            } else {
                over.completeExceptionally(failure);
            }
        });
    }

    /** Ends a commit that an earlier process began. If it fails the next opening of the chain tries again. */
    CompletableFuture<Committed> resume(int layer) {
        var name = commitName(layer);
        return Blocking.call(upkeep, () -> {
            operations.stepped(name, "resumed");
            return begin(layer);
        }).thenCompose(this::goOn).thenApply(committed -> {
            operations.ended(name, null);
            return committed;
        });
    }

    private String commitName(int layer) {
        return "commit " + place + " layer " + layer;
    }

    private Commit begin(int layer) throws IOException {
        var commit = chain.commit(layer);
        try {
            // What it does before its first group: it waits for the disk, and copies nothing.
            commit.copyNext(0);
            return commit;
        } catch (IOException | RuntimeException failure) {
            commit.cancel();
            throw failure;
        }
    }

    private CompletableFuture<Committed> goOn(Commit commit) {
        int groups = commit.groupsLeft();
        return toEnd(() -> !stopped, commit::copyNext, commit::finish, commit::cancel)
                .thenApply(_ -> new Committed(groups, true));
    }

    /** Makes all that {@code view} shows one image. On a strand: all that is done there is to ask for it. */
    CompletableFuture<Integer> flatten(int view) {
        flattenCancelled = false;
        var over = new CompletableFuture<Integer>();
        later.execute(() -> flatten(view, over));
        return over;
    }

    private void flatten(int view, CompletableFuture<Integer> over) {
        var name = "flatten " + place;
        begun(name, OperationRecord.Kind.DISK_FLATTEN, Map.of(OperationRecord.VIEW, view));
        settle(name, over, begun(() -> chain.flatten(view))
                .thenCompose(flatten -> toEnd(() -> !stopped && !flattenCancelled,
                        flatten::copyNext, flatten::finish, flatten::cancel)
                        .thenApply(_ -> view)));
    }

    /** Copies and finishes; takes it back if it fails, or is not wanted any more. */
    private CompletableFuture<Void> toEnd(BooleanSupplier wanted, Copying what, Finish finish,
            Runnable cancel) {
        return Blocking.repeat(copying,
                () -> wanted.getAsBoolean() && copySome(clock, what))
                .thenCompose(_ -> run(() -> {
                    if (!wanted.getAsBoolean()) {
                        throw new CancellationException("no longer wanted");
                    }
                    finish.run();
                }))
                .exceptionallyCompose(failure -> run(cancel::run)
                        .thenCompose(_ -> CompletableFuture.failedFuture(failure)));
    }

    private CompletableFuture<Void> run(Finish last) {
        return Blocking.call(upkeep, () -> {
            last.run();
            return place;
        }).thenAccept(_ -> {});
    }

    /** Gives up the flatten that is under way; its future fails, once its file is removed. */
    void cancelFlatten() {
        flattenCancelled = true;
    }

    /** Nobody needs it any more, for that reason: what is under way is left as it is, at the next step. */
    void stop(String reason) {
        stopped = true;
        endOpen(reason);
    }

    private synchronized void begun(String name, OperationRecord.Kind kind,
            Map<String, Integer> numbers) {
        var of = disk;
        if (!stopped && of != null) {
            var details = new TreeMap<String, String>();
            details.put(OperationRecord.CHAIN, place);
            numbers.forEach((key, value) -> details.put(key, value.toString()));
            open = name;
            operations.begun(name, kind, of.vm(), of.index(), details);
        }
    }

    private synchronized void ended(String name, @Nullable Throwable failure) {
        if (name.equals(open)) {
            endOpen(failure == null ? null : Blocking.reason(failure));
        }
    }

    private synchronized void endOpen(@Nullable String failure) {
        var name = open;
        if (name != null) {
            open = null;
            operations.ended(name, failure);
        }
    }
}
