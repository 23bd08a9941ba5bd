package io.tintype.simulations.bench;

import java.util.List;

/** What one benchmark found: a row for each figure. */
public record BenchResult(List<Row> rows) {
    public BenchResult {
        rows = List.copyOf(rows);
    }

    /** Whether every target was reached. */
    public boolean isReached() {
        return rows.stream().allMatch(Row::reached);
    }

    /**
     * One figure.
     *
     * @param what is measured: {@code stun p99, 64 busy VMs}
     * @param target must be reached, as text: {@code ≤ 1 ms}; {@code –} for a figure that is only shown
     * @param measured as text, with its unit
     * @param reached whether {@code measured} meets {@code target}; true without one
     * @param value {@code measured} as a number in {@code unit}, for machines
     * @param unit of {@code value}: {@code µs}, {@code ×}, {@code /s}
     */
    public record Row(String what, String target, String measured, boolean reached, double value,
            String unit) {
        private static final String NO_TARGET = "–";

        /** {@code value} may not be above {@code max}. */
        public static Row atMost(String what, double max, double value, String unit) {
            return new Row(what, "≤ " + figure(max, unit), figure(value, unit), value <= max, value,
                    unit);
        }

        /** {@code value} may not be below {@code min}. */
        public static Row atLeast(String what, double min, double value, String unit) {
            return new Row(what, "≥ " + figure(min, unit), figure(value, unit), value >= min, value,
                    unit);
        }

        /** A figure without a target. */
        public static Row shown(String what, double value, String unit) {
            return new Row(what, NO_TARGET, figure(value, unit), true, value, unit);
        }

        /** Whether there is something to reach. */
        public boolean hasTarget() {
            return !target.equals(NO_TARGET);
        }

        private static String figure(double value, String unit) {
            return BenchTable.figure(value) + (unit.startsWith("/") || unit.equals("×") ? "" : " ")
                    + unit;
        }
    }
}
