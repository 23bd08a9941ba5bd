package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Pages of a segment of format version 2 or 3, see {@link PageIndex}: those that lie in its own file and
 * those in the files of older checkpoints.
 *
 * <p>What is read up front is the root, 16 bytes for 256 KiB of memory. Leaves and the files of
 * other checkpoints follow when a page needs them, and stay.
 */
final class IndexedPages implements MemoryPages {
    /** A window of sequential reading: what is read by one call. */
    private static final int WINDOW_BYTES = 1 << 20;
    /** Less than this between two pages is read and skipped. */
    private static final int GAP_BYTES_MAX = 64 << 10;
    /** What one call reads of leaves at most: those of 64 MiB. */
    private static final int LEAF_WINDOW_BYTES = 256 << 10;
    /** Less than this between two leaves costs less to read than another call does. */
    private static final int LEAF_GAP_BYTES_MAX = 16 << 10;
    /** Pages that are put in order at a time: 8 MiB to sort for 4 GiB. */
    private static final int SLAB_PAGES = 1 << 20;
    private static final int SLAB_BITS = 20;
    private static final int UNIT_BITS = 9;
    private static final int SOURCE_SHIFT = 55;

    /** Where the file of a region of another checkpoint is, which may have been deleted since. */
    interface Finder {
        Path find(CheckpointRef ref, int region) throws StoreException;
    }

    /** One file that pages are in. */
    private static final class SourceFile {
        final PageIndex.Source source;
        @Nullable
        Path path;
        @Nullable
        StoreFile file;
        /** What the numbers in this file's leaves are here; read when its first leaf is. */
        int @Nullable [] numbers;

        SourceFile(PageIndex.Source source) {
            this.source = source;
        }
    }

    private final StoreFiles files;
    private final Finder finder;
    private final PageCodec.Pool codecs;
    private final Runnable onClose;
    private final Path path;
    private final int pageCount;
    private final PageIndex.Tail tail;
    private final ByteBuffer root;
    private final List<SourceFile> sources;
    private final AtomicReferenceArray<long @Nullable []> leaves;
    private volatile boolean closed;

    private IndexedPages(StoreFiles files, Finder finder, PageCodec.Pool codecs, Runnable onClose,
            Path path, int pageCount, PageIndex.Tail tail, ByteBuffer root,
            List<SourceFile> sources) {
        this.files = files;
        this.finder = finder;
        this.codecs = codecs;
        this.onClose = onClose;
        this.path = path;
        this.pageCount = pageCount;
        this.tail = tail;
        this.root = root;
        this.sources = sources;
        this.leaves = new AtomicReferenceArray<>(tail.leafCount());
    }

    /**
     * Takes over {@code file}, whose header was verified.
     *
     * @param own what the manifest says of it; its counts are ignored
     * @param onClose called once, by {@link #close}
     */
    static IndexedPages open(StoreFiles files, Finder finder, PageCodec.Pool codecs,
            Runnable onClose, Path path, StoreFile file, MemoryHeader header,
            PageIndex.Source own, int pageCount) throws IOException {
        long size = file.size();
        if (size != own.bytes()) {
            throw new DamagedSegmentException(path, Math.min(size, own.bytes()),
                    "it has " + size + " bytes, and its manifest says " + own.bytes());
        }
        int leafCount = PageIndex.leafCount(pageCount);
        PageIndex.Tail tail = PageIndex.read(path, file, size, own.crc(), leafCount);
        if (tail.headerCrc() != header.crc()) {
            throw new DamagedSegmentException(path, 0,
                    "its header is not the one its index was written for");
        }
        ByteBuffer root = PageIndex.readFully(path, file, tail.rootPosition(),
                Math.multiplyExact(leafCount, PageIndex.ROOT_ENTRY_BYTES));
        int actual = PageIndex.crc(root, 0, root.limit());
        if (actual != tail.rootCrc()) {
            throw new DamagedSegmentException(path, tail.rootPosition(),
                    "its root: " + Envelope.mismatch(tail.rootCrc(), actual));
        }
        var sources = new ArrayList<SourceFile>();
        var first = new SourceFile(own);
        first.path = path;
        first.file = file;
        first.numbers = new int[tail.sources().size() + 1];
        Arrays.setAll(first.numbers, number -> number);
        sources.add(first);
        tail.sources().forEach(source -> sources.add(new SourceFile(source)));
        return new IndexedPages(files, finder, codecs, onClose, path, pageCount, tail, root,
                sources);
    }

