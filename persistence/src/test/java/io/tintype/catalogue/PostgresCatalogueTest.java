package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.WEB;
import static io.tintype.catalogue.Facts.begun;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.ref;
import static io.tintype.catalogue.Facts.sealed;
import static io.tintype.catalogue.Facts.started;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.DriverManager;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The journal in a real PostgreSQL, which this test starts; skipped, with a message, where it cannot. */
class PostgresCatalogueTest {
    private static final Duration SOON = Duration.ofSeconds(30);

    private static @Nullable PostgresServer server;

    @TempDir
    private Path directory;

    @BeforeAll
    static void startServer() throws Exception {
        server = PostgresServer.startOrSkip();
    }

    private static String url() {
        return Objects.requireNonNull(server).url();
    }

    @AfterAll
    static void stopServer() throws Exception {
        if (server != null) {
            server.stop();
        }
    }

    private CheckpointStore openStore(String name) throws IOException {
        return CheckpointStore.open(directory.resolve(name));
    }

    private static Catalogue open(CheckpointStore store) throws IOException {
        return Catalogues.open(store, JournalPlace.parse(url()), true,
                InstantSource.fixed(Facts.NOW));
    }

    private static CatalogueState ready(Catalogue catalogue) throws Exception {
        return catalogue.ready().get(30, TimeUnit.SECONDS);
    }

    private static void tell(Catalogue catalogue, CatalogueEvent... events) throws Exception {
        for (var event : events) {
            catalogue.tell(event).durable().get(30, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldKnowAfterARestartWhatWasToldBefore() throws Exception {
        try (var store = openStore("a")) {
            store.imagesDirectory(WEB, 0);
            try (var catalogue = open(store)) {
                tell(catalogue, created(), started(), begun(1));
                Facts.seal(store, ref(1));
                tell(catalogue, sealed(1));
            }
        }

        try (var store = openStore("a"); var catalogue = open(store)) {
            var web = Objects.requireNonNull(ready(catalogue).vms().get(WEB));
            assertEquals(VmRecord.Status.RUNNING, web.status());
            assertEquals(Facts.facts(), Objects.requireNonNull(web.lastSealed()).facts());
        }
    }

    @Test
    void shouldKeepTheJournalsOfSeveralStoresApart() throws Exception {
        try (var one = openStore("one");
                var other = openStore("other");
                var of1 = open(one);
                var of2 = open(other)) {
            tell(of1, created());

            assertTrue(of1.state().vms().has(WEB));
            assertFalse(ready(of2).vms().has(WEB));
        }
    }

    // Each of the two has a lock of its own in its directory; the journal they would share has one, too.
    @Test
    void shouldRefuseTheCopyOfAStoreThatIsOpen() throws Exception {
        try (var store = openStore("original"); var catalogue = open(store)) {
            ready(catalogue);
            copy(directory.resolve("original/catalogue"), directory.resolve("copied"));
        }
        try (var store = openStore("original"); var catalogue = open(store)) {
            ready(catalogue);
            try (var copy = openStore("copy")) {
                copy(directory.resolve("copied"), copy.directory().resolve("catalogue"));
                try (var second = open(copy)) {
                    var refused = assertThrows(ExecutionException.class, () -> ready(second));

                    assertTrue(String.valueOf(refused.getMessage())
                            .contains("is in use by another process"), refused.getMessage());
                    assertEquals(CatalogueHealth.Status.FAILED, second.health().status());
                }
            }
        }
    }

    private static void copy(Path source, Path target) throws IOException {
        Files.createDirectories(target);
        Files.copy(source.resolve("identity"), target.resolve("identity"),
                StandardCopyOption.REPLACE_EXISTING);
    }

    @Test
    void shouldKeepFactsAndFailIntentsWhileTheDatabaseIsAway() throws Exception {
        try (var store = openStore("a"); var catalogue = open(store)) {
            store.imagesDirectory(WEB, 0);
            tell(catalogue, created());

            breakConnections();
            catalogue.tell(started());
            await().atMost(SOON).until(
                    () -> catalogue.health().failures() > 0);
            assertThrows(ExecutionException.class,
                    () -> catalogue.tell(begun(1)).durable().get(30, TimeUnit.SECONDS));

            await().atMost(SOON).until(
                    () -> catalogue.health().status() == CatalogueHealth.Status.WORKING);
            await().atMost(SOON).until(() -> Objects.requireNonNull(
                    catalogue.state().vms().get(WEB)).status() == VmRecord.Status.RUNNING);
            tell(catalogue, begun(2));
            assertNotNull(catalogue.state().checkpoint(ref(2)));
        }
    }

    private static void breakConnections() throws Exception {
        try (var connection = DriverManager.getConnection(url());
                var statement = connection.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    + "WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'");
        }
    }

    @Test
    void shouldSayInOneLineThatADatabaseCannotBeReached() throws Exception {
        try (var store = openStore("a");
                var catalogue = Catalogues.open(store,
                        JournalPlace.parse("jdbc:postgresql://127.0.0.1:1/none?password=secret"),
                        true, InstantSource.fixed(Facts.NOW))) {
            var failed = assertThrows(ExecutionException.class, () -> ready(catalogue));

            var message = String.valueOf(Objects.requireNonNull(failed.getCause())
                    .getMessage());
            assertTrue(message.startsWith(
                    "cannot use the database jdbc:postgresql://127.0.0.1:1/none for the catalogue: "),
                    message);
            assertFalse(message.contains("secret"), message);
            assertEquals(1, message.lines().count());
        }
    }
}
