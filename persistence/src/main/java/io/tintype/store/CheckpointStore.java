package io.tintype.store;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * A directory of checkpoints, and of the disk images that they point to.
 *
 * <pre>
 * DIR/tintype-store              marks it as a store, with the version of this layout
 * DIR/lock                       locked while a process uses it
 * DIR/images/VM/disk-N/          a disk's chain, not looked into here
 * DIR/staging/VM.ID/             a checkpoint being written, or one being deleted
 * DIR/checkpoints/VM/ID/         a sealed checkpoint: manifest and segments
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
public final class CheckpointStore implements AutoCloseable {
    /**
     * Less room than this and a checkpoint is not begun: 4 MiB, a few small segments and what a
     * file system needs itself.
     */
    public static final long SPACE_BYTES_MIN = 4 << 20;

    private static final String CHECKPOINTS = "checkpoints";
    private static final String STAGING = "staging";
    private static final String IMAGES = "images";
    private static final String DELETED_SUFFIX = ".deleted";

    private final Path directory;
    private final StoreFiles files;
    private final Closeable lock;
    private final ChunkBuffer.Pool buffers = new ChunkBuffer.Pool();
    private final Set<CheckpointRef> sealed = new ConcurrentSkipListSet<>();
    private final Map<CheckpointRef, StagedCheckpoint> staged = new ConcurrentHashMap<>();
    /** The highest id of each VM that was begun, sealed or not, as far as this process knows. */
    private final Map<VmId, CheckpointId> newest = new ConcurrentHashMap<>();
    /** Names taken by {@link #claim} whose checkpoints have not begun. */
    private final Set<CheckpointRef> claimed = ConcurrentHashMap.newKeySet();
    private final boolean readOnly;
    private volatile boolean closed;