    @Override
    public int pageCount() {
        return pageCount;
    }

    @Override
    public boolean stored(int page) throws StoreException {
        checkPage(page);
        return PageIndex.length(place(page)) != 0;
    }

    @Override
    public void read(int page, MemorySegment to, long offset) throws StoreException {
        checkPage(page);
        long[] leaf = leaf(page / PageIndex.LEAF_PAGES);
        int entry = page % PageIndex.LEAF_PAGES * 2;
        readPlace(page, leaf[entry], leaf[entry + 1], to, offset);
    }

    /** Reads what lies at a place of one of the sources, and verifies it. */
    void readPlace(int page, long place, long content, MemorySegment to, long offset)
            throws StoreException {
        MemorySegment target = to.asSlice(offset, MemoryFormat.PAGE_BYTES);
        int length = PageIndex.length(place);
        if (length == 0) {
            target.fill((byte) 0);
            return;
        }
        SourceFile source = source(PageIndex.source(content));
        long position = PageIndex.position(place);
        if (length == MemoryFormat.PAGE_BYTES) {
            ByteBuffer bytes = target.asByteBuffer();
            read(source, position, bytes);
            checkPage(page, source, position, PageIndex.crc(content), bytes.flip());
            return;
        }
        PageCodec codec = codecs.take();
        try {
            read(source, position, codec.input().limit(length));
            decompress(codec, codec.input(), 0, page, source, place, content);
            target.copyFrom(codec.page());
        } finally {
            codecs.give(codec);
        }
    }

    private void decompress(PageCodec codec, ByteBuffer bytes, int at, int page,
            SourceFile source, long place, long content) throws StoreException {
        int frameBytes = PageIndex.frameBytes(place);
        if (PageIndex.isFrameChecked(place)) {
            // Before the decompressor sees it; and a frame that is not as it was written may come to the page all the same.
            int stored = bytes.order(Envelope.BYTE_ORDER).getInt(at + frameBytes);
            int actual = PageIndex.crc(bytes, at, frameBytes);
            if (stored != actual) {
                throw new DamagedSegmentException(pathOf(source), PageIndex.position(place),
                        "page " + page + ", compressed: " + Envelope.mismatch(stored, actual));
            }
        }
        if (!codec.decompress(bytes, at, frameBytes)) {
            throw new DamagedSegmentException(pathOf(source), PageIndex.position(place),
                    "page " + page + ": it cannot be decompressed");
        }
        checkPage(page, source, PageIndex.position(place), PageIndex.crc(content),
                codec.output());
    }

    private void checkPage(int page, SourceFile source, long position, int stored,
            ByteBuffer bytes) throws StoreException {
        var crc = new CRC32C();
        crc.update(bytes);
        int actual = (int) crc.getValue();
        if (stored != actual) {
            throw new DamagedSegmentException(pathOf(source), position,
                    "page " + page + ": " + Envelope.mismatch(stored, actual));
        }
    }

    /**
     * Hands over all pages that are not zero, file by file in the order in which they lie there.
     */
    void forEachPage(ChunkBuffer buffer, PageVisitor visitor) throws StoreException {
        PageCodec codec = codecs.take();
        try {
            var keys = new long[Math.min(SLAB_PAGES, pageCount)];
            for (int first = 0; first < pageCount; first += SLAB_PAGES) {
                int count = Math.min(SLAB_PAGES, pageCount - first);
                new Sweep(buffer, codec, visitor, first, keys).run(count);
            }
        } finally {
            codecs.give(codec);
        }
    }

