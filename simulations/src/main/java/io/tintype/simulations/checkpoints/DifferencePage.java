package io.tintype.simulations.checkpoints;

import io.tintype.simulations.report.HtmlParts;
import io.tintype.simulations.report.HtmlReport;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.WholeFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The picture of a {@link Difference} as one HTML file that loads nothing. */
public final class DifferencePage {
    /** 64 rows of 128: more cells than that nobody tells apart. */
    private static final int CELLS_MAX = 8_192;
    private static final int COLUMNS_MAX = 128;

    /**
     * A part, for the page's script.
     *
     * @param cells of each cell, how many of its units differ
     * @param sizes of each cell, how many units it has
     */
    @SuppressWarnings("ArrayRecordComponent") // written once, never compared
    private record Picture(String name, int unitBytes, long units, long changed, long groups,
            int columns, int[] cells, int[] sizes) {}

    private record Page(String a, String b, List<Picture> parts) {}

    private DifferencePage() {}

    /** Writes {@code file}, whole or not at all. */
    public static void write(Path file, String a, String b, List<Difference.Part> parts)
            throws IOException {
        var pictures = new ArrayList<Picture>();
        for (var part : parts) {
            var cells = part.cells(CELLS_MAX);
            var sizes = new int[cells.length];
            for (int i = 0; i < sizes.length; i++) {
                sizes[i] = part.unitsOfCell(i, cells.length);
            }
            int columns = Math.clamp((int) Math.ceil(Math.sqrt(2.0 * cells.length)), 1,
                    COLUMNS_MAX);
            pictures.add(new Picture(part.name(), part.unitBytes(), part.units(),
                    part.changedCount(), part.groups(), columns, cells, sizes));
        }
        WholeFile.write(file, HtmlParts.fill(
                HtmlParts.resource(DifferencePage.class, "difference.html"),
                Map.of("title", HtmlParts.asText(a + " and " + b),
                        "style", HtmlParts.style(),
                        "charts", HtmlParts.asScript(HtmlReport.allCharts()),
                        "script", HtmlParts.asScript(
                                HtmlParts.resource(DifferencePage.class, "difference.js")),
                        "data",
                        HtmlParts.asData(ResultJson.compact(new Page(a, b, pictures))))));
    }
}
