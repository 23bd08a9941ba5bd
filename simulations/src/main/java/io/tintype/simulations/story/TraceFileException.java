package io.tintype.simulations.story;

import java.nio.file.Path;

/**
 * A trace file that cannot be used. The message is one line for the user: the file, what is wrong with it, what to do.
 */
public final class TraceFileException extends Exception {
    private static final long serialVersionUID = 1L;

    TraceFileException(Path file, String wrong, String wayOut) {
        super(file + ": " + wrong + "; " + wayOut);
    }
}
