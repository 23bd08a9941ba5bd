package io.tintype.simulations;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();
    private final CommandLine commandLine = Main.commandLine()
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true));

    @Test
    void shouldSayItsVersionAndJavas() {
        var status = commandLine.execute("--version");

        assertEquals(0, status);
        assertTrue(out.toString().startsWith("tintype "), out.toString());
        assertTrue(out.toString().contains("Java " + Runtime.version()), out.toString());
    }

    @Test
    void shouldExplainItselfWhenCalledWithoutACommand() {
        var status = commandLine.execute();

        assertEquals(2, status);
        assertTrue(err.toString().startsWith("tintype: a command is missing"), err.toString());
        assertTrue(err.toString().contains("Usage: tintype"), err.toString());
    }
}
