package io.tintype.cow.disk;

/** What must hold whatever the world does; checked in every build. */
final class Invariant {
    private Invariant() {}

    /** Stops at once where {@code expected}, a sentence on what should hold, does not. */
    static void check(boolean holds, String expected) {
        if (!holds) {
            throw new IllegalStateException("broken invariant: " + expected);
        }
    }
}
