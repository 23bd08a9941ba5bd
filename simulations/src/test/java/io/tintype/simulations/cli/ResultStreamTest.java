package io.tintype.simulations.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ResultStreamTest {
    private final StringWriter err = new StringWriter();

    private int conclude(int status, OutputStream target) {
        var results = new ResultStream(target);
        var out = new PrintWriter(results, false, StandardCharsets.UTF_8);
        out.println("a result");
        return results.conclude(status, out, new PrintWriter(err, true));
    }

    private static OutputStream failingWith(String reason) {
        return new OutputStream() {
            @Override
            public void write(int value) throws IOException {
                throw new IOException(reason);
            }
        };
    }

    @Test
    void shouldFailWhenResultsAreLost() {
        assertEquals(1, conclude(0, failingWith("No space left on device")));

        assertEquals("tintype: standard output: No space left on device; what was to be written "
                + "there is not complete" + System.lineSeparator(), err.toString());
        assertEquals(2, conclude(2, failingWith("No space left on device")));
    }

    @Test
    void shouldSayNothingWhenAllIsWrittenOrTheReaderHasSeenEnough() {
        assertEquals(0, conclude(0, new ByteArrayOutputStream()));
        assertEquals(0, conclude(0, failingWith("Broken pipe")));
        assertEquals("", err.toString());
    }
}
