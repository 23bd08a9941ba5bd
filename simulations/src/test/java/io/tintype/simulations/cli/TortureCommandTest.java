package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.simulations.torture.TortureResult;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

class TortureCommandTest {
    @Test
    void shouldWarnWhenThereWasNoCheckpointToBeLost() {
        assertTrue(String.valueOf(TortureCommand.warning(result(3, 0, List.of())))
                .contains("torture longer"));
        assertNull(TortureCommand.warning(result(3, 1, List.of())));
        assertNull(TortureCommand.warning(result(0, 0, List.of())), "nothing was compared at all");
        assertNull(TortureCommand.warning(result(3, 0, List.of("lost"))), "there is worse to say");
    }

    private static TortureResult result(long kills, long verified, List<String> violations) {
        return new TortureResult(7, 1.5, kills, 0, 0, 0, 0, 0, 0, verified, 0, 0, new TreeMap<>(),
                0, 0, 0, false, violations, null);
    }
}
