package io.tintype.simulations.oracle;

/**
 * How strict and how thorough an oracle is.
 *
 * @param tearsAreViolations whether a block that a read and a write, or two writes, target at the same time must be old or new
 * as a whole. The ordering rules call its bytes undefined, and files do tear there; a device that is known not to makes
 * a broken R9 visible
 * @param sectorsMax sectors that one verification compares at most, besides those of requests in flight at T
 * @param pagesMax pages of the heap that one verification compares at most
 */
public record OracleOptions(boolean tearsAreViolations, long sectorsMax, long pagesMax) {
    /**
     * 32 MiB of sectors and 256 MiB of heap a verification: above what one VM of a busy fleet changes in a second, so that
     * normally nothing is left over.
     */
    public static final OracleOptions DEFAULTS = new OracleOptions(false, 65_536, 65_536);

    /** Compares everything that changed, however much. */
    public static final OracleOptions COMPLETE =
            new OracleOptions(false, Long.MAX_VALUE, Long.MAX_VALUE);

    /** This, with the other answer to whether tears are violations. */
    public OracleOptions withTearsAreViolations(boolean strict) {
        return new OracleOptions(strict, sectorsMax, pagesMax);
    }
}
