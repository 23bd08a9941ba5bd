package io.tintype.simulations;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The launcher with a Maven and a JDK that only pretend, and stand still as long as there is a file named {@code hold}: what it leaves
 * when it is ended at an instant that the test chooses.
 */
class LauncherTest {
    private static final String MAVEN = """
            #!/usr/bin/env bash
            # Java has a status of its own for a Ctrl-C.
            trap 'exit 130' INT
            mkdir -p simulations/target/lib
            echo half > simulations/target/tintype.jar
            while [[ -e $HOLD ]]; do sleep 0.05; done
            echo whole > simulations/target/tintype.jar
            """;
    private static final String JAVA = """
            #!/usr/bin/env bash
            for word in "$@"; do
                if [[ $word == -XX:AOTCacheOutput=* ]]; then
                    echo begun > "${word#*=}.begun"
                    while [[ -e $HOLD ]]; do sleep 0.05; done
                    echo cache > "${word#*=}"
                    exit
                fi
            done
            echo "runs $(<"$JAR")"
            """;
    private static final long ENDS_SECONDS_MAX = 30;

    @TempDir
    private Path folder;

    private Path checkout = Path.of("");
    private Path target = Path.of("");
    private Path hold = Path.of("");
    private int starts;

    private record Started(Process process, Path said) {
        String words() throws IOException {
            return Files.readString(said);
        }

        /** To the launcher and all that it started, as a terminal does. */
        void signal(String name) throws IOException, InterruptedException {
            assertEquals(0,
                    new ProcessBuilder("kill", "-" + name, "--", "-" + process.pid()).start()
                            .waitFor());
        }

        int status() throws InterruptedException {
            assertTrue(process.waitFor(ENDS_SECONDS_MAX, TimeUnit.SECONDS), "it does not end");
            return process.exitValue();
        }
    }

    @BeforeEach
    void makeCheckout() throws IOException, InterruptedException {
        assumeTrue(works("setsid", "env", "--default-signal=INT", "flock", "--version"),
                "needs setsid, flock, and an env that knows --default-signal");
        // Both would end a word that is not quoted.
        checkout = folder.resolve("it's a checkout");
        target = checkout.resolve("simulations/target");
        hold = folder.resolve("hold");
        Files.createDirectories(checkout.resolve("simulations/src/main"));
        Files.createDirectories(folder.resolve("bin"));
        Files.createDirectories(folder.resolve("jdk/bin"));
        Files.writeString(checkout.resolve("pom.xml"), "");
        Files.writeString(checkout.resolve("simulations/pom.xml"), "");
        Files.copy(Path.of("..", "tintype"), checkout.resolve("tintype"));
        program("bin/mvn", MAVEN);
        program("jdk/bin/java", JAVA);
        program("jdk/bin/javac", JAVA);
        Files.writeString(folder.resolve("jdk/release"), "JAVA_VERSION=\"25.0.1\"\n");
    }

    /** Whatever a test that failed left standing. */
    @AfterEach
    void letGo() throws IOException {
        Files.deleteIfExists(hold);
    }

    private static boolean works(String... words) throws InterruptedException {
        try {
            return new ProcessBuilder(words).redirectErrorStream(true)
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD).start().waitFor() == 0;
        } catch (IOException _) {
            return false;
        }
    }

    private void program(String name, String script) throws IOException {
        var file = folder.resolve(name);
        Files.writeString(file, script);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    private Started start(String cache) throws IOException {
        var said = folder.resolve("said-" + ++starts);
        var builder = new ProcessBuilder("setsid", "env", "--default-signal=INT", "bash",
                checkout.resolve("tintype").toString(), "--version")
                .redirectErrorStream(true).redirectOutput(said.toFile());
        var environment = builder.environment();
        environment.put("PATH", folder.resolve("bin") + ":" + environment.get("PATH"));
        environment.put("JAVA_HOME", folder.resolve("jdk").toString());
        environment.put("HOLD", hold.toString());
        environment.put("JAR", target.resolve("tintype.jar").toString());
        environment.put("TINTYPE_CACHE", cache);
        return new Started(builder.start(), said);
    }

    private void assertRuns(String cache) throws IOException, InterruptedException {
        var started = start(cache);
        assertEquals(0, started.status(), started::toString);
        assertTrue(started.words().contains("runs whole"), started.words());
    }

    private List<String> left(String beginning) throws IOException {
        try (var files = Files.list(target)) {
            return files.map(file -> String.valueOf(file.getFileName()))
                    .filter(name -> name.startsWith(beginning)).toList();
        }
    }

    private boolean isTraining() throws IOException {
        for (var name : left("training.")) {
            if (Files.exists(target.resolve(name).resolve("cache.begun"))) {
                return true;
            }
        }
        return false;
    }

    @Test
    void shouldNotTakeHalfABuildForAWholeOne() throws IOException, InterruptedException {
        for (var signal : List.of("INT", "KILL")) {
            Files.writeString(hold, "");
            var building = start("off");
            await().until(() -> Files.exists(target.resolve("tintype.jar"))
                    && Files.readString(target.resolve("tintype.jar")).contains("half"));
            building.signal(signal);
            assertEquals(signal.equals("INT") ? 130 : 137, building.status());
            assertFalse(building.words().contains("failed"), building.words());
            Files.delete(hold);

            assertRuns("off");
            Files.writeString(target.resolve("tintype.jar"), "");
            Files.writeString(target.resolve("tintype.building"), "");
        }
    }

    @Test
    void shouldEndPreparationsAtOnceAndTryThemAgain() throws IOException, InterruptedException {
        assertRuns("off");
        for (var signal : List.of("INT", "KILL")) {
            Files.writeString(hold, "");
            var preparing = start("on");
            await().until(this::isTraining);
            preparing.signal(signal);
            assertEquals(signal.equals("INT") ? 130 : 137, preparing.status());
            assertFalse(preparing.words().contains("runs"), preparing.words());
            assertEquals(1, preparing.words().lines().count(), preparing.words());
            assertEquals(signal.equals("INT") ? 0 : 1, left("training.").size());
            Files.delete(hold);
        }

        assertRuns("on");

        assertEquals(List.of(), left("training."));
        assertEquals(List.of(), left("tintype.aot.failed"));
        assertEquals(List.of("tintype.aot"),
                left("tintype.aot").stream().filter(name -> !name.endsWith(".of")).toList());
    }

    @Test
    void shouldTellWhoWaitsForAnotherStart() throws IOException, InterruptedException {
        Files.writeString(hold, "");
        var first = start("on");
        await().until(() -> first.words().contains("building"));
        await().until(() -> Files.exists(target.resolve("tintype.jar")));
        var second = start("on");
        await().until(() -> second.words().contains("waiting for another start"));
        Files.delete(hold);

        assertEquals(0, first.status());
        assertEquals(0, second.status());
        assertFalse(second.words().contains("building"), second.words());
        assertTrue(second.words().contains("runs whole"), second.words());
    }
}
