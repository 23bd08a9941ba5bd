package io.tintype.simulations.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.Supplier;

/**
 * Shows how far something long is, on standard error: one line redrawn in place on a terminal, a new line every few seconds elsewhere. It has a
 * thread of its own, so that what is long need not think of it.
 */
final class ProgressLine implements AutoCloseable {
    private static final Duration REDRAW_EVERY = Duration.ofMillis(200);
    private static final Duration LINE_EVERY = Duration.ofSeconds(5);
    private static final Duration CLOSE_WAIT_MAX = Duration.ofSeconds(2);

    private final Supplier<String> words;
    private final PrintWriter out;
    private final Terminal terminal;
    private final Thread thread;
    // Guarded by `out`, as is the output itself.
    private boolean isLineOpen;

    private ProgressLine(Supplier<String> words, PrintWriter out, Terminal terminal) {
        this.words = words;
        this.out = out;
        this.terminal = terminal;
        this.thread = Thread.ofPlatform().daemon().name("progress-line").unstarted(this::show);
    }

    /** Shows what {@code words} answers, any thread asking, until closed. */
    static ProgressLine start(Supplier<String> words, PrintWriter out, Terminal terminal) {
        var line = new ProgressLine(words, out, terminal);
        line.thread.start();
        return line;
    }

    /** Prints a line of its own, the progress going on below it. Any thread may call. */
    void say(String line) {
        synchronized (out) {
            clear();
            out.println(line);
            out.flush();
        }
    }

    /** Shows no more, and leaves no half-drawn line behind. */
    @Override
    public void close() {
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
                Thread.sleep(isTerminal ? REDRAW_EVERY : LINE_EVERY);
                if (isTerminal) {
                    redraw();
                } else {
                    say(words.get());
                }
            }
        } catch (InterruptedException e) {
            // Closed: what comes now is the result.
        }
    }

    private void redraw() {
        var all = words.get();
        // The last column stays free: writing there makes some terminals wrap.
        var fitting = all.substring(0, Math.min(all.length(), Math.max(0, terminal.width() - 1)));
        synchronized (out) {
            out.print("\r" + fitting + "\u001b[K");
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
}
