package io.tintype.vm;

import java.util.Arrays;

/**
 * Where the bytes of one request live: pieces of host frames, in the order of the request's bytes.
 *
 * <p>Frames are named by number, never by guest page: this is the binding of a request to its frames
 * (docs/ordering-rules.md). The frames are pinned while the request is in flight, so a storage thread
 * may move bytes in and out of them without looking at any page table. Immutable; the arrays are not
 * handed out.
 */
public final class IoBuffer {
    /** A buffer of no bytes, as a flush or a discard has. */
    public static final IoBuffer EMPTY =
            new IoBuffer(new int[0], new int[0], new int[0], new int[0]);

    private final int[] frames;
    private final int[] offsets;
    private final int[] sizes;
    private final int[] requestOffsets;

    /**
     * Takes the arrays over; all have one length.
     *
     * @param frames frame numbers
     * @param offsets where the piece starts in its frame, in bytes
     * @param sizes length of the piece in bytes, within one frame
     * @param requestOffsets where the piece lies in the request, in bytes, ascending
     */
    IoBuffer(int[] frames, int[] offsets, int[] sizes, int[] requestOffsets) {
        this.frames = frames;
        this.offsets = offsets;
        this.sizes = sizes;
        this.requestOffsets = requestOffsets;
    }

    /** Returns how many pieces there are. */
    public int count() {
        return frames.length;
    }

    /** Returns the frame of piece {@code index}. */
    public int frame(int index) {
        return frames[index];
    }

    /** Returns where piece {@code index} starts in its frame, in bytes. */
    public int offset(int index) {
        return offsets[index];
    }

    /** Returns the size of piece {@code index} in bytes. */
    public int size(int index) {
        return sizes[index];
    }

    /** Returns where piece {@code index} starts in the request, in bytes. */
    public int requestOffset(int index) {
        return requestOffsets[index];
    }

    @Override
    public String toString() {
        return "frames " + Arrays.toString(frames);
    }
}
