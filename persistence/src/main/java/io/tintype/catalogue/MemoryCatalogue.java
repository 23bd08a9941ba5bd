package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The catalogue's core over a {@link MemoryJournal}: no thread, no file, no clock of its own, everything done by who calls. For
 * simulators, tests, and hosts whose disks vanish with the process anyway.
 */
public final class MemoryCatalogue implements Catalogue {
    private final MemoryJournal journal;
    private final Deque<CatalogueEvent> waiting = new ArrayDeque<>();
    private final CompletableFuture<CatalogueState> ready;
    private CatalogueState state;
    private long written;
    private long failures;
    private boolean closed;

    /**
     * Reads {@code journal} and makes it agree with the store.
     *
     * @param facts reads what the manifests of some checkpoints say
     * @param wall what time it is
     */
    public MemoryCatalogue(MemoryJournal journal, StoreContents contents,
            Function<SortedSet<CheckpointRef>, SortedMap<CheckpointRef, SealedFacts>> facts,
            InstantSource wall) {
        this.journal = journal;
        state = CatalogueState.EMPTY.applyAll(journal.events());
        var unknown = Reconciliation.unknown(state, contents);
        var plan = Reconciliation.of(state, contents, facts.apply(unknown), wall.instant());
        plan.events().forEach(this::write);
        ready = CompletableFuture.completedFuture(state);
    }

    /**
     * Reads {@code journal} and makes it agree with the store and its disks, as the journal on disk is made to.
     *
     * @throws IOException when disks that are half made or half removed cannot be removed
     */
    MemoryCatalogue(MemoryJournal journal, StoreScan scan, InstantSource wall)
            throws IOException {
        this.journal = journal;
        var before = CatalogueState.EMPTY.applyAll(journal.events());
        state = before;
        var contents = scan.contents();
        var plan = Reconciliation.of(before, contents,
                scan.facts(Reconciliation.unknown(before, contents), new ArrayList<>()),
                scan.outlines(Reconciliation.interrupted(before)), wall.instant());
        plan.events().forEach(this::write);
        for (var vm : plan.removals()) {
            var why = scan.removeImages(vm, Reconciliation.mayHaveClones(state, vm));
            (why == null
                    ? Reconciliation.removed(state, vm, wall.instant())
                    : Reconciliation.kept(state, vm, why, wall.instant())).forEach(this::write);
        }
        ready = CompletableFuture.completedFuture(state);
    }

    @Override
    public synchronized Told tell(CatalogueEvent event) {
        var failure = take(event);
        int count = journal.size();
        return () -> {
            if (failure != null) {
                return CompletableFuture.failedFuture(failure);
            }
            confirm(count);
            var done = new CompletableFuture<Void>();
            done.complete(null);
            return done;
        };
    }

    private @Nullable CatalogueException take(CatalogueEvent event) {
        if (closed) {
            return new CatalogueException("the catalogue is closed");
        }
        if (!journal.broken().isEmpty()) {
            failures++;
            if (!Catalogue.isIntent(event)) {
                waiting.add(event);
            }
            return new CatalogueException("the catalogue cannot record it: " + journal.broken());
        }
        while (!waiting.isEmpty()) {
            writeIfNews(waiting.remove());
        }
        return writeIfNews(event);
    }

    private @Nullable CatalogueException writeIfNews(CatalogueEvent event) {
        return switch (Decisions.decide(state, event)) {
            case Decisions.Decision.Write(var news) -> {
                write(news);
                yield null;
            }
            case Decisions.Decision.Known _ -> null;
            case Decisions.Decision.Refuse(var reason) -> new CatalogueException(reason);
        };
    }

    private void write(CatalogueEvent event) {
        journal.append(event);
        state = state.apply(event);
        written++;
    }

    private synchronized void confirm(int count) {
        journal.confirm(count);
    }

    @Override
    public synchronized CatalogueState state() {
        return state;
    }

    @Override
    public CompletableFuture<CatalogueState> ready() {
        return ready;
    }

    @Override
    public synchronized CatalogueHealth health() {
        boolean works = journal.broken().isEmpty();
        var status = works ? CatalogueHealth.Status.WORKING : CatalogueHealth.Status.FAILED;
        return new CatalogueHealth(closed ? CatalogueHealth.Status.CLOSED : status,
                works ? null : journal.broken(), waiting.size(), 0, written, failures);
    }

    @Override
    public synchronized void close() {
        closed = true;
    }
}
