package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The blocks in the slots of one image file and their checksums: in the file for sealed groups, in memory for those that can be
 * written.
 *
 * <ul>
 *   <li>Bytes of a slot that can be written change only under the lock of its {@link SlotSums}, together with their checksums.
 *       So two writes in flight to one block, which may leave either's bytes, always leave a checksum of what they left.
 *   <li>A read takes no lock: if what it read fits, it is right; if not, it may have come between a write and its checksum,
 *       and is done again under the lock. Only what does not fit then is damaged.
 *   <li>What is written is copied first: a guest may store into its own buffer while a request on it is in flight, and the
 *       checksum must be of what went to the file.
 * </ul>
 *
 * <p>The state of a group is the caller's; it is looked at under the slot's lock, so that nothing is written to a group that was
 * sealed meanwhile.
 */
final class ImageData {
    private static final int BLOCK_BYTES = ImageHeader.SUM_BLOCK_BYTES;
    private static final int CRC_OF_ZEROS = Checksums.ofBlock(0, 0, zeros(BLOCK_BYTES));

    private final ImageFile file;
    private final String where;
    private final ImageHeader header;
    private final int salt;
    private final GroupTable groups;

    /** Null where nothing need be verified before it is sealed. */
    private final @Nullable LiveSums live;

    /** @param verifies whether data is verified before it is sealed, too */
    ImageData(ImageFile file, String where, ImageHeader header, int salt, GroupTable groups,
            boolean verifies) {
        this.file = file;
        this.where = where;
        this.header = header;
        this.salt = salt;
        this.groups = groups;
        this.live = verifies ? new LiveSums(header.blocksAGroup()) : null;
    }

    /** How many slots have checksums in memory. */
    int liveCount() {
        return live == null ? 0 : live.count();
    }

    /**
     * Reads from a sealed group, in a buffer of ours: the target may be a guest's memory, in which the guest may do what it
     * likes meanwhile.
     *
     * @return where the first block lies that is not as its checksum says; -1 if all are, and then the target has them
     */
    long readSealed(int group, int slot, int offset, MemorySegment target, long targetOffset,
            int bytes) throws IOException {
        int first = offset / BLOCK_BYTES;
        int from = first * BLOCK_BYTES;
        int to = endOfBlocks(group, offset + bytes);
        int blocks = blocksIn(to - from);
        int sumsAt = blocks * BLOCK_BYTES;
        var buffer = Scratch.borrowSecond(sumsAt + blocks * ImageHeader.SUM_BYTES);
        file.read(header.slotAt(slot) + from, buffer, 0, to - from);
        file.read(header.sumAt(slot, first), buffer, sumsAt, blocks * ImageHeader.SUM_BYTES);
        var view = buffer.asByteBuffer();
        for (int i = 0; i < blocks; i++) {
            int at = i * BLOCK_BYTES;
            int sum = sumOf(group, first + i, view, at, to - from);
            if (sum != buffer.get(ImageHeader.LITTLE_INT,
                    sumsAt + (long) i * ImageHeader.SUM_BYTES)) {
                return header.slotAt(slot) + from + at;
            }
        }
        MemorySegment.copy(buffer, offset - from, target, targetOffset, bytes);
        return -1;
    }

    /**
     * Reads from a group that is present and not sealed. A block of which nothing is known is taken as it is, and known from
     * then on.
     *
     * @return false if it has become sealed or zeros: nothing was read, and the caller must look again
     * @throws DamagedImageException if a block is not as it was written, and then the target is as it was
     */
    boolean readLive(int group, int slot, int offset, MemorySegment target, long targetOffset,
            int bytes) throws IOException {
        if (live == null) {
            file.read(header.slotAt(slot) + offset, target, targetOffset, bytes);
            return true;
        }
        int from = offset & -BLOCK_BYTES;
        int length = endOfBlocks(group, offset + bytes) - from;
        var buffer = Scratch.borrowSecond(length);
        var sums = live.get(slot);
        if (sums != null) {
            file.read(header.slotAt(slot) + from, buffer, 0, length);
            if (fits(sums, group, from, buffer, length)) {
                MemorySegment.copy(buffer, offset - from, target, targetOffset, bytes);
                return true;
            }
        } else {
            sums = live.of(slot);
        }
        synchronized (sums) {
            if (!isCurrent(sums, group, slot, GroupState.present(slot))) {
                return false;
            }
            readQuietly(sums, group, slot, from, buffer, 0, length);
        }
        MemorySegment.copy(buffer, offset - from, target, targetOffset, bytes);
        return true;
    }

