package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Every seed that ever failed must not fail again. */
class KnownSeedsTest {
    private static final int COLUMNS = 5;

    @Test
    void shouldNotFailWithASeedThatFailedBefore() throws IOException {
        try (var machine = new SimulatedMachine()) {
            for (var line : lines()) {
                var words = line.split("\\s+", COLUMNS);
                var scenario = Scenario.named(words[1]);
                assertNotNull(scenario, line);
                var knobs = Knobs.draw(Long.parseLong(words[0]), Objects.requireNonNull(scenario),
                        Strategy.valueOf(words[2].toUpperCase(Locale.ROOT)),
                        Faults.valueOf(words[3].toUpperCase(Locale.ROOT)), null);

                var run = Simulation.free(machine, knobs, false);

                assertEquals(List.of(), run.violations(), line);
            }
        }
    }

    private static List<String> lines() throws IOException {
        try (var stream = KnownSeedsTest.class.getResourceAsStream("/seeds.txt")) {
            var text = new String(Objects.requireNonNull(stream).readAllBytes(),
                    StandardCharsets.UTF_8);
            return text.lines().filter(line -> !line.isBlank() && !line.startsWith("#")).toList();
        }
    }
}
