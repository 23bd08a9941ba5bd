package io.tintype.scheduler;

/** Half-open ranges given by first and count. */
final class Ranges {
    private Ranges() {}

    /** True if the two share a sector; no sum is formed, so nothing overflows. */
    static boolean overlap(long firstA, long countA, long firstB, long countB) {
        return firstA <= firstB ? firstB - firstA < countA : firstA - firstB < countB;
    }
}