    /** Some pages of the region, read in the order in which they lie in the files. */
    private final class Sweep {
        private final ChunkBuffer buffer;
        private final PageCodec codec;
        private final PageVisitor visitor;
        private final int firstPage;
        /** Source, position in units of 512 bytes, page: nearly in order, and within a long. */
        private final long[] keys;
        private long windowPlace;
        private long windowBytes;
        private int windowSource = -1;

        Sweep(ChunkBuffer buffer, PageCodec codec, PageVisitor visitor, int firstPage,
                long[] keys) {
            this.buffer = buffer;
            this.codec = codec;
            this.visitor = visitor;
            this.firstPage = firstPage;
            this.keys = keys;
        }

        void run(int pages) throws StoreException {
            readLeaves(firstPage / PageIndex.LEAF_PAGES,
                    PageIndex.leafCount(firstPage + pages), _ -> true);
            int count = 0;
            for (int i = 0; i < pages; i++) {
                long[] leaf = leaf((firstPage + i) / PageIndex.LEAF_PAGES);
                int entry = (firstPage + i) % PageIndex.LEAF_PAGES * 2;
                if (PageIndex.length(leaf[entry]) != 0) {
                    keys[count++] = (long) PageIndex.source(leaf[entry + 1]) << SOURCE_SHIFT
                            | PageIndex.position(leaf[entry]) >>> UNIT_BITS << SLAB_BITS
                            | i;
                }
            }
            Arrays.sort(keys, 0, count);
            MemorySegment readOnly = buffer.segment().asReadOnly();
            long lastPlace = 0;
            long lastContent = 0;
            for (int i = 0; i < count; i++) {
                int page = pageOf(i);
                long place = placeOf(page);
                long content = contentOf(page);
                long at = seek(i, count, place, content);
                if (PageIndex.length(place) == MemoryFormat.PAGE_BYTES) {
                    checkPage(page, source(windowSource), PageIndex.position(place),
                            PageIndex.crc(content),
                            buffer.range((int) at, MemoryFormat.PAGE_BYTES));
                    visitor.page(page, readOnly, at);
                    lastPlace = 0;
                } else {
                    if (place != lastPlace || content != lastContent) {
                        decompress(codec, buffer.range(0, (int) windowBytes), (int) at, page,
                                source(windowSource), place, content);
                        lastPlace = place;
                        lastContent = content;
                    }
                    visitor.page(page, codec.page(), 0);
                }
            }
        }

        /** Where in the buffer a page lies, which is read there if it is not yet. */
        private long seek(int index, int count, long place, long content) throws StoreException {
            int number = PageIndex.source(content);
            long position = PageIndex.position(place);
            if (number != windowSource || position < windowPlace
                    || position + PageIndex.length(place) > windowPlace + windowBytes) {
                windowSource = number;
                windowPlace = position >>> UNIT_BITS << UNIT_BITS;
                windowBytes = extent(index, count);
                read(source(number), windowPlace, buffer.range(0, (int) windowBytes));
            }
            return position - windowPlace;
        }

        /** How far to read from {@code windowPlace} for the pages from number {@code index} on. */
        private long extent(int index, int count) {
            long end = windowPlace;
            for (int i = index; i < count; i++) {
                int page = pageOf(i);
                long place = placeOf(page);
                long pageEnd = PageIndex.position(place) + PageIndex.length(place);
                boolean near = PageIndex.source(contentOf(page)) == windowSource
                        && pageEnd - windowPlace <= WINDOW_BYTES
                        && PageIndex.position(place) - end <= (end == windowPlace
                                ? WINDOW_BYTES
                                : GAP_BYTES_MAX);
                if (!near) {
                    break;
                }
                end = Math.max(end, pageEnd);
            }
            return end - windowPlace;
        }

