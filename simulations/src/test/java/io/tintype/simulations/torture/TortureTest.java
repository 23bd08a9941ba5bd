package io.tintype.simulations.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TortureTest {
    @TempDir
    private Path folder;

    private TortureResult torture(int kills, long seed, Defect defect)
            throws IOException, InterruptedException {
        var work = Files.createDirectory(folder.resolve("work"));
        try (var torture = new Torture(new TortureOptions(folder.resolve("store"), work, folder,
                Duration.ofMinutes(1), kills, 2, seed, defect))) {
            return torture.run();
        }
    }

    @Test
    void shouldLoseNothing() throws IOException, InterruptedException {
        var result = torture(5, 1, Defect.NONE);

        assertTrue(result.isFine(), () -> String.join("\n", result.violations()));
        assertEquals(5, result.kills());
        assertTrue(result.verified() > 0, "no checkpoint was verified");
        assertTrue(result.acknowledged() > 0, "no write was acknowledged as durable");
    }

    @ParameterizedTest
    @CsvSource({
        "LATE_SEGMENTS, cannot be read",
        "EMPTY_FLUSHES, R13",
        "UNDELETED, was reported deleted and is listed"})
    void shouldFindWhatIsBrokenOnPurpose(Defect defect, String sign)
            throws IOException, InterruptedException {
        var result = torture(30, 2, defect);

        assertFalse(result.isFine(), "nothing was found in " + result.kills() + " kills");
        assertTrue(result.violations().stream().anyMatch(line -> line.contains(sign)),
                () -> String.join("\n", result.violations()));
        var evidence = result.evidence();
        assertNotNull(evidence);
        assertTrue(Files.isRegularFile(Path.of(evidence, "store", "tintype-store")));
        assertTrue(Files.isRegularFile(Path.of(evidence, "violations.txt")));
    }
}
