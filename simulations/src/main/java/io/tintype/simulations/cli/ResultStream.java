package io.tintype.simulations.cli;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import org.jspecify.annotations.Nullable;

/**
 * Standard output that remembers what a writer above it keeps to itself: that something could not be written. Results that end in the
 * middle on a full disk must not look like success.
 */
final class ResultStream extends OutputStream {
    /** How the C library calls a reader that has seen enough, as {@code head} has. */
    private static final String READER_LEFT = "Broken pipe";

    private final OutputStream target;
    private @Nullable IOException failure;

    ResultStream(OutputStream target) {
        this.target = target;
    }

    /** The status to exit with, after one line if something was lost: {@code status}, or that it failed. */
    int conclude(int status, PrintWriter out, PrintWriter err) {
        out.flush();
        var lost = failure;
        if (lost == null || READER_LEFT.equals(lost.getMessage())) {
            return status;
        }
        err.println("tintype: standard output: " + lost.getMessage()
                + "; what was to be written there is not complete");
        return Math.max(status, Commands.EXIT_FAILED);
    }

    @Override
    public void write(int value) throws IOException {
        write(new byte[] {(byte) value}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int count) throws IOException {
        try {
            target.write(bytes, offset, count);
        } catch (IOException e) {
            failure = failure == null ? e : failure;
            throw e;
        }
    }

    @Override
    public void flush() throws IOException {
        target.flush();
    }
}
