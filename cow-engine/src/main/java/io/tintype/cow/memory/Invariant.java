package io.tintype.cow.memory;

/** Checks that stay on in every build: when one fails, we are wrong, and going on would damage memory. */
final class Invariant {
    private Invariant() {}

    /** @throws IllegalStateException saying that {@code what} does not hold */
    static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException("does not hold: " + what);
        }
    }
}
