package io.tintype.scheduler;

/** Checks that stay on in every build: what fails here is our mistake, and no state may be kept after it. */
final class Invariant {
    private Invariant() {}

    /** States what should hold. */
    static void check(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    /** As above; {@code what} is formatted with {@code value} only when it does not hold, so that a check costs nothing. */
    static void check(boolean holds, String what, long value) {
        if (!holds) {
            throw new IllegalStateException(String.format(what, value));
        }
    }

    static void check(boolean holds, String what, long first, long second) {
        if (!holds) {
            throw new IllegalStateException(String.format(what, first, second));
        }
    }
}
