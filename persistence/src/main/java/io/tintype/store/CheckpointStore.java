package io.tintype.store;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * A directory of checkpoints, and of the disk images that they point to.
 *
 * <pre>
 * DIR/tintype-store              marks it as a store, with the version of this layout
 * DIR/lock                       locked while a process uses it
 * DIR/images/VM/disk-N/          a disk's chain, not looked into here
 * DIR/staging/VM.ID/             a checkpoint being written, or one being deleted
 * DIR/checkpoints/VM/ID/         a sealed checkpoint: manifest and segments
 * DIR/retired/VM.ID              an empty file: that one is deleted, and others still need its pages
 * </pre>
 *
 * <p>What always holds, whatever fails or crashes:
 * <ul>
 * <li>a directory under {@code checkpoints} is complete and durable by the time it gets its name,
 * and never changes;
 * <li>what is under {@code staging} when a store is opened belongs to nobody and is removed;
 * <li>a call that failed is not tried again, above all no write and no fsync.
 * </ul>
 *
 * <p>Any thread; several checkpoints may be written and read at once. All but {@link #list} may
 * block on the disk.
 */
public final class CheckpointStore implements CheckpointSink, AutoCloseable {
    /**
     * Less room than this and a checkpoint is not begun: 4 MiB, a few small segments and what a
     * file system needs itself.
     */
    public static final long SPACE_BYTES_MIN = 4 << 20;

    /** The file by which a directory is known for a store. */
    public static final String MARKER = StoreDirectory.MARKER;

    private static final long RESERVED_BYTES_MAX = 1 << 30;

    private final Path directory;
    private final StoreLayout layout;
    private final StoreFiles files;
    private final DiskDirectories images;
    private final TouchHints hints;
    private final Closeable lock;
    private final ChunkBuffer.Pool buffers = new ChunkBuffer.Pool();
    private final PageCodec.Pool codecs = new PageCodec.Pool();
    private final ContentCache contents = new ContentCache();
    private final Lineage lineage = new Lineage();
    /** Held by whoever removes something, so that nothing is removed twice. */
    private final Object housekeeping = new Object();
    /** Writing: {@code checkpoints/VM} is removed, being empty. Reading: a checkpoint gets its name there. */
    private final ReadWriteLock places = new ReentrantReadWriteLock();
    /** VMs of which this process made that directory's name durable. */
    private final Set<VmId> placed = ConcurrentHashMap.newKeySet();
    /** Checkpoints whose pages turned out to be damaged: nothing more is built on them. */
    private final Set<CheckpointRef> distrusted = ConcurrentHashMap.newKeySet();
    /** Checkpoints whose seal failed at its very end, and could not be undone. */
    private final Set<CheckpointRef> uncertain = ConcurrentHashMap.newKeySet();
    private final Set<CheckpointRef> sealed = new ConcurrentSkipListSet<>();
    /** Deleted, and still there: others need their pages. */
    private final Set<CheckpointRef> retired = new ConcurrentSkipListSet<>();
    private final Map<CheckpointRef, StagedCheckpoint> staged = new ConcurrentHashMap<>();
    /** The highest id of each VM that was begun, sealed or not, as far as this process knows. */
    private final Map<VmId, CheckpointId> newest = new ConcurrentHashMap<>();
    /** The names in the staging directory that belong to somebody. */
    private final Set<String> stagingInUse = ConcurrentHashMap.newKeySet();
    /** Names taken by {@link #claim} whose checkpoints have not begun. */
    private final Set<CheckpointRef> claimed = ConcurrentHashMap.newKeySet();
    private final boolean readOnly;
    /** What {@link #reservedSpace} came to; 0: not asked yet. */
    private volatile long reserved;
    private volatile boolean closed;

    private CheckpointStore(Path directory, StoreFiles files, Closeable lock, boolean readOnly) {
        this.directory = directory;
        this.layout = new StoreLayout(directory);
        this.files = files;
        this.images = new DiskDirectories(files, layout);
        this.hints = new TouchHints(files, layout);
        this.lock = lock;
        this.readOnly = readOnly;
    }

    /**
     * Opens a store, making one where there is nothing or an empty directory, and removes what a
     * crash left half-written. When it throws, everything is as it was before.
     */
    public static CheckpointStore open(Path directory) throws StoreException {
        return open(directory, StoreFiles.onDisk());
    }

    /** The same on another file system. */
    public static CheckpointStore open(Path directory, StoreFiles files) throws StoreException {
        Path absolute = directory.toAbsolutePath().normalize();
        var place = new StoreDirectory(absolute, files);
        Closeable lock = place.openAndLock(List.of(StoreLayout.IMAGES, StoreLayout.STAGING,
                StoreLayout.CHECKPOINTS));
        var store = new CheckpointStore(absolute, files, lock, false);
        boolean opened = false;
        try {
            store.clearStaging();
            store.findAll();
            opened = true;
            return store;
        } finally {
            if (!opened) {
                place.undo(lock);
            }
        }
    }

    /**
     * Opens a store to look at it: takes no lock, creates and changes nothing, and sees the checkpoints that are sealed at this
     * moment. Another process may use the store meanwhile; what it deletes then is missing here, which {@link
     * #open(CheckpointRef)} and reading say in one line.
     *
     * @throws StoreException when there is no store of a version known here
     */
    public static CheckpointStore openReadOnly(Path directory) throws StoreException {
        return openReadOnly(directory, StoreFiles.onDisk());
    }

    /** The same on another file system. */
    public static CheckpointStore openReadOnly(Path directory, StoreFiles files)
            throws StoreException {
        Path absolute = directory.toAbsolutePath().normalize();
        new StoreDirectory(absolute, files).requireStore();
        var store = new CheckpointStore(absolute, files, () -> {}, true);
        store.findAll();
        return store;
    }

    /**
     * Looks whether {@link #open(Path)} would do at this moment, and creates and changes nothing.
     *
     * @throws StoreException what that would throw, or that there is no room for any checkpoint
     */
    public static void requireUsable(Path directory) throws StoreException {
        requireUsable(directory, StoreFiles.onDisk());
    }

    /** The same on another file system. */
    public static void requireUsable(Path directory, StoreFiles files) throws StoreException {
        Path absolute = directory.toAbsolutePath().normalize();
        var place = new StoreDirectory(absolute, files);
        place.requireUsable();
        if (place.exists()) {
            try (var look = openReadOnly(absolute, files)) {
                look.requireSpace(0);
            }
        }
    }

    /**
     * Loads the native library that pages are compressed with. Otherwise whoever reads or writes the first page of a process waits
     * for it, the strand of a restored VM before its first instruction above all. Blocks for some ten milliseconds; any thread,
     * any number of times.
     */
    public static void loadCodec() {
        PageCodec.load();
    }

    /** Absolute; what a manifest's paths are relative to. */
    public Path directory() {
        return directory;
    }

    /**
     * The directory {@code images/VM/disk-N} for the images of one disk; it is made, durably, if it
     * is not there.
     */
    public Path imagesDirectory(VmId vm, int disk) throws StoreException {
        if (disk < 0) {
            throw new IllegalArgumentException("disk indices start at 0, got " + disk);
        }
        checkWritable();
        Path ofVm = layout.images().resolve(vm.value());
        Path ofDisk = ofVm.resolve("disk-" + disk);
        try {
            makeDurably(layout.images(), ofVm);
            makeDurably(ofVm, ofDisk);
            return ofDisk;
        } catch (IOException e) {
            throw StoreException.of("create", ofDisk, e);
        }
    }

    /**
     * Begins a checkpoint, which is then sealed or aborted.
     *
     * @throws IllegalArgumentException if that name was used before, even by a checkpoint that was
     *         aborted; {@link #nextId} answers one that was not
     */
    @Override
    public StagedCheckpoint begin(CheckpointRef ref) throws StoreException {
        return begin(ref, 0);
    }

    /**
     * The same for a checkpoint of about that many bytes: fails now if there is no room for them,
     * rather than later.
     */
    public StagedCheckpoint begin(CheckpointRef ref, long expectedBytes) throws StoreException {
        boolean isClaimed = claimed.remove(ref);
        checkWritable();
        requireSpace(expectedBytes);
        if (!isClaimed) {
            claimNewest(ref);
        }
        Path path = layout.stagedAt(ref);
        stagingInUse.add(StoreLayout.stagingName(ref));
        try {
            files.createDirectory(path);
        } catch (IOException e) {
            stagingInUse.remove(StoreLayout.stagingName(ref));
            throw StoreException.of("create", path, e);
        }
        var checkpoint = new StagedCheckpoint(this, files, ref, path);
        staged.put(ref, checkpoint);
        if (closed) {
            // It was closed after the first look, and may have missed this one.
            checkpoint.abort();
            checkOpen();
        }
        return checkpoint;
    }

    /**
     * An id greater than all that this store holds of that VM and all begun in this process; 1 for
     * a VM not known.
     */
    public CheckpointId nextId(VmId vm) {
        CheckpointId last = newest.get(vm);
        return new CheckpointId(last == null ? 1 : last.value() + 1);
    }

    /**
     * All sealed checkpoints, in order of VM, then of id; also those whose damage only {@link
     * #open(CheckpointRef)} finds.
     */
    public List<CheckpointRef> list() {
        return List.copyOf(sealed);
    }

    /**
     * Opens a sealed checkpoint: reads its manifest, and looks whether all files are there in their
     * full length.
     */
    public StoredCheckpoint open(CheckpointRef ref) throws StoreException {
        checkOpen();
        checkSealed(ref);
        return StoredCheckpoint.open(this, files, layout.sealedAt(ref), ref);
    }

    /**
     * What a sealed checkpoint's manifest says, whether or not all else that it needs is there.
     *
     * @throws StoreException if the manifest is damaged or of a newer version
     */
    public Manifest manifest(CheckpointRef ref) throws StoreException {
        checkOpen();
        checkSealed(ref);
        return StoredCheckpoint.readManifest(files, layout.sealedAt(ref), ref);
    }

    /**
     * The sealed checkpoints that have this one as their parent, in order. The first call reads the
     * manifests of all.
     */
    public List<CheckpointRef> children(CheckpointRef ref) throws StoreException {
        checkOpen();
        readLineage();
        return lineage.children(ref).stream().filter(sealed::contains).toList();
    }

    /**
     * Deletes a sealed checkpoint that has no children. Its disks' layers are not touched. Once this
     * has begun it is not listed any more, whether or not it succeeds; after a failure it may be
     * there again when the store is opened the next time.
     *
     * @throws StoreException if it has children; nothing was changed then
     */
    public void delete(CheckpointRef ref) throws StoreException {
        checkSealed(ref);
        List<CheckpointRef> children = children(ref);
        if (!children.isEmpty()) {
            throw new StoreException("checkpoint " + ref + " has " + children.size()
                    + (children.size() == 1 ? " child, " : " children, ") + names(children)
                    + "; delete these first, or all of them together with --cascade");
        }
        remove(ref);
    }

    /**
     * Deletes a sealed checkpoint and all that descend from it, also those of other VMs, the
     * youngest first: what a failure leaves is whole.
     *
     * @return those that were deleted, in that order
     */
    public List<CheckpointRef> deleteWithDescendants(CheckpointRef ref) throws StoreException {
        checkSealed(ref);
        var doomed = new ArrayList<>(List.of(ref));
        for (int i = 0; i < doomed.size(); i++) {
            doomed.addAll(children(doomed.get(i)));
        }
        Collections.reverse(doomed);
        for (CheckpointRef next : doomed) {
            remove(next);
        }
        return doomed;
    }

    /**
     * Takes a sealed checkpoint off the list and leaves its children as they are: what they need of
     * its files stays until the last of them is gone, and is then removed with it, or by {@link
     * #gc}. Failures as of {@link #delete}.
     */
    public void drop(CheckpointRef ref) throws StoreException {
        checkWritable();
        checkSealed(ref);
        requireNoDiskOn(ref);
        readLineage();
        remove(ref);
    }

    /**
     * Reclaims what nobody needs: what is left of deleted checkpoints, of aborted ones, and of
     * removals that were interrupted. May run beside everything else, be stopped at any point, and
     * be repeated. Disk images are left alone, see {@link
     * #gcImages}.
     *
     * @throws StoreException if something could not be removed; the rest was tried
     */
    public GcReport gc() throws StoreException {
        checkWritable();
        return gc(false);
    }

    /** What {@link #gc} would remove now; changes nothing, and works on a store that was opened to be looked at. */
    public GcReport leftovers() throws StoreException {
        checkOpen();
        return gc(true);
    }

    private GcReport gc(boolean isDryRun) throws StoreException {
        synchronized (housekeeping) {
            List<CheckpointRef> unreadable = readLineage();
            var sweep = new Sweep(files, isDryRun);
            if (unreadable.isEmpty()) {
                retired.stream().filter(ref -> !lineage.isUsed(ref)).forEach(
                        ref -> sweep.remove(layout.sealedAt(ref), () -> discardRetired(ref)));
            }
            for (String name : sweep.names(layout.staging())) {
                if (!stagingInUse.contains(name)) {
                    sweep.remove(layout.staging().resolve(name));
                }
            }
            for (String name : sweep.names(layout.checkpoints())) {
                if (VmId.isValid(name) && !isDryRun) {
                    try {
                        removeIfEmpty(new VmId(name));
                    } catch (IOException e) {
                        sweep.failed("remove", layout.checkpoints().resolve(name), e);
                    }
                }
            }
            // Of checkpoints that are deleted, by somebody who has no host, or by one that a crash came upon.
            for (String name : sweep.names(layout.hints())) {
                CheckpointRef ref = StoreLayout.ofDotted(name);
                if (ref == null || !sealed.contains(ref)) {
                    sweep.remove(layout.hints().resolve(name));
                }
            }
            return sweep.report(unreadable);
        }
    }

    /**
     * Removes the images of disks that no checkpoint names, nobody uses, and none of those that are
     * kept starts from. Images are found in this store's directory, on this machine's file system.
     *
     * @param inUse directories of images that somebody has open or will open, relative to the store
     * @throws StoreException if one that is kept cannot be read, so that nobody knows what it starts
     *         from: then nothing was removed; or if something could not be removed
     */
    public GcReport gcImages(Collection<String> inUse) throws StoreException {
        return gcImages(inUse, List.of());
    }

    /**
     * The same, and removes images in disks that stay which these do not name, as a crash may leave.
     *
     * @param open directories of images that somebody has open: what is in these is left alone
     * @param kept directories of images that stay, and nobody has open
     */
    public GcReport gcImages(Collection<String> open, Collection<String> kept)
            throws StoreException {
        checkWritable();
        return gcImages(open, kept, List.of(), false);
    }

    /** What {@link #gcImages} would remove now; changes nothing, and works on a store that was opened to be looked at. */
    public GcReport unneededImages(Collection<String> inUse) throws StoreException {
        return unneededImages(inUse, List.of());
    }

    /** The same, once {@code deleted} are deleted. */
    public GcReport unneededImages(Collection<String> inUse, Collection<CheckpointRef> deleted)
            throws StoreException {
        checkOpen();
        return gcImages(inUse, List.of(), deleted, true);
    }

    /**
     * Refuses if a disk of another VM starts from one of {@code vm}, whose images therefore have to stay.
     *
     * @throws StoreException that names such a disk; or one whose parent nobody can tell, since it is damaged
     */
    public void requireNoDisksFrom(VmId vm) throws StoreException {
        checkOpen();
        images.requireNoneFrom(vm);
    }

    private GcReport gcImages(Collection<String> open, Collection<String> kept,
            Collection<CheckpointRef> deleted, boolean isDryRun) throws StoreException {
        synchronized (housekeeping) {
            List<CheckpointRef> unreadable = readLineage();
            var sweep = new Sweep(files, isDryRun);
            if (unreadable.isEmpty()) {
                Set<String> needed = lineage.images(Set.copyOf(deleted));
                needed.addAll(open);
                needed.addAll(kept);
                // Somebody else may have the store open whose garbage is only looked at: then nobody knows which disks are.
                images.sweep(sweep, needed,
                        isDryRun ? needed : new HashSet<>(open));
            }
            return sweep.report(unreadable);
        }
    }

    /** Removes one that is no longer wanted, or puts it where those find it who need its pages. */
    private void remove(CheckpointRef ref) throws StoreException {
        checkWritable();
        synchronized (housekeeping) {
            if (!sealed.remove(ref)) {
                throw notSealed(ref);
            }
            contents.remove(ref);
            Path path = layout.sealedAt(ref);
            try {
                // Nobody begins to read it any more, since it is not listed.
                if (lineage.knows(ref) && !lineage.isUsed(ref) && allKnown()) {
                    discard(ref, path);
                } else {
                    // Also one whose manifest could not be read, or beside one: nobody knows what
                    // that needs.
                    retire(ref);
                }
                // Only now: after a failure it may be there again, and needs what it needs.
                List<CheckpointRef> sources = lineage.sources(ref);
                lineage.remove(ref);
                for (CheckpointRef source : sources) {
                    discardRetired(source);
                    removeIfEmpty(source.vm());
                }
                discardRetired(ref);
                removeIfEmpty(ref.vm());
                hints.delete(ref);
            } catch (IOException e) {
                throw StoreException.of("delete", path, e);
            }
        }
    }

    /**
     * Refuses if a disk in this store stands on a copy in the checkpoint, which therefore cannot be deleted before that disk is flat
     * or gone: it would take a VM's data along.
     */
    public void requireNoDiskOn(CheckpointRef ref) throws StoreException {
        images.requireNoneOn(ref);
    }

    private boolean allKnown() {
        return sealed.stream().allMatch(lineage::knows);
    }

    /** Removes the files of a checkpoint that nobody needs. */
    private void discard(CheckpointRef ref, Path path) throws IOException {
        Path doomed = layout.doomedAt(ref);
        // Out of sight in one step, and durably so before the first file goes: a checkpoint is
        // there whole or not at all.
        files.rename(path, doomed);
        syncBoth(ref);
        FileTrees.delete(files, doomed);
    }

    /**
     * Takes a checkpoint off the list that others need the pages of. It stays where it is, since even
     * a rename is no single step for a loss of power, and these are somebody's data.
     */
    private void retire(CheckpointRef ref) throws IOException {
        Path markers = layout.retired();
        makeDurably(directory, markers);
        retired.add(ref);
        files.create(layout.retiredAt(ref)).close();
        files.syncDirectory(markers);
    }

    /** Removes a deleted checkpoint's files if nobody needs them any more, and then its marker. */
    private void discardRetired(CheckpointRef ref) throws IOException {
        if (!retired.contains(ref) || lineage.isUsed(ref) || !allKnown()) {
            return;
        }
        if (files.kind(layout.sealedAt(ref)) == StoreFiles.Kind.DIRECTORY) {
            discard(ref, layout.sealedAt(ref));
        }
        if (files.kind(layout.retiredAt(ref)) != StoreFiles.Kind.NOTHING) {
            files.delete(layout.retiredAt(ref));
            files.syncDirectory(layout.retired());
        }
        retired.remove(ref);
    }

    /** Answers those whose manifest cannot be read: what they need is not known. */
    private List<CheckpointRef> readLineage() {
        var unreadable = new ArrayList<CheckpointRef>();
        for (CheckpointRef ref : sealed) {
            if (!lineage.knows(ref)) {
                try {
                    lineage.add(StoredCheckpoint.readManifest(files, layout.sealedAt(ref), ref));
                } catch (StoreException _) {
                    unreadable.add(ref);
                }
            }
        }
        return unreadable;
    }

    private static String names(List<CheckpointRef> refs) {
        String some = refs.stream().limit(3).map(CheckpointRef::toString)
                .collect(Collectors.joining(", "));
        return refs.size() > 3 ? some + ", …" : some;
    }

    /** Bytes that can still be written here. */
    public long usableSpace() throws StoreException {
        try {
            return files.usableSpace(directory);
        } catch (IOException e) {
            throw StoreException.of("ask for the free space of", directory, e);
        }
    }

    boolean isListed(CheckpointRef ref) {
        return sealed.contains(ref);
    }

    /** Gauges of the space that this store has and takes. */
    public StoreSpace space() throws StoreException {
        try {
            return new StoreSpace(files.totalSpace(directory), usableSpace(), reservedSpace(),
                    sealed.size(), retired.size(), staged.size());
        } catch (IOException e) {
            throw StoreException.of("read", directory, e);
        }
    }

    /**
     * What is not given to checkpoints, so that running VMs find room for what they write: a 50th of
     * the file system, from {@link #SPACE_BYTES_MIN} to 1 GiB.
     */
    public long reservedSpace() throws StoreException {
        try {
            long known = reserved;
            if (known == 0) {
                known = Math.clamp(files.totalSpace(directory) / 50, SPACE_BYTES_MIN,
                        RESERVED_BYTES_MAX);
                reserved = known;
            }
            return known;
        } catch (IOException e) {
            throw StoreException.of("ask for the size of", directory, e);
        }
    }

    /** Fails if there is no room for that many bytes beside {@link #reservedSpace}. */
    public void requireSpace(long bytes) throws StoreException {
        if (bytes < 0) {
            throw new IllegalArgumentException("room for " + bytes + " bytes");
        }
        long reserved = reservedSpace();
        long needed = bytes > Long.MAX_VALUE - reserved ? Long.MAX_VALUE : bytes + reserved;
        long usable = usableSpace();
        if (usable < needed) {
            throw new StoreException("the store " + directory + " is full: " + usable
                    + " bytes are free and " + needed
                    + " are needed; free some space there or choose another store directory");
        }
    }

    /** Aborts what is not sealed and unlocks the directory. Doing it again does nothing. */
    @Override
    public void close() throws StoreException {
        closed = true;
        staged.values().forEach(StagedCheckpoint::abort);
        buffers.close();
        codecs.close();
        try {
            lock.close();
        } catch (IOException e) {
            throw StoreException.of("unlock", directory, e);
        }
    }

    /** In which order restored VMs touched the pages of checkpoints. */
    public TouchHints hints() {
        return hints;
    }

    /** Returns the disks in this store's directory. */
    public DiskDirectories images() {
        return images;
    }

    StoreFiles files() {
        return files;
    }

    ChunkBuffer.Pool buffers() {
        return buffers;
    }

    PageCodec.Pool codecs() {
        return codecs;
    }

    ContentCache contents() {
        return contents;
    }

    Lineage lineage() {
        return lineage;
    }

    /** Nothing more is built on a checkpoint that turned out not to be readable. */
    void distrust(CheckpointRef ref) {
        distrusted.add(ref);
    }

    /**
     * Where the files of a checkpoint are that another one needs.
     *
     * @throws StoreException if they are not there
     */
    Path find(CheckpointRef ref, CheckpointRef neededBy) throws StoreException {
        Path path = layout.sealedAt(ref);
        try {
            if (files.kind(path) == StoreFiles.Kind.DIRECTORY) {
                return path;
            }
        } catch (IOException e) {
            throw StoreException.of("read", path, e);
        }
        throw new StoreException("checkpoint " + neededBy + " needs pages of checkpoint " + ref
                + ", and there is no " + path
                + "; put it back from a backup or use another checkpoint");
    }

    /** What an incremental segment would stand on, or null if it has to be a full one. */
    MemorySegmentWriter.@Nullable Base base(CheckpointRef parent, int region, int pageCount) {
        if (!sealed.contains(parent) || distrusted.contains(parent)) {
            return null;
        }
        IndexedPages pages = null;
        MemorySegmentWriter.Base base = null;
        try {
            StoredCheckpoint stored = open(parent);
            List<Manifest.Region> regions = stored.manifest().regions();
            if (region < regions.size() && regions.get(region).pages() == pageCount
                    && stored.pages(region) instanceof IndexedPages indexed) {
                pages = indexed;
                if (indexed.sources().size() <= PageIndex.SOURCE_COUNT_MAX) {
                    base = new MemorySegmentWriter.Base(parent, indexed,
                            contentsOf(parent, region, indexed));
                }
            }
        } catch (StoreException _) {
            // Whoever opens it hears of it. A full one does without.
            distrust(parent);
        } finally {
            if (base == null && pages != null) {
                closeQuietly(pages);
            }
        }
        return base;
    }

    private PageContents contentsOf(CheckpointRef ref, int region, IndexedPages pages)
            throws StoreException {
        PageContents known = contents.get(ref, region);
        if (known == null) {
            known = pages.contents();
            contents.put(ref, region, known);
        }
        return known;
    }

    private static void closeQuietly(MemoryPages pages) {
        try {
            pages.close();
        } catch (StoreException _) {
            // They were only read.
        }
    }

    /** Gives a complete and durable directory the name under which it is a sealed checkpoint. */
    void publish(CheckpointRef ref, Path complete) throws IOException {
        places.readLock().lock();
        try {
            makePlace(ref.vm());
            files.rename(complete, layout.sealedAt(ref));
        } finally {
            places.readLock().unlock();
        }
        try {
            syncBoth(ref);
        } catch (IOException e) {
            // It has the name, and perhaps not durably. So it is not sealed, and must not look as
            // if it were.
            withdraw(ref, complete, e);
            throw e;
        }
        sealed.add(ref);
    }

    private void withdraw(CheckpointRef ref, Path complete, IOException why) {
        places.readLock().lock();
        try {
            files.rename(layout.sealedAt(ref), complete);
            // Before its files go: a loss of power must not bring back the name without them.
            syncBoth(ref);
        } catch (IOException e) {
            why.addSuppressed(e);
            uncertain.add(ref);
        } finally {
            places.readLock().unlock();
        }
    }

    /** Of a checkpoint whose seal failed: whether it may be there when the store is opened again. */
    boolean mayBeThere(CheckpointRef ref) {
        return uncertain.contains(ref);
    }

    /**
     * Makes {@code checkpoints/VM} if need be. That it is there does not say that its name is durable: another thread may have made it
     * a moment ago, or a process that was killed then.
     */
    private void makePlace(VmId vm) throws IOException {
        if (placed.contains(vm)) {
            return;
        }
        Path ofVm = layout.checkpointsOf(vm);
        if (files.kind(ofVm) == StoreFiles.Kind.NOTHING) {
            makeDurably(layout.checkpoints(), ofVm);
        } else {
            files.syncDirectory(layout.checkpoints());
        }
        placed.add(vm);
    }

    /**
     * Removes {@code checkpoints/VM} if nothing is in it; what a crash leaves a collection finds. Nothing is synced: what a loss of
     * power brings back is an empty directory, which means nothing.
     */
    private void removeIfEmpty(VmId vm) throws IOException {
        Path ofVm = layout.checkpointsOf(vm);
        places.writeLock().lock();
        try {
            if (files.isOwnDirectory(ofVm) && files.list(ofVm).isEmpty()) {
                placed.remove(vm);
                files.delete(ofVm);
            }
        } finally {
            places.writeLock().unlock();
        }
    }

    /** Makes it durable that a checkpoint was moved between staging and its place. */
    private void syncBoth(CheckpointRef ref) throws IOException {
        files.syncDirectory(layout.checkpointsOf(ref.vm()));
        files.syncDirectory(layout.staging());
    }

    void ended(StagedCheckpoint checkpoint) {
        staged.remove(checkpoint.ref(), checkpoint);
        stagingInUse.remove(StoreLayout.stagingName(checkpoint.ref()));
    }

    /**
     * Takes the name of a checkpoint that is to begin, and touches no file: of two that are begun at once on different threads,
     * the older must not find its name taken by the newer.
     *
     * @throws IllegalArgumentException as {@link #begin(CheckpointRef)}
     */
    @Override
    public void claim(CheckpointRef ref) {
        claimNewest(ref);
        claimed.add(ref);
    }

    private void claimNewest(CheckpointRef ref) {
        newest.compute(ref.vm(), (_, last) -> {
            if (last != null && last.compareTo(ref.id()) >= 0) {
                throw new IllegalArgumentException(
                        "checkpoint " + ref + " is not newer than " + ref.vm() + "/" + last);
            }
            return ref.id();
        });
    }

    private void clearStaging() throws StoreException {
        Path staging = layout.staging();
        try {
            for (String name : files.list(staging)) {
                FileTrees.delete(files, staging.resolve(name));
            }
        } catch (IOException e) {
            throw StoreException.of("clear", staging, e);
        }
    }

    /** What is there: which checkpoints are listed, and of which only pages are left. */
    private void findAll() throws StoreException {
        sealed.addAll(layout.sealed(files));
        retired.addAll(layout.retired(files));
        for (CheckpointRef ref : sealed) {
            newest.merge(ref.vm(), ref.id(), (a, b) -> a.compareTo(b) > 0 ? a : b);
        }
        for (CheckpointRef ref : retired) {
            newest.merge(ref.vm(), ref.id(), (a, b) -> a.compareTo(b) > 0 ? a : b);
        }
        sealed.removeAll(retired);
    }

    private void makeDurably(Path parent, Path path) throws IOException {
        if (files.kind(path) == StoreFiles.Kind.NOTHING) {
            try {
                files.createDirectory(path);
            } catch (IOException e) {
                // Another thread may have been quicker; the name is made durable by both.
                if (files.kind(path) != StoreFiles.Kind.DIRECTORY) {
                    throw e;
                }
            }
            files.syncDirectory(parent);
        }
    }

    private void checkSealed(CheckpointRef ref) throws StoreException {
        if (!sealed.contains(ref)) {
            throw notSealed(ref);
        }
    }

    private StoreException notSealed(CheckpointRef ref) {
        return new StoreException("there is no checkpoint " + ref + " in " + directory
                + "; choose one of those listed");
    }

    private void checkWritable() throws StoreException {
        checkOpen();
        if (readOnly) {
            throw new IllegalStateException(
                    "the store " + directory + " was opened to be looked at only");
        }
    }

    private void checkOpen() throws StoreException {
        if (closed) {
            throw new StoreException("the store " + directory + " is closed");
        }
    }
}
