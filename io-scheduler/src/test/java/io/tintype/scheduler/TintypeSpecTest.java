package io.tintype.scheduler;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The protocol as docs/spec/Tintype.tla tells it: all states of small VMs, and that each rule is needed. */
class TintypeSpecTest {
    @TempDir
    Path folder;

    @Test
    void shouldHoldWithTwoCheckpoints() throws Exception {
        assertHolds(Map.of(), 281_122);
    }

    @Test
    void shouldHoldWithThreeRequests() throws Exception {
        assertHolds(Map.of("Requests", "3", "Checkpoints", "1"), 161_140);
    }

    @Test
    void shouldHoldWhenRequestsFail() throws Exception {
        assertHolds(Map.of("Errors", "2", "Checkpoints", "1"), 20_133);
    }

    @Test
    void shouldHoldWithTwoBlockGroups() throws Exception {
        assertHolds(Map.of("Groups", "{{b1}, {b2}}", "Checkpoints", "1"), 15_093);
    }

    @ParameterizedTest
    @ValueSource(strings = {"R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11"})
    void shouldNoticeThatARuleIsBroken(String rule) throws Exception {
        var answer =
                Tlc.check("Tintype", Map.of("BrokenRule", "\"" + rule + "\""), List.of(), "1",
                        folder);

        assertFalse(answer.isComplete(), answer.output());
        assertEquals("Inv_" + rule, answer.violated(), answer.output());
        assertTrue(answer.distinct() > 100, answer.output());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"Never_CopyOfCopy", "Never_Waits", "Never_Pair", "Never_DebtAfterAbort",
                "Never_SealedTogether"})
    void shouldComeByRareSituations(String never) throws Exception {
        var answer = Tlc.check("Tintype", Map.of(), List.of(never), "auto", folder);

        assertEquals(never, answer.violated(), answer.output());
    }

    /**
     * The counts are those of the model as it stands: who changes it on purpose sees here how it grew. Not a bound, since a model that
     * lost half of its behaviour by mistake still holds.
     */
    private void assertHolds(Map<String, String> constants, long distinct)
            throws Exception {
        var answer = Tlc.check("Tintype", constants, List.of(), "auto", folder);

        assertTrue(answer.isComplete(), answer.output());
        assertEquals(distinct, answer.distinct(), answer.output());
        // Not exactly the same each time: several workers do not keep the levels apart.
        assertTrue(answer.depth() >= 12, answer.output());
        assertTrue(answer.generated() > answer.distinct(), answer.output());
    }
}
