package io.tintype.catalogue;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.persistence.typed.DeleteEventsFailed;
import org.apache.pekko.persistence.typed.DeleteSnapshotsFailed;
import org.apache.pekko.persistence.typed.JournalPersistFailed;
import org.apache.pekko.persistence.typed.JournalPersistRejected;
import org.apache.pekko.persistence.typed.PersistenceId;
import org.apache.pekko.persistence.typed.RecoveryCompleted;
import org.apache.pekko.persistence.typed.RecoveryFailed;
import org.apache.pekko.persistence.typed.SnapshotFailed;
import org.apache.pekko.persistence.typed.javadsl.CommandHandler;
import org.apache.pekko.persistence.typed.javadsl.Effect;
import org.apache.pekko.persistence.typed.javadsl.EventHandler;
import org.apache.pekko.persistence.typed.javadsl.EventSourcedBehavior;
import org.apache.pekko.persistence.typed.javadsl.RetentionCriteria;
import org.apache.pekko.persistence.typed.javadsl.SignalHandler;

/**
 * Persists what {@link Decisions} finds to be news, and is the one that knows the state. One for each store: a single writer gives
 * events of all VMs one order, and one snapshot is all that a start reads.
 *
 * <p>It takes what has gathered as one batch, which the journal writes in one transaction: alone, an event costs a round trip.
 */
final class CatalogueActor
        extends
            EventSourcedBehavior<CatalogueActor.Write, CatalogueEvent, CatalogueState> {
    /**
     * Write what is news in {@code told}. {@code answer} completes once, when it is durable; it stays open when the journal fails,
     * which {@link Listener} hears.
     */
    record Write(List<CatalogueEvent> told, CompletableFuture<Written> answer) {
        Write {
            told = List.copyOf(told);
        }
    }

    /**
     * It is durable.
     *
     * @param decisions what became of each event that was told, in order
     */
    record Written(List<Decisions.Decision> decisions, CatalogueState state) {
        Written {
            decisions = List.copyOf(decisions);
        }
    }

    /** Hears how the journal is, on the actor's thread. */
    interface Listener {
        void recovered(CatalogueState state);

        /** Nothing more will be written. */
        void broken(Throwable cause);

        /** Something went wrong that loses nothing. */
        void careful(String what, Throwable cause);
    }

    private static final int SNAPSHOTS_KEPT = 2;

    private final Listener listener;
    private final int snapshotEvery;

    private CatalogueActor(PersistenceId id, int snapshotEvery, Listener listener) {
        super(id);
        this.listener = listener;
        this.snapshotEvery = snapshotEvery;
    }

    /**
     * Makes it.
     *
     * @param snapshotEvery events between snapshots; those older than the snapshot before the last are deleted
     */
    static Behavior<Write> create(String id, int snapshotEvery, Listener listener) {
        return new CatalogueActor(PersistenceId.ofUniqueId(id), snapshotEvery, listener);
    }

    @Override
    public CatalogueState emptyState() {
        return CatalogueState.EMPTY;
    }

    @Override
    public CommandHandler<Write, CatalogueEvent, CatalogueState> commandHandler() {
        return this::write;
    }

    private Effect<CatalogueEvent, CatalogueState> write(CatalogueState state, Write write) {
        var decisions = new ArrayList<Decisions.Decision>();
        var news = new ArrayList<CatalogueEvent>();
        var next = state;
        for (var told : write.told()) {
            var decision = Decisions.decide(next, told);
            decisions.add(decision);
            if (decision instanceof Decisions.Decision.Write(var event)) {
                news.add(event);
                next = next.apply(event);
            }
        }
        return Effect().persist(news).thenRun(
                (CatalogueState durable) -> write.answer()
                        .complete(new Written(decisions, durable)));
    }

    @Override
    public EventHandler<CatalogueState, CatalogueEvent> eventHandler() {
        return CatalogueState::apply;
    }

    @Override
    public RetentionCriteria retentionCriteria() {
        return RetentionCriteria.snapshotEvery(snapshotEvery, SNAPSHOTS_KEPT)
                .withDeleteEventsOnSnapshot();
    }

    @Override
    public SignalHandler<CatalogueState> signalHandler() {
        return newSignalHandlerBuilder()
                .onSignal(RecoveryCompleted.instance(), listener::recovered)
                .onSignal(RecoveryFailed.class,
                        (_, failed) -> listener.broken(failed.getFailure()))
                .onSignal(JournalPersistFailed.class,
                        (_, failed) -> listener.broken(failed.failure()))
                .onSignal(JournalPersistRejected.class,
                        (_, failed) -> listener.broken(failed.failure()))
                .onSignal(SnapshotFailed.class,
                        (_, failed) -> listener.careful("no snapshot", failed.getFailure()))
                .onSignal(DeleteEventsFailed.class,
                        (_, failed) -> listener.careful("old events stay", failed.getFailure()))
                .onSignal(DeleteSnapshotsFailed.class,
                        (_, failed) -> listener.careful("old snapshots stay", failed.getFailure()))
                .build();
    }
}
