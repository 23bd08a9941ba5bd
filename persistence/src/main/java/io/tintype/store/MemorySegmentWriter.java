package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Writes the pages of one memory region of one checkpoint, in any order, each page once. A page
 * that is never appended is, in the stored checkpoint, what the parent shows of it; without a
 * parent it is zero.
 *
 * <p>A page of zeros takes no room. One whose content this file has already, or the parent shows
 * anywhere, is stored as a pointer to that; equal means compared byte by byte, not only by
 * checksum. Others are compressed where samples say that it pays.
 *
 * <p>Any thread, one at a time; writers of one checkpoint and of many may be in use at once. A call
 * may block on the disk. Memory held: a buffer of 1 MiB from the first {@link #append} after a
 * {@link #sync} to the next, and about 40 bytes for each page appended.
 *
 * <p>The first failure is the last: every later call throws it again, and the checkpoint can only
 * be aborted.
 */
public final class MemorySegmentWriter implements CheckpointSink.PageSink {
    private static final MemorySegment ZEROS =
            Arena.ofAuto().allocate(MemoryFormat.PAGE_BYTES, MemoryFormat.PAGE_BYTES).asReadOnly();

    /**
     * A compressed page has to come down to a third. What shrinks that much is compressed in about the time that writing the
     * rest would take; what shrinks by half costs three times as much.
     */
    private static final int COMPRESSED_BYTES_MAX = MemoryFormat.PAGE_BYTES / 3;

    /** After so many pages that did not shrink only one in as many is tried, and so on up to … */
    private static final int SKIP_MIN = 4;
    /** … one in 64: a page that is tried in vain costs as much as one that is stored. */
    private static final int SKIP_MAX = 64;

    private final StagedCheckpoint checkpoint;
    private final int region;
    private final int pageCount;
    private final ChunkBuffer.Pool buffers;
    private final PageCodec.Pool codecs;
    private final Path path;
    private final StoreFile file;
    private final @Nullable Base base;
    private final CRC32C crc = new CRC32C();
    private final BitSet appended = new BitSet();
    /** Leaves with pages that were appended: two longs a page, sources by their number in the base + 1. */
    private final long[] @Nullable [] changed;
    private PageContents contents = new PageContents();
    private @Nullable ChunkBuffer buffer;
    private @Nullable PageCodec codec;
    /** Where in the file the buffer will be written. */
    private long position;
    private int buffered;
    private int headerCrc;
    private int skip;
    private int skipLeft;
    private List<PageIndex.Source> sources = List.of();
    // Volatile: progress may be asked for while another thread writes.
    private volatile long dataPages;
    private volatile long zeroPages;
    private volatile long storedBytes;
    private boolean closed;

    /**
     * What a segment stands on.
     *
     * @param pages the parent's, which this owns
     * @param contents what the parent shows where; not changed
     */
    record Base(CheckpointRef ref, IndexedPages pages, PageContents contents)
            implements
                AutoCloseable {
        @Override
        public void close() throws StoreException {
            pages.close();
        }
    }

    MemorySegmentWriter(StagedCheckpoint checkpoint, int region, int pageCount,
            ChunkBuffer.Pool buffers, PageCodec.Pool codecs, Path path, StoreFile file,
            @Nullable Base base) {
        this.checkpoint = checkpoint;
        this.region = region;
        this.pageCount = pageCount;
        this.buffers = buffers;
        this.codecs = codecs;
        this.path = path;
        this.file = file;
        this.base = base;
        this.changed = new long[PageIndex.leafCount(pageCount)][];
    }

    /**
     * Whether pages that are not appended are those of the parent. If not, they are zero, and all
     * others must be appended.
     */
    @Override
    public boolean isIncremental() {
        return base != null;
    }

    /**
     * Takes a copy of the 4096 bytes at {@code offset} of {@code source}, which nobody changes
     * meanwhile.
     *
     * @param page from 0 to the region's page count − 1, and not appended before
     */
    @Override
    public synchronized void append(int page, MemorySegment source, long offset)
            throws StoreException {
        checkpoint.checkUsable();
        if (page < 0 || page >= pageCount) {
            throw new IllegalArgumentException(
                    "page " + page + " of a region of " + pageCount + " pages");
        }
        if (appended.get(page)) {
            throw new IllegalArgumentException("page " + page + " was appended before");
        }
        if (isZero(source, offset)) {
            enter(page, 0, 0);
            count(true);
            return;
        }
        try {
            appendData(page, source, offset);
        } catch (IOException e) {
            throw failed(e);
        }
        count(false);
    }

    private void appendData(int page, MemorySegment source, long offset) throws IOException {
        ChunkBuffer target = buffer();
        MemorySegment bytes = target.segment();
        MemorySegment.copy(source, offset, bytes, buffered, MemoryFormat.PAGE_BYTES);
        // Of the copy, which is what is written.
        int pageCrc = MemoryFormat.crc(crc, target, buffered, MemoryFormat.PAGE_BYTES);
        if (enterEqual(page, pageCrc, bytes)) {
            return;
        }
        long place = PageIndex.place(position + buffered, MemoryFormat.PAGE_BYTES);
        if (isWorthATry()) {
            int frameBytes = codec().compress(
                    target.range(0, buffered + MemoryFormat.PAGE_BYTES), buffered,
                    COMPRESSED_BYTES_MAX);
            tried(frameBytes != 0);
            if (frameBytes != 0) {
                place = PageIndex.placeOfFrame(position + buffered, frameBytes);
                MemorySegment.copy(codec().page(), 0, bytes, buffered, frameBytes);
                bytes.set(MemoryFormat.INT, buffered + (long) frameBytes,
                        MemoryFormat.crc(crc, target, buffered, frameBytes));
            }
        }
        int length = PageIndex.length(place);
        enter(page, place, PageIndex.content(pageCrc, 0));
        contents.put(pageCrc, page);
        buffered += length;
        addStored(length);
        if (buffered > MemoryFormat.CHUNK_BYTES_MAX - MemoryFormat.PAGE_BYTES) {
            flush(target);
        }
    }

    // ---- equal contents ----

    /** Whether the page, which lies at the end of the buffer, is stored already; then it is entered. */
    private boolean enterEqual(int page, int pageCrc, MemorySegment bytes) throws IOException {
        int twin = contents.find(pageCrc);
        if (twin != PageContents.NOTHING) {
            long[] leaf = changedLeaf(twin);
            int entry = twin % PageIndex.LEAF_PAGES * 2;
            long place = leaf[entry];
            long content = leaf[entry + 1];
            if (PageIndex.crc(content) == pageCrc && isEqualOwn(bytes, place, content)) {
                enter(page, place, content);
                return true;
            }
        }
        Base under = base;
        if (under != null) {
            twin = under.contents().find(pageCrc);
            if (twin != PageContents.NOTHING && twin < pageCount) {
                long[] leaf = leafBelow(under, twin / PageIndex.LEAF_PAGES);
                int entry = twin % PageIndex.LEAF_PAGES * 2;
                long place = leaf[entry];
                long content = leaf[entry + 1];
                if (PageIndex.length(place) != 0 && PageIndex.crc(content) == pageCrc
                        && isEqualBelow(under, twin, place, content, bytes)) {
                    enter(page, place, content + (1L << 32));
                    return true;
                }
            }
        }
        return false;
    }

    private boolean isEqualOwn(MemorySegment bytes, long place, long content) throws IOException {
        Base under = base;
        int source = PageIndex.source(content);
        if (source > 0) {
            // A page of this checkpoint that was found to be one of the parent's.
            return under != null
                    && isEqualBelow(under, 0, place, content - (1L << 32), bytes);
        }
        long at = PageIndex.position(place);
        int length = PageIndex.length(place);
        int frameBytes = PageIndex.frameBytes(place);
        PageCodec with = codec();
        if (at >= position) {
            int offset = (int) (at - position);
            if (length == MemoryFormat.PAGE_BYTES) {
                return isSame(bytes, offset, bytes);
            }
            return with.decompress(buffer().range(0, buffered), offset, frameBytes)
                    && isSame(with.page(), 0, bytes);
        }
        ByteBuffer input = with.input().limit(length);
        file.read(at, input);
        if (input.hasRemaining()) {
            return false;
        }
        return length == MemoryFormat.PAGE_BYTES
                ? isSame(MemorySegment.ofBuffer(with.input()), 0, bytes)
                : with.decompress(with.input(), 0, frameBytes) && isSame(with.page(), 0, bytes);
    }

    private boolean isEqualBelow(Base under, int page, long place, long content,
            MemorySegment bytes) throws StoreException {
        var found = MemorySegment.ofBuffer(codec().input());
        try {
            under.pages().readPlace(page, place, content, found, 0);
        } catch (StoreException _) {
            // Then it is stored anew, all the better.
            return false;
        }
        return isSame(found, 0, bytes);
    }

    /** Of the parent; if it cannot be read, this checkpoint fails and no other is built on that parent. */
    private long[] leafBelow(Base under, int index) throws StoreException {
        try {
            return under.pages().leaf(index);
        } catch (StoreException e) {
            checkpoint.distrust(under.ref());
            throw e;
        }
    }

    private boolean isSame(MemorySegment found, long offset, MemorySegment bytes) {
        return MemorySegment.mismatch(found, offset, offset + MemoryFormat.PAGE_BYTES, bytes,
                buffered, buffered + (long) MemoryFormat.PAGE_BYTES) < 0;
    }

    // ---- what to compress ----

    private boolean isWorthATry() {
        if (skipLeft > 0) {
            skipLeft--;
            return false;
        }
        return true;
    }

    private void tried(boolean hasShrunk) {
        skip = hasShrunk ? 0 : Math.clamp(2L * skip, SKIP_MIN, SKIP_MAX);
        skipLeft = skip;
    }

    // ---- the index ----

    private void enter(int page, long place, long content) {
        long[] leaf = changedLeaf(page);
        int entry = page % PageIndex.LEAF_PAGES * 2;
        leaf[entry] = place;
        leaf[entry + 1] = content;
        appended.set(page);
    }

    private long[] changedLeaf(int page) {
        int index = page / PageIndex.LEAF_PAGES;
        long[] leaf = changed[index];
        if (leaf == null) {
            leaf = new long[PageIndex.LEAF_LONGS];
            changed[index] = leaf;
        }
        return leaf;
    }

    /**
     * Makes durable what was appended so far and lets go of the buffer; to be called when the next
     * page is some time away. May be called any number of times.
     */
    @Override
    public synchronized void sync() throws StoreException {
        checkpoint.checkUsable();
        try {
            flushAndRelease();
            file.force();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** Pages appended, the zero ones included. */
    public long pages() {
        return dataPages + zeroPages;
    }

    /** How many of {@link #pages} are zero and take no room for data. */
    public long zeroPages() {
        return zeroPages;
    }

    /** Bytes that the pages appended take in the file; the index adds to that. */
    public long bytes() {
        return storedBytes;
    }

    int pageCount() {
        return pageCount;
    }

    synchronized void begin(long checkpointId) throws IOException {
        headerCrc = MemoryHeader.write(file, region, pageCount, checkpointId);
        position = MemoryFormat.BLOCK_BYTES;
    }

    /** Writes the rest and makes everything durable; no call but {@link #close} may follow. */
    synchronized Manifest.Segment finish() throws IOException {
        flushAndRelease();
        ByteBuffer end = writeIndex();
        int tailCrc = end.getInt(end.limit() - Integer.BYTES);
        file.write(position, end);
        position += end.limit();
        file.force();
        return new Manifest.Segment(MemoryFormat.name(region), position, tailCrc);
    }

    /** The parent that pages were left to, if any were or could have been. */
    @Nullable
    CheckpointRef parent() {
        Base under = base;
        return under == null ? null : under.ref();
    }

    /** The files of other checkpoints that the finished index needs. */
    List<PageIndex.Source> sources() {
        return sources;
    }

    /** What the finished segment shows where. */
    PageContents takeContents() {
        Base under = base;
        return under == null ? contents : under.contents().under(contents);
    }

    private ByteBuffer writeIndex() throws IOException {
        List<PageIndex.Source> below = base == null ? List.of() : base.pages().sources();
        var pages = new int[below.size() + 1];
        var leaves = new int[below.size() + 1];
        for (int i = 0; i < below.size(); i++) {
            pages[i + 1] = below.get(i).pages();
            leaves[i + 1] = below.get(i).leaves();
        }
        readBelow();
        for (int index = 0; index < changed.length; index++) {
            long[] leaf = changed[index];
            if (leaf != null) {
                merge(index, leaf, pages, leaves);
            }
        }
        // Numbers without gaps, for those files alone that something is still in.
        var numbers = new int[below.size() + 1];
        var needed = new ArrayList<PageIndex.Source>();
        for (int i = 0; i < below.size(); i++) {
            if (pages[i + 1] > 0 || leaves[i + 1] > 0) {
                PageIndex.Source source = below.get(i);
                needed.add(new PageIndex.Source(source.ref(), source.region(), source.bytes(),
                        source.crc(), pages[i + 1], leaves[i + 1]));
                numbers[i + 1] = needed.size();
            }
        }
        sources = List.copyOf(needed);
        ByteBuffer root = writeLeaves(numbers);
        long rootPosition = position;
        int rootCrc = PageIndex.crc(root, 0, root.limit());
        ByteBuffer end = PageIndex.write(new PageIndex.Tail(rootPosition, changed.length, rootCrc,
                headerCrc, sources, pages[0], leaves[0], 0));
        return ByteBuffer.allocate(root.limit() + end.limit()).order(Envelope.BYTE_ORDER)
                .put(root).put(end).flip();
    }

    /** The parent's leaves of which some pages have changed. */
    private void readBelow() throws StoreException {
        Base under = base;
        if (under == null) {
            return;
        }
        try {
            under.pages().readLeaves(0, changed.length, index -> changed[index] != null);
        } catch (StoreException e) {
            checkpoint.distrust(under.ref());
            throw e;
        }
    }

    /** Completes a changed leaf with what the parent has there, and counts what moves from file to file. */
    private void merge(int index, long[] leaf, int[] pages, int[] leaves) throws IOException {
        Base under = base;
        if (under != null && under.pages().leafPosition(index) != 0) {
            long[] old = leafBelow(under, index);
            leaves[under.pages().leafSource(index) + 1]--;
            for (int i = 0; i < PageIndex.LEAF_PAGES; i++) {
                if (PageIndex.length(old[2 * i]) == 0) {
                    continue;
                }
                if (appended.get(index * PageIndex.LEAF_PAGES + i)) {
                    pages[PageIndex.source(old[2 * i + 1]) + 1]--;
                } else {
                    leaf[2 * i] = old[2 * i];
                    leaf[2 * i + 1] = old[2 * i + 1] + (1L << 32);
                }
            }
        }
        boolean any = false;
        for (int i = 0; i < PageIndex.LEAF_PAGES; i++) {
            if (PageIndex.length(leaf[2 * i]) != 0) {
                any = true;
                if (appended.get(index * PageIndex.LEAF_PAGES + i)) {
                    pages[PageIndex.source(leaf[2 * i + 1])]++;
                }
            }
        }
        leaves[0] += any ? 1 : 0;
    }

    /** Answers the root. */
    private ByteBuffer writeLeaves(int[] numbers) throws IOException {
        var root = ByteBuffer.allocate(
                Math.multiplyExact(changed.length, PageIndex.ROOT_ENTRY_BYTES))
                .order(Envelope.BYTE_ORDER);
        var out = ByteBuffer.allocate(256 * PageIndex.LEAF_BYTES).order(Envelope.BYTE_ORDER);
        for (int index = 0; index < changed.length; index++) {
            long[] leaf = changed[index];
            if (leaf == null) {
                enterUnchanged(root, index, numbers);
                continue;
            }
            boolean any = false;
            int start = out.position();
            for (int i = 0; i < PageIndex.LEAF_LONGS; i += 2) {
                boolean stored = PageIndex.length(leaf[i]) != 0;
                any |= stored;
                out.putLong(leaf[i]).putLong(stored
                        ? PageIndex.content(PageIndex.crc(leaf[i + 1]),
                                numbers[PageIndex.source(leaf[i + 1])])
                        : 0);
            }
            if (!any) {
                out.position(start);
                root.putLong(0).putLong(0);
                continue;
            }
            root.putLong(position + start).putInt(0)
                    .putInt(PageIndex.crc(out, start, PageIndex.LEAF_BYTES));
            if (!out.hasRemaining()) {
                writeOut(out);
            }
        }
        writeOut(out);
        return root.flip();
    }

    private void enterUnchanged(ByteBuffer root, int index, int[] numbers) {
        Base under = base;
        if (under == null || under.pages().leafPosition(index) == 0) {
            root.putLong(0).putLong(0);
        } else {
            root.putLong(under.pages().leafPosition(index))
                    .putInt(numbers[under.pages().leafSource(index) + 1])
                    .putInt(under.pages().leafCrc(index));
        }
    }

    private void writeOut(ByteBuffer out) throws IOException {
        int bytes = out.flip().limit();
        if (bytes > 0) {
            file.write(position, out);
            position += bytes;
        }
        out.clear();
    }

    // ---- the file ----

    /** Frees what is held, whatever state it is in; waits for a call in progress. */
    synchronized void close() throws IOException {
        release();
        if (!closed) {
            closed = true;
            try (Base _ = base) {
                file.close();
            }
        }
    }

    private void flushAndRelease() throws IOException {
        ChunkBuffer filled = buffer;
        if (filled != null) {
            flush(filled);
            release();
        }
    }

    private void flush(ChunkBuffer filled) throws IOException {
        if (buffered > 0) {
            file.write(position, filled.range(0, buffered));
            position += buffered;
            buffered = 0;
        }
    }

    private ChunkBuffer buffer() {
        ChunkBuffer known = buffer;
        if (known == null) {
            known = buffers.take();
            buffer = known;
        }
        return known;
    }

    private PageCodec codec() {
        PageCodec known = codec;
        if (known == null) {
            known = codecs.take();
            codec = known;
        }
        return known;
    }

    private void release() {
        if (buffer != null) {
            buffers.give(buffer);
            buffer = null;
        }
        if (codec != null) {
            codecs.give(codec);
            codec = null;
        }
    }

    private StoreException failed(IOException cause) {
        return checkpoint.fail(StoreException.of("write", path, cause));
    }

    /**
     * Only under the monitor, so that reading and writing the volatile fields need not be one step.
     */
    @SuppressWarnings("NonAtomicVolatileUpdate")
    private void count(boolean zero) {
        if (zero) {
            zeroPages++;
        } else {
            dataPages++;
        }
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // as above
    private void addStored(int bytes) {
        storedBytes += bytes;
    }

    private static boolean isZero(MemorySegment source, long offset) {
        // Most pages with data differ in their first word, and need no call into the vector loop.
        if (source.get(ValueLayout.JAVA_LONG_UNALIGNED, offset) != 0) {
            return false;
        }
        return MemorySegment.mismatch(source, offset, offset + MemoryFormat.PAGE_BYTES,
                ZEROS, 0, MemoryFormat.PAGE_BYTES) < 0;
    }
}
