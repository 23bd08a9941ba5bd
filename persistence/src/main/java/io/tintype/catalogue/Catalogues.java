package io.tintype.catalogue;

import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import io.tintype.store.StoreIdentity;
import java.io.IOException;
import java.time.InstantSource;
import java.util.ArrayList;

/** Opens the catalogue of a store. */
public final class Catalogues {
    /** The directory of an embedded journal, below that of the store. */
    static final String DIRECTORY = "journal";

    private Catalogues() {}

    /**
     * Opens the catalogue of {@code store}, which was just opened and is not in use yet. Returns at once; the journal is read
     * beside what the caller does next, see {@link Catalogue#ready}.
     *
     * @param withDisks whether the disks of its VMs are in the store's directory
     * @throws StoreException when the store's identity cannot be read or made, or is of a newer version
     */
    public static Catalogue open(CheckpointStore store, JournalPlace place, boolean withDisks,
            InstantSource wall) throws StoreException {
        var scan = StoreScan.of(store, withDisks);
        return switch (place) {
            case JournalPlace.Embedded _ -> journaled(
                    new JournalDatabase.Embedded(
                            StoreIdentity.directory(store).resolve(DIRECTORY)),
                    store, scan, wall);
            case JournalPlace.Postgres at ->
                journaled(new JournalDatabase.Postgres(at), store, scan, wall);
            case JournalPlace.Memory _ -> inMemory(new MemoryJournal(), store, wall);
        };
    }

    /**
     * Looks whether a journal can be there, before anything is made that would have to be undone. Blocks.
     *
     * @throws CatalogueException if it is in a database that cannot be reached
     */
    public static void requireReachable(JournalPlace place) throws CatalogueException {
        if (place instanceof JournalPlace.Postgres at) {
            new JournalDatabase.Postgres(at).requireReachable();
        }
    }

    /** Opens one over a journal in memory. */
    public static Catalogue inMemory(MemoryJournal journal, CheckpointStore store,
            InstantSource wall) {
        var scan = StoreContents.ofCheckpoints(store.list());
        return new MemoryCatalogue(journal, scan,
                refs -> StoreScan.facts(store, refs, new ArrayList<>()), wall);
    }

    /**
     * The same where disks are in the store's directory: removes the disks of VMs that were half made or half destroyed.
     *
     * @throws StoreException when these cannot be listed or removed
     */
    public static Catalogue inMemoryWithDisks(MemoryJournal journal, CheckpointStore store,
            InstantSource wall) throws StoreException {
        try {
            return new MemoryCatalogue(journal, StoreScan.of(store, true), wall);
        } catch (StoreException e) {
            throw e;
        } catch (IOException e) {
            throw new StoreException("cannot make the catalogue of " + store.directory()
                    + " agree with its disks: " + e.getMessage(), e);
        }
    }

    private static Catalogue journaled(JournalDatabase database, CheckpointStore store,
            StoreScan scan, InstantSource wall) throws StoreException {
        var id = StoreIdentity.of(store).toString();
        return new JournaledCatalogue(database, id, scan, wall,
                JournaledCatalogue.Settings.DEFAULTS).start();
    }
}
