package io.tintype.catalogue;

import static org.junit.jupiter.api.Assumptions.abort;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * A PostgreSQL of its own, in a directory that goes with it. PostgreSQL refuses to run as root: then it runs as the user {@code
 * postgres} or {@code nobody}.
 */
final class PostgresServer {
    private static final Duration START_MAX = Duration.ofSeconds(30);
    private static final String LOOPBACK = "127.0.0.1";
    private static final int WAIT_SECONDS = 60;

    private final Path directory;
    private final Process process;
    private final int port;

    private PostgresServer(Path directory, Process process, int port) {
        this.directory = directory;
        this.process = process;
        this.port = port;
    }

    /** Starts it, or skips the test that asks, saying why. */
    static PostgresServer startOrSkip() throws IOException, InterruptedException {
        var bin = binaries();
        if (bin == null) {
            return abort("no PostgreSQL is installed: neither initdb and postgres on the PATH, nor "
                    + "/usr/lib/postgresql/*/bin");
        }
        var user = otherUser();
        if (user == null) {
            return abort("PostgreSQL does not run as root, and setpriv or another user is missing");
        }
        var directory = Files.createTempDirectory("tintype-postgres-");
        // The server's user goes through it.
        run(List.of("chmod", "755", directory.toString()), directory);
        var data = directory.resolve("data");
        Files.createDirectory(data);
        if (!user.isEmpty()) {
            run(List.of("chown", user, data.toString()), directory);
        }
        var init =
                as(user, bin.resolve("initdb").toString(), "-D", data.toString(), "-U", "tintype",
                        "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C");
        if (run(init, directory) != 0) {
            var why = Files.readString(directory.resolve("log"), StandardCharsets.UTF_8);
            delete(directory);
            return abort("initdb failed: " + why);
        }
        int port = freePort();
        var start = as(user, bin.resolve("postgres").toString(), "-D", data.toString(), "-p",
                Integer.toString(port), "-c", "listen_addresses=" + LOOPBACK, "-c",
                "unix_socket_directories=" + data, "-c", "fsync=off");
        var server = new PostgresServer(directory, process(start, directory).start(), port);
        Awaitility.await().atMost(START_MAX).until(server::answers);
        return server;
    }

    String url() {
        return "jdbc:postgresql://" + LOOPBACK + ":" + port + "/postgres?user=tintype";
    }

    private boolean answers() {
        try (var connection = DriverManager.getConnection(url())) {
            return connection.isValid(1);
        } catch (SQLException _) {
            return false;
        }
    }

    private static @Nullable Path binaries() throws IOException {
        var places = new ArrayList<Path>();
        for (var place : String.valueOf(System.getenv("PATH")).split(":")) {
            places.add(Path.of(place));
        }
        var debian = Path.of("/usr/lib/postgresql");
        if (Files.isDirectory(debian)) {
            try (Stream<Path> versions = Files.list(debian)) {
                versions.sorted(Comparator.reverseOrder())
                        .forEach(version -> places.add(version.resolve("bin")));
            }
        }
        return places.stream()
                .filter(place -> Files.isExecutable(place.resolve("initdb"))
                        && Files.isExecutable(place.resolve("postgres")))
                .findFirst().orElse(null);
    }

    /** Empty for the user that we are. */
    private static @Nullable String otherUser() throws IOException, InterruptedException {
        if (!"root".equals(System.getProperty("user.name"))) {
            return "";
        }
        for (var user : List.of("postgres", "nobody")) {
            var can = new ProcessBuilder(as(user, "true")).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD);
            try {
                if (can.start().waitFor() == 0) {
                    return user;
                }
            } catch (IOException _) {
                return null; // No setpriv.
            }
        }
        return null;
    }

    private static List<String> as(String user, String... command) {
        var all = new ArrayList<String>();
        if (!user.isEmpty()) {
            all.addAll(List.of("setpriv", "--reuid=" + user, "--clear-groups", "--"));
        }
        all.addAll(List.of(command));
        return all;
    }

    private static ProcessBuilder process(List<String> command, Path directory) {
        return new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(
                        directory.resolve("log").toFile()));
    }

    private static int run(List<String> command, Path directory)
            throws IOException, InterruptedException {
        var process = process(command, directory).start();
        if (!process.waitFor(WAIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new IOException(command + " did not end");
        }
        return process.exitValue();
    }

    private static int freePort() throws IOException {
        try (var socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static void delete(Path directory) throws IOException {
        try (var paths = Files.walk(directory)) {
            for (var path : paths.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    void stop() throws IOException, InterruptedException {
        // SIGTERM waits for clients, which are gone; what is left is killed.
        process.destroy();
        if (!process.waitFor(WAIT_SECONDS, TimeUnit.SECONDS)) {
            process.destroyForcibly().waitFor();
        }
        delete(directory);
    }
}
