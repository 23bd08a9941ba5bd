package io.tintype.simulations.cli;

import io.tintype.simulations.run.Progress;
import java.io.PrintWriter;
import java.time.Duration;

/** A run's status line: what it says, and how often. It is drawn by a {@link ProgressLine}. */
final class StatusPrinter {
    private static final Duration LINE_EVERY_MIN = Duration.ofSeconds(2);
    private static final Duration LINE_EVERY_MAX = Duration.ofMinutes(1);
    /** A run's lines, when they cannot be redrawn, fill half a screen at most, unless it is so long that a minute is too long to wait. */
    private static final int LINES_WANTED = 10;

    private StatusPrinter() {}

    /** Shows it until closed. */
    static ProgressLine start(Progress progress, PrintWriter out, Terminal terminal) {
        var line = new StatusLine(terminal.hasErrorColour());
        return ProgressLine.start(width -> line.render(progress.latest(), width),
                () -> lineEvery(progress.latest().totalNs()), out, terminal);
    }

    static Duration lineEvery(long totalNs) {
        var wanted = Duration.ofNanos(totalNs / LINES_WANTED);
        if (wanted.compareTo(LINE_EVERY_MIN) < 0) {
            return LINE_EVERY_MIN;
        }
        return wanted.compareTo(LINE_EVERY_MAX) > 0 ? LINE_EVERY_MAX : wanted;
    }
}
