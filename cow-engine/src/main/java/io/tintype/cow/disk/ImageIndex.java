package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Directory and index of one image file, as they lie in it. Its owner's lock guards it, but for {@link #pageCount}, which any
 * thread may ask.
 */
final class ImageIndex {
    /** How often a page that looks damaged is read again: another instance may be writing it right now. */
    private static final int READS_MAX = 3;

    private final ImageFile file;
    private final String where;
    private final ImageHeader header;
    private final int salt;
    private final BitSet pagesInUse = new BitSet(0);

    /** Of its own, so that asking does not wait for a sync. */
    private volatile int pageCount;

    ImageIndex(ImageFile file, String where, ImageHeader header, int salt) {
        this.file = file;
        this.where = where;
        this.header = header;
        this.salt = salt;
    }

    /** How many index pages are in use. */
    int pageCount() {
        return pageCount;
    }

    /** The pages in use; a copy. */
    BitSet pagesInUse() {
        return (BitSet) pagesInUse.clone();
    }

    /** Writes the entries of {@code cells}, ascending, whose pages the directory has. */
    void write(long[] cells) throws IOException {
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

    /** Writes directory entries for those pages of {@code cells} that have none yet. */
    void writeDirectory(long[] cells) throws IOException {
        var pages = new BitSet(0);
        for (long cell : cells) {
            pages.set(GroupTable.groupOf(cell) / ImageHeader.PAGE_ENTRIES);
        }
        pages.andNot(pagesInUse);
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

    /** What the entry of {@code group} says now; -1 if it has a wrong checksum. */
    long read(int group) throws IOException {
        var entry = MemorySegment.ofArray(new byte[ImageHeader.ENTRY_BYTES]);
        file.read(header.indexAt() + (long) group * ImageHeader.ENTRY_BYTES, entry, 0,
                ImageHeader.ENTRY_BYTES);
        return GroupState.fromEntry(group ^ salt, entry.get(ImageHeader.LITTLE_LONG, 0));
    }

    /** Reads and checks all of it. */
    void load(GroupTable groups) throws IOException {
        loadDirectory();
        pageCount = pagesInUse.cardinality();
        int from = pagesInUse.nextSetBit(0);
        while (from >= 0) {
            int to = Math.min(pagesInUse.nextClearBit(from), from + 256);
            loadPages(from, to, groups);
            from = pagesInUse.nextSetBit(to);
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
            if (read == READS_MAX) {
                throw new DamagedImageException(where,
                        header.directoryAt() + (long) damaged * ImageHeader.ENTRY_BYTES,
                        "the directory's entry for index page " + damaged
                                + " has a wrong checksum");
            }
        }
    }

    private void loadPages(int fromPage, int toPage, GroupTable groups) throws IOException {
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
            if (read == READS_MAX) {
                throw new DamagedImageException(where, damagedAt, "the index entry of block group "
                        + (damagedAt - header.indexAt()) / ImageHeader.ENTRY_BYTES
                        + " has a wrong checksum");
            }
        }
    }
}
