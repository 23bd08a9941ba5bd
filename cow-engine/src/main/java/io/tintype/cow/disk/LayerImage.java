package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * One image file in use: some layers of a disk, as block groups in slots and an index of them.
 *
 * <ul>
 *   <li>A group is published in the index in memory after all its bytes were written, and its index entry is written to the
 *       file only after those bytes were made durable ({@link #sync}).
 *   <li>A slot belongs to one group for ever ({@link GroupState}), and a slot that was never written reads as zeros.
 *   <li>The file always reaches to the end of its last slot in use: a shorter one was cut.
 *   <li>A sealed group's blocks have checksums in the file, and every read of it verifies them. The entry that says "sealed"
 *       is durable only after data and checksums are; a write to it is made only after the entry durably says otherwise,
 *       unless a layer above hides the group (a commit).
 * </ul>
 *
 * <p>Lookups take no lock, nor do reads and writes to present groups but those of their slot ({@link ImageData}). What changes
 * the state of one group (a fault, a marker) is done under that group's lock, by the caller.
 */
final class LayerImage {
    /** How much further than needed a file is extended: one call for 64 slots of 64 KiB. */
    private static final int RESERVE_BYTES = 4 * 1024 * 1024;

    /** How often a sealed group that looks damaged is read again: a commit may have written it anew. */
    private static final int SEALED_READS_MAX = 3;

    /** Bounds how long a write waits until a layer that was opened again is let be written. */
    private static final int UNSEALED_AT_ONCE_MAX = 1 << 16;

    private static final int[] NONE = new int[0];

    private final ImageFile file;
    private final String name;
    private final String where;
    private final ImageHeader header;
    private final boolean writable;
    private final int salt;
    private final ImageIndex index;
    private final SlotSpace space;
    private final ImageData data;
    private final GroupTable groups = new GroupTable();

    /** Serializes syncs, so that one that finds nothing to do knows that whoever took it is through. */
    private final Object syncLock = new Object();

    /** Set after a change was made, cleared before it is made durable. */
    private volatile boolean unsynced;

    // Guarded by this.
    private int plainCount;
    private int unsealNext = 1;
    private int[] changed = NONE;
    private int changedCount;

    // Guarded by syncLock.
    private @Nullable IOException syncFailure;

    private LayerImage(ImageDirectory directory, String name, ImageFile file, ImageHeader header,
            int reserveBytes, boolean writable) {
        this(directory, name, file, header, header.encode(), reserveBytes, writable);
    }

    private LayerImage(ImageDirectory directory, String name, ImageFile file, ImageHeader header,
            byte[] encoded, int reserveBytes, boolean writable) {
        this.file = file;
        this.name = name;
        this.where = where(directory, name);
        this.header = header;
        this.writable = writable;
        this.salt = Checksums.crc32c(encoded, 0, ImageHeader.BYTES - Integer.BYTES);
        this.index = new ImageIndex(file, where, header, salt);
        this.space = new SlotSpace(file, header, reserveBytes);
        this.data = new ImageData(file, where, header, salt, groups,
                writable && !directory.isMemory());
    }

    /** A new file with nothing in it. Nothing of it is durable before {@link #sync} and {@link ImageDirectory#sync}. */
    static LayerImage create(ImageDirectory directory, String name, ImageHeader header)
            throws IOException {
        return create(directory, name, header, RESERVE_BYTES);
    }

    /** The same for a file that never changes once it is whole, and so is no longer than it has to be. */
    static LayerImage createExact(ImageDirectory directory, String name, ImageHeader header)
            throws IOException {
        return create(directory, name, header, 0);
    }

    private static LayerImage create(ImageDirectory directory, String name, ImageHeader header,
            int reserveBytes) throws IOException {
        var file = directory.create(name);
        try {
            var encoded = header.encode();
            var image = new LayerImage(directory, name, file, header, encoded, reserveBytes, true);
            var buffer = Scratch.borrow(ImageHeader.BYTES);
            MemorySegment.copy(MemorySegment.ofArray(encoded), 0, buffer, 0, ImageHeader.BYTES);
            file.write(0, buffer, 0, ImageHeader.BYTES);
            file.setSize(header.dataAt());
            image.unsynced = true;
            return image;
        } catch (IOException e) {
            file.close();
            deleteQuietly(directory, name, e);
            throw e;
        }
    }

    /**
     * Opens and checks a file.
     *
     * @param expected what its header must say
     */
    static LayerImage open(ImageDirectory directory, String name, ImageHeader expected,
            boolean writable)
            throws IOException {
        var file = directory.open(name, writable);
        try {
            var found = readHeader(file, where(directory, name));
            if (!found.isSameLayer(expected)) {
                throw new DamagedImageException(where(directory, name), 0,
                        "this is another disk's or layer's file: it says "
                                + found + ", the chain says " + expected);
            }
            var image = new LayerImage(directory, name, file, found, RESERVE_BYTES,
                    writable);
            image.load(writable);
            return image;
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    /** Opens and checks a file that speaks for itself, to be read only. */
    static LayerImage openAlone(ImageDirectory directory, String name) throws IOException {
        var file = directory.open(name, false);
        try {
            var image = new LayerImage(directory, name, file,
                    readHeader(file, where(directory, name)), 0, false);
            image.load(false);
            return image;
        } catch (IOException e) {
            file.close();
            throw e;
        }
    }

    static String where(ImageDirectory directory, String name) {
        return directory.location() + "/" + name;
    }

    static void deleteQuietly(ImageDirectory directory, String name, IOException cause) {
        try {
            directory.delete(name);
        } catch (IOException e) {
            cause.addSuppressed(e);
        }
    }

    String name() {
        return name;
    }

    ImageHeader header() {
        return header;
    }

    /** The file with its directory, for messages. */
    String where() {
        return where;
    }

    /** Groups with data that could have checksums and have none. */
    synchronized int plainCount() {
        return header.hasSums() ? plainCount : 0;
    }

    /** The {@link GroupState} of {@code group}. */
    long lookup(int group) {
        return groups.get(group);
    }

    /** All groups that are present or zeros, as cells of a {@link GroupTable}, ascending. */
    synchronized long[] cells() {
        var cells = groups.toCells();
        Arrays.sort(cells);
        return cells;
    }

    /** How many groups are present or zeros; waits for nobody, least of all for a file that is made longer. */
    int groupCount() {
        return groups.count();
    }

    /** What the file takes on disk: whole slots, though a base may have holes in them. */
    long bytesOnDisk() {
        return ImageHeader.PAGE_BYTES * (index.pageCount() + 1L)
                + (long) space.count() * header.geometry().groupBytes();
    }

    /**
     * Reads from a group that has data, and verifies what has a checksum, in the file or in memory.
     *
     * @param value of the group, as {@link #lookup} said
     */
    void read(int group, long value, int offset, MemorySegment target, long targetOffset,
            int bytes) throws IOException {
        long seen = value;
        int sealedReads = 0;
        for (;;) {
            if (GroupState.isSealed(seen)) {
                long damagedAt = data.readSealed(group, GroupState.slot(seen), offset, target,
                        targetOffset, bytes);
                if (damagedAt < 0) {
                    return;
                }
                if (!writable) {
                    lookAgain(group);
                }
                seen = groups.get(group);
                sealedReads++;
                // Or it was written and sealed anew just now, data first.
                if (sealedReads == SEALED_READS_MAX && GroupState.isSealed(seen)) {
                    throw data.damagedBlock(group, damagedAt);
                }
            } else if (GroupState.isPresent(seen)) {
                if (data.readLive(group, GroupState.slot(seen), offset, target, targetOffset,
                        bytes)) {
                    return;
                }
                seen = groups.get(group);
            } else {
                MemorySegment.copy(Scratch.ZEROS, 0, target, targetOffset, bytes);
                return;
            }
        }
    }

    /**
     * Seals {@code group} if it has data: writes its checksums, and reads first what none is known of. Under the group's lock;
     * nobody may be writing to it. Durable with the next {@link #sync}.
     *
     * @throws DamagedImageException if what is read is not as it was written
     */
    void seal(int group) throws IOException {
        long value = groups.get(group);
        if (header.hasSums() && GroupState.isPresent(value) && !GroupState.isSealed(value)) {
            int slot = GroupState.slot(value);
            data.seal(group, slot, () -> publish(group, GroupState.sealed(slot)));
        }
    }

    /**
     * Lets a sealed group be written again, durably so before this returns. Under the group's lock. Others that are sealed go
     * with it, twice as many each time: so a layer that is written all over after it was opened costs a few syncs, and one
     * late write below the top unseals hardly more than it has to.
     */
    void unseal(int group) throws IOException {
        if (!GroupState.isSealed(groups.get(group))) {
            return;
        }
        synchronized (syncLock) {
            // What is sealed but not durable yet must be, for an entry to be durable before its bytes leads to half a group.
            sync();
            var cells = nextToUnseal(group);
            try {
                index.write(cells);
                syncFile();
            } catch (IOException e) {
                putBackChanged(cells);
                throw e;
            }
            for (long cell : cells) {
                int other = GroupTable.groupOf(cell);
                int slot = GroupState.slot(GroupTable.valueOf(cell));
                data.unseal(other, slot, () -> publishUnsealed(other, slot));
            }
        }
    }

    /** Groups that are durably sealed, {@code group} first and then round, as cells that say "present", ascending. */
    private synchronized long[] nextToUnseal(int group) {
        var all = cells();
        changedCount = sortAndDrop(changed, changedCount);
        int start = Arrays.binarySearch(all, GroupTable.cell(group, groups.get(group)));
        var found = new long[Math.min(unsealNext, all.length)];
        int count = 0;
        for (int i = 0; i < all.length && count < found.length; i++) {
            long cell = all[(start + i) % all.length];
            int other = GroupTable.groupOf(cell);
            if (GroupState.isSealed(GroupTable.valueOf(cell))
                    && Arrays.binarySearch(changed, 0, changedCount, other) < 0) {
                found[count++] = GroupTable.cell(other,
                        GroupState.present(GroupState.slot(GroupTable.valueOf(cell))));
            }
        }
        unsealNext = Math.min(2 * unsealNext, UNSEALED_AT_ONCE_MAX);
        found = Arrays.copyOf(found, count);
        Arrays.sort(found);
        return found;
    }

    /** The entry in the file says so already. A group that became zeros meanwhile stays zeros, and the next sync says that. */
    private synchronized void publishUnsealed(int group, int slot) {
        if (groups.get(group) == GroupState.sealed(slot)) {
            groups.put(group, GroupState.present(slot));
            plainCount++;
        }
    }

    /**
     * Gives {@code group} the whole content {@code source} and seals it at once. It must be hidden from all readers, after a
     * crash too: a commit and the making of a copy write like this.
     */
    void writeSealedGroup(int group, MemorySegment source, long sourceOffset) throws IOException {
        if (!header.hasSums()) {
            writeGroup(group, source, sourceOffset, true);
            return;
        }
        int before = GroupState.slot(groups.get(group));
        int slot = before == GroupState.NO_SLOT ? space.allocate(true) : before;
        try {
            data.writeSealed(group, slot, source, sourceOffset);
        } catch (IOException e) {
            if (before == GroupState.NO_SLOT) {
                space.giveBack(slot);
            }
            markUnsynced();
            throw e;
        }
        publish(group, GroupState.sealed(slot));
    }

    /** Another instance may have let the group be written again since this one was opened: its entry says so before it is. */
    private synchronized void lookAgain(int group) throws IOException {
        long now = index.read(group);
        if (now != -1 && now != GroupState.ABSENT
                && GroupState.slot(now) == GroupState.slot(groups.get(group))) {
            groups.put(group, now);
        }
    }

    /** What vouches for header and index, and through them for every checksum of a file that is sealed as a whole. */
    int rootSum() {
        var crc = new CRC32C();
        crc.update(header.encode());
        var entry = ByteBuffer.allocate(Integer.BYTES + Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (long cell : cells()) {
            int group = GroupTable.groupOf(cell);
            crc.update(entry.clear().putInt(group)
                    .putLong(GroupState.toEntry(group ^ salt, GroupTable.valueOf(cell))).flip());
        }
        return (int) crc.getValue();
    }

    /**
     * Writes into a group that is present and not sealed. A write that fails may have been done in part.
     *
     * @param value of the group, as {@link #lookup} said
     * @return false if the group has another state by now: nothing was written, and the caller must look again
     */
    boolean writeSlot(int group, long value, int offset, MemorySegment source, long sourceOffset,
            int bytes) throws IOException {
        try {
            return data.write(group, value, GroupState.slot(value), offset, source, sourceOffset,
                    bytes);
        } finally {
            // After a failure too: what it did is seen by reads, and must not be lost after the next sync.
            markUnsynced();
        }
    }

    /**
     * Gives {@code group}, absent or zeros, the whole content {@code source}. Under the group's lock.
     *
     * @param isOurs whether the source is a buffer that nobody changes meanwhile
     */
    void writeGroup(int group, MemorySegment source, long sourceOffset, boolean isOurs)
            throws IOException {
        int before = GroupState.slot(groups.get(group));
        boolean fresh = before == GroupState.NO_SLOT;
        int slot = fresh ? space.allocate(true) : before;
        try {
            if (fresh) {
                data.writeFresh(group, slot, 0, source, sourceOffset,
                        header.geometry().groupLength(group), isOurs);
            } else {
                data.writeOver(group, slot, source, sourceOffset, isOurs);
            }
        } catch (IOException e) {
            if (fresh) {
                space.giveBack(slot);
            }
            markUnsynced();
            throw e;
        }
        publish(group, GroupState.present(slot));
    }

    /**
     * Writes a part of a group of which everything else is zeros: marked so, or absent where nothing lies below. Under the
     * group's lock.
     */
    void writeOverZeros(int group, int offset, MemorySegment source, long sourceOffset, int bytes)
            throws IOException {
        int length = header.geometry().groupLength(group);
        int slot = GroupState.slot(groups.get(group));
        if (bytes == length) {
            writeGroup(group, source, sourceOffset, false);
        } else if (slot != GroupState.NO_SLOT) {
            // What the slot held before it became zeros must not show through.
            var whole = Scratch.borrow(length);
            whole.asSlice(0, length).fill((byte) 0);
            MemorySegment.copy(source, sourceOffset, whole, offset, bytes);
            writeGroup(group, whole, 0, true);
        } else {
            // A new slot is a hole in the file: the rest is zeros already.
            slot = space.allocate(false);
            try {
                data.writeFresh(group, slot, offset, source, sourceOffset, bytes, false);
            } catch (IOException e) {
                space.giveBack(slot);
                throw e;
            }
            publish(group, GroupState.present(slot));
        }
    }

    /** Makes {@code group} zeros, whatever lies below it. No input or output but for a sealed one. Under the group's lock. */
    void markZeros(int group) throws IOException {
        long value = groups.get(group);
        if (!GroupState.isZeros(value)) {
            publish(group, GroupState.zeros(GroupState.slot(value)));
            data.forget(GroupState.slot(value));
            if (GroupState.isSealed(value)) {
                // The next write goes into the slot, and must not meet the old checksums after a crash.
                sync();
            }
        }
    }

    /**
     * Makes durable all that was written before the call: the groups' bytes, then the index entries that lead to them. A
     * rewrite of present groups costs one sync of the file, anything new two, nothing new none.
     */
    void sync() throws IOException {
        synchronized (syncLock) {
            if (syncFailure != null) {
                throw new IOException(where + ": an earlier sync failed, what it lost is unknown",
                        syncFailure);
            }
            if (!unsynced) {
                return;
            }
            // Cleared first: a write that sets it again meanwhile may or may not be covered by what follows.
            unsynced = false;
            var cells = takeChanged();
            try {
                // A page must be known to be in use before it has an entry: one that a crash left in an unknown page would
                // come to light when the page is used at last, and lead to a slot that is another group's by then.
                index.writeDirectory(cells);
                syncFile();
                if (cells.length > 0) {
                    index.write(cells);
                    syncFile();
                }
            } catch (ClosedImageException e) {
                throw e;
            } catch (IOException e) {
                putBackChanged(cells);
                throw e;
            }
        }
    }

    /** The index pages in use. */
    BitSet pagesInUse() {
        synchronized (syncLock) {
            return index.pagesInUse();
        }
    }

    /** How many slots are given out. */
    int slotCount() {
        return space.count();
    }

    /** Reads any bytes of the file, as they are. */
    void readRaw(long position, MemorySegment target, int bytes) throws IOException {
        file.read(position, target, 0, bytes);
    }

    /** The file's size in bytes, holes included. */
    long fileBytes() throws IOException {
        return file.size();
    }

    /** The file is closed after the calls under way; later ones throw {@link ClosedImageException}. */
    void close() {
        file.close();
    }

    private void syncFile() throws IOException {
        try {
            file.sync();
        } catch (ClosedImageException e) {
            throw e;
        } catch (IOException e) {
            // The kernel may have dropped the pages it could not write: asking again would succeed without them.
            syncFailure = e;
            throw e;
        }
    }

    /** The order matters: what is changed first and marked then is surely seen by a sync that sees the mark. */
    private void markUnsynced() {
        if (!unsynced) {
            unsynced = true;
        }
    }

    private void publish(int group, long value) {
        synchronized (this) {
            long before = groups.get(group);
            if (before != value) {
                groups.put(group, value);
                addChanged(group);
                plainCount += plain(value) - plain(before);
                if (GroupState.isSealed(value)) {
                    unsealNext = 1;
                }
            }
        }
        markUnsynced();
    }

    private static int plain(long value) {
        return GroupState.isPresent(value) && !GroupState.isSealed(value) ? 1 : 0;
    }

    private void addChanged(int group) {
        if (changedCount == changed.length) {
            // A group that flips between data and zeros with no flush must not fill the heap.
            changedCount = sortAndDrop(changed, changedCount);
            if (2 * changedCount >= changed.length) {
                changed = Arrays.copyOf(changed, Math.max(16, 2 * changed.length));
            }
        }
        changed[changedCount++] = group;
    }

    private static int sortAndDrop(int[] numbers, int count) {
        Arrays.sort(numbers, 0, count);
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (kept == 0 || numbers[kept - 1] != numbers[i]) {
                numbers[kept++] = numbers[i];
            }
        }
        return kept;
    }

    /**
     * The groups whose entries in the file are out of date, with their states of now, ascending. Of now: a state published
     * later leads to bytes that the coming sync may not cover.
     */
    private synchronized long[] takeChanged() {
        int count = sortAndDrop(changed, changedCount);
        var cells = new long[count];
        for (int i = 0; i < count; i++) {
            cells[i] = GroupTable.cell(changed[i], groups.get(changed[i]));
        }
        changed = NONE;
        changedCount = 0;
        return cells;
    }

    private void putBackChanged(long[] cells) {
        synchronized (this) {
            for (long cell : cells) {
                addChanged(GroupTable.groupOf(cell));
            }
        }
        markUnsynced();
    }

    private static ImageHeader readHeader(ImageFile file, String where) throws IOException {
        var bytes = new byte[ImageHeader.BYTES];
        file.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        return ImageHeader.decode(where, bytes);
    }

    private void load(boolean writable) throws IOException {
        if (file.size() < header.dataAt()) {
            throw new DamagedImageException(where, file.size(),
                    "cut short: header and index alone have "
                            + header.dataAt() + " bytes");
        }
        synchronized (syncLock) {
            index.load(groups);
        }
        checkSlots();
        if (writable) {
            space.cutUnused();
        }
    }

    /** Each slot once, and inside the file. */
    private synchronized void checkSlots() throws IOException {
        long size = file.size();
        long slotsInFile = (size - header.dataAt()) / header.geometry().groupBytes();
        var used = new BitSet(0);
        for (long cell : groups.toCells()) {
            int slot = GroupState.slot(GroupTable.valueOf(cell));
            if (slot == GroupState.NO_SLOT) {
                continue;
            }
            plainCount += plain(GroupTable.valueOf(cell));
            int group = GroupTable.groupOf(cell);
            long entryAt = header.indexAt() + (long) group * ImageHeader.ENTRY_BYTES;
            if (slot >= slotsInFile) {
                throw new DamagedImageException(where, entryAt,
                        "block group " + group + " lies in slot "
                                + slot + ", past the end of the file of " + size + " bytes");
            }
            if (used.get(slot)) {
                throw new DamagedImageException(where, entryAt,
                        "block group " + group + " lies in slot " + slot + ", and so does another");
            }
            used.set(slot);
        }
        space.opened(used.length());
    }
}
