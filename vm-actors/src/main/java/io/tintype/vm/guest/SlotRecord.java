package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;

/**
 * What the guest keeps in its memory about the request of a slot, in its first two words; the third is the version, the last
 * is unused.
 *
 * <pre>
 *  0 u8  state
 *  1 u8  operation
 *  2 u8  disk
 *  3 u8  buffer shape
 *  4 u32 sector count
 *  8 u64 first sector
 * 16 u64 version
 * 24 u64 0
 * </pre>
 */
public final class SlotRecord {
    /** No request; all of the first word is 0. */
    public static final int FREE = 0;

    /** Submitted, its completion not seen yet. */
    public static final int IN_FLIGHT = 1;

    /** A reset took the request, a read, and its buffer was marked: it must not change before the slot is free. */
    public static final int DETACHED = 2;

    /** A reset took the request, a read; its buffer is still to be marked. */
    public static final int DETACHING = 3;

    private SlotRecord() {}

    /** The first word. */
    public static long word(int state, IoKind kind, int disk, int shape, int sectorCount) {
        return state | QueueLayout.operation(kind) << 8 | disk << 16 | (long) shape << 24
                | (long) sectorCount << 32;
    }

    static long withState(long word, int state) {
        return (word & ~0xffL) | state;
    }

    static int state(long word) {
        return (int) word & 0xff;
    }

    static IoKind kind(long word) {
        var kind = QueueLayout.kindOf((int) (word >>> 8) & 0xff);
        if (kind == null) {
            throw new IllegalStateException(
                    "a slot record in guest memory is damaged: 0x" + Long.toHexString(word));
        }
        return kind;
    }

    static int disk(long word) {
        return (int) (word >>> 16) & 0xff;
    }

    static int shape(long word) {
        return (int) (word >>> 24) & 0xff;
    }

    static int sectorCount(long word) {
        return (int) (word >>> 32);
    }
}
