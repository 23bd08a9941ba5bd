package io.tintype.simulations.bench.suite;

import java.util.Arrays;

/** A few figures of which the middle one counts, because a noisy machine spoils some of them. */
final class Medians {
    private double[] values = new double[16];
    private int count;

    void add(double value) {
        if (count == values.length) {
            values = Arrays.copyOf(values, 2 * count);
        }
        values[count++] = value;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** Returns the middle value, the upper one of two; NaN when there is none. */
    double median() {
        var sorted = Arrays.copyOf(values, count);
        Arrays.sort(sorted);
        return count == 0 ? Double.NaN : sorted[count / 2];
    }
}