    private boolean fits(SlotSums sums, int group, int from, MemorySegment buffer, int length) {
        var view = buffer.asByteBuffer();
        for (int at = 0; at < length; at += BLOCK_BYTES) {
            int block = (from + at) / BLOCK_BYTES;
            if (!sums.fits(block, sumOf(group, block, view, at, length))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Reads whole blocks while nobody writes to them: with the lock of {@code sums}.
     *
     * @param from where the first block begins in the group
     */
    private void readQuietly(SlotSums sums, int group, int slot, int from, MemorySegment buffer,
            int bufferOffset, int length) throws IOException {
        file.read(header.slotAt(slot) + from, buffer, bufferOffset, length);
        var view = buffer.asByteBuffer();
        for (int at = 0; at < length; at += BLOCK_BYTES) {
            int block = (from + at) / BLOCK_BYTES;
            int sum = sumOf(group, block, view, bufferOffset + at, bufferOffset + length);
            if (!sums.isKnown(block)) {
                sums.set(block, sum);
            } else if (sums.get(block) != sum) {
                throw damagedBlock(group, header.slotAt(slot) + from + at);
            }
        }
    }

    /**
     * Writes a part of a slot. Where it fails, that part may have been written and counts as unknown.
     *
     * @param state of the group, under which this is right
     * @return false if the group's state is another by now: nothing was written, and the caller must look again
     * @throws DamagedImageException if a block of which only a part is written is not as it was: nothing was written
     */
    boolean write(int group, long state, int slot, int offset, MemorySegment source,
            long sourceOffset, int bytes) throws IOException {
        if (live == null) {
            file.write(header.slotAt(slot) + offset, source, sourceOffset, bytes);
            return true;
        }
        for (;;) {
            var sums = live.of(slot);
            synchronized (sums) {
                if (isCurrent(sums, group, slot, state)) {
                    int from = offset & -BLOCK_BYTES;
                    int end = offset + bytes;
                    int to = endOfBlocks(group, end);
                    var staged = Scratch.borrowSecond(to - from);
                    // What is left of a block must fit its checksum, or damage would get a new one.
                    if (offset > from) {
                        readQuietly(sums, group, slot, from, staged, 0,
                                Math.min(BLOCK_BYTES, to - from));
                    }
                    int last = (end - 1) & -BLOCK_BYTES;
                    if (end < to && (last > from || offset == from)) {
                        readQuietly(sums, group, slot, last, staged, last - from, to - last);
                    }
                    MemorySegment.copy(source, sourceOffset, staged, offset - from, bytes);
                    writeStaged(sums, group, slot, from, staged, to - from, offset - from, bytes);
                    return true;
                }
            }
            if (groups.get(group) != state) {
                return false;
            }
        }
    }

    /**
     * Writes a part of a slot that was never used: all else of it is a hole, and so zeros.
     *
     * @param isOurs whether the source is a buffer that nobody changes meanwhile
     */
    void writeFresh(int group, int slot, int offset, MemorySegment source, long sourceOffset,
            int bytes, boolean isOurs) throws IOException {
        if (live == null) {
            file.write(header.slotAt(slot) + offset, source, sourceOffset, bytes);
            return;
        }
        int length = header.geometry().groupLength(group);
        var sums = live.of(slot);
        synchronized (sums) {
            if (isOurs && bytes == length) {
                writeWhole(sums, group, slot, source, sourceOffset, length);
                return;
            }
            int from = offset & -BLOCK_BYTES;
            int to = endOfBlocks(group, offset + bytes);
            for (int block = 0; block < blocksIn(length); block++) {
                sums.set(block, sumOfZeros(group, block, length));
            }
            var staged = Scratch.borrowSecond(to - from);
            MemorySegment.copy(Scratch.ZEROS, 0, staged, 0, offset - from);
            MemorySegment.copy(source, sourceOffset, staged, offset - from, bytes);
            MemorySegment.copy(Scratch.ZEROS, 0, staged, offset - from + bytes,
                    to - offset - bytes);
            writeStaged(sums, group, slot, from, staged, to - from, offset - from, bytes);
        }
    }

    /** Gives a slot whole new content, whatever it had, while its group is not present. The source is as in {@link #writeFresh}. */
    void writeOver(int group, int slot, MemorySegment source, long sourceOffset, boolean isOurs)
            throws IOException {
        int length = header.geometry().groupLength(group);
        if (live == null) {
            file.write(header.slotAt(slot), source, sourceOffset, length);
            return;
        }
        for (;;) {
            var sums = live.of(slot);
            synchronized (sums) {
                if (live.get(slot) == sums) {
                    if (isOurs) {
                        writeWhole(sums, group, slot, source, sourceOffset, length);
                    } else {
                        var staged = Scratch.borrowSecond(length);
                        MemorySegment.copy(source, sourceOffset, staged, 0, length);
                        writeStaged(sums, group, slot, 0, staged, length, 0, length);
                    }
                    return;
                }
            }
        }
    }

    private void writeWhole(SlotSums sums, int group, int slot, MemorySegment source,
            long sourceOffset, int length) throws IOException {
        writeStaged(sums, group, slot, 0, source.asSlice(sourceOffset, length), length, 0, length);
    }

    /**
     * @param from where the first staged block begins in the group
     * @param staged whole blocks, of which {@code bytes} at {@code offset} are to be written
     */
    private void writeStaged(SlotSums sums, int group, int slot, int from, MemorySegment staged,
            int length, int offset, int bytes) throws IOException {
        for (int at = 0; at < length; at += BLOCK_BYTES) {
            sums.forget((from + at) / BLOCK_BYTES);
        }
        file.write(header.slotAt(slot) + from + offset, staged, offset, bytes);
        var view = staged.asByteBuffer();
        for (int at = 0; at < length; at += BLOCK_BYTES) {
            int block = (from + at) / BLOCK_BYTES;
            sums.set(block, sumOf(group, block, view, at, length));
        }
    }

    /**
     * Writes to the file's table what is known of a present group's blocks, and reads what is not; then {@code publish} says
     * that the group is sealed.
     */
    void seal(int group, int slot, Runnable publish) throws IOException {
        int length = header.geometry().groupLength(group);
        if (live == null) {
            var content = Scratch.borrow(length);
            file.read(header.slotAt(slot), content, 0, length);
            writeSums(group, slot, content, 0);
            publish.run();
            return;
        }
        for (;;) {
            var sums = live.of(slot);
            synchronized (sums) {
                if (live.get(slot) == sums) {
                    if (!sums.areKnown(blocksIn(length))) {
                        readQuietly(sums, group, slot, 0, Scratch.borrow(length), 0, length);
                    }
                    writeSums(slot, sums, blocksIn(length));
                    publish.run();
                    live.drop(slot);
                    return;
                }
            }
        }
    }

    /** Takes the checksums of a sealed group from the file's table into memory; then {@code publish} says that it is not sealed. */
    void unseal(int group, int slot, Runnable publish) throws IOException {
        if (live == null) {
            publish.run();
            return;
        }
        int blocks = blocksIn(header.geometry().groupLength(group));
        for (;;) {
            var sums = live.of(slot);
            synchronized (sums) {
                if (live.get(slot) == sums) {
                    var table = Scratch.borrowSecond(blocks * ImageHeader.SUM_BYTES);
                    file.read(header.sumAt(slot, 0), table, 0, blocks * ImageHeader.SUM_BYTES);
                    for (int i = 0; i < blocks; i++) {
                        sums.set(i, table.get(ImageHeader.LITTLE_INT,
                                (long) i * ImageHeader.SUM_BYTES));
                    }
                    publish.run();
                    return;
                }
            }
        }
    }

    /** Writes a whole group and its checksums in the file; it is hidden from all readers, after a crash too. */
    void writeSealed(int group, int slot, MemorySegment source, long sourceOffset)
            throws IOException {
        forget(slot);
        file.write(header.slotAt(slot), source, sourceOffset,
                header.geometry().groupLength(group));
        writeSums(group, slot, source, sourceOffset);
    }

    /** Gives back what is known of a slot. */
    void forget(int slot) {
        var sums = live == null || slot == GroupState.NO_SLOT ? null : live.get(slot);
        if (live != null && sums != null) {
            synchronized (sums) {
                if (live.get(slot) == sums) {
                    live.drop(slot);
                }
            }
        }
    }

    DamagedImageException damagedBlock(int group, long at) {
        return new DamagedImageException(where, at,
                "the data of block group " + group + " has a wrong checksum");
    }

    /** With the lock of {@code sums}. Those of a group that can no longer be written are given back. */
    private boolean isCurrent(SlotSums sums, int group, int slot, long state) {
        if (live == null || live.get(slot) != sums) {
            return false;
        }
        long now = groups.get(group);
        if (now != state && GroupState.isSealed(now)) {
            live.drop(slot);
        }
        return now == state;
    }

    private void writeSums(int slot, SlotSums sums, int blocks) throws IOException {
        var table = Scratch.borrowSecond(blocks * ImageHeader.SUM_BYTES);
        for (int i = 0; i < blocks; i++) {
            table.set(ImageHeader.LITTLE_INT, (long) i * ImageHeader.SUM_BYTES, sums.get(i));
        }
        file.write(header.sumAt(slot, 0), table, 0, blocks * ImageHeader.SUM_BYTES);
    }

    private void writeSums(int group, int slot, MemorySegment content, long offset)
            throws IOException {
        int length = header.geometry().groupLength(group);
        int blocks = blocksIn(length);
        var table = Scratch.borrowSecond(blocks * ImageHeader.SUM_BYTES);
        var view = content.asSlice(offset, length).asByteBuffer();
        for (int i = 0; i < blocks; i++) {
            table.set(ImageHeader.LITTLE_INT, (long) i * ImageHeader.SUM_BYTES,
                    sumOf(group, i, view, i * BLOCK_BYTES, length));
        }
        file.write(header.sumAt(slot, 0), table, 0, blocks * ImageHeader.SUM_BYTES);
    }

    /** Of the block that begins at {@code at} and ends at {@code end} at the latest. */
    private int sumOf(int group, int block, ByteBuffer view, int at, int end) {
        view.limit(Math.min(at + BLOCK_BYTES, end)).position(at);
        return Checksums.ofBlock(salt, numberOf(group, block), view);
    }

    private int sumOfZeros(int group, int block, int length) {
        int bytes = Math.min(BLOCK_BYTES, length - block * BLOCK_BYTES);
        return bytes == BLOCK_BYTES
                ? Checksums.mixed(CRC_OF_ZEROS, salt, numberOf(group, block))
                : Checksums.ofBlock(salt, numberOf(group, block), zeros(bytes));
    }

    private static ByteBuffer zeros(int bytes) {
        return Scratch.ZEROS.asSlice(0, bytes).asByteBuffer();
    }

    private long numberOf(int group, int block) {
        return (long) group * header.blocksAGroup() + block;
    }

    /** Where the last block ends that has bytes before {@code end}. */
    private int endOfBlocks(int group, int end) {
        return Math.min(header.geometry().groupLength(group),
                (end + BLOCK_BYTES - 1) & -BLOCK_BYTES);
    }

    private static int blocksIn(int bytes) {
        return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
    }
}
