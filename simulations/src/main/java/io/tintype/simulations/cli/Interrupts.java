package io.tintype.simulations.cli;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Ctrl-C while something runs.
 *
 * <pre>
 * running --1st Ctrl-C--> ending orderly --done--> results, as if the time had been up
 *                               |
 *                               +--2nd Ctrl-C, or {@link #END_WAIT_MAX} over--> process ends at once, exit status 130
 * </pre>
 *
 * <p>Signals are taken through {@code sun.misc.Signal}, called by reflection since the compiler warns of it and warnings are errors
 * here. A shutdown hook alone would not do: while hooks run the JVM takes no second signal. Where there are no such signals, Ctrl-C
 * ends the process at once.
 */
final class Interrupts implements AutoCloseable {
    /** The exit status that shells give what a Ctrl-C ended: 128 + SIGINT. */
    static final int EXIT_INTERRUPTED = 130;

    private static final Duration END_WAIT_MAX = Duration.ofMinutes(2);
    private static final List<String> SIGNALS = List.of("INT", "TERM", "HUP");

    private record Previous(Object signal, Object handler) {}

    private final Runnable cancel;
    private final Consumer<String> say;
    private final String leftBehind;
    private final Runnable endAtOnce;
    private final AtomicBoolean isEnding = new AtomicBoolean();
    private final CountDownLatch ended = new CountDownLatch(1);
    private final List<Previous> previous = new ArrayList<>();

    private Interrupts(Runnable cancel, Consumer<String> say, String leftBehind,
            Runnable endAtOnce) {
        this.cancel = cancel;
        this.say = say;
        this.leftBehind = leftBehind;
        this.endAtOnce = endAtOnce;
    }

    /**
     * Until closed, has {@code cancel} called on the first signal.
     *
     * @param say shows a line to the user; called by a signal's thread
     * @param leftBehind what the user is told of what stays when the process ends at once
     */
    static Interrupts install(Runnable cancel, Consumer<String> say, String leftBehind) {
        var interrupts = new Interrupts(cancel, say, leftBehind,
                () -> Runtime.getRuntime().halt(EXIT_INTERRUPTED));
        SIGNALS.forEach(interrupts::take);
        return interrupts;
    }

    /** As {@link #install}, without signals: for tests, which call {@link #signalled()}. */
    static Interrupts unattached(Runnable cancel, Consumer<String> say, Runnable endAtOnce) {
        return new Interrupts(cancel, say, "nothing is left behind", endAtOnce);
    }

    void signalled() {
        if (!isEnding.compareAndSet(false, true)) {
            say.accept("stopped at once; " + leftBehind);
            endAtOnce.run();
            return;
        }
        say.accept("ending: finishing what is in progress; Ctrl-C again stops at once");
        Thread.ofPlatform().daemon().name("end-wait").start(this::endInTime);
        cancel.run();
    }

    private void endInTime() {
        try {
            if (!ended.await(END_WAIT_MAX.toNanos(), TimeUnit.NANOSECONDS)) {
                say.accept("stopped: what was in progress did not end within "
                        + END_WAIT_MAX.toSeconds() + " s; " + leftBehind);
                endAtOnce.run();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() {
        ended.countDown();
        previous.forEach(Interrupts::giveBack);
    }

    private static void giveBack(Previous previous) {
        try {
            handle(previous.signal(), previous.handler());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("what could be taken can be given back", e);
        }
    }

    private void take(String name) {
        try {
            var handlerType = Class.forName("sun.misc.SignalHandler");
            var signal =
                    Class.forName("sun.misc.Signal").getConstructor(String.class).newInstance(name);
            var handler = Proxy.newProxyInstance(Interrupts.class.getClassLoader(),
                    new Class<?>[] {handlerType}, (_, method, _) -> {
                        if (!method.getName().equals("handle")) {
                            // The JVM's signal threads, which alone have it, call nothing else.
                            throw new UnsupportedOperationException(method.getName());
                        }
                        signalled();
                        return null;
                    });
            var before = handle(signal, handler);
            var ignore = handlerType.getField("SIG_IGN").get(null);
            if (ignore.equals(before)) {
                // Started under nohup, or in a shell's background: what it was told to ignore it goes on ignoring.
                handle(signal, ignore);
            } else if (before != null) {
                previous.add(new Previous(signal, before));
            }
        } catch (ReflectiveOperationException | RuntimeException e) {
            // No such signal here (Windows has no HUP), or it is taken by the JVM's own options (-Xrs): the default stays.
            return;
        }
    }

    private static @Nullable Object handle(Object signal, Object handler)
            throws ReflectiveOperationException {
        return Class.forName("sun.misc.Signal")
                .getMethod("handle", signal.getClass(), Class.forName("sun.misc.SignalHandler"))
                .invoke(null, signal, handler);
    }
}
