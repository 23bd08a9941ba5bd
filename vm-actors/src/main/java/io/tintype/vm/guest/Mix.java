package io.tintype.vm.guest;

/** Counter-based random numbers: the n-th number is a pure function of seed and n (SplitMix64), so nothing but n is state. */
public final class Mix {
    private static final long GOLDEN = 0x9e3779b97f4a7c15L;

    private Mix() {}

    /** A well mixed function of {@code value}. */
    static long mix(long value) {
        var z = (value ^ value >>> 30) * 0xbf58476d1ce4e5b9L;
        z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
        return z ^ z >>> 31;
    }

    /** The {@code index}-th random number of {@code seed}. */
    public static long at(long seed, long index) {
        return mix(seed + index * GOLDEN);
    }

    /** Scales 32 random bits, the low ones of {@code bits}, to 0 … bound - 1. */
    static long scale(long bits, long bound) {
        return bound <= 1 ? 0 : Math.multiplyHigh(bits << 32 >>> 1, bound << 1);
    }
}
