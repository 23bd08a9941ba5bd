package io.tintype.simulations.cli;

import io.tintype.simulations.run.UserErrorException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;

/** Temporary folders, made and taken away. */
final class Folders {
    private Folders() {}

    /** A new, empty one in {@code place}; {@code wayOut} is what to do when it cannot be made. */
    static Path createTemporary(Path place, String wayOut) {
        try {
            return Files.createTempDirectory(place, "tintype-");
        } catch (IOException e) {
            throw UserErrorException.of("temporary directory", place,
                    "nothing can be created in it", wayOut);
        }
    }

    /** With all that is in it. What cannot be deleted stays: it is in the place for what may be deleted any time. */
    static void delete(Path folder) {
        try (var files = Files.walk(folder)) {
            for (var file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException | UncheckedIOException e) {
            return;
        }
    }
}
