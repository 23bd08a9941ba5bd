package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code simulate} and {@code replay} as a user meets them. */
class SimulateCommandTest {
    @Command(name = "tintype")
    private static final class Root implements Runnable {
        @Override
        public void run() {}
    }

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    private int run(String... arguments) {
        CommandLine line = Commands.on(new Root(), new FakeRunner(), List.of())
                .setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        return line.execute(arguments);
    }

    private String file(String name) {
        return directory.resolve(name).toString();
    }

    @Test
    void shouldRunSeedsAndWriteTheFigures() throws IOException {
        int status = run("simulate", "--seed", "1", "--seeds", "20", "--quiet", "--json",
                file("a.json"));

        assertEquals(0, status, err.toString());
        var json = new ObjectMapper().readTree(Files.readString(directory.resolve("a.json")));
        assertEquals(20, json.get("runs").asInt());
        assertEquals(0, json.get("violations").size());
        for (var field : List.of("runsPerSecond", "messagesPerSecond", "virtualSeconds",
                "traceHash", "situations")) {
            assertTrue(json.has(field), field);
        }
    }

    @Test
    void shouldTellAStoryThatReplays() throws IOException {
        int status = run("simulate", "--seed", "1", "--seeds", "200", "--break", "R12", "--quiet",
                "--json", file("a.json"), "--trace", file("t.json"), "--report", file("r.html"));

        assertEquals(1, status, err.toString());
        assertTrue(out.toString().contains("R12 is broken"), out.toString());
        assertTrue(Files.size(directory.resolve("r.html")) > 0);
        var json = new ObjectMapper().readTree(Files.readString(directory.resolve("a.json")));
        assertEquals("R12", json.get("violations").get(0).get("rule").asText());

        assertEquals(1, run("replay", file("t.json")));
        assertTrue(out.toString().contains("reproduced"), out.toString());
    }

    @Test
    void shouldReplayWhatExploreFound() {
        int status = run("explore", "--requests", "2", "--checkpoints", "1", "--break", "R8",
                "--trace", file("t.json"));

        assertEquals(1, status, err.toString());
        assertEquals(1, run("replay", file("t.json")));
        assertTrue(out.toString().contains("reproduced"), out.toString());
    }

    @Test
    void shouldGiveTheSameHashWhateverTheNumberOfThreads() throws IOException {
        run("simulate", "--seed", "1", "--seeds", "60", "--quiet", "--json", file("1.json"));
        run("simulate", "--seed", "1", "--seeds", "60", "--quiet", "--jobs", "2", "--json",
                file("2.json"));

        var mapper = new ObjectMapper();
        assertEquals(
                mapper.readTree(Files.readString(directory.resolve("1.json"))).get("traceHash"),
                mapper.readTree(Files.readString(directory.resolve("2.json"))).get("traceHash"));
    }

    @Test
    void shouldRefuseBadInputInALine() throws IOException {
        Files.writeString(directory.resolve("bad.json"), "no story");
        Files.writeString(directory.resolve("bad.knobs"), "colour=7\n");
        var wrong = List.of(
                List.of("simulate", "--break", "R99"),
                List.of("simulate", "--scenario", "nonsense"),
                List.of("simulate", "--scenario", file("bad.knobs")),
                List.of("simulate", "--strategy", "luck"),
                List.of("simulate", "--seeds", "0"),
                List.of("simulate", "--jobs", "0"),
                List.of("replay", file("bad.json")),
                List.of("replay", file("missing.json")));
        for (var arguments : wrong) {
            assertEquals(2, run(arguments.toArray(new String[0])), arguments.toString());
        }
        assertEquals(wrong.size(), err.toString().lines().count(), err.toString());
    }
}
