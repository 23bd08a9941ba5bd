package io.tintype.cow.disk;

/**
 * Names one disk's chain, in each of its files: a file that strayed in from another disk is found when opened. The caller
 * makes it up, since nothing in here is random.
 *
 * @param high any bits
 * @param low any bits
 */
public record ChainId(long high, long low) {
    /** For who has no names to give. Files of such chains cannot be told apart. */
    public static final ChainId NONE = new ChainId(0, 0);

    @Override
    public String toString() {
        return "%016x-%016x".formatted(high, low);
    }
}
