package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Consumer;
import java.util.function.IntPredicate;
import java.util.function.LongConsumer;
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
 * <p>Lookups, reads and writes to present groups take no lock. What changes the state of one group (a fault, a marker) is
 * done under that group's lock, by the caller.
 */
final class LayerImage {
    /** How much further than needed a file is extended: one call for 64 slots of 64 KiB. */
    private static final int RESERVE_BYTES = 4 * 1024 * 1024;

    /** How often an index page that looks damaged is read again: another instance may be writing it right now. */
    private static final int INDEX_READS_MAX = 3;

    private static final int[] NONE = new int[0];

    private final ImageFile file;
    private final String name;
    private final String where;
    private final ImageHeader header;
    private final int salt;
    private final int reserveBytes;
    private final GroupTable groups = new GroupTable();

    /** Serializes syncs, so that one that finds nothing to do knows that whoever took it is through. */
    private final Object syncLock = new Object();

    /** Set after a change was made, cleared before it is made durable. */
    private volatile boolean unsynced;

    /** How many index pages are in use; of its own, so that asking does not wait for a sync. */
    private volatile int pageCount;

    // Guarded by this.
    private int plainCount;
    private int nextSlot;
    private long reservedBytes;
    private int[] changed = NONE;
    private int changedCount;
    private int[] spareSlots = NONE;

    // Guarded by syncLock.
    private final BitSet pagesInUse = new BitSet(0);
    private @Nullable IOException syncFailure;

