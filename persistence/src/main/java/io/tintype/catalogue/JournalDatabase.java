package io.tintype.catalogue;

import com.typesafe.config.Config;
import com.typesafe.config.ConfigFactory;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * The database under a journal: opens it, makes its tables, and keeps everybody else away from the journal of this store. Pekko's
 * plugin has connections of its own; the one here is for what the plugin does not do.
 */
sealed interface JournalDatabase {
    /** Of our tables, so that they are nobody else's. */
    String SCHEMA = "tintype";

    /** Its contents are not what was written. */
    final class DamagedException extends IOException {
        private static final long serialVersionUID = 1;

        DamagedException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    /** Where it is, for people. */
    String place();

    /**
     * Opens it, with tables in it, for this store alone until the connection is closed.
     *
     * @param storeId of the store whose journal it is
     * @throws DamagedException when there is something, and it is broken
     * @throws CatalogueException when it cannot be used, with the way out
     */
    Connection open(String storeId) throws IOException;

    /** Makes durable what is committed, if committing alone does not, and finds out whether the connection still is one. */
    void settle(Connection connection) throws SQLException;

    /** What Pekko's plugin needs to connect. */
    Config plugin();

    private static Config plugin(String profile, String driver, String url) {
        var database = Map.of(
                "profile", profile,
                "db.connectionPool", "HikariCP",
                "db.driver", driver,
                "db.url", url,
                "db.numThreads", 2,
                "db.maxConnections", 2,
                "db.minConnections", 1,
                // Milliseconds. Who waits for a journal longer than that is told that it is away.
                "db.connectionTimeout", 10_000);
        return ConfigFactory.parseMap(database);
    }

    private static void execute(Connection connection, List<String> statements)
            throws SQLException {
        try (var statement = connection.createStatement()) {
            for (var sql : statements) {
                statement.execute(sql);
            }
        }
    }

    /** H2, in files below {@code directory}, in this process. */
    record Embedded(Path directory) implements JournalDatabase {
        private static final String NAME = "journal";
        // A state of 10,000 checkpoints, twice, is 5 MB; what is larger is mostly room for reuse.
        private static final long FILE_BYTES_MAX = 32 << 20;
        // https://www.h2database.com/javadoc/org/h2/api/ErrorCode.html
        private static final int ALREADY_OPEN = 90_020;
        private static final List<Integer> DAMAGED = List.of(
                50_000, // an error within H2, which is what most damage looks like
                90_030, // the file is corrupted
                90_048, // a version of the file that H2 does not know
                90_067); // the database broke while it was opened

        // As Pekko's plugin wants them for H2, but for what is small: inline, since large objects are slow in H2.
        private static final List<String> TABLES = List.of(
                "CREATE SCHEMA IF NOT EXISTS \"tintype\"",
                """
                        CREATE TABLE IF NOT EXISTS "tintype"."event_journal" (
                          "ordering" BIGINT UNIQUE NOT NULL AUTO_INCREMENT,
                          "deleted" BOOLEAN DEFAULT FALSE NOT NULL,
                          "persistence_id" VARCHAR(255) NOT NULL,
                          "sequence_number" BIGINT NOT NULL,
                          "writer" VARCHAR NOT NULL,
                          "write_timestamp" BIGINT NOT NULL,
                          "adapter_manifest" VARCHAR NOT NULL,
                          "event_payload" VARBINARY(1000000) NOT NULL,
                          "event_ser_id" INTEGER NOT NULL,
                          "event_ser_manifest" VARCHAR NOT NULL,
                          "meta_payload" VARBINARY(1000000),
                          "meta_ser_id" INTEGER,
                          "meta_ser_manifest" VARCHAR,
                          PRIMARY KEY ("persistence_id", "sequence_number")
                        )""",
                """
                        CREATE TABLE IF NOT EXISTS "tintype"."event_tag" (
                          "event_id" BIGINT NOT NULL,
                          "tag" VARCHAR NOT NULL,
                          PRIMARY KEY ("event_id", "tag"),
                          FOREIGN KEY ("event_id") REFERENCES "tintype"."event_journal" ("ordering")
                            ON DELETE CASCADE
                        )""",
                """
                        CREATE TABLE IF NOT EXISTS "tintype"."snapshot" (
                          "persistence_id" VARCHAR(255) NOT NULL,
                          "sequence_number" BIGINT NOT NULL,
                          "created" BIGINT NOT NULL,
                          "snapshot_ser_id" INTEGER NOT NULL,
                          "snapshot_ser_manifest" VARCHAR NOT NULL,
                          "snapshot_payload" BLOB NOT NULL,
                          "meta_ser_id" INTEGER,
                          "meta_ser_manifest" VARCHAR,
                          "meta_payload" BLOB,
                          PRIMARY KEY ("persistence_id", "sequence_number")
                        )""");

