package io.tintype.cow.disk;

/**
 * A disk's size and the unit of its copy-on-write; both are fixed when it is created.
 *
 * @param sizeBytes what the guest sees, a positive multiple of {@link #SECTOR_BYTES}
 * @param groupBytes size of a block group, a power of two from {@link #GROUP_BYTES_MIN} to {@link #GROUP_BYTES_MAX}
 */
public record DiskGeometry(long sizeBytes, int groupBytes) {
    /** What is atomic on a disk, and what positions and lengths are multiples of. */
    public static final int SECTOR_BYTES = 512;

    public static final int GROUP_BYTES_DEFAULT = 64 * 1024;
    public static final int GROUP_BYTES_MIN = 4 * 1024;
    public static final int GROUP_BYTES_MAX = 1024 * 1024;

    public DiskGeometry {
        if (groupBytes < GROUP_BYTES_MIN || groupBytes > GROUP_BYTES_MAX
                || Integer.bitCount(groupBytes) != 1) {
            throw new IllegalArgumentException("a block group has a power of two of "
                    + GROUP_BYTES_MIN + " to " + GROUP_BYTES_MAX + " bytes, got " + groupBytes);
        }
        if (sizeBytes <= 0 || sizeBytes % SECTOR_BYTES != 0) {
            throw new IllegalArgumentException(
                    "a disk has a positive multiple of 512 bytes, got " + sizeBytes);
        }
        // Group numbers must fit in the 31 bits that a cell of GroupTable has for them.
        if ((sizeBytes - 1) / groupBytes >= Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a disk of " + sizeBytes
                    + " bytes has too many block groups of " + groupBytes + " bytes");
        }
    }

    /** A disk with the usual block groups of 64 KiB. */
    public static DiskGeometry of(long sizeBytes) {
        return new DiskGeometry(sizeBytes, GROUP_BYTES_DEFAULT);
    }

    public int groupCount() {
        return (int) ((sizeBytes + groupBytes - 1) / groupBytes);
    }

    /** The group that the byte at {@code position} lies in. */
    public int groupOf(long position) {
        return (int) (position / groupBytes);
    }

    public long positionOf(int group) {
        return (long) group * groupBytes;
    }

    /** {@link #groupBytes}, less for the last group of a disk that ends inside it. */
    public int groupLength(int group) {
        return (int) Math.min(groupBytes, sizeBytes - positionOf(group));
    }
}
