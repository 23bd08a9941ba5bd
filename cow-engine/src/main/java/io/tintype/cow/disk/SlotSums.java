package io.tintype.cow.disk;

/**
 * What is known of the blocks of one slot that can be written: the checksum of each, or nothing. Also the lock under which
 * the slot's bytes and their checksums change together, so that who holds it finds both as they belong.
 *
 * <p>Without the lock a reader may only ask whether a checksum {@link #fits}: what fits was in the block at some moment of the
 * call, what does not may have been read in the middle of a write.
 */
final class SlotSums {
    private static final int WORD_BITS = Integer.SIZE;

    private final int blocks;

    /** A checksum for each block, then a bit for each that says whether it is known. */
    private final int[] sums;

    SlotSums(int blocks) {
        this.blocks = blocks;
        this.sums = new int[blocks + (blocks + WORD_BITS - 1) / WORD_BITS];
    }

    int get(int block) {
        return sums[block];
    }

    boolean isKnown(int block) {
        return (sums[blocks + block / WORD_BITS] & 1 << block % WORD_BITS) != 0;
    }

    boolean fits(int block, int sum) {
        return isKnown(block) && sums[block] == sum;
    }

    /** Under the lock, as all that follows. */
    void set(int block, int sum) {
        sums[block] = sum;
        sums[blocks + block / WORD_BITS] |= 1 << block % WORD_BITS;
    }

    void forget(int block) {
        sums[blocks + block / WORD_BITS] &= ~(1 << block % WORD_BITS);
    }

    /** Whether the first {@code count} blocks are known. */
    boolean areKnown(int count) {
        for (int block = 0; block < count; block++) {
            if (!isKnown(block)) {
                return false;
            }
        }
        return true;
    }
}
