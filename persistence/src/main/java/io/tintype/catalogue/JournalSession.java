package io.tintype.catalogue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.pekko.actor.typed.ActorSystem;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One opened journal, from its first connection to its first failure, after which it is closed and another is opened: what a
 * journal that failed has really written only reading it again can tell.
 *
 * <p>An actor system of its own, so that no VM's strand ever runs a database's code. Used by one thread.
 */
final class JournalSession implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(JournalSession.class);
    private static final long ANSWER_SECONDS_MAX = 60;
    private static final long END_SECONDS_MAX = 10;
    private static final String CONFIG =
            """
                    pekko {
                      # What goes wrong here is said once, by who uses it.
                      loglevel = OFF
                      stdout-loglevel = OFF
                      log-dead-letters = off
                      log-dead-letters-during-shutdown = off
                      daemonic = on
                      jvm-shutdown-hooks = off
                      coordinated-shutdown {
                        run-by-jvm-shutdown-hook = off
                        run-by-actor-system-terminate = off
                        terminate-actor-system = off
                        exit-jvm = off
                      }
                      actor {
                        default-dispatcher {
                          executor = "thread-pool-executor"
                          thread-pool-executor.fixed-pool-size = 2
                        }
                        internal-dispatcher = "pekko.actor.default-dispatcher"
                        serializers.tintype-catalogue = "io.tintype.catalogue.CatalogueSerializer"
                        serialization-bindings {
                          "io.tintype.catalogue.CatalogueEvent" = tintype-catalogue
                          "io.tintype.catalogue.CatalogueState" = tintype-catalogue
                        }
                      }
                      persistence {
                        journal.plugin = "jdbc-journal"
                        snapshot-store.plugin = "jdbc-snapshot-store"
                      }
                    }
                    jdbc-journal {
                      use-shared-db = "slick"
                      tables.event_journal.schemaName = "tintype"
                      tables.event_tag.schemaName = "tintype"
                    }
                    jdbc-snapshot-store {
                      use-shared-db = "slick"
                      tables.snapshot.schemaName = "tintype"
                    }
                    """;

    private final JournalDatabase database;
    private final Connection connection;
    private final ActorSystem<CatalogueActor.Write> system;
    private final CompletableFuture<CatalogueState> recovered = new CompletableFuture<>();
    private final CompletableFuture<CatalogueActor.Written> broken = new CompletableFuture<>();

    private JournalSession(JournalDatabase database, Connection connection, String storeId,
            int snapshotEvery) {
        this.database = database;
        this.connection = connection;
        system = ActorSystem.create(
                CatalogueActor.create("catalogue-" + storeId, snapshotEvery, new Listening()),
                "tintype-catalogue", config(database));
    }

    /**
     * Opens the journal of a store and reads it.
     *
     * @throws JournalDatabase.DamagedException when it cannot be read
     * @throws CatalogueException when it cannot be opened, or was written by a newer program
     */
    static JournalSession open(JournalDatabase database, String storeId, int snapshotEvery)
            throws IOException, InterruptedException {
        var session = new JournalSession(database, database.open(storeId), storeId, snapshotEvery);
        boolean opened = false;
        try {
            session.recovered.get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
            opened = true;
            return session;
        } catch (ExecutionException e) {
            throw unreadable(database, e.getCause());
        } catch (TimeoutException e) {
            throw new CatalogueException("the journal in " + database.place()
                    + " was not read within " + ANSWER_SECONDS_MAX + " s", e);
        } finally {
            if (!opened) {
                session.close();
            }
        }
    }

    private static IOException unreadable(JournalDatabase database, @Nullable Throwable cause) {
        for (var of = cause; of != null; of = of.getCause()) {
            if (of instanceof EventJson.NewerVersionException) {
                return new CatalogueException(
                        "the journal in " + database.place() + ": " + of.getMessage(), of);
            }
        }
        return new JournalDatabase.DamagedException(reason(cause), new IOException(cause));
    }

    private static Config config(JournalDatabase database) {
        return ConfigFactory
                .parseMap(Map.of("pekko-persistence-jdbc.shared-databases.slick",
                        database.plugin().root().unwrapped()))
                .withFallback(ConfigFactory.parseString(CONFIG))
                .withFallback(ConfigFactory.defaultReference())
                .resolve();
    }

    private final class Listening implements CatalogueActor.Listener {
        @Override
        public void recovered(CatalogueState state) {
            recovered.complete(state);
        }

        @Override
        public void broken(Throwable cause) {
            recovered.completeExceptionally(cause);
            broken.completeExceptionally(cause);
        }

        @Override
        public void careful(String what, Throwable cause) {
            LOG.warn("the catalogue in {}: {}: {}", database.place(), what, reason(cause));
        }
    }

    /** Returns what was read when it was opened. */
    CatalogueState recovered() {
        return recovered.join();
    }

    /** Writes what is news in {@code told}, durably; after a failure the session is good for nothing but to be closed. */
    CatalogueActor.Written write(List<CatalogueEvent> told)
            throws CatalogueException, InterruptedException {
        var answer = new CompletableFuture<CatalogueActor.Written>();
        system.tell(new CatalogueActor.Write(told, answer));
        try {
            CompletableFuture.anyOf(answer, broken).get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
            var written = answer.getNow(null);
            database.settle(connection);
            return written;
        } catch (ExecutionException e) {
            throw failed(reason(e.getCause()), e);
        } catch (TimeoutException e) {
            throw failed("no answer within " + ANSWER_SECONDS_MAX + " s", e);
        } catch (SQLException e) {
            throw failed(reason(e), e);
        }
    }

    private CatalogueException failed(String reason, Exception cause) {
        return new CatalogueException(
                "the journal in " + database.place() + " cannot be written: " + reason, cause);
    }

    static String reason(@Nullable Throwable failure) {
        if (failure == null) {
            return "unknown";
        }
        var innermost = failure;
        for (var below = failure; below != null;) {
            innermost = below;
            below = below.getCause();
            if (below == null && innermost instanceof SQLException sql) {
                // Of a batch, the first statement that failed is not its cause.
                below = sql.getNextException();
            }
        }
        var message = innermost.getMessage();
        return message == null
                ? innermost.getClass().getSimpleName()
                : message.lines().findFirst().orElse(message).strip();
    }

    @Override
    public void close() {
        system.terminate();
        try {
            system.getWhenTerminated().toCompletableFuture().get(END_SECONDS_MAX,
                    TimeUnit.SECONDS);
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException
                | TimeoutException e) {
            LOG.warn("the catalogue's actors did not end: {}", reason(e));
        }
        try {
            connection.close();
        } catch (SQLException e) {
            LOG.warn("the catalogue's connection did not close: {}", reason(e));
        }
    }
}
