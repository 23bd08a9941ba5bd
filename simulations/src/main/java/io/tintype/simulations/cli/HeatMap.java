package io.tintype.simulations.cli;

import io.tintype.simulations.checkpoints.Difference;

/** A {@link Difference.Part} as a few lines of characters, the denser the more differs. */
final class HeatMap {
    private static final int COLUMNS_MAX = 64;
    private static final int ROWS_MAX = 12;
    private static final char NOTHING = '·';
    private static final String DENSER = "░▒▓█";
    private static final String HOT = "\u001b[33m";
    private static final String PLAIN = "\u001b[0m";

    private HeatMap() {}

    /** Lines, each ended, of {@code width} columns at most. */
    static String of(Difference.Part part, int width, boolean colour) {
        int columns = Math.clamp(width - 4, 1, COLUMNS_MAX);
        var cells = part.cells(columns * ROWS_MAX);
        var text = new StringBuilder();
        for (int i = 0; i < cells.length; i++) {
            if (i % columns == 0) {
                text.append(i == 0 ? "    " : "\n    ");
            }
            int units = part.unitsOfCell(i, cells.length);
            // Whatever differs shows: only none of it is a dot.
            int step = cells[i] == 0
                    ? -1
                    : (int) Math.min(DENSER.length() - 1,
                            (long) cells[i] * DENSER.length() / units);
            var mark = step < 0 ? NOTHING : DENSER.charAt(step);
            if (colour && step >= 0) {
                text.append(HOT).append(mark).append(PLAIN);
            } else {
                text.append(mark);
            }
        }
        return text.append('\n').toString();
    }
}