        private int pageOf(int index) {
            return firstPage + (int) (keys[index] & SLAB_PAGES - 1);
        }

        private long placeOf(int page) {
            return known(page)[page % PageIndex.LEAF_PAGES * 2];
        }

        private long contentOf(int page) {
            return known(page)[page % PageIndex.LEAF_PAGES * 2 + 1];
        }
    }

    /** Which content is where; reads all leaves. */
    PageContents contents() throws StoreException {
        readLeaves(0, PageIndex.leafCount(pageCount), _ -> true);
        var contents = new PageContents();
        for (int page = 0; page < pageCount; page++) {
            long[] leaf = leaf(page / PageIndex.LEAF_PAGES);
            int entry = page % PageIndex.LEAF_PAGES * 2;
            if (PageIndex.length(leaf[entry]) != 0) {
                contents.put(PageIndex.crc(leaf[entry + 1]), page);
            }
        }
        return contents;
    }

    // ---- the index ----

    private long place(int page) throws StoreException {
        return leaf(page / PageIndex.LEAF_PAGES)[page % PageIndex.LEAF_PAGES * 2];
    }

    /** Two longs a page, the numbers of sources being those of this segment. Not to be changed. */
    long[] leaf(int index) throws StoreException {
        long[] leaf = leaves.get(index);
        if (leaf == null) {
            try {
                leaf = readLeaf(index);
            } catch (IOException e) {
                throw StoreException.of("read", path, e);
            }
            leaves.set(index, leaf);
        }
        return leaf;
    }

    private long[] known(int page) {
        long[] leaf = leaves.get(page / PageIndex.LEAF_PAGES);
        if (leaf == null) {
            throw new IllegalStateException("the leaf of page " + page + " was not read");
        }
        return leaf;
    }

    /** Where a leaf is; 0 for one of zero pages. */
    long leafPosition(int index) {
        return root.getLong(index * PageIndex.ROOT_ENTRY_BYTES);
    }

    int leafSource(int index) {
        return root.getInt(index * PageIndex.ROOT_ENTRY_BYTES + Long.BYTES);
    }

    int leafCrc(int index) {
        return root.getInt(index * PageIndex.ROOT_ENTRY_BYTES + Long.BYTES + Integer.BYTES);
    }

    /** The files that pages and leaves are in, this segment's own first, with how many there are. */
    List<PageIndex.Source> sources() {
        var list = new ArrayList<PageIndex.Source>(sources.size());
        PageIndex.Source own = sources.getFirst().source;
        list.add(new PageIndex.Source(own.ref(), own.region(), own.bytes(), own.crc(),
                tail.ownPages(), tail.ownLeaves()));
        list.addAll(tail.sources());
        return list;
    }

    /**
     * Reads what is not known yet of the leaves in a range, those that lie near each other in a file by one call. Later calls
     * of {@link #leaf} for these then read nothing.
     *
     * @param from the first
     * @param to the one after the last
     * @param wanted which of them
     */
    void readLeaves(int from, int to, IntPredicate wanted) throws StoreException {
        try {
            int[] unread = unreadBySource(from, to, wanted);
            var window = ByteBuffer.allocate(
                    (int) Math.min(LEAF_WINDOW_BYTES,
                            unread.length * (long) (PageIndex.LEAF_BYTES + LEAF_GAP_BYTES_MAX)))
                    .order(Envelope.BYTE_ORDER);
            int next = 0;
            while (next < unread.length) {
                next = readRun(unread, next, window);
            }
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        }
    }

