package io.tintype.simulations.run;

/**
 * The world, or what the user asked of it, is wrong, and one line says all there is to say: the thing, its value, what to do.
 * It is shown without a stack trace and ends the program with exit status 2.
 */
public final class UserErrorException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** {@code line} is shown as it is, after the program's name: no line break, no full stop at its end. */
    public UserErrorException(String line) {
        super(line, null, false, false);
    }

    /** {@code thing value: what is wrong with it; the way out}. A value that nobody would see stands in quotes. */
    public static UserErrorException of(String thing, Object value, String wrong, String wayOut) {
        var shown = value.toString();
        if (shown.isBlank()) {
            shown = "'" + shown + "'";
        }
        return new UserErrorException(thing + " " + shown + ": " + wrong + "; " + wayOut);
    }
}
