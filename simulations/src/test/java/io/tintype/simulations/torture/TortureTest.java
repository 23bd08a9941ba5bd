package io.tintype.simulations.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
                null, kills, 2, seed, defect))) {
            return torture.run();
        }
    }

    @Test
    void shouldLoseNothing() throws IOException, InterruptedException {
        // Of this seed's victims two are killed before they are ready, one while checkpoints are rare, the others while they are many.
        var result = torture(5, 7, Defect.NONE);

        assertTrue(result.isFine(), () -> String.join("\n", result.violations()));
        assertEquals(5, result.kills());
        assertTrue(result.verified() > 0, "no checkpoint was verified");
        assertTrue(result.acknowledged() > 0, "no write was acknowledged as durable");
    }

    @ParameterizedTest
    @CsvSource({
        // Seeds whose first victims live long enough, the second one's with few checkpoints, the others' with many.
        "LATE_SEGMENTS, 531, cannot be read",
        "EMPTY_FLUSHES, 44, R13",
        "UNDELETED, 605, was reported deleted and is listed"})
    void shouldFindWhatIsBrokenOnPurpose(Defect defect, long seed, String sign)
            throws IOException, InterruptedException {
        var result = torture(60, seed, defect);

        assertFalse(result.isFine(), "nothing was found in " + result.kills() + " kills");
        assertTrue(result.violations().stream().anyMatch(line -> line.contains(sign)),
                () -> String.join("\n", result.violations()));
        var evidence = result.evidence();
        assertNotNull(evidence);
        assertTrue(Files.isRegularFile(Path.of(evidence, "store", "tintype-store")));
        assertTrue(Files.isRegularFile(Path.of(evidence, "violations.txt")));
    }
}