    /** Leaves to be read, file by file; those of a file in ascending order, in which they were written. */
    private int[] unreadBySource(int from, int to, IntPredicate wanted) throws StoreException {
        int[] unread = IntStream.range(from, to)
                .filter(index -> leafPosition(index) != 0 && leaves.get(index) == null)
                .filter(wanted).toArray();
        var starts = new int[sources.size() + 1];
        for (int index : unread) {
            starts[checkedSource(index) + 1]++;
        }
        for (int number = 1; number < starts.length; number++) {
            starts[number] += starts[number - 1];
        }
        var ordered = new int[unread.length];
        for (int index : unread) {
            ordered[starts[leafSource(index)]++] = index;
        }
        return ordered;
    }

    /** Reads as many leaves from {@code ordered[first]} on as one call may; answers where the rest begins. */
    private int readRun(int[] ordered, int first, ByteBuffer window) throws IOException {
        int number = checkedSource(ordered[first]);
        long start = leafPosition(ordered[first]);
        long end = start + PageIndex.LEAF_BYTES;
        int next = first + 1;
        while (next < ordered.length && leafSource(ordered[next]) == number) {
            long position = leafPosition(ordered[next]);
            long nextEnd = position + PageIndex.LEAF_BYTES;
            if (position < end || position - end > LEAF_GAP_BYTES_MAX
                    || nextEnd - start > window.capacity()) {
                break;
            }
            end = nextEnd;
            next++;
        }
        SourceFile source = source(number);
        read(source, start, window.clear().limit((int) (end - start)));
        for (int i = first; i < next; i++) {
            int index = ordered[i];
            leaves.set(index, decoded(index, source, window,
                    (int) (leafPosition(index) - start)));
        }
        return next;
    }

    private long[] readLeaf(int index) throws IOException {
        long position = leafPosition(index);
        if (position == 0) {
            return new long[PageIndex.LEAF_LONGS];
        }
        SourceFile source = source(checkedSource(index));
        ByteBuffer bytes = ByteBuffer.allocate(PageIndex.LEAF_BYTES).order(Envelope.BYTE_ORDER);
        read(source, position, bytes);
        return decoded(index, source, bytes, 0);
    }

    /** In which source a leaf is, once the root's entry is known to make sense. */
    private int checkedSource(int index) throws StoreException {
        long position = leafPosition(index);
        int number = leafSource(index);
        long rootEntry = tail.rootPosition() + (long) index * PageIndex.ROOT_ENTRY_BYTES;
        if (number < 0 || number >= sources.size()) {
            throw new DamagedSegmentException(path, rootEntry,
                    "leaf " + index + " is in source " + number + " of " + sources.size());
        }
        SourceFile source = sources.get(number);
        if (position < MemoryFormat.BLOCK_BYTES
                || position > source.source.bytes() - PageIndex.LEAF_BYTES) {
            throw new DamagedSegmentException(path, rootEntry, "leaf " + index + " is at "
                    + position + ", outside of " + pathOf(source));
        }
        return number;
    }

    /** A leaf from the bytes at {@code offset}, wherever the buffer's position is. */
    private long[] decoded(int index, SourceFile source, ByteBuffer bytes, int offset)
            throws IOException {
        long position = leafPosition(index);
        int[] numbers = numbers(source);
        int actual = PageIndex.crc(bytes, offset, PageIndex.LEAF_BYTES);
        if (actual != leafCrc(index)) {
            throw new DamagedSegmentException(pathOf(source), position,
                    "leaf " + index + ": " + Envelope.mismatch(leafCrc(index), actual));
        }
        var leaf = new long[PageIndex.LEAF_LONGS];
        bytes.clear().position(offset);
        bytes.asLongBuffer().get(leaf);
        for (int entry = 0; entry < PageIndex.LEAF_LONGS; entry += 2) {
            leaf[entry + 1] = translated(leaf, entry, numbers, source,
                    position + (long) entry * Long.BYTES);
        }
        return leaf;
    }

