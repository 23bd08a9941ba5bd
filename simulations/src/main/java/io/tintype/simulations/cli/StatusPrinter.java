package io.tintype.simulations.cli;

import io.tintype.simulations.run.Progress;
import java.io.PrintWriter;
import java.time.Duration;

/**
 * Shows a run's progress on standard error while it lasts: one line redrawn in place on a terminal, a new line every few seconds
 * elsewhere. It has a thread of its own, so that a busy fleet does not stop it, and a slow terminal does not stop the fleet.
 */
final class StatusPrinter implements AutoCloseable {
    private static final Duration REDRAW_EVERY = Duration.ofMillis(200);
    private static final Duration LINE_EVERY_MIN = Duration.ofSeconds(2);
    private static final Duration LINE_EVERY_MAX = Duration.ofMinutes(1);
    /** A run's lines, when they cannot be redrawn, fill half a screen at most, unless it is so long that a minute is too long to wait. */
    private static final int LINES_WANTED = 10;
    private static final Duration CLOSE_WAIT_MAX = Duration.ofSeconds(2);

    private final Progress progress;
    private final PrintWriter out;
    private final Terminal terminal;
    private final StatusLine line;
    private final Thread thread;
    // Guarded by `out`, as is the output itself.
    private boolean isLineOpen;

    private StatusPrinter(Progress progress, PrintWriter out, Terminal terminal) {
        this.progress = progress;
        this.out = out;
        this.terminal = terminal;
        this.line = new StatusLine(terminal.hasErrorColour());
        this.thread = Thread.ofPlatform().daemon().name("status-line").unstarted(this::show);
    }

    /** Shows it until closed. */
    static StatusPrinter start(Progress progress, PrintWriter out, Terminal terminal) {
        var printer = new StatusPrinter(progress, out, terminal);
        printer.thread.start();
        return printer;
    }

    /** Prints a line of its own, the status line going on below it. Any thread may call. */
    void say(String words) {
        synchronized (out) {
            clear();
            out.println(words);
            out.flush();
        }
    }

    /** Ends with {@link #stop()}. */
    @Override
    public void close() {
        stop();
    }

    /** Shows no more, and leaves no half-drawn line behind. More than once is the same as once. */
    void stop() {
        thread.interrupt();
        try {
            thread.join(CLOSE_WAIT_MAX);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        synchronized (out) {
            clear();
            out.flush();
        }
    }

    private void show() {
        var isTerminal = terminal.isErrorTerminal();
        try {
            while (true) {
                // Waits for nothing: it is how often the line is drawn.
                Thread.sleep(isTerminal ? REDRAW_EVERY : lineEvery(progress.latest().totalNs()));
                if (isTerminal) {
                    redraw();
                } else {
                    say(line.render(progress.latest(), Integer.MAX_VALUE / 2));
                }
            }
        } catch (InterruptedException e) {
            // Closed: what comes now is the result.
        }
    }

    private void redraw() {
        // The last column stays free: writing there makes some terminals wrap.
        var words = line.render(progress.latest(), terminal.width() - 1);
        synchronized (out) {
            out.print("\r" + words + "\u001b[K");
            out.flush();
            isLineOpen = true;
        }
    }

    private void clear() {
        if (isLineOpen) {
            out.print("\r\u001b[K");
            isLineOpen = false;
        }
    }

    static Duration lineEvery(long totalNs) {
        var wanted = Duration.ofNanos(totalNs / LINES_WANTED);
        if (wanted.compareTo(LINE_EVERY_MIN) < 0) {
            return LINE_EVERY_MIN;
        }
        return wanted.compareTo(LINE_EVERY_MAX) > 0 ? LINE_EVERY_MAX : wanted;
    }
}
