package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static io.tintype.catalogue.Facts.started;
import static io.tintype.catalogue.Facts.stunned;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreIdentity;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The embedded journal: what was told is there after a restart, whatever became of the process or the file. */
class JournaledCatalogueTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private CheckpointStore openStore() throws IOException {
        return CheckpointStore.open(directory.resolve("store"));
    }

    private static Catalogue open(CheckpointStore store) throws IOException {
        return open(store, JournaledCatalogue.Settings.DEFAULTS);
    }

    private static Catalogue open(CheckpointStore store, JournaledCatalogue.Settings settings)
            throws IOException {
        return new JournaledCatalogue(new JournalDatabase.Embedded(journal(store)),
                StoreIdentity.of(store).toString(), StoreScan.of(store, true),
                InstantSource.fixed(Facts.NOW), settings).start();
    }

    private static Path journal(CheckpointStore store) {
        return StoreIdentity.directory(store).resolve("journal");
    }

    private static CatalogueState ready(Catalogue catalogue) throws Exception {
        return catalogue.ready().get(30, TimeUnit.SECONDS);
    }

    private static void durable(Catalogue.Told told) throws Exception {
        told.durable().get(30, TimeUnit.SECONDS);
    }

    private static void tell(Catalogue catalogue, CatalogueEvent... events) throws Exception {
        for (var event : events) {
            durable(catalogue.tell(event));
        }
    }

    @Test
    void shouldKnowAfterARestartWhatWasToldBefore() throws Exception {
        try (var store = openStore()) {
            Files.createDirectories(store.imagesDirectory(WEB, 0));
            try (var catalogue = open(store)) {
                // Before the journal is open, too.
                catalogue.tell(created());
                catalogue.tell(started());
                catalogue.tell(begun(1));
                Facts.seal(store, ref(1));
                tell(catalogue, sealed(1));
                assertEquals(CatalogueHealth.Status.WORKING, catalogue.health().status());
            }
        }

        try (var store = openStore(); var catalogue = open(store)) {
            var web = Objects.requireNonNull(ready(catalogue).vms().get(WEB));
            assertEquals(VmRecord.Status.RUNNING, web.status());
            assertEquals(ref(1), Objects.requireNonNull(web.lastSealed()).ref());
            assertEquals(Facts.facts(), web.lastSealed().facts());
        }
    }

    // The journal is copied while it is open: what a process that is killed leaves behind.
    @Test
    void shouldRollForwardOrAbortWhatAKilledProcessLeft() throws Exception {
        try (var store = openStore(); var catalogue = open(store)) {
            store.imagesDirectory(WEB, 0);
            tell(catalogue, created(), started(), begun(1), stunned(1));
            Facts.seal(store, ref(1));
            tell(catalogue, begun(2), stunned(2));
            copyTo(directory.resolve("killed"));
        }

        try (var store = CheckpointStore.open(directory.resolve("killed"));
                var catalogue = open(store)) {
            var state = ready(catalogue);
            assertEquals(CheckpointRecord.Phase.SEALED,
                    Objects.requireNonNull(state.checkpoint(ref(1))).phase());
            assertNull(state.checkpoint(ref(2)));
            assertEquals(2, state.lastId(WEB));
        }
    }

    private void copyTo(Path target) throws IOException {
        var source = directory.resolve("store");
        try (var paths = Files.walk(source)) {
            for (var path : paths.toList()) {
                Files.copy(path, target.resolve(source.relativize(path).toString()));
            }
        }
    }

    @Test
    void shouldRebuildACatalogueThatIsMissing() throws Exception {
        try (var store = openStore()) {
            store.imagesDirectory(WEB, 0);
            Facts.seal(store, ref(3));
        }

        try (var store = openStore(); var catalogue = open(store)) {
            var web = Objects.requireNonNull(ready(catalogue).vms().get(WEB));
            assertEquals(VmRecord.Status.FOUND, web.status());
            assertEquals(ref(3), Objects.requireNonNull(web.lastSealed()).ref());
        }
    }

    @Test
    void shouldSetADamagedJournalAsideAndRebuildIt() throws Exception {
        try (var store = openStore()) {
            store.imagesDirectory(WEB, 0);
            Facts.seal(store, ref(1));
            try (var catalogue = open(store)) {
                tell(catalogue, created(), started());
            }
            var file = journal(store).resolve("journal.mv.db");
            var bytes = Files.readAllBytes(file);
            for (int i = 0; i < bytes.length; i++) {
                bytes[i] ^= 0x55;
            }
            Files.write(file, bytes);
        }

        try (var store = openStore(); var catalogue = open(store)) {
            var web = Objects.requireNonNull(ready(catalogue).vms().get(WEB));
            assertEquals(VmRecord.Status.FOUND, web.status());
            assertEquals(ref(1), Objects.requireNonNull(web.lastSealed()).ref());
            assertTrue(Files.exists(
                    StoreIdentity.directory(store).resolve("journal.damaged-1/journal.mv.db")));
        }
    }

    /** Shorter than its header H2 says that it cannot be read, as of a broken disk. */
    @Test
    void shouldSetAJournalThatIsCutShortAside() throws Exception {
        try (var store = openStore()) {
            store.imagesDirectory(WEB, 0);
            Facts.seal(store, ref(1));
            try (var catalogue = open(store)) {
                tell(catalogue, created(), started());
            }
            try (var file = FileChannel.open(journal(store).resolve("journal.mv.db"),
                    StandardOpenOption.WRITE)) {
                file.truncate(100);
            }
        }

        try (var store = openStore(); var catalogue = open(store)) {
            var web = Objects.requireNonNull(ready(catalogue).vms().get(WEB));
            assertEquals(ref(1), Objects.requireNonNull(web.lastSealed()).ref());
            assertTrue(Files.exists(
                    StoreIdentity.directory(store).resolve("journal.damaged-1/journal.mv.db")));
        }
    }

    @Test
    void shouldRefuseAnIdThatWasUsed() throws Exception {
        try (var store = openStore(); var catalogue = open(store)) {
            tell(catalogue, created(), begun(5));
            tell(catalogue, new CatalogueEvent.CheckpointAborted(ref(5), "no room"));

            var refused = assertThrows(ExecutionException.class,
                    () -> durable(catalogue.tell(begun(5))));

            assertInstanceOf(CatalogueException.class, refused.getCause());
            tell(catalogue, begun(6));
        }
    }

    @Test
    void shouldDeleteOldEventsOnceASnapshotHasThem() throws Exception {
        var settings = new JournaledCatalogue.Settings(50);
        try (var store = openStore()) {
            store.imagesDirectory(WEB, 0);
            try (var catalogue = open(store, settings)) {
                tell(catalogue, created(), started());
                for (int id = 1; id <= 1_000; id++) {
                    catalogue.tell(begun(id));
                    var told = catalogue.tell(
                            new CatalogueEvent.CheckpointAborted(ref(id), "no room"));
                    if (id % 20 == 0) {
                        durable(told);
                    }
                }
                var database = new JournalDatabase.Embedded(journal(store));
                try (var connection = database.open("");
                        var statement = connection.createStatement()) {
                    await().atMost(SOON).until(() -> {
                        try (var rows = statement.executeQuery(
                                "SELECT COUNT(*) FROM \"tintype\".\"event_journal\"")) {
                            rows.next();
                            return rows.getInt(1) < 300;
                        }
                    });
                }
            }
        }

        try (var store = openStore(); var catalogue = open(store, settings)) {
            var state = ready(catalogue);
            assertEquals(1_000, state.lastId(WEB));
            assertEquals(VmRecord.Status.RUNNING,
                    Objects.requireNonNull(state.vms().get(WEB)).status());
        }
    }
}
