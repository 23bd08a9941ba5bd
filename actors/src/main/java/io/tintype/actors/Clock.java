package io.tintype.actors;

/**
 * The port through which time enters. Whatever measures or waits asks its clock, so that a simulation can put its own time
 * there. Any thread may ask.
 */
@FunctionalInterface
public interface Clock {
    /**
     * Nanoseconds since some fixed instant, never going back. Only differences mean something; compare as
     * {@code a - b < 0}, since the value may overflow.
     */
    long nanoTime();

    /** The machine's own monotonic clock. */
    static Clock system() {
        return System::nanoTime;
    }
}
