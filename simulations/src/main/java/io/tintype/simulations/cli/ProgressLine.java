package io.tintype.simulations.cli;

import java.io.PrintWriter;
import java.time.Duration;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/**
 * Shows how far something long is, on standard error: one line redrawn in place on a terminal, a new line every few seconds elsewhere. It has a
 * thread of its own, so that what is long need not think of it.
 */
final class ProgressLine implements AutoCloseable {
    private static final Duration REDRAW_EVERY = Duration.ofMillis(200);
    private static final Duration LINE_EVERY = Duration.ofSeconds(5);
    private static final Duration CLOSE_WAIT_MAX = Duration.ofSeconds(2);

    private final IntFunction<String> words;
    private final Supplier<Duration> lineEvery;
    private final PrintWriter out;
    private final Terminal terminal;
    private final Thread thread;
    // Guarded by `out`, as is the output itself.
    private boolean isLineOpen;

    private ProgressLine(IntFunction<String> words, Supplier<Duration> lineEvery,
            PrintWriter out, Terminal terminal) {
        this.words = words;
        this.lineEvery = lineEvery;
        this.out = out;
        this.terminal = terminal;
        this.thread = Thread.ofPlatform().daemon().name("progress-line").unstarted(this::show);
    }

    /** Shows what {@code words} answers, cut where the terminal ends, until closed. */
    static ProgressLine start(Supplier<String> words, PrintWriter out, Terminal terminal) {
        return start(width -> {
            var all = words.get();
            return all.substring(0, Math.min(all.length(), width));
        }, () -> LINE_EVERY, out, terminal);
    }

    /**
     * Shows what {@code words} answers, on a thread of its own, until closed.
     *
     * @param words of at most so many columns
     * @param lineEvery from one line to the next where they cannot be redrawn; asked again after each
     */
    static ProgressLine start(IntFunction<String> words, Supplier<Duration> lineEvery,
            PrintWriter out, Terminal terminal) {
        var line = new ProgressLine(words, lineEvery, out, terminal);
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
                Thread.sleep(isTerminal ? REDRAW_EVERY : lineEvery.get());
                if (isTerminal) {
                    redraw();
                } else {
                    say(words.apply(Integer.MAX_VALUE / 2));
                }
            }
        } catch (InterruptedException e) {
            // Closed: what comes now is the result.
        }
    }

    private void redraw() {
        // The last column stays free: writing there makes some terminals wrap.
        var fitting = words.apply(Math.max(0, terminal.width() - 1));
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
