package io.tintype.catalogue;

import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A catalogue whose journal is in a database, opened and written beside everything else by one thread.
 *
 * <pre>
 * Opening ──read, agrees with the store──→ Working ──close──→ Closed
 *    └──────────→ Failed ←─────────────────────┘
 *                   └──after a while──→ Opening
 * </pre>
 *
 * <p>What is told waits in a queue, in its order. While Failed an intent fails at once, and facts wait, {@link #WAITING_MAX} at
 * most: what is dropped beyond that the next start finds in the store.
 */
public final class JournaledCatalogue implements Catalogue {
    /** About 100 bytes each: 6 MB at most are held for a journal that is away. */
    static final int WAITING_MAX = 65_536;

    private static final Logger LOG = LoggerFactory.getLogger(JournaledCatalogue.class);
    private static final int BATCH_MAX = 500;
    private static final long GATHER_MS = 50;
    private static final long RETRY_MS_MIN = 1_000;
    private static final long RETRY_MS_MAX = 30_000;
    private static final long CLOSE_MS_MAX = 10_000;

    /**
     * How it runs.
     *
     * @param snapshotEvery events between snapshots
     */
    record Settings(int snapshotEvery) {
        // A start reads at most twice that many events, some 10 ms; a snapshot of 10,000 checkpoints is 2 MB.
        static final Settings DEFAULTS = new Settings(1_000);
    }

    private final class Waiting implements Told {
        private final CatalogueEvent event;
        private final CompletableFuture<Void> durable = new CompletableFuture<>();

        Waiting(CatalogueEvent event) {
            this.event = event;
        }

        @Override
        public CompletableFuture<Void> durable() {
            if (!durable.isDone()) {
                synchronized (lock) {
                    isUrgent = true;
                    lock.notifyAll();
                }
            }
            return durable.copy();
        }
    }

    private final JournalDatabase database;
    private final String storeId;
    private final InstantSource wall;
    private final Settings settings;
    private final Thread thread;
    private final CompletableFuture<CatalogueState> ready = new CompletableFuture<>();

    private final Object lock = new Object();
    // All of these under the lock.
    private final Deque<Waiting> queue = new ArrayDeque<>();
    private CatalogueHealth.Status status = CatalogueHealth.Status.OPENING;
    private @Nullable String reason;
    private boolean closing;
    // Somebody waits for something in the queue.
    private boolean isUrgent;
    private long lost;
    private long written;
    private long failures;

    private volatile CatalogueState state = CatalogueState.EMPTY;
    // Of the thread alone: whether the journal has been made to agree with the store, and with what of it.
    private boolean reconciled;
    private StoreScan scan;
    private boolean setAside;

    JournaledCatalogue(JournalDatabase database, String storeId, StoreScan scan,
            InstantSource wall, Settings settings) {
        this.database = database;
        this.storeId = storeId;
        this.scan = scan;
        this.wall = wall;
        this.settings = settings;
        thread = Thread.ofPlatform().name("tintype-catalogue").daemon().unstarted(this::run);
    }

    JournaledCatalogue start() {
        thread.start();
        return this;
    }

    @Override
    public Told tell(CatalogueEvent event) {
        var told = new Waiting(event);
        synchronized (lock) {
            if (status == CatalogueHealth.Status.CLOSED || closing) {
                told.durable.completeExceptionally(
                        new CatalogueException("the catalogue is closed"));
            } else if (status == CatalogueHealth.Status.FAILED && Catalogue.isIntent(event)) {
                told.durable.completeExceptionally(unrecorded());
            } else if (queue.size() >= WAITING_MAX) {
                lost++;
                told.durable.completeExceptionally(new CatalogueException(
                        "the catalogue's journal does not keep up: " + WAITING_MAX
                                + " events wait for it"));
            } else {
                queue.add(told);
                if (queue.size() == 1) {
                    lock.notifyAll();
                }
            }
        }
        return told;
    }

    private CatalogueException unrecorded() {
        return new CatalogueException("the catalogue cannot record it: " + reason);
    }

    @Override
    public CatalogueState state() {
        return state;
    }

    @Override
    public CompletableFuture<CatalogueState> ready() {
        return ready.copy();
    }

    @Override
    public CatalogueHealth health() {
        synchronized (lock) {
            return new CatalogueHealth(status, reason, queue.size(), lost, written, failures);
        }
    }

    private void run() {
        long retryMs = RETRY_MS_MIN;
        boolean over = false;
        while (!over) {
            try (var session = open()) {
                state = session.recovered();
                reconcile(session);
                working();
                retryMs = RETRY_MS_MIN;
                serve(session);
                over = true;
            } catch (InterruptedException _) {
                over = true;
            } catch (IOException | RuntimeException failure) {
                over = !failed(failure, retryMs);
                retryMs = Math.min(2 * retryMs, RETRY_MS_MAX);
            }
        }
        closed();
    }

    private JournalSession open() throws IOException, InterruptedException {
        try {
            return JournalSession.open(database, storeId, settings.snapshotEvery());
        } catch (JournalDatabase.DamagedException damage) {
            if (database instanceof JournalDatabase.Embedded embedded && !setAside) {
                // Nothing in it cannot be had from the store again, but for what ran and what was in progress.
                setAside = true;
                if (reconciled) {
                    // It broke under us: VMs run, and are found in the store like those of another process.
                    scan = scan.again();
                    reconciled = false;
                }
                var aside = embedded.setAside();
                LOG.warn(
                        "the catalogue in {} is damaged ({}); it was moved to {}, and a new one is made "
                                + "from the store",
                        database.place(), damage.getMessage(), aside);
                return JournalSession.open(database, storeId, settings.snapshotEvery());
            }
            throw new CatalogueException("the journal in " + database.place() + " is damaged: "
                    + damage.getMessage()
                    + "; restore it from a backup, or start without it: an embedded catalogue is made "
                    + "from the store", damage);
        }
    }

    /** Once in a process: afterwards the journal is told of everything that happens in the store. */
    private void reconcile(JournalSession session) throws IOException, InterruptedException {
        if (reconciled) {
            return;
        }
        var before = session.recovered();
        var contents = scan.contents();
        var warnings = new ArrayList<String>();
        var facts = scan.facts(Reconciliation.unknown(before, contents), warnings);
        var plan = Reconciliation.of(before, contents, facts,
                scan.outlines(Reconciliation.interrupted(before)), wall.instant());
        warnings.addAll(plan.warnings());
        plan.notes().forEach(note -> LOG.info("{}", note));
        write(session, plan.events());
        for (var vm : plan.removals()) {
            var why = scan.removeImages(vm, Reconciliation.mayHaveClones(state, vm));
            if (why != null) {
                warnings.add("the disks of VM " + vm + " stay: " + why);
            }
            write(session, why == null
                    ? Reconciliation.removed(state, vm, wall.instant())
                    : Reconciliation.kept(state, vm, why, wall.instant()));
        }
        if (!contents.isEmpty()) {
            var rebuilt = Reconciliation.rebuilt(before, state);
            if (rebuilt != null) {
                warnings.add(rebuilt);
            }
        }
        warnings.forEach(warning -> LOG.warn("the catalogue in {}: {}", database.place(), warning));
        reconciled = true;
        ready.complete(state);
    }

    private void write(JournalSession session, List<CatalogueEvent> events)
            throws IOException, InterruptedException {
        for (int from = 0; from < events.size(); from += BATCH_MAX) {
            var batch = events.subList(from, Math.min(from + BATCH_MAX, events.size()));
            state = session.write(batch).state();
            countWritten(batch.size());
        }
    }

    private void working() {
        synchronized (lock) {
            if (status == CatalogueHealth.Status.FAILED) {
                LOG.warn("the catalogue in {} records again; {} facts waited for it",
                        database.place(), queue.size());
            }
            status = CatalogueHealth.Status.WORKING;
            reason = null;
        }
    }

    /** Writes what is told until it is closed and nothing is left. */
    private void serve(JournalSession session) throws IOException, InterruptedException {
        for (var batch = take(); !batch.isEmpty(); batch = take()) {
            var answered = session.write(batch.stream().map(one -> one.event).toList());
            state = answered.state();
            done(batch);
            countWritten((int) answered.decisions().stream()
                    .filter(decision -> decision instanceof Decisions.Decision.Write).count());
            for (int i = 0; i < batch.size(); i++) {
                var durable = batch.get(i).durable;
                switch (answered.decisions().get(i)) {
                    case Decisions.Decision.Write _,Decisions.Decision.Known _ ->
                        durable.complete(null);
                    case Decisions.Decision.Refuse(var why) ->
                        durable.completeExceptionally(new CatalogueException(why));
                }
            }
        }
    }

    private void countWritten(int count) {
        synchronized (lock) {
            written += count;
        }
    }

    /** Waits for something to write; nothing, when it is closed. What is taken stays in the queue until it is {@link #done}. */
    private List<Waiting> take() throws InterruptedException {
        synchronized (lock) {
            while (queue.isEmpty() && !closing) {
                lock.wait();
            }
            // What nobody waits for gathers first: a transaction and a sync for each event would be felt by the guests.
            waitFor(GATHER_MS, () -> isUrgent || closing);
            isUrgent = false;
            return queue.stream().limit(BATCH_MAX).toList();
        }
    }

    /** Under the lock, which is free meanwhile. */
    private void waitFor(long ms, BooleanSupplier over) throws InterruptedException {
        long until = System.nanoTime() + ms * 1_000_000;
        for (long left = ms; left > 0 && !over.getAsBoolean();) {
            lock.wait(left);
            left = (until - System.nanoTime()) / 1_000_000;
        }
    }

    private void done(List<Waiting> batch) {
        synchronized (lock) {
            for (int i = 0; i < batch.size(); i++) {
                queue.remove();
            }
        }
    }

    /** Says so, fails who waits, keeps the facts, and waits a little; returns whether to try again. */
    private boolean failed(Exception failure, long retryMs) {
        var why = failure instanceof IOException
                ? String.valueOf(failure.getMessage())
                : JournalSession.reason(failure);
        List<Waiting> intents;
        CatalogueException told;
        synchronized (lock) {
            failures++;
            if (status != CatalogueHealth.Status.FAILED || !why.equals(reason)) {
                LOG.warn(
                        "{}; VMs run on, their checkpoints are aborted until it can be written again",
                        why);
            }
            status = CatalogueHealth.Status.FAILED;
            reason = why;
            told = unrecorded();
            intents = queue.stream().filter(one -> Catalogue.isIntent(one.event)).toList();
            queue.removeAll(intents);
        }
        intents.forEach(intent -> intent.durable.completeExceptionally(told));
        // The first failure is the answer; whoever asks again later asks for health.
        ready.completeExceptionally(failure instanceof CatalogueException known
                ? known
                : new CatalogueException(why, failure));
        try {
            synchronized (lock) {
                waitFor(retryMs, () -> closing);
                return !closing;
            }
        } catch (InterruptedException _) {
            return false;
        }
    }

    private void closed() {
        List<Waiting> left;
        synchronized (lock) {
            status = CatalogueHealth.Status.CLOSED;
            left = List.copyOf(queue);
            queue.clear();
        }
        var closed = new CatalogueException("the catalogue is closed");
        left.forEach(waiting -> waiting.durable.completeExceptionally(closed));
        ready.completeExceptionally(closed);
        if (!left.isEmpty()) {
            LOG.warn(
                    "the catalogue in {} was closed before {} facts were written; the next start finds in "
                            + "the store what they were about",
                    database.place(), left.size());
        }
    }

    @Override
    public void close() {
        synchronized (lock) {
            closing = true;
            lock.notifyAll();
        }
        try {
            thread.join(CLOSE_MS_MAX);
            if (thread.isAlive()) {
                thread.interrupt();
                thread.join(CLOSE_MS_MAX);
            }
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }
}
