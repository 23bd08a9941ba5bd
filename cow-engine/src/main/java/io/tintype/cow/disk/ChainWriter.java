package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Writes to the layers of a chain: to groups that a layer holds, and faults for those that it does not hold yet. */
final class ChainWriter {
    private final ChainState state;
    private final ChainReader reader;
    private final AtomicLong faults = new AtomicLong();
    private final AtomicLong bytesCopied = new AtomicLong();

    ChainWriter(ChainState state, ChainReader reader) {
        this.state = state;
        this.reader = reader;
    }

    long faults() {
        return faults.get();
    }

    /** What faults read below and wrote again. */
    long bytesCopied() {
        return bytesCopied.get();
    }

    /** Writes within one block group that {@code layer} holds; {@link #fault} is for the others. */
    void write(int layer, long position, MemorySegment source, long sourceOffset, int bytes)
            throws IOException {
        int group = checkWrite(layer, position, bytes);
        int offset = (int) (position - state.geometry().positionOf(group));
        for (;;) {
            var list = state.layers();
            int index = list.indexOf(layer);
            var image = list.get(index).image();
            long value = image.lookup(group);
            if (GroupState.isSealed(value)) {
                // Of a disk that was opened again, or a write that waited and was bound lower after an abort (R15).
                synchronized (state.lockOf(image, group)) {
                    image.unseal(group);
                }
                continue;
            }
            if (GroupState.isPresent(value)) {
                if (image.writeSlot(group, value, offset, source, sourceOffset, bytes)) {
                    return;
                }
                continue;
            }
            if (value == GroupState.ABSENT && !list.isBottom(index)) {
                throw new IllegalStateException(
                        "layer " + layer + " does not hold block group " + group
                                + ": it takes a fault to write to it");
            }
            synchronized (state.lockOf(image, group)) {
                if (!GroupState.isPresent(image.lookup(group))) {
                    reader.merge(group, layer);
                    image.writeOverZeros(group, offset, source, sourceOffset, bytes);
                    return;
                }
            }
        }
    }

    /**
     * Lets {@code layer} hold {@code group}: what lies below, with {@code source} written over it. Where the source covers
     * the group nothing is read, where the layer holds the group by now this is a write.
     *
     * @param bytes 0 for a fault that writes nothing new
     */
    void fault(int layer, long group, long offsetInGroup, MemorySegment source,
            long sourceOffset,
            int bytes) throws IOException {
        int checked = state.checkGroup(group);
        int length = state.geometry().groupLength(checked);
        if (offsetInGroup < 0 || bytes < 0 || offsetInGroup + bytes > length) {
            throw new IllegalArgumentException(
                    "bytes " + offsetInGroup + " to " + (offsetInGroup + bytes)
                            + " do not lie in a block group of " + length);
        }
        checkWritable(layer);
        faultGroup(layer, checked, (int) offsetInGroup, source, sourceOffset, bytes);
    }

    private void faultGroup(int layer, int group, int offset, MemorySegment source,
            long sourceOffset,
            int bytes) throws IOException {
        var list = state.layers();
        int index = list.indexOf(layer);
        var image = list.get(index).image();
        synchronized (state.lockOf(image, group)) {
            long value = image.lookup(group);
            if (GroupState.isPresent(value)) {
                if (bytes > 0) {
                    image.unseal(group);
                    boolean written = image.writeSlot(group, image.lookup(group), offset, source,
                            sourceOffset, bytes);
                    Invariant.check(written, "a group keeps its state under its lock");
                }
                return;
            }
            if (GroupState.isZeros(value) || list.isBottom(index)) {
                if (bytes > 0) {
                    reader.merge(group, layer);
                    image.writeOverZeros(group, offset, source, sourceOffset, bytes);
                }
                return;
            }
            int length = state.geometry().groupLength(group);
            int below = list.get(index).first() - 1;
            // Before the layer holds the group: from then on others write to it, and read what they wrote.
            reader.merge(group, layer);
            if (bytes == length) {
                image.writeGroup(group, source, sourceOffset, false);
            } else if (reader.isZeros(below, group)) {
                // A new slot is a hole: there is nothing to copy, and nothing to write but the source.
                if (bytes == 0) {
                    image.markZeros(group);
                } else {
                    image.writeOverZeros(group, offset, source, sourceOffset, bytes);
                }
            } else {
                var whole = Scratch.borrow(length);
                int tail = offset + bytes;
                if (bytes == 0) {
                    reader.readGroup(below, group, 0, whole, 0, length);
                } else {
                    if (offset > 0) {
                        reader.readGroup(below, group, 0, whole, 0, offset);
                    }
                    MemorySegment.copy(source, sourceOffset, whole, offset, bytes);
                    if (tail < length) {
                        reader.readGroup(below, group, tail, whole, tail, length - tail);
                    }
                }
                image.writeGroup(group, whole, 0, true);
                bytesCopied.addAndGet(length - bytes);
            }
            faults.incrementAndGet();
        }
    }

    /**
     * Writes zeros within one block group. A whole group becomes a marker, without input or output; a part of a group that
     * the layer does not hold is a fault.
     *
     * @param discard whether the guest only said that it needs the bytes no more; it reads zeros all the same
     */
    void writeZeroes(int layer, long position, long bytes, boolean discard)
            throws IOException {
        int group = checkWrite(layer, position, bytes);
        int offset = (int) (position - state.geometry().positionOf(group));
        var list = state.layers();
        int index = list.indexOf(layer);
        var image = list.get(index).image();
        long value = image.lookup(group);
        boolean zerosAlready = GroupState.isZeros(value)
                || (value == GroupState.ABSENT && list.isBottom(index));
        if (zerosAlready) {
            return;
        }
        if (bytes == state.geometry().groupLength(group)) {
            synchronized (state.lockOf(image, group)) {
                reader.merge(group, layer);
                image.markZeros(group);
            }
        } else {
            faultGroup(layer, group, offset, Scratch.ZEROS, 0, (int) bytes);
        }
    }

    private int checkWrite(int layer, long position, long bytes) {
        state.checkRange(position, bytes);
        checkWritable(layer);
        int group = state.geometry().groupOf(position);
        if (bytes > state.geometry().positionOf(group) + state.geometry().groupBytes() - position) {
            throw new IllegalArgumentException(
                    bytes + " bytes at " + position + " do not lie in one block group");
        }
        return group;
    }

    private void checkWritable(int layer) {
        state.checkNotReadOnly();
        if (layer > state.top() || state.layers().indexOf(layer) < 0) {
            throw new IllegalArgumentException(
                    state.location() + ": layer " + layer + " takes no writes, its top is "
                            + state.top());
        }
    }
}
