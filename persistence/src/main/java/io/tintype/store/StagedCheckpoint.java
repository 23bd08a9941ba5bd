package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.ImageDirectory;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint being written, seen by nobody until it is sealed.
 *
 * <pre>
 * Open --seal--> Sealed
 *   |  --abort, or a seal that fails--> Aborted
 * Open --a write or fsync fails--> Failed --abort--> Aborted
 * </pre>
 *
 * <p>Any thread. Calls may block on the disk; {@link #seal} and {@link #abort} wait for calls in
 * progress. Whoever began it ends it with one of the two, or closes it.
 */
public final class StagedCheckpoint implements CheckpointSink.Draft, AutoCloseable {
    static final String MANIFEST = "manifest";
    static final String MANIFEST_MAGIC = "TTMANIFE";
    static final int MANIFEST_VERSION = 1;
    static final String SEGMENT_MAGIC = "TTSEGMNT";
    static final int SEGMENT_VERSION = 1;

    private static final Pattern SEGMENT_NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");

    /** What ended it, as an exception for those who come later; none while it is open. */
    private final AtomicReference<@Nullable StoreException> ended = new AtomicReference<>();
    private final CheckpointStore store;
    private final StoreFiles files;
    private final CheckpointRef ref;
    private final Path directory;
    private final SortedMap<Integer, MemorySegmentWriter> writers = new TreeMap<>();
    private final Set<String> names = new TreeSet<>();
    private final List<Manifest.Segment> segments = new ArrayList<>();
    private boolean closed;

    StagedCheckpoint(CheckpointStore store, StoreFiles files, CheckpointRef ref, Path directory) {
        this.store = store;
        this.files = files;
        this.ref = ref;
        this.directory = directory;
    }

    public CheckpointRef ref() {
        return ref;
    }

    /**
     * The writer for one memory region; once for each region.
     *
     * @param region from 0, without gaps once all are begun
     */
    public MemorySegmentWriter memory(int region, int pageCount) throws StoreException {
        return memory(region, pageCount, null);
    }

    /**
     * The same for a region of which only the pages are appended that changed since {@code parent}.
     * Ask {@link MemorySegmentWriter#isIncremental} whether that will do: not if the parent is no
     * longer there, is of another form or damaged, or leans on too many others.
     *
     * @param parent a sealed checkpoint, the same for all regions; null: all pages are appended
     */
    @Override
    public synchronized MemorySegmentWriter memory(int region, int pageCount,
            @Nullable CheckpointRef parent) throws StoreException {
        checkUsable();
        if (region < 0 || pageCount < 0) {
            throw new IllegalArgumentException("region " + region + " of " + pageCount + " pages");
        }
        if (writers.containsKey(region)) {
            throw new IllegalArgumentException(
                    "region " + region + " of " + ref + " has its writer already");
        }
        Path path = directory.resolve(MemoryFormat.name(region));
        try {
            MemorySegmentWriter.Base base =
                    parent == null ? null : store.base(parent, region, pageCount);
            var writer = new MemorySegmentWriter(this, region, pageCount, store.buffers(),
                    store.codecs(), path, created(path, base), base);
            writers.put(region, writer);
            writer.begin(ref.id().value());
            return writer;
        } catch (IOException e) {
            throw fail(StoreException.of("write", path, e));
        }
    }

    private StoreFile created(Path path, MemorySegmentWriter.@Nullable Base base)
            throws IOException {
        try {
            return files.create(path);
        } catch (IOException e) {
            if (base != null) {
                base.close();
            }
            throw e;
        }
    }

    /** Fails, before anything is written, if there is no room for that many bytes. */
    @Override
    public void requireSpace(long bytes) throws StoreException {
        checkUsable();
        store.requireSpace(bytes);
    }

    /**
     * Stores some bytes under a name and makes them durable.
     *
     * @param name 1 to 63 lower-case letters, digits and hyphens, not "manifest" and not beginning
     *         with "memory-" or "disk-"; once each
     */
    public synchronized void putSegment(String name, byte[] payload) throws StoreException {
        checkUsable();
        if (!SEGMENT_NAME.matcher(name).matches() || name.equals(MANIFEST)
                || name.startsWith(MemoryFormat.NAME_PREFIX)
                || name.startsWith(StoredCheckpoint.DISK_PREFIX)) {
            throw new IllegalArgumentException("no name for a segment: \"" + name + "\"");
        }
        if (!names.add(name)) {
            throw new IllegalArgumentException(
                    "segment " + name + " of " + ref + " was put before");
        }
        byte[] wrapped = Envelope.wrap(SEGMENT_MAGIC, SEGMENT_VERSION, payload);
        writeWhole(directory.resolve(name), wrapped);
        segments.add(new Manifest.Segment(name, wrapped.length, Envelope.storedCrc(wrapped)));
    }

    @Override
    public void put(String name, CheckpointSink.Payload payload) throws IOException {
        putSegment(name, payload.bytes());
    }

    /** Where copies of disks are written: the checkpoint's own directory, until it is sealed or aborted. */
    @Override
    public ImageDirectory images() throws StoreException {
        checkUsable();
        return new StoreImages(files, directory);
    }

    /**
     * Adds a copy of a disk that was written to {@link #images} and is durable but for its name.
     *
     * @param name {@link StoredCheckpoint#diskName} of its index
     * @param bytes the file's size
     * @param crc its root checksum
     */
    @Override
    public synchronized void addDisk(String name, long bytes, int crc) throws StoreException {
        checkUsable();
        if (!name.startsWith(StoredCheckpoint.DISK_PREFIX) || !names.add(name)) {
            throw new IllegalArgumentException(
                    "no name for a disk, or one that was added before: \"" + name + "\"");
        }
        segments.add(new Manifest.Segment(name, bytes, crc));
    }

    /**
     * Makes everything durable, then the checkpoint visible, in one step; see
     * docs/checkpoint-store.md for the order. When this returns the checkpoint survives a loss of
     * power. When it throws, the checkpoint is aborted and nothing of it is left.
     *
     * @param manifest its parent, sources and segments are ignored and filled in; its regions are
     *         those that were written
     */
    @Override
    public synchronized Sealed seal(Manifest manifest) throws StoreException {
        boolean sealed = false;
        try {
            checkUsable();
            checkFits(manifest);
            Sealed result = writeManifest(manifest);
            // Before the parent's files are let go of: from now on nobody reclaims what this needs.
            store.lineage().add(result.manifest());
            closeWriters();
            store.publish(ref, directory);
            keepContents();
            ended.set(new StoreException("checkpoint " + ref + " is sealed"));
            sealed = true;
            return result;
        } catch (IOException e) {
            throw fail(StoreException.of("seal", directory, e));
        } finally {
            if (!sealed) {
                if (!store.mayBeThere(ref)) {
                    store.lineage().remove(ref);
                }
                abort();
            } else {
                closed = true;
                store.ended(this);
            }
        }
    }

    /**
     * Removes all that was written. Never fails: what cannot be removed now is removed when the
     * store is opened the next time. Does nothing after {@link #seal} or another abort.
     */
    @Override
    public synchronized void abort() {
        if (closed) {
            return;
        }
        closed = true;
        ended.compareAndSet(null, new StoreException("checkpoint " + ref + " was aborted"));
        try {
            closeWriters();
        } catch (IOException _) {
            // It is removed next, and was not to be kept.
        }
        try {
            FileTrees.delete(files, directory);
        } catch (IOException _) {
            // Left in the staging directory, which the next opening clears.
        }
        store.ended(this);
    }

    /** Aborts it unless it is sealed. */
    @Override
    public void close() {
        abort();
    }

    void checkUsable() throws StoreException {
        StoreException reason = ended.get();
        if (reason != null) {
            // A new one each time: an exception's stack trace belongs to one thread.
            throw new StoreException(String.valueOf(reason.getMessage()), reason);
        }
    }

    void distrust(CheckpointRef parent) {
        store.distrust(parent);
    }

    /**
     * Remembers the first failure, after which everything fails: an fsync that failed once may
     * succeed later and mean nothing.
     */
    StoreException fail(StoreException failure) {
        ended.compareAndSet(null, failure);
        return failure;
    }

    private Sealed writeManifest(Manifest manifest) throws IOException {
        long pages = 0;
        long zeroPages = 0;
        var all = new ArrayList<>(segments);
        for (MemorySegmentWriter writer : writers.values()) {
            all.add(writer.finish());
            pages += writer.pages() - writer.zeroPages();
            zeroPages += writer.zeroPages();
        }
        all.sort(Comparator.comparing(Manifest.Segment::name));
        Manifest stored = manifest.standingOn(parent(), sources()).withSegments(all);
        byte[] wrapped =
                Envelope.wrap(MANIFEST_MAGIC, MANIFEST_VERSION, ManifestJson.write(stored));
        writeWhole(directory.resolve(MANIFEST), wrapped);
        // The names of all these files, before the directory gets the name that makes them visible.
        files.syncDirectory(directory);
        long bytes = wrapped.length + all.stream().mapToLong(Manifest.Segment::bytes).sum();
        return new Sealed(stored, bytes, pages, zeroPages);
    }

    private @Nullable CheckpointRef parent() {
        for (MemorySegmentWriter writer : writers.values()) {
            CheckpointRef parent = writer.parent();
            if (parent != null) {
                return parent;
            }
        }
        return null;
    }

    private List<CheckpointRef> sources() {
        return writers.values().stream().flatMap(writer -> writer.sources().stream())
                .map(PageIndex.Source::ref).distinct().sorted().toList();
    }

    private void keepContents() {
        writers.forEach((region, writer) -> store.contents().put(ref, region,
                writer.takeContents()));
    }

    private void checkFits(Manifest manifest) {
        if (!manifest.ref().equals(ref)) {
            throw new IllegalArgumentException(
                    "the manifest of " + manifest.ref() + " for checkpoint " + ref);
        }
        var parents = writers.values().stream().map(MemorySegmentWriter::parent)
                .filter(Objects::nonNull).distinct().toList();
        if (parents.size() > 1) {
            throw new IllegalArgumentException(
                    "checkpoint " + ref + " stands on several others: " + parents);
        }
        var written = writers.values().stream()
                .map(writer -> new Manifest.Region(writer.pageCount())).toList();
        boolean gapless = writers.isEmpty() || writers.lastKey() == writers.size() - 1;
        if (!gapless || !manifest.regions().equals(written)) {
            throw new IllegalArgumentException(
                    "the manifest of " + ref + " has regions " + manifest.regions()
                            + ", written were " + written + " for regions " + writers.keySet());
        }
    }

    private void writeWhole(Path path, byte[] bytes) throws StoreException {
        try (StoreFile file = files.create(path)) {
            file.write(0, ByteBuffer.wrap(bytes));
            file.force();
        } catch (IOException e) {
            throw fail(StoreException.of("write", path, e));
        }
    }

    private void closeWriters() throws IOException {
        IOException first = null;
        for (MemorySegmentWriter writer : writers.values()) {
            try {
                writer.close();
            } catch (IOException e) {
                first = first == null ? e : first;
            }
        }
        if (first != null) {
            throw first;
        }
    }
}
