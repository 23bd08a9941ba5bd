package io.tintype.simulations.explore;

/** The configuration has more states than there is room for. */
public final class TooLargeException extends RuntimeException {
    private static final long serialVersionUID = 1;

    TooLargeException(String what) {
        super(what);
    }
}
