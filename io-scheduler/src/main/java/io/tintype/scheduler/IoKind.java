package io.tintype.scheduler;

/** What a request does. */
public enum IoKind {
    READ, WRITE, FLUSH, DISCARD, WRITE_ZEROES;

    /** True for all that change blocks: discard and write-zeroes are writes to every rule. */
    public boolean writes() {
        return switch (this) {
            case WRITE, DISCARD, WRITE_ZEROES -> true;
            case READ, FLUSH -> false;
        };
    }
}
