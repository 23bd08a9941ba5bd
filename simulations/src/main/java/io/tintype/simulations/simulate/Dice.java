package io.tintype.simulations.simulate;

/**
 * Random values of one run, all from its seed. Draws in sequence are for what is decided before the run; what is decided while it
 * runs asks {@link #of}, by name, so that leaving one event out of a schedule does not change the fate of the others.
 */
final class Dice {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private long state;

    Dice(long seed) {
        this.state = mix(seed);
    }

    /** A well mixed 64-bit value; the same on every machine. */
    static long mix(long value) {
        long z = value + GOLDEN;
        z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** What the seed says about a named thing. */
    static long of(long seed, String name, long number) {
        long hash = seed;
        for (int i = 0; i < name.length(); i++) {
            hash = (hash ^ name.charAt(i)) * 0x100000001b3L;
        }
        return mix(hash ^ mix(number));
    }

    /** Whether a value of {@link #of} falls into {@code perMille} of 1000. */
    static boolean hits(long value, int perMille) {
        return Long.remainderUnsigned(value >>> 8, 1000) < perMille;
    }

    /** Goes on with what the seed says about a name. */
    void turnTo(long seed, String name) {
        state = of(seed, name, 0);
    }

    long next() {
        state += GOLDEN;
        return mix(state);
    }

    /** From 0 to {@code bound - 1}. */
    int below(int bound) {
        return (int) Long.remainderUnsigned(next() >>> 1, bound);
    }

    /** From {@code min} to {@code max}, both included. */
    int between(int min, int max) {
        return min + below(max - min + 1);
    }

    /** From {@code min} to {@code max}, each order of magnitude as likely as the others. */
    long spread(long min, long max) {
        double exponent = (next() >>> 11) * 0x1p-53;
        return (long) (min * StrictMath.pow((double) max / min, exponent));
    }

    boolean percent(int percent) {
        return below(100) < percent;
    }
}