    /** An entry with the number that its file has here, once it is known to make sense. */
    private long translated(long[] leaf, int entry, int[] numbers, SourceFile in, long position)
            throws StoreException {
        long place = leaf[entry];
        long content = leaf[entry + 1];
        int length = PageIndex.length(place);
        if (place == 0 && content == 0) {
            return 0;
        }
        int local = PageIndex.source(content);
        boolean known = local >= 0 && local < numbers.length && numbers[local] >= 0;
        if (!known || !PageIndex.isPlace(place)
                || PageIndex.position(place) > sources.get(numbers[local]).source.bytes()
                        - length) {
            throw new DamagedSegmentException(pathOf(in), position, "that is no place of a page: "
                    + length + " bytes at " + PageIndex.position(place) + " of source " + local);
        }
        return PageIndex.content(PageIndex.crc(content), numbers[local]);
    }

    private int[] numbers(SourceFile source) throws IOException {
        synchronized (source) {
            int[] known = source.numbers;
            if (known != null) {
                return known;
            }
            PageIndex.Tail of = PageIndex.read(pathOf(source), open(source),
                    source.source.bytes(), source.source.crc(), tail.leafCount());
            int[] numbers = new int[of.sources().size() + 1];
            numbers[0] = sources.indexOf(source);
            for (int i = 0; i < of.sources().size(); i++) {
                numbers[i + 1] = numberOf(of.sources().get(i));
            }
            source.numbers = numbers;
            return numbers;
        }
    }

    /** −1 for what this segment does not need: no entry may name it. */
    private int numberOf(PageIndex.Source source) {
        for (int i = 0; i < sources.size(); i++) {
            if (sources.get(i).source.sameFile(source)) {
                return i;
            }
        }
        return -1;
    }

    // ---- the files ----

    private SourceFile source(int number) throws StoreException {
        SourceFile source = sources.get(number);
        open(source);
        return source;
    }

    private StoreFile open(SourceFile source) throws StoreException {
        synchronized (source) {
            StoreFile known = source.file;
            if (known != null) {
                return known;
            }
            try {
                source.path = finder.find(source.source.ref(), source.source.region());
                StoreFile opened = files.openToRead(source.path);
                try {
                    checkSize(source, opened.size());
                    source.file = opened;
                } finally {
                    if (source.file == null) {
                        opened.close();
                    }
                }
                return opened;
            } catch (IOException e) {
                throw StoreException.of("read", pathOf(source), e);
            }
        }
    }

    private void checkSize(SourceFile source, long size) throws StoreException {
        if (size != source.source.bytes()) {
            throw new DamagedSegmentException(pathOf(source),
                    Math.min(size, source.source.bytes()), "it has " + size + " bytes, and "
                            + path + " says " + source.source.bytes());
        }
    }

    /** For messages: this segment's own where that of the source is not known yet. */
    private Path pathOf(SourceFile source) {
        synchronized (source) {
            Path known = source.path;
            return known == null ? path : known;
        }
    }

    private void read(SourceFile source, long position, ByteBuffer target) throws StoreException {
        StoreFile file = open(source);
        int before = target.position();
        try {
            file.read(position, target);
        } catch (IOException e) {
            throw StoreException.of("read", pathOf(source), e);
        }
        if (target.hasRemaining()) {
            throw new DamagedSegmentException(pathOf(source),
                    position + target.position() - before, "it ends there while it is being read");
        }
    }

    @Override
    public void close() throws StoreException {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        IOException first = null;
        for (SourceFile source : sources) {
            synchronized (source) {
                StoreFile file = source.file;
                if (file != null) {
                    try {
                        file.close();
                    } catch (IOException e) {
                        first = first == null ? e : first;
                    }
                }
            }
        }
        onClose.run();
        if (first != null) {
            throw StoreException.of("close", path, first);
        }
    }

    private void checkPage(int page) {
        if (page < 0 || page >= pageCount) {
            throw new IllegalArgumentException(
                    "page " + page + " of a region of " + pageCount + " pages");
        }
        if (closed) {
            throw new IllegalStateException("the pages of " + path + " are closed");
        }
    }
}
