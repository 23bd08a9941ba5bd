package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;
import org.jspecify.annotations.Nullable;

/**
 * Where the queue pair of a disk lies in guest memory. Both rings have the same number of entries; their formats:
 *
 * <pre>
 * submission, 32 bytes            completion, 16 bytes       scatter-gather element, 16 bytes
 *  0 u8  operation 1..5            0 u32 tag                   0 u64 address, multiple of 8
 *  1 u8  flags, bit 0: FUA         4 u32 status                8 u32 bytes, multiple of 8, not 0
 *  2 u16 scatter-gather elements   8 u64 sequence 1, 2, 3 …   12 u32 0
 *  4 u32 tag
 *  8 u64 first sector
 * 16 u32 sector count
 * 20 u32 0
 * 24 u64 address of the elements, multiple of 8
 * </pre>
 *
 * <p>All little-endian. Entry n of a ring, n counted from 0 for ever, lies at index n modulo the number of entries.
 *
 * @param submissionAddress of the submission ring, multiple of 32
 * @param completionAddress of the completion ring, multiple of 16
 * @param entryCount of each ring, a power of two from 2 to 4096. The guest has at most so many requests submitted whose
 * completion it has not consumed; one that has more loses completions
 */
public record QueueLayout(long submissionAddress, long completionAddress, int entryCount) {
    /** Bytes of an entry of the submission ring. */
    public static final int SUBMISSION_BYTES = 32;

    /** Bytes of an entry of the completion ring. */
    public static final int COMPLETION_BYTES = 16;

    /** Bytes of an element of a scatter-gather table. */
    public static final int ELEMENT_BYTES = 16;

    /** Bytes of a sector. */
    public static final int SECTOR_BYTES = 512;

    /** Most entries of a ring. */
    public static final int ENTRY_COUNT_MAX = 4096;

    /** Bit of the flags: complete only when durable. */
    public static final int FLAG_FUA = 1;

    /** Status of a request that was done. */
    public static final int STATUS_OK = 0;

    /** Status of a request that failed. */
    public static final int STATUS_ERROR = 1;

    /** Status of a request that was not understood; it had no effect. */
    public static final int STATUS_INVALID = 2;

    /** Checks size and alignment; whether the rings lie inside memory is checked at each use. */
    public QueueLayout {
        if (entryCount < 2 || entryCount > ENTRY_COUNT_MAX || Integer.bitCount(entryCount) != 1) {
            throw new IllegalArgumentException(
                    "a ring has a power of two of 2 to 4096 entries, got " + entryCount);
        }
        if (submissionAddress < 0 || submissionAddress % SUBMISSION_BYTES != 0) {
            throw new IllegalArgumentException(
                    "bad address of a submission ring: " + submissionAddress);
        }
        if (completionAddress < 0 || completionAddress % COMPLETION_BYTES != 0) {
            throw new IllegalArgumentException(
                    "bad address of a completion ring: " + completionAddress);
        }
    }

    /** Where entry {@code number} of the submission ring lies. */
    public long submission(int number) {
        return submissionAddress + (long) (number & entryCount - 1) * SUBMISSION_BYTES;
    }

    /** Where the completion with this sequence number, from 1, lies. */
    public long completion(long sequence) {
        return completionAddress + (sequence - 1 & entryCount - 1) * COMPLETION_BYTES;
    }

    /** How the submission ring names a kind of request. */
    public static int operation(IoKind kind) {
        return switch (kind) {
            case READ -> 1;
            case WRITE -> 2;
            case FLUSH -> 3;
            case DISCARD -> 4;
            case WRITE_ZEROES -> 5;
        };
    }

    /** The kind of request that the submission ring names so; null if it is none. */
    public static @Nullable IoKind kindOf(int operation) {
        return switch (operation) {
            case 1 -> IoKind.READ;
            case 2 -> IoKind.WRITE;
            case 3 -> IoKind.FLUSH;
            case 4 -> IoKind.DISCARD;
            case 5 -> IoKind.WRITE_ZEROES;
            default -> null;
        };
    }
}