        @Override
        public String place() {
            return directory.toString();
        }

        private String url() {
            // Without WRITE_DELAY=0 H2 answers half a second before it writes. It keeps what is not needed any more for 45
            // seconds, in case a disk has not written what follows; here that is synced after each batch.
            return "jdbc:h2:file:" + directory.resolve(NAME).toAbsolutePath()
                    + ";WRITE_DELAY=0;RETENTION_TIME=2000;DB_CLOSE_ON_EXIT=FALSE";
        }

        @Override
        public Connection open(String storeId) throws IOException {
            try {
                Files.createDirectories(directory);
                var file = directory.resolve(NAME + ".mv.db");
                if (Files.exists(file) && Files.size(file) > FILE_BYTES_MAX) {
                    // A process that was killed did not do it when it closed.
                    try (var connection = DriverManager.getConnection(url())) {
                        execute(connection, List.of("SHUTDOWN COMPACT"));
                    }
                }
                var connection = DriverManager.getConnection(url());
                try {
                    execute(connection, TABLES);
                    return connection;
                } catch (SQLException e) {
                    connection.close();
                    throw e;
                }
            } catch (SQLException e) {
                throw refused(e);
            }
        }

        private IOException refused(SQLException e) {
            if (e.getErrorCode() == ALREADY_OPEN) {
                return new CatalogueException("the journal in " + directory
                        + " is in use by another process; wait until it ends or choose another store "
                        + "directory", e);
            }
            var ofTheDisk = ofTheDisk(e);
            var reason = ofTheDisk == null ? firstLine(e) : ofTheDisk;
            if (ofTheDisk == null && (DAMAGED.contains(e.getErrorCode()) || isCutShort(e))) {
                return new DamagedException(reason, e);
            }
            return new CatalogueException("cannot open the journal in " + directory + ": " + reason
                    + "; check the disk that it is on", e);
        }

        /** Whether the file ends where there must be more, its first blocks above all: H2 calls that an error of I/O. */
        private static boolean isCutShort(SQLException e) {
            for (Throwable of = e; of != null; of = of.getCause()) {
                if (of instanceof EOFException) {
                    return true;
                }
            }
            return false;
        }

        /**
         * What the operating system refused, if it was that: H2 says the same of a full disk as of a damaged file, and a journal
         * that is only on a full disk must not be set aside.
         */
        private static @Nullable String ofTheDisk(SQLException e) {
            for (Throwable of = e; of != null; of = of.getCause()) {
                if (of.getClass() == IOException.class || of instanceof FileSystemException) {
                    return of.getMessage();
                }
            }
            return null;
        }

        @Override
        public void settle(Connection connection) throws SQLException {
            execute(connection, List.of("CHECKPOINT SYNC"));
        }

        @Override
        public Config plugin() {
            return JournalDatabase.plugin("slick.jdbc.H2Profile$", "org.h2.Driver", url());
        }

        /** Puts what is there under another name, so that a new one can be made; returns that name. */
        Path setAside() throws IOException {
            for (int i = 1;; i++) {
                var aside = directory.resolveSibling(directory.getFileName() + ".damaged-" + i);
                if (!Files.exists(aside)) {
                    Files.move(directory, aside);
                    return aside;
                }
            }
        }
    }

    /** PostgreSQL, somewhere. */
    record Postgres(JournalPlace.Postgres at) implements JournalDatabase {
        private static final int CONNECT_SECONDS = 5;
        // Of the lock under which tables are made: two hosts may start at once.
        private static final long TABLES_LOCK = 0x54696E74797065L;

