package io.tintype.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Opens the directory of a store: decides whether it is one, may become one, or must be left alone.
 * Remembers what it creates, and takes it away again if it does not come to a good end.
 */
final class StoreDirectory {
    static final String MARKER = "tintype-store";
    static final String MARKER_MAGIC = "TTSTORE.";
    static final int LAYOUT_VERSION = 1;

    private static final String MARKER_TMP = "tintype-store.tmp";
    private static final String LOCK = "lock";
    private static final int MARKER_BYTES_MAX = 4096;
    private static final byte[] MARKER_TEXT =
            "\nA Tintype checkpoint store: see docs/checkpoint-store.md.\n"
                    .getBytes(StandardCharsets.US_ASCII);

    private final Path directory;
    private final StoreFiles files;
    /** What was created, the latest first. */
    private final Deque<Path> created = new ArrayDeque<>();

    StoreDirectory(Path directory, StoreFiles files) {
        this.directory = directory;
        this.files = files;
    }

    /** Answers the lock, which is held until it is closed. */
    Closeable openAndLock(List<String> parts) throws StoreException {
        Closeable lock = null;
        boolean opened = false;
        try {
            create(directory);
            // Before anything is created in it, the lock file included.
            boolean store = isStore();
            lock = lock();
            // Again, since another process may have made it a store meanwhile.
            if (!store && !isStore()) {
                writeMarker();
            }
            for (String part : parts) {
                create(directory.resolve(part));
            }
            if (!created.isEmpty()) {
                files.syncDirectory(directory);
            }
            opened = true;
            return lock;
        } catch (IOException e) {
            throw StoreException.of("open the store", directory, e);
        } finally {
            if (!opened) {
                undo(lock);
            }
        }
    }

    /**
     * Looks whether {@link #openAndLock} would do at this moment, and changes nothing but whose process the lock file names.
     */
    void requireUsable() throws StoreException {
        try {
            if (files.kind(directory) == StoreFiles.Kind.NOTHING) {
                requireRoom(existing(directory));
                return;
            }
            if (!isStore()) {
                requireRoom(directory);
            }
            if (files.kind(directory.resolve(LOCK)) == StoreFiles.Kind.FILE) {
                lock().close();
            }
        } catch (IOException e) {
            throw StoreException.of("open the store", directory, e);
        }
    }

    /** Whether there is a store. */
    boolean exists() throws StoreException {
        try {
            return files.kind(directory.resolve(MARKER)) == StoreFiles.Kind.FILE;
        } catch (IOException e) {
            throw StoreException.of("open the store", directory, e);
        }
    }

    private Path existing(Path path) throws IOException {
        Path parent = path.getParent();
        return files.kind(path) != StoreFiles.Kind.NOTHING || parent == null
                ? path
                : existing(parent);
    }

    /** Looks whether it is a store of a version known here, and changes nothing. */
    void requireStore() throws StoreException {
        try {
            if (files.kind(directory) == StoreFiles.Kind.NOTHING) {
                throw new StoreException(directory
                        + " is not a Tintype store: there is no such directory; choose another store directory");
            }
            Path marker = directory.resolve(MARKER);
            if (files.kind(marker) != StoreFiles.Kind.FILE) {
                throw new StoreException(directory + " is not a Tintype store: there is no file "
                        + MARKER + " in it; choose another store directory");
            }
            checkMarker(marker);
        } catch (IOException e) {
            throw StoreException.of("open the store", directory, e);
        }
    }

    /** A directory, with those above it that are missing. */
    private void create(Path path) throws IOException {
        switch (files.kind(path)) {
            case DIRECTORY -> {}
            case FILE -> throw new StoreException(
                    "the store needs a directory at " + path
                            + " and there is a file; choose another store directory");
            case NOTHING -> {
                Path parent = path.getParent();
                if (parent != null) {
                    create(parent);
                }
                try {
                    files.createDirectory(path);
                } catch (IOException e) {
                    throw StoreException.of("create", path, e);
                }
                created.addFirst(path);
                if (parent != null) {
                    files.syncDirectory(parent);
                }
            }
        }
    }

    /** False where it may become one. */
    private boolean isStore() throws IOException {
        Path marker = directory.resolve(MARKER);
        if (files.kind(marker) == StoreFiles.Kind.FILE) {
            checkMarker(marker);
            return true;
        }
        // What an opening that crashed leaves, and one that is not finished.
        var allowed = Set.of(LOCK, MARKER_TMP);
        for (String name : files.list(directory)) {
            if (!allowed.contains(name)) {
                throw new StoreException(directory + " is not a Tintype store (it has a \"" + name
                        + "\" in it and no \""
                        + MARKER + "\"); choose an empty directory");
            }
        }
        return false;
    }

    private void checkMarker(Path marker) throws IOException {
        try (StoreFile file = files.openToRead(marker)) {
            var bytes = ByteBuffer.allocate((int) Math.min(file.size(), MARKER_BYTES_MAX));
            file.read(0, bytes);
            Envelope.unwrap(marker, bytes.array(), MARKER_MAGIC, LAYOUT_VERSION);
        } catch (DamagedSegmentException e) {
            throw new StoreException(
                    marker + ", which marks a store, is damaged at offset " + e.offset()
                            + "; put it back from a backup or choose another store directory",
                    e);
        }
    }

    private Closeable lock() throws IOException {
        Path file = directory.resolve(LOCK);
        boolean existed = files.kind(file) != StoreFiles.Kind.NOTHING;
        Closeable lock;
        try {
            lock = files.tryLock(file);
        } catch (IOException e) {
            throw StoreException.of("lock", file, e);
        }
        if (lock == null) {
            throw new StoreException("the store " + directory
                    + " is in use by another process" + holder(file)
                    + "; wait until it ends or choose another store directory");
        }
        if (!existed) {
            created.addFirst(file);
        }
        return lock;
    }

    private String holder(Path file) {
        String holder = files.holder(file);
        return holder == null ? "" : " (" + holder + ")";
    }

    private void writeMarker() throws IOException {
        Path tmp = directory.resolve(MARKER_TMP);
        Path marker = directory.resolve(MARKER);
        if (files.kind(tmp) != StoreFiles.Kind.NOTHING) {
            files.delete(tmp);
        }
        requireRoom(directory);
        try (StoreFile file = files.create(tmp)) {
            created.addFirst(tmp);
            file.write(0,
                    ByteBuffer.wrap(Envelope.wrap(MARKER_MAGIC, LAYOUT_VERSION, MARKER_TEXT)));
            file.force();
        }
        files.rename(tmp, marker);
        created.remove(tmp);
        created.addFirst(marker);
    }

    private void requireRoom(Path there) throws IOException {
        long usable = files.usableSpace(there);
        if (usable < CheckpointStore.SPACE_BYTES_MIN) {
            throw new StoreException("no store can be made in " + directory + ": it is full, "
                    + usable + " bytes are free and "
                    + CheckpointStore.SPACE_BYTES_MIN
                    + " are needed; free some space there or choose another store directory");
        }
    }

    /** Removes what was created and unlocks. */
    void undo(@Nullable Closeable lock) {
        for (Path path : created) {
            try {
                files.delete(path);
            } catch (IOException _) {
                // Left behind empty; the failure that led here is the one to report.
            }
        }
        if (lock != null) {
            try {
                lock.close();
            } catch (IOException _) {
                // As above.
            }
        }
    }
}
