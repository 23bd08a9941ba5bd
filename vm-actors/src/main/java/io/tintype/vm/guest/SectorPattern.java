package io.tintype.vm.guest;

/**
 * What guests write into a sector, so that whoever reads it knows which write it was, and that all of it is there.
 *
 * <pre>
 * word 0      version, which is never used twice by a VM
 * word 1      sector ^ salt(disk)
 * word 2..63  mix(version, sector, disk) + index of the word
 * </pre>
 *
 * <p>Words are 8 bytes, little-endian in memory. A sector of another place, of another disk, or of two writes matches in no
 * version. A sector of zeros is one that was never written, or discarded or zeroed. Immutable.
 */
public final class SectorPattern {
    /** Words of a sector. */
    public static final int WORD_COUNT = QueueLayout.SECTOR_BYTES / Long.BYTES;

    /** What {@link #versionOf} says of a sector of zeros. */
    public static final int ZERO = 0;

    /** What {@link #versionOf} says of bytes that are no sector of this place as a whole. */
    public static final int TORN = -1;

    /** What {@link #versionOf} says of a read buffer into which the data, or a part of it, never came. */
    public static final int POISONED = -2;

    /**
     * Put into the first and the last word of each sector of a buffer before it is read into: where the sector straddles two
     * pages, each of them shows whether the data came.
     */
    public static final long POISON = 0xdead_beef_0bad_f00dL;

    private final long seed;

    /** The pattern of one VM. */
    public SectorPattern(long seed) {
        this.seed = seed;
    }

    /** Fills the {@link #WORD_COUNT} words from {@code offset} with the sector as {@code version}, from 1, has it. */
    public void fill(long[] words, int offset, int version, int disk, long sector) {
        var body = body(version, disk, sector);
        words[offset] = version;
        words[offset + 1] = sector ^ salt(disk);
        for (int i = 2; i < WORD_COUNT; i++) {
            words[offset + i] = body + i;
        }
    }

    /** Which version of the sector the words from {@code offset} are, from 1; or {@link #ZERO}, TORN or POISONED. */
    public int versionOf(long[] words, int offset, int disk, long sector) {
        var first = words[offset];
        if (first == POISON || words[offset + WORD_COUNT - 1] == POISON) {
            return POISONED;
        }
        if (first == 0) {
            return isZero(words, offset) ? ZERO : TORN;
        }
        var version = (int) first;
        if (first != version || version < 1 || words[offset + 1] != (sector ^ salt(disk))) {
            return TORN;
        }
        var body = body(version, disk, sector);
        long difference = 0;
        for (int i = 2; i < WORD_COUNT; i++) {
            difference |= words[offset + i] ^ body + i;
        }
        return difference == 0 ? version : TORN;
    }

    private static boolean isZero(long[] words, int offset) {
        long bits = 0;
        for (int i = 0; i < WORD_COUNT; i++) {
            bits |= words[offset + i];
        }
        return bits == 0;
    }

    private long salt(int disk) {
        return Mix.at(seed, disk + 1);
    }

    private long body(int version, int disk, long sector) {
        return Mix.mix(Mix.at(salt(disk), version) ^ sector);
    }
}
