package io.tintype.simulations.torture;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** A {@link Victim} as its parent sees it. One thread, but for the one that reads what it says. */
final class VictimProcess implements AutoCloseable {
    /** What the queue of lines ends with. */
    private static final String ENDED = "\u0000ended";
    private static final long DIE_SECONDS_MAX = 60;

    private final Process process;
    private final LinkedBlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private @Nullable String failure;
    private final List<String> aborted = new ArrayList<>();

    private VictimProcess(Process process) {
        this.process = process;
        Thread.ofPlatform().daemon().name("victim-output").start(this::listen);
    }

    /** Starts one, which waits for its orders. {@code errors} gets what it prints there, at its end. */
    static VictimProcess start(Path errors) throws IOException {
        var command = new ArrayList<String>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        // As in the launcher, but for what makes a short life shorter.
        command.addAll(List.of(
                "--add-opens", "java.base/jdk.internal.misc=ALL-UNNAMED",
                "--add-opens", "java.base/java.nio=ALL-UNNAMED",
                "--add-opens", "java.base/sun.nio.ch=ALL-UNNAMED",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-XX:+UseSerialGC", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                "-cp", classPath(),
                Victim.class.getName()));
        return new VictimProcess(new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.appendTo(errors.toFile())).start());
    }

    /** Absolute, for a class path may be relative to the directory that this process was started in. */
    private static String classPath() {
        // Surefire's own class path is a jar that names the real one.
        var words = System.getProperty("surefire.test.class.path",
                System.getProperty("java.class.path", ""));
        var absolute = new ArrayList<String>();
        for (var word : words.split(File.pathSeparator, -1)) {
            absolute.add(Path.of(word).toAbsolutePath().toString());
        }
        return String.join(File.pathSeparator, absolute);
    }

    private void listen() {
        try (var reader = new BufferedReader(
                new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (var line = reader.readLine(); line != null; line = reader.readLine()) {
                lines.add(line);
            }
        } catch (IOException _) {
            // The pipe broke with the process.
        }
        lines.add(ENDED);
    }

    /** Hands over the orders, one line; what follows is the victim's life. */
    void order(String json) {
        try {
            process.getOutputStream().write((json + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException _) {
            // It has ended; whoever waits for it to be ready hears so.
        }
    }

    /** Waits for a line; false when the time was over, or the process ended, before. */
    boolean awaits(String wanted, long ns) throws InterruptedException {
        long until = System.nanoTime() + ns;
        while (true) {
            var line = lines.poll(Math.max(0, until - System.nanoTime()), TimeUnit.NANOSECONDS);
            if (line == null) {
                return false;
            }
            if (line.equals(ENDED)) {
                lines.add(ENDED);
                return false;
            }
            note(line);
            if (line.equals(wanted)) {
                return true;
            }
        }
    }

    private void note(String line) {
        if (line.startsWith(Victim.FAILED)) {
            failure = line.substring(Victim.FAILED.length());
        } else if (line.startsWith("aborted ")) {
            aborted.add(line.substring("aborted ".length()));
        }
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** Processor time that it has used, in ns; where the system does not tell, the time since this process began. */
    long cpuNs() {
        return process.info().totalCpuDuration().map(Duration::toNanos)
                .orElseGet(System::nanoTime);
    }

    /** SIGKILL, and waits until it is gone; answers whether it was alive until then. */
    boolean kill() throws IOException, InterruptedException {
        boolean alive = process.isAlive();
        process.destroyForcibly();
        if (!process.waitFor(DIE_SECONDS_MAX, TimeUnit.SECONDS)) {
            throw new IOException("process " + process.pid() + " does not end, though it was "
                    + "killed; look what it waits for, mostly a disk");
        }
        for (var line = lines.poll(1, TimeUnit.SECONDS); line != null && !line.equals(ENDED);) {
            note(line);
            line = lines.poll(1, TimeUnit.SECONDS);
        }
        return alive;
    }

    int exitValue() {
        return process.exitValue();
    }

    /** What it said went wrong; null for nothing. */
    @Nullable
    String failure() {
        return failure;
    }

    /** The reasons of checkpoints that were aborted. */
    List<String> aborted() {
        return aborted;
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
