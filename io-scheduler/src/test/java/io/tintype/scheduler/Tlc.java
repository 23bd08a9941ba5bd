package io.tintype.scheduler;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Runs TLC, the model checker of TLA+, on a module of docs/spec, in a JVM of its own since TLC keeps its state in static fields. */
final class Tlc {
    private static final Path SPECS = Path.of(
            Objects.requireNonNullElse(System.getProperty("tintype.root"), ".."), "docs", "spec");
    private static final Pattern COUNTS =
            Pattern.compile(
                    "(\\d+) states generated, (\\d+) distinct states found, (\\d+) states left");
    private static final Pattern DEPTH =
            Pattern.compile("depth of the complete state graph search is (\\d+)");
    private static final Pattern VIOLATED = Pattern.compile("Invariant (\\w+) is violated");

    /**
     * What TLC printed.
     *
     * @param isComplete whether it has visited every state and has nothing to complain of
     * @param depth of the whole graph, 0 if it was not visited whole
     * @param violated the invariant that did not hold, null if all did
     */
    record Answer(
            boolean isComplete, long generated, long distinct, int depth,
            @Nullable String violated, String output) {}

    private Tlc() {}

    /**
     * Checks a module with its own configuration, but for some constants.
     *
     * @param invariants to be checked besides
     * @param workers a number or {@code auto}; with 1 a violation that is found is always the same one
     * @param folder where it may write
     */
    static Answer check(String module, Map<String, String> constants, List<String> invariants,
            String workers, Path folder) throws IOException, InterruptedException {
        var configuration = Files.readString(SPECS.resolve(module + ".cfg"));
        for (var constant : constants.entrySet()) {
            var line = Pattern.compile("(?m)^( +" + constant.getKey() + " += ).*$")
                    .matcher(configuration);
            if (!line.find()) {
                throw new IllegalArgumentException("no constant " + constant.getKey());
            }
            configuration = line.replaceFirst("$1" + constant.getValue());
        }
        // They are the last section of our configurations.
        Files.writeString(folder.resolve(module + ".cfg"),
                configuration + String.join("\n", invariants) + "\n");
        Files.writeString(folder.resolve(module + ".tla"),
                Files.readString(SPECS.resolve(module + ".tla")));
        return answer(run(module, workers, folder));
    }

    private static String run(String module, String workers, Path folder)
            throws IOException, InterruptedException {
        var jar = Path.of(tlc2.TLC.class.getProtectionDomain().getCodeSource().getLocation()
                .getPath());
        var printed = folder.resolve("printed.txt");
        var process = new ProcessBuilder(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseParallelGC", "-Xmx1g", "-Djava.io.tmpdir=" + folder, "-cp", jar.toString(),
                "tlc2.TLC",
                "-workers", workers, "-metadir", folder.resolve("states").toString(), module))
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(printed.toFile())
                .start();
        try {
            process.waitFor();
        } finally {
            process.destroyForcibly();
        }
        return Files.readString(printed, StandardCharsets.UTF_8);
    }

    private static Answer answer(String output) {
        // While it runs it prints rates in between; only the last line has this form.
        var counts = COUNTS.matcher(output);
        long generated = 0;
        long distinct = 0;
        long left = -1;
        if (counts.find()) {
            generated = Long.parseLong(counts.group(1));
            distinct = Long.parseLong(counts.group(2));
            left = Long.parseLong(counts.group(3));
        }
        var depth = DEPTH.matcher(output);
        var violated = VIOLATED.matcher(output);
        return new Answer(
                left == 0
                        && output.contains("Model checking completed. No error has been found."),
                generated, distinct, depth.find() ? Integer.parseInt(depth.group(1)) : 0,
                violated.find() ? violated.group(1) : null, output);
    }
}
