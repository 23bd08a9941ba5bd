package io.tintype.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Plays the transcripts in {@code src/test/resources/scenarios}; {@link Transcript} has the vocabulary. With
 * {@code -Drewrite=true} it writes down what happens instead: then read the difference.
 */
class ScenarioTest {
    private static final Path SCENARIOS = Path.of("src/test/resources/scenarios");

    static List<String> scenarios() throws IOException {
        try (Stream<Path> files = Files.list(SCENARIOS)) {
            return files.map(file -> Objects.requireNonNull(file.getFileName()).toString()).sorted()
                    .toList();
        }
    }

    @ParameterizedTest
    @MethodSource("scenarios")
    void shouldHappenAsTold(String scenario) throws IOException {
        var file = SCENARIOS.resolve(scenario);
        var told = Files.readString(file);

        var played = play(told);

        if (Boolean.getBoolean("rewrite")) {
            Files.writeString(file, played);
        } else {
            assertEquals(told, played);
        }
    }

    @Test
    void shouldHaveAScenarioForEachRule() throws IOException {
        var all = new StringBuilder();
        for (var scenario : scenarios()) {
            Files.readString(SCENARIOS.resolve(scenario)).lines()
                    .filter(line -> line.startsWith("#")).forEach(all::append);
        }

        for (var rule : Rule.values()) {
            assertTrue(all.toString().matches("(?s).*\\b" + rule + "\\b.*"),
                    "no scenario says that it is about " + rule);
        }
    }

    /** Blocks of lines, each followed by a line of dashes and what these lines led to. */
    private static String play(String told) {
        var transcript = new Transcript();
        var played = new ArrayList<String>();
        var outcomes = new ArrayList<String>();
        boolean isOutcome = false;
        for (var line : told.lines().toList()) {
            if (isOutcome && !line.isBlank()) {
                continue;
            }
            if (isOutcome) {
                isOutcome = false;
            }
            played.add(line);
            if (line.equals("----")) {
                played.addAll(outcomes.isEmpty() ? List.of("nothing") : outcomes);
                outcomes.clear();
                isOutcome = true;
            } else if (!line.isBlank() && !line.startsWith("#")) {
                try {
                    outcomes.addAll(transcript.play(Arrays.asList(line.split(" +"))));
                } catch (IllegalStateException refusal) {
                    outcomes.add("refused: " + refusal.getMessage());
                }
            }
        }
        return String.join("\n", played).stripTrailing() + "\n";
    }
}
