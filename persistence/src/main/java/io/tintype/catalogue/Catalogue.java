package io.tintype.catalogue;

import java.util.concurrent.CompletableFuture;

/**
 * What a host knows of its VMs, across restarts. Safe on any thread; nothing here blocks but {@link #close}.
 *
 * <p>Whoever does something tells of it. Facts are kept until the journal has them, in the order told: a journal that is away for a
 * while loses none. An intent, which somebody waits for before going on, fails instead: see {@link #isIntent}.
 */
public interface Catalogue extends AutoCloseable {
    /** What was told, on its way into the journal. */
    interface Told {
        /**
         * Completes when it is durable, with all that was told before; fails with a {@link CatalogueException} when it cannot be
         * recorded.
         */
        CompletableFuture<Void> durable();
    }

    /** Tells of {@code event}. Whoever does not ask for the answer is not told of a failure either. */
    Told tell(CatalogueEvent event);

    /** Returns what is durable: empty until {@link #ready}. */
    CatalogueState state();

    /**
     * Completes when the journal was read and agrees with the store; fails when it cannot be read. Later trouble does not change
     * it: see {@link #health}.
     */
    CompletableFuture<CatalogueState> ready();

    /** Returns how it is. */
    CatalogueHealth health();

    /** Writes what was told, as far as that goes within seconds, and gives everything back. */
    @Override
    void close();

    /** Returns whether {@code event} announces something that must not be done without a record of it. */
    static boolean isIntent(CatalogueEvent event) {
        return event instanceof CatalogueEvent.CheckpointBegun
                || event instanceof CatalogueEvent.OperationBegun
                || event instanceof CatalogueEvent.OperationStepped;
    }
}
