package io.tintype.simulations.report;

import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.RunResult.Checkpoint;
import io.tintype.simulations.run.RunResult.State;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A run as one HTML file that needs nothing beside it, neither other files nor a network: style, script, chart library and data are
 * inside. The page forbids itself to load anything, so a mistake here cannot make it.
 */
public final class HtmlReport {
    /** At about 250 bytes each: 5 MB, which browsers open at once. */
    static final int CHECKPOINTS_MAX = 20_000;
    /** Of each kind worth looking at: when there are too many checkpoints, these are shown in any case. */
    private static final int REMARKABLE_MAX = 2_000;

    private static final String CHARTS_VERSION_AT =
            "/META-INF/maven/org.webjars/echarts/pom.properties";

    private HtmlReport() {}

    /** Writes {@code file}, whole or not at all. */
    public static void write(RunResult result, Path file) throws IOException {
        WholeFile.write(file, render(result));
    }

    /** The whole page. */
    static String render(RunResult result) {
        var page = new Page(withFewerCheckpoints(result), result.checkpointList().size(),
                Long.toString(result.options().seed()));
        return HtmlParts.fill(HtmlParts.resource(HtmlReport.class, "report.html"), Map.of(
                "style", HtmlParts.style(),
                "charts", HtmlParts.asScript(charts()),
                "script",
                HtmlParts.asScript(HtmlParts.resource(HtmlReport.class, "report.js")),
                "data", HtmlParts.asData(ResultJson.compact(page))));
    }

    /**
     * What the page's script reads.
     *
     * @param checkpointCount how many there were before some were left out
     * @param seed as text: numbers of JavaScript hold only 53 bits exactly
     */
    record Page(RunResult run, int checkpointCount, String seed) {}

    private static RunResult withFewerCheckpoints(RunResult result) {
        var all = result.checkpointList();
        if (all.size() <= CHECKPOINTS_MAX) {
            return result;
        }
        var kept = new HashSet<Checkpoint>();
        all.stream().filter(each -> each.violations() > 0).limit(REMARKABLE_MAX).forEach(kept::add);
        all.stream().filter(each -> each.state() == State.ABORTED).limit(REMARKABLE_MAX)
                .forEach(kept::add);
        all.stream()
                .filter(each -> each.stunMicros() != null)
                .sorted(Comparator.comparingDouble(HtmlReport::stun).reversed())
                .limit(REMARKABLE_MAX)
                .forEach(kept::add);
        // Of the others every so many-th, so that they are spread over time as they were.
        var step = (double) all.size() / (CHECKPOINTS_MAX - kept.size());
        for (double i = 0; i < all.size() && kept.size() < CHECKPOINTS_MAX; i += step) {
            kept.add(all.get((int) i));
        }
        List<Checkpoint> fewer = new ArrayList<>(all);
        fewer.removeIf(each -> !kept.contains(each));
        return new RunResult(result.format(), result.versions(), result.startedAt(),
                result.options(), result.vms(),
                result.seconds(), result.ended(), result.checkpoints(), result.stunMicros(),
                result.pendingAtStun(),
                result.faults(), result.reads(), result.writes(), result.io(), result.guest(),
                result.store(),
                result.memory(), result.space(), result.chains(), result.violations(), fewer,
                result.series(),
                result.stunPercentiles(),
                result.cutStory());
    }

    private static double stun(Checkpoint checkpoint) {
        var micros = checkpoint.stunMicros();
        return micros == null ? 0 : micros;
    }

    /** The script of the chart library, without what a report does not need: heat maps among it. */
    private static String charts() {
        return library("echarts.common.min.js");
    }

    /** The script of the chart library, all of it. */
    public static String allCharts() {
        return library("echarts.min.js");
    }

    private static String library(String name) {
        var properties = new Properties();
        try (var in = HtmlParts.open(HtmlReport.class, CHARTS_VERSION_AT)) {
            properties.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return HtmlParts.resource(HtmlReport.class, "/META-INF/resources/webjars/echarts/"
                + properties.getProperty("version") + "/" + name);
    }
}
