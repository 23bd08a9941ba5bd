package io.tintype.simulations.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
    @TempDir
    private Path directory;

    @Test
    void shouldReplaceAFileAndLeaveNoDraft() throws IOException {
        var file = directory.resolve("report");
        Files.writeString(file, "the one before, which was longer");

        WholeFile.write(file, "new");

        assertEquals("new", Files.readString(file));
        try (var left = Files.list(directory)) {
            assertEquals(1, left.count());
        }
    }

    // A report to /dev/stdout once replaced that link by a file.
    @Test
    void shouldWriteThroughALinkAndLeaveItALink() throws IOException {
        var file = directory.resolve("elsewhere");
        Files.writeString(file, "old");
        var link = Files.createSymbolicLink(directory.resolve("link"), file);

        WholeFile.write(link, "new");

        assertTrue(Files.isSymbolicLink(link));
        assertEquals("new", Files.readString(file));
    }
}
