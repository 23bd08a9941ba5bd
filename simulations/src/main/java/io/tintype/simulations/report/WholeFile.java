package io.tintype.simulations.report;

import static java.nio.file.StandardCopyOption.ATOMIC_MOVE;
import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes a file so that nobody ever sees half of it: what was there stays until all of the new is. */
public final class WholeFile {
    private WholeFile() {}

    /** Replaces {@code file}, or makes it. */
    public static void write(Path file, String text) throws IOException {
        if (Files.isSymbolicLink(file) || (Files.exists(file) && !Files.isRegularFile(file))) {
            // A device or a pipe, or a link, which stays one: /dev/stdout is both, whatever it leads to.
            Files.writeString(file, text);
            return;
        }
        var target = file.toAbsolutePath();
        var draft = target
                .resolveSibling(target.getFileName() + ".part-" + ProcessHandle.current().pid());
        try {
            Files.writeString(draft, text);
            move(draft, target);
        } finally {
            Files.deleteIfExists(draft);
        }
    }

    private static void move(Path draft, Path target) throws IOException {
        try {
            Files.move(draft, target, ATOMIC_MOVE, REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(draft, target, REPLACE_EXISTING);
        }
    }
}