    private CheckpointStore(Path directory, StoreFiles files, Closeable lock, boolean readOnly) {
        this.directory = directory;
        this.files = files;
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
        Closeable lock = place.openAndLock(List.of(IMAGES, STAGING, CHECKPOINTS));
        var store = new CheckpointStore(absolute, files, lock, false);
        boolean opened = false;
        try {
            store.clearStaging();
            store.findSealed();
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
        store.findSealed();
        return store;
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
        Path ofVm = directory.resolve(IMAGES).resolve(vm.value());
        Path ofDisk = ofVm.resolve("disk-" + disk);
        try {
            makeDurably(directory.resolve(IMAGES), ofVm);
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
        Path path = staging().resolve(stagingName(ref));
        try {
            files.createDirectory(path);
        } catch (IOException e) {
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
        return StoredCheckpoint.open(files, buffers, sealedAt(ref), ref);
    }

    /**
     * Deletes a sealed checkpoint, which nobody must be reading. Its disks' layers are not touched.
     * Once this has begun it is not listed any more, whether or not it succeeds; after a failure it
     * may be there again when the store is opened the next time.
     */
    public void delete(CheckpointRef ref) throws StoreException {
        checkWritable();
        if (!sealed.remove(ref)) {
            throw notSealed(ref);
        }
        Path path = sealedAt(ref);
        Path doomed = staging().resolve(stagingName(ref) + DELETED_SUFFIX);
        try {
            // Out of sight in one step, and durably so before the first file goes: a checkpoint is
            // there whole or not at all.
            files.rename(path, doomed);
            syncBoth(ref);
            deleteTree(files, doomed);
        } catch (IOException e) {
            throw StoreException.of("delete", path, e);
        }
    }

    /** Bytes that can still be written here. */
    public long usableSpace() throws StoreException {
        try {
            return files.usableSpace(directory);
        } catch (IOException e) {
            throw StoreException.of("ask for the free space of", directory, e);
        }
    }

    /** Fails if there is no room for that many bytes and {@link #SPACE_BYTES_MIN} more. */
    public void requireSpace(long bytes) throws StoreException {
        if (bytes < 0) {
            throw new IllegalArgumentException("room for " + bytes + " bytes");
        }
        long needed =
                bytes > Long.MAX_VALUE - SPACE_BYTES_MIN ? Long.MAX_VALUE : bytes + SPACE_BYTES_MIN;
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
        try {
            lock.close();
        } catch (IOException e) {
            throw StoreException.of("unlock", directory, e);
        }
    }

    ChunkBuffer.Pool buffers() {
        return buffers;
    }

    /** Gives a complete and durable directory the name under which it is a sealed checkpoint. */
    void publish(CheckpointRef ref, Path complete) throws IOException {
        makeDurably(directory.resolve(CHECKPOINTS), checkpointsOf(ref.vm()));
        files.rename(complete, sealedAt(ref));
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
        try {
            files.rename(sealedAt(ref), complete);
            // Before its files go: a loss of power must not bring back the name without them.
            syncBoth(ref);
        } catch (IOException e) {
            why.addSuppressed(e);
        }
    }

    /** Makes it durable that a checkpoint was moved between staging and its place. */
    private void syncBoth(CheckpointRef ref) throws IOException {
        files.syncDirectory(checkpointsOf(ref.vm()));
        files.syncDirectory(staging());
    }

    void ended(StagedCheckpoint checkpoint) {
        staged.remove(checkpoint.ref(), checkpoint);
    }

    /**
     * Removes a file or a directory with all that is in it, as far as possible; follows no links.
     */
    static void deleteTree(StoreFiles files, Path path) throws IOException {
        IOException first = null;
        if (files.isOwnDirectory(path)) {
            for (String name : files.list(path)) {
                try {
                    deleteTree(files, path.resolve(name));
                } catch (IOException e) {
                    first = first == null ? e : first;
                }
            }
        }
        if (first != null) {
            throw first;
        }
        files.delete(path);
    }

    /**
     * Takes the name of a checkpoint that is to begin, and touches no file: of two that are begun at once on different threads,
     * the older must not find its name taken by the newer.
     *
     * @throws IllegalArgumentException as {@link #begin(CheckpointRef)}
     */
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
        Path staging = staging();
        try {
            for (String name : files.list(staging)) {
                deleteTree(files, staging.resolve(name));
            }
        } catch (IOException e) {
            throw StoreException.of("clear", staging, e);
        }
    }

    private void findSealed() throws StoreException {
        Path checkpoints = directory.resolve(CHECKPOINTS);
        try {
            for (String vm : files.list(checkpoints)) {
                Path ofVm = checkpoints.resolve(vm);
                if (files.kind(ofVm) == StoreFiles.Kind.DIRECTORY) {
                    for (String id : files.list(ofVm)) {
                        findSealed(vm, id);
                    }
                }
            }
        } catch (IOException e) {
            throw StoreException.of("read", checkpoints, e);
        }
    }

    private void findSealed(String vm, String id) {
        CheckpointRef ref;
        try {
            ref = new CheckpointRef(new VmId(vm), new CheckpointId(Long.parseLong(id)));
        } catch (IllegalArgumentException _) {
            return; // Not ours, such as lost+found.
        }
        // "+1" and "01" are numbers, but no names that we give.
        if (id.equals(Long.toString(ref.id().value()))) {
            sealed.add(ref);
            newest.merge(ref.vm(), ref.id(), (a, b) -> a.compareTo(b) > 0 ? a : b);
        }
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

    private Path staging() {
        return directory.resolve(STAGING);
    }

    /** No VM's id has a dot in it. */
    private static String stagingName(CheckpointRef ref) {
        return ref.vm() + "." + ref.id();
    }

    private Path checkpointsOf(VmId vm) {
        return directory.resolve(CHECKPOINTS).resolve(vm.value());
    }

    private Path sealedAt(CheckpointRef ref) {
        return checkpointsOf(ref.vm()).resolve(Long.toString(ref.id().value()));
    }
}
