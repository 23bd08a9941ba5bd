package io.tintype.simulations.simulate;

/** A scenario that there is not, or that cannot be read. The message says what is wrong. */
public final class ScenarioException extends Exception {
    private static final long serialVersionUID = 1L;

    private final String wayOut;

    ScenarioException(String wrong, String wayOut) {
        super(wrong);
        this.wayOut = wayOut;
    }

    /** What to do instead. */
    public String wayOut() {
        return wayOut;
    }
}
