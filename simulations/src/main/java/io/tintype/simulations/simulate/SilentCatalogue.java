package io.tintype.simulations.simulate;

import io.tintype.catalogue.Catalogue;
import io.tintype.catalogue.CatalogueEvent;
import io.tintype.catalogue.CatalogueHealth;
import io.tintype.catalogue.CatalogueState;
import java.util.concurrent.CompletableFuture;

/** Remembers nothing: for VMs that are gone when their schedule is over. */
final class SilentCatalogue implements Catalogue {
    private static final CompletableFuture<Void> DURABLE = CompletableFuture.completedFuture(null);
    private static final Told TOLD = () -> DURABLE;

    @Override
    public Told tell(CatalogueEvent event) {
        return TOLD;
    }

    @Override
    public CatalogueState state() {
        return CatalogueState.EMPTY;
    }

    @Override
    public CompletableFuture<CatalogueState> ready() {
        return CompletableFuture.completedFuture(CatalogueState.EMPTY);
    }

    @Override
    public CatalogueHealth health() {
        return new CatalogueHealth(CatalogueHealth.Status.WORKING, null, 0, 0, 0, 0);
    }

    @Override
    public void close() {}
}
