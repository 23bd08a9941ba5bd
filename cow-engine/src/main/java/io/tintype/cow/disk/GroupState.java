package io.tintype.cow.disk;

/**
 * What one image knows of one block group, as the 33-bit value of a {@link GroupTable} and as the self-checking 8 bytes of
 * an image file's index.
 *
 * <pre>
 * value in memory:   [state 2][slot 31]                           0 = absent
 * entry in the file: [CRC-16 16][0 6][state 2][0 9][slot 31]      0 = absent
 * state:             1 = present, 2 = zeros, 3 = sealed: present, and its blocks have checksums
 * </pre>
 *
 * <p>A group keeps its slot for ever once it has one, also as zeros: no slot ever changes hands, so a late reader or a late
 * write of the index can never mix up two groups.
 */
final class GroupState {
    static final long ABSENT = 0;

    /** The slot of zeros that never had data. */
    static final int NO_SLOT = Integer.MAX_VALUE;

    private static final int SLOT_BITS = 31;
    private static final long SLOT_MASK = (1L << SLOT_BITS) - 1;
    private static final long PRESENT = 1L << SLOT_BITS;
    private static final long ZEROS = 2L << SLOT_BITS;
    private static final long SEALED = PRESENT | ZEROS;
    private static final long STATE_MASK = 3L << SLOT_BITS;

    private static final int ENTRY_STATE_SHIFT = 40;
    private static final int ENTRY_CRC_SHIFT = 48;
    private static final long ENTRY_BODY_MASK = (1L << ENTRY_CRC_SHIFT) - 1;

    private GroupState() {}

    static long present(int slot) {
        return PRESENT | slot;
    }

    /** Reads as zeros whatever lies below and whatever is left in {@code slot}. */
    static long zeros(int slot) {
        return ZEROS | slot;
    }

    /** Present, with checksums of all its blocks in the file's table of sums. */
    static long sealed(int slot) {
        return SEALED | slot;
    }

    /** Has data, sealed or not. */
    static boolean isPresent(long value) {
        return (value & PRESENT) != 0;
    }

    static boolean isSealed(long value) {
        return (value & STATE_MASK) == SEALED;
    }

    static boolean isZeros(long value) {
        return (value & STATE_MASK) == ZEROS;
    }

    /** {@link #NO_SLOT} where there is none. */
    static int slot(long value) {
        return value == ABSENT ? NO_SLOT : (int) (value & SLOT_MASK);
    }

    /** What the index of a file says of {@code group}. */
    static long toEntry(int group, long value) {
        long state = (value & STATE_MASK) >>> SLOT_BITS;
        long body = (state << ENTRY_STATE_SHIFT) | (value & SLOT_MASK);
        return ((long) Checksums.crc16(group, body) << ENTRY_CRC_SHIFT) | body;
    }

    /** The inverse of {@link #toEntry}; -1 for an entry that nobody wrote for that group. */
    static long fromEntry(int group, long entry) {
        if (entry == 0) {
            return ABSENT;
        }
        long body = entry & ENTRY_BODY_MASK;
        long slot = body & SLOT_MASK;
        long state = body >>> ENTRY_STATE_SHIFT;
        long value = (state << SLOT_BITS) | slot;
        boolean known = ((state == 1 || state == 3) && slot != NO_SLOT) || state == 2;
        return known && toEntry(group, value) == entry ? value : -1;
    }
}