    private LayerImage(ImageDirectory directory, String name, ImageFile file, ImageHeader header,
            int reserveBytes) {
        this.reserveBytes = reserveBytes;
        this.file = file;
        this.name = name;
        this.where = where(directory, name);
        this.header = header;
        this.salt = Checksums.crc32c(header.encode(), 0, ImageHeader.BYTES - Integer.BYTES);
        this.reservedBytes = header.dataAt();
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
            var image = new LayerImage(directory, name, file, header, reserveBytes);
            var buffer = Scratch.borrow(ImageHeader.BYTES);
            MemorySegment.copy(MemorySegment.ofArray(header.encode()), 0, buffer, 0,
                    ImageHeader.BYTES);
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
            var image = new LayerImage(directory, name, file, found, RESERVE_BYTES);
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
                    readHeader(file, where(directory, name)), 0);
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
        synchronized (this) {
            return ImageHeader.PAGE_BYTES * (pageCount + 1L)
                    + (long) nextSlot * header.geometry().groupBytes();
        }
    }

    /**
     * Reads from a group that has data. A sealed one is verified, in a buffer of ours: the target may be a guest's memory, in
     * which the guest may do what it likes meanwhile.
     *
     * @param value of the group, as {@link #lookup} said
     */
    void read(int group, long value, int offset, MemorySegment target, long targetOffset,
            int bytes) throws IOException {
        long seen = value;
        for (int read = 1; GroupState.isSealed(seen); read++) {
            long damagedAt = readVerified(group, GroupState.slot(seen), offset, target,
                    targetOffset, bytes);
            if (damagedAt < 0) {
                return;
            }
            seen = groups.get(group);
            // Or it was written and sealed anew just now, data first.
            if (read == INDEX_READS_MAX && GroupState.isSealed(seen)) {
                throw damagedBlock(group, damagedAt);
            }
        }
        if (GroupState.isPresent(seen)) {
            file.read(header.slotAt(GroupState.slot(seen)) + offset, target, targetOffset, bytes);
        } else {
            MemorySegment.copy(Scratch.ZEROS, 0, target, targetOffset, bytes);
        }
    }

    private DamagedImageException damagedBlock(int group, long at) {
        return new DamagedImageException(where, at,
                "the data of block group " + group + " has a wrong checksum");
    }

    /** Where the first block lies that is not as its checksum says; -1 if all are, and then the target has them. */
    private long readVerified(int group, int slot, int offset, MemorySegment target,
            long targetOffset, int bytes) throws IOException {
        int length = header.geometry().groupLength(group);
        int first = offset / ImageHeader.SUM_BLOCK_BYTES;
        int from = first * ImageHeader.SUM_BLOCK_BYTES;
        int to = Math.min(length, roundUpToBlock(offset + bytes));
        int blocks = (to - from - 1) / ImageHeader.SUM_BLOCK_BYTES + 1;
        int sumsAt = roundUpToBlock(to - from);
        var buffer = Scratch.borrowSecond(sumsAt + blocks * ImageHeader.SUM_BYTES);
        file.read(header.slotAt(slot) + from, buffer, 0, to - from);
        file.read(header.sumAt(slot, first), buffer, sumsAt, blocks * ImageHeader.SUM_BYTES);
        var view = buffer.asByteBuffer();
        for (int i = 0; i < blocks; i++) {
            int at = i * ImageHeader.SUM_BLOCK_BYTES;
            int sum = sumOf(group, first + i, view, at,
                    Math.min(ImageHeader.SUM_BLOCK_BYTES, to - from - at));
            if (sum != buffer.get(ImageHeader.LITTLE_INT,
                    sumsAt + (long) i * ImageHeader.SUM_BYTES)) {
                return header.slotAt(slot) + from + at;
            }
        }
        MemorySegment.copy(buffer, offset - from, target, targetOffset, bytes);
        return -1;
    }

    private int sumOf(int group, int block, ByteBuffer view, int at, int bytes) {
        return Checksums.ofBlock(salt, (long) group * header.blocksAGroup() + block,
                view.limit(at + bytes).position(at));
    }

    private static int roundUpToBlock(int bytes) {
        return (bytes + ImageHeader.SUM_BLOCK_BYTES - 1) & -ImageHeader.SUM_BLOCK_BYTES;
    }

    /** Writes the checksums of a whole group. */
    private void writeSums(int group, int slot, MemorySegment content, long offset)
            throws IOException {
        int length = header.geometry().groupLength(group);
        int blocks = (length - 1) / ImageHeader.SUM_BLOCK_BYTES + 1;
        var sums = Scratch.borrowSecond(blocks * ImageHeader.SUM_BYTES);
        var view = content.asSlice(offset, length).asByteBuffer();
        for (int i = 0; i < blocks; i++) {
            int at = i * ImageHeader.SUM_BLOCK_BYTES;
            sums.set(ImageHeader.LITTLE_INT, (long) i * ImageHeader.SUM_BYTES, sumOf(group, i, view,
                    at, Math.min(ImageHeader.SUM_BLOCK_BYTES, length - at)));
        }
        file.write(header.sumAt(slot, 0), sums, 0, blocks * ImageHeader.SUM_BYTES);
    }

    /**
     * Seals {@code group} if it has data: reads it and writes its checksums. Under the group's lock; nobody may be writing to
     * it. Durable with the next {@link #sync}.
     */
    void seal(int group) throws IOException {
        long value = groups.get(group);
        if (!header.hasSums() || !GroupState.isPresent(value) || GroupState.isSealed(value)) {
            return;
        }
        int slot = GroupState.slot(value);
        int length = header.geometry().groupLength(group);
        var content = Scratch.borrow(length);
        file.read(header.slotAt(slot), content, 0, length);
        writeSums(group, slot, content, 0);
        publish(group, GroupState.sealed(slot));
    }

    /** Lets a sealed group be written again, durably so before this returns. Under the group's lock. */
    void unseal(int group) throws IOException {
        long value = groups.get(group);
        if (GroupState.isSealed(value)) {
            publish(group, GroupState.present(GroupState.slot(value)));
            sync();
        }
    }

    /**
     * As {@link #writeGroup}, and seals it at once. The group must be hidden from all readers, after a crash too: a commit and
     * the making of a copy write like this.
     */
    void writeSealedGroup(int group, MemorySegment source, long sourceOffset) throws IOException {
        writeGroup(group, source, sourceOffset);
        if (header.hasSums()) {
            int slot = GroupState.slot(groups.get(group));
            writeSums(group, slot, source, sourceOffset);
            publish(group, GroupState.sealed(slot));
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

    /** Writes into a present group. A write that fails may have been done in part. */
    void writeSlot(int slot, int offset, MemorySegment source, long sourceOffset, int bytes)
            throws IOException {
        try {
            file.write(header.slotAt(slot) + offset, source, sourceOffset, bytes);
        } finally {
            // After a failure too: what it did is seen by reads, and must not be lost after the next sync.
            markUnsynced();
        }
    }

    /** Gives {@code group} the whole content {@code source}, whatever it was. Under the group's lock. */
    void writeGroup(int group, MemorySegment source, long sourceOffset) throws IOException {
        long value = groups.get(group);
        int slot = GroupState.slot(value);
        boolean fresh = slot == GroupState.NO_SLOT;
        if (fresh) {
            slot = allocate(true);
        }
        try {
            file.write(header.slotAt(slot), source, sourceOffset,
                    header.geometry().groupLength(group));
        } catch (IOException e) {
            if (fresh) {
                giveBack(slot);
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
            writeGroup(group, source, sourceOffset);
        } else if (slot != GroupState.NO_SLOT) {
            // What the slot held before it became zeros must not show through.
            var whole = Scratch.borrow(length);
            whole.asSlice(0, length).fill((byte) 0);
            MemorySegment.copy(source, sourceOffset, whole, offset, bytes);
            writeGroup(group, whole, 0);
        } else {
            // A new slot is a hole in the file: the rest is zeros already.
            slot = allocate(false);
            try {
                file.write(header.slotAt(slot) + offset, source, sourceOffset, bytes);
            } catch (IOException e) {
                giveBack(slot);
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
                writeDirectory(newPages(cells));
                syncFile();
                if (cells.length > 0) {
                    writeIndex(cells);
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

    /**
     * Reads every group with data that {@code wanted} names and proves those that are sealed.
     *
     * @param progress takes the bytes of each
     * @param damages takes what is wrong, one for each group
     * @return bytes of groups with data that have no checksums
     */
    long verify(IntPredicate wanted, LongConsumer progress, Consumer<DamagedImageException> damages)
            throws IOException {
        long unproved = 0;
        for (long cell : cells()) {
            int group = GroupTable.groupOf(cell);
            long value = groups.get(group);
            int length = header.geometry().groupLength(group);
            if (!GroupState.isPresent(value)) {
                continue;
            }
            if (wanted.test(group)) {
                try {
                    read(group, value, 0, Scratch.borrow(length), 0, length);
                } catch (DamagedImageException damaged) {
                    damages.accept(damaged);
                }
                unproved += GroupState.isSealed(value) ? 0 : length;
            }
            progress.accept(length);
        }
        return unproved;
    }

    /**
     * Proves that all bytes between what is used are zeros, as they are in a file that was written once and never changed: so
     * every byte of it is accounted for.
     */
    void verifyGaps() throws IOException {
        verifyZeros(ImageHeader.BYTES, header.directoryAt());
        verifyZeros(header.directoryAt() + (long) header.pageCount() * ImageHeader.ENTRY_BYTES,
                header.indexAt());
        BitSet used;
        synchronized (syncLock) {
            used = (BitSet) pagesInUse.clone();
        }
        for (int page = used.nextClearBit(0); page < header.pageCount();) {
            int end = used.nextSetBit(page);
            end = end < 0 ? header.pageCount() : end;
            verifyZeros(header.indexAt() + (long) page * ImageHeader.PAGE_BYTES,
                    header.indexAt() + (long) end * ImageHeader.PAGE_BYTES);
            page = used.nextClearBit(end);
        }
        int slots;
        synchronized (this) {
            slots = nextSlot;
        }
        verifyZeros(header.sumAt(slots, 0), header.dataAt());
        int lastGroup = header.geometry().groupCount() - 1;
        long value = groups.get(lastGroup);
        if (GroupState.isPresent(value)) {
            // The disk may end inside it.
            int slot = GroupState.slot(value);
            int length = header.geometry().groupLength(lastGroup);
            verifyZeros(header.slotAt(slot) + length, header.slotAt(slot + 1));
            verifyZeros(header.sumAt(slot, (length - 1) / ImageHeader.SUM_BLOCK_BYTES + 1),
                    header.sumAt(slot + 1, 0));
        }
    }

    private void verifyZeros(long from, long to) throws IOException {
        var buffer = Scratch.borrow(RESERVE_BYTES / 4);
        for (long at = from; at < to; at += RESERVE_BYTES / 4) {
            int length = (int) Math.min(RESERVE_BYTES / 4, to - at);
            file.read(at, buffer, 0, length);
            for (int i = 0; i < length; i++) {
                if (buffer.get(ValueLayout.JAVA_BYTE, i) != 0) {
                    throw new DamagedImageException(where, at + i,
                            "there should be nothing but zeros");
                }
            }
        }
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
            }
        }
        markUnsynced();
    }

    private static int plain(long value) {
        return GroupState.isPresent(value) && !GroupState.isSealed(value) ? 1 : 0;
    }

    /** @param whole whether all of the slot will be written: only then may it be one that was used in vain */
    private synchronized int allocate(boolean whole) throws IOException {
        if (whole && spareSlots.length > 0) {
            int slot = spareSlots[spareSlots.length - 1];
            spareSlots = Arrays.copyOf(spareSlots, spareSlots.length - 1);
            return slot;
        }
        int slot = nextSlot;
        Invariant.check(slot < GroupState.NO_SLOT, "slots have 31 bits");
        long end = header.slotAt(slot + 1);
        if (end > reservedBytes) {
            long reserved = Math.max(end,
                    Math.min(end + reserveBytes, header.slotAt(header.geometry().groupCount())));
            file.setSize(reserved);
            reservedBytes = reserved;
        }
        nextSlot = slot + 1;
        return slot;
    }

    /** A slot whose first write failed: no index entry ever led to it. */
    private synchronized void giveBack(int slot) {
        spareSlots = Arrays.copyOf(spareSlots, spareSlots.length + 1);
        spareSlots[spareSlots.length - 1] = slot;
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

    /** Writes the entries of {@code cells}, ascending. */
    private void writeIndex(long[] cells) throws IOException {
        for (int from = 0; from < cells.length;) {
            int to = from + 1;
            while (to < cells.length && to - from < ImageHeader.PAGE_ENTRIES
                    && GroupTable.groupOf(cells[to])
                            == GroupTable.groupOf(cells[from]) + to - from) {
                to++;
            }
            var run = Scratch.borrow((to - from) * ImageHeader.ENTRY_BYTES);
            for (int i = from; i < to; i++) {
                int group = GroupTable.groupOf(cells[i]);
                run.set(ImageHeader.LITTLE_LONG, (long) (i - from) * ImageHeader.ENTRY_BYTES,
                        GroupState.toEntry(group ^ salt, GroupTable.valueOf(cells[i])));
            }
            file.write(
                    header.indexAt()
                            + (long) GroupTable.groupOf(cells[from]) * ImageHeader.ENTRY_BYTES,
                    run, 0, (to - from) * ImageHeader.ENTRY_BYTES);
            from = to;
        }
    }

    private BitSet newPages(long[] cells) {
        var pages = new BitSet(0);
        for (long cell : cells) {
            pages.set(GroupTable.groupOf(cell) / ImageHeader.PAGE_ENTRIES);
        }
        pages.andNot(pagesInUse);
        return pages;
    }

    private void writeDirectory(BitSet pages) throws IOException {
        int from = pages.nextSetBit(0);
        while (from >= 0) {
            int to = Math.min(pages.nextClearBit(from), from + ImageHeader.PAGE_ENTRIES);
            var run = Scratch.borrow((to - from) * ImageHeader.ENTRY_BYTES);
            for (int page = from; page < to; page++) {
                run.set(ImageHeader.LITTLE_LONG, (long) (page - from) * ImageHeader.ENTRY_BYTES,
                        directoryEntry(page));
            }
            file.write(header.directoryAt() + (long) from * ImageHeader.ENTRY_BYTES, run, 0,
                    (to - from) * ImageHeader.ENTRY_BYTES);
            from = pages.nextSetBit(to);
        }
        // If the sync to come fails, so does every later one: that these pages count as known then is no matter.
        pagesInUse.or(pages);
        pageCount = pagesInUse.cardinality();
    }

    /** Says that the page has entries. Its key is negated, so that it cannot pass for an index entry. */
    private long directoryEntry(int page) {
        return GroupState.toEntry(~page ^ salt, GroupState.present(page));
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
            loadDirectory();
            pageCount = pagesInUse.cardinality();
            int from = pagesInUse.nextSetBit(0);
            while (from >= 0) {
                int to = Math.min(pagesInUse.nextClearBit(from), from + 256);
                loadIndex(from, to);
                from = pagesInUse.nextSetBit(to);
            }
        }
        checkSlots();
        if (writable) {
            cutUnusedSlots();
        }
    }

    private void loadDirectory() throws IOException {
        int bytes = header.pageCount() * ImageHeader.ENTRY_BYTES;
        for (int read = 1;; read++) {
            var buffer = Scratch.borrow(bytes);
            file.read(header.directoryAt(), buffer, 0, bytes);
            int damaged = -1;
            for (int page = 0; page < header.pageCount(); page++) {
                long entry =
                        buffer.get(ImageHeader.LITTLE_LONG, (long) page * ImageHeader.ENTRY_BYTES);
                if (entry == directoryEntry(page)) {
                    pagesInUse.set(page);
                } else if (entry != 0) {
                    damaged = page;
                }
            }
            if (damaged < 0) {
                return;
            }
            if (read == INDEX_READS_MAX) {
                throw new DamagedImageException(where,
                        header.directoryAt() + (long) damaged * ImageHeader.ENTRY_BYTES,
                        "the directory's entry for index page " + damaged
                                + " has a wrong checksum");
            }
        }
    }

    private synchronized void loadIndex(int fromPage, int toPage) throws IOException {
        int bytes = (toPage - fromPage) * ImageHeader.PAGE_BYTES;
        long position = header.indexAt() + (long) fromPage * ImageHeader.PAGE_BYTES;
        int firstGroup = fromPage * ImageHeader.PAGE_ENTRIES;
        for (int read = 1;; read++) {
            var buffer = Scratch.borrow(bytes);
            file.read(position, buffer, 0, bytes);
            long damagedAt = -1;
            for (int at = 0; at < bytes; at += ImageHeader.ENTRY_BYTES) {
                long entry = buffer.get(ImageHeader.LITTLE_LONG, at);
                if (entry != 0) {
                    int group = firstGroup + at / ImageHeader.ENTRY_BYTES;
                    long value = group < 0 || group >= header.geometry().groupCount()
                            ? -1
                            : GroupState.fromEntry(group ^ salt, entry);
                    if (value == -1 || (GroupState.isSealed(value) && !header.hasSums())) {
                        damagedAt = position + at;
                    } else {
                        groups.put(group, value);
                    }
                }
            }
            if (damagedAt < 0) {
                return;
            }
            if (read == INDEX_READS_MAX) {
                throw new DamagedImageException(where, damagedAt, "the index entry of block group "
                        + (damagedAt - header.indexAt()) / ImageHeader.ENTRY_BYTES
                        + " has a wrong checksum");
            }
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
        nextSlot = used.length();
    }

    /**
     * What lies behind the last slot in use was written before a crash and belongs to no group. It must go: a new slot
     * reads as zeros.
     */
    private synchronized void cutUnusedSlots() throws IOException {
        long end = header.slotAt(nextSlot);
        if (file.size() > end) {
            file.setSize(end);
        }
        reservedBytes = end;
    }
}
