package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Files with knobs, by Jazzer. docs/testing.md says how to fuzz. */
@Timeout(60)
class ScenarioFuzzTest {
    @MethodSource("scenarios")
    @FuzzTest
    void scenario(byte[] file) {
        try {
            var scenario = Scenario.parse("some.txt",
                    new String(file, StandardCharsets.UTF_8).lines().toList());
            assertEquals("some.txt", scenario.words());
            // As a run begins.
            var knobs = Knobs.draw(1, scenario, Strategy.RANDOM, Faults.ALL, null);
            assertTrue(knobs.vms() > 0);
        } catch (ScenarioException _) {
            // As it should be.
        }
    }

    static Stream<Arguments> scenarios() {
        return Stream.of("vms=2\n# two of them\nhangPerMille = 20\n", "storage=1\nseed=3\n")
                .map(text -> Arguments.of((Object) text.getBytes(StandardCharsets.UTF_8)));
    }
}