        private static final List<String> TABLES = List.of(
                "CREATE SCHEMA IF NOT EXISTS tintype",
                """
                        CREATE TABLE IF NOT EXISTS tintype.event_journal (
                          ordering BIGSERIAL UNIQUE,
                          persistence_id VARCHAR(255) NOT NULL,
                          sequence_number BIGINT NOT NULL,
                          deleted BOOLEAN DEFAULT FALSE NOT NULL,
                          writer VARCHAR(255) NOT NULL,
                          write_timestamp BIGINT,
                          adapter_manifest VARCHAR(255),
                          event_ser_id INTEGER NOT NULL,
                          event_ser_manifest VARCHAR(255) NOT NULL,
                          event_payload BYTEA NOT NULL,
                          meta_ser_id INTEGER,
                          meta_ser_manifest VARCHAR(255),
                          meta_payload BYTEA,
                          PRIMARY KEY (persistence_id, sequence_number)
                        )""",
                """
                        CREATE TABLE IF NOT EXISTS tintype.event_tag (
                          event_id BIGINT REFERENCES tintype.event_journal (ordering) ON DELETE CASCADE,
                          tag VARCHAR(256),
                          PRIMARY KEY (event_id, tag)
                        )""",
                """
                        CREATE TABLE IF NOT EXISTS tintype.snapshot (
                          persistence_id VARCHAR(255) NOT NULL,
                          sequence_number BIGINT NOT NULL,
                          created BIGINT NOT NULL,
                          snapshot_ser_id INTEGER NOT NULL,
                          snapshot_ser_manifest VARCHAR(255) NOT NULL,
                          snapshot_payload BYTEA NOT NULL,
                          meta_ser_id INTEGER,
                          meta_ser_manifest VARCHAR(255),
                          meta_payload BYTEA,
                          PRIMARY KEY (persistence_id, sequence_number)
                        )""");

        @Override
        public String place() {
            return at.toString();
        }

        @Override
        public Connection open(String storeId) throws IOException {
            try {
                var connection = connect();
                boolean opened = false;
                try {
                    makeTables(connection);
                    lock(connection, storeId);
                    opened = true;
                    return connection;
                } finally {
                    if (!opened) {
                        connection.close();
                    }
                }
            } catch (SQLException e) {
                throw refused(e);
            }
        }

        /** Looks whether it can be reached, and changes nothing. */
        void requireReachable() throws CatalogueException {
            try {
                connect().close();
            } catch (SQLException e) {
                throw refused(e);
            }
        }

        private Connection connect() throws SQLException {
            var properties = new Properties();
            properties.setProperty("connectTimeout", Integer.toString(CONNECT_SECONDS));
            properties.setProperty("loginTimeout", Integer.toString(CONNECT_SECONDS));
            return DriverManager.getConnection(at.url(), properties);
        }

        private CatalogueException refused(SQLException e) {
            return new CatalogueException("cannot use the database " + place()
                    + " for the catalogue: " + firstLine(e)
                    + "; check that it runs and lets this user create a schema in it", e);
        }

        private static void makeTables(Connection connection) throws SQLException {
            // Asked first, since making what is there takes a right that a user may have lost since.
            try (var found = connection.getMetaData().getTables(null, SCHEMA, "snapshot", null)) {
                if (found.next()) {
                    return;
                }
            }
            connection.setAutoCommit(false);
            execute(connection, List.of("SELECT pg_advisory_xact_lock(" + TABLES_LOCK + ")"));
            execute(connection, TABLES);
            connection.commit();
            connection.setAutoCommit(true);
        }

        /** Until the connection ends, however it ends: nothing is left behind by a crash. */
        private void lock(Connection connection, String storeId)
                throws SQLException, CatalogueException {
            try (var query = connection.prepareStatement(
                    "SELECT pg_try_advisory_lock(hashtextextended(?, 0))")) {
                query.setString(1, SCHEMA + " " + storeId);
                try (var answer = query.executeQuery()) {
                    if (!answer.next() || !answer.getBoolean(1)) {
                        throw new CatalogueException("the catalogue of this store in " + place()
                                + " is in use by another process, which perhaps opened a copy of the "
                                + "store; wait until it ends or use another database");
                    }
                }
            }
        }

        @Override
        public void settle(Connection connection) throws SQLException {
            // PostgreSQL syncs when it commits. But whoever lost this connection has lost the lock.
            execute(connection, List.of("SELECT 1"));
        }

        @Override
        public Config plugin() {
            return JournalDatabase.plugin("slick.jdbc.PostgresProfile$", "org.postgresql.Driver",
                    at.url());
        }
    }

    private static String firstLine(SQLException e) {
        var message = String.valueOf(e.getMessage());
        return message.lines().findFirst().orElse(message).strip();
    }
}
