package io.tintype.simulations.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The findings of several benchmarks as text for a terminal, or as Markdown. */
public final class BenchTable {
    /** One finished benchmark; {@code failure} is empty unless it could not measure. */
    public record Entry(Benchmark benchmark, BenchResult result, String failure) {
        /** Whether it measured, and reached every target. */
        public boolean isFine() {
            return failure.isEmpty() && result.isReached();
        }
    }

    private static final List<String> HEADER =
            List.of("benchmark", "what", "target", "measured", "");

    private BenchTable() {}

    /** Aligned columns, one row a line. */
    public static String text(List<Entry> entries) {
        var rows = new ArrayList<List<String>>();
        rows.add(HEADER);
        rows.addAll(rows(entries));
        var widths = new int[HEADER.size()];
        for (var row : rows) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], row.get(i).length());
            }
        }
        var text = new StringBuilder();
        for (var row : rows) {
            var line = new StringBuilder();
            for (int i = 0; i < widths.length; i++) {
                var pad = " ".repeat(widths[i] - row.get(i).length());
                // Figures stand right, words left.
                var isFigure = i == 2 || i == 3;
                line.append(isFigure ? pad + row.get(i) : row.get(i) + pad).append("  ");
            }
            text.append(line.toString().stripTrailing()).append('\n');
        }
        return text.toString();
    }

    /** The same as a Markdown table. */
    public static String markdown(List<Entry> entries) {
        var text = new StringBuilder(
                "| benchmark | what | target | measured | |\n|---|---|--:|--:|---|\n");
        for (var row : rows(entries)) {
            text.append("| ").append(String.join(" | ", row).replace("\n", " ")).append(" |\n");
        }
        return text.toString();
    }

    private static List<List<String>> rows(List<Entry> entries) {
        var rows = new ArrayList<List<String>>();
        for (var entry : entries) {
            var name = entry.benchmark().name();
            if (!entry.failure().isEmpty()) {
                rows.add(List.of(name, entry.benchmark().title(), "", "",
                        "failed: " + entry.failure()));
                continue;
            }
            for (var row : entry.result().rows()) {
                var verdict = !row.hasTarget() ? "" : row.reached() ? "ok" : "short";
                rows.add(List.of(name, row.what(), row.target(), row.measured(), verdict));
                name = "";
            }
        }
        return rows;
    }

    /** Three significant digits, thousands set apart. */
    static String figure(double value) {
        if (Double.isNaN(value) || Double.isInfinite(value)) {
            return String.valueOf(value);
        }
        var size = Math.abs(value);
        if (size >= 100 || value == Math.rint(value)) {
            return String.format(Locale.ROOT, "%,.0f", value);
        }
        return String.format(Locale.ROOT, size >= 10 ? "%.1f" : size >= 1 ? "%.2f" : "%.3f", value);
    }
}
