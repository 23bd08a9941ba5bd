package io.tintype.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * All that a store asks of a file system, so that a test or a simulation can stand in for it and
 * make any of it fail.
 *
 * <p>Any thread may call any method. A failure is an {@link IOException} whose reason is the
 * operating system's text; the store never tries a failed call again.
 */
public interface StoreFiles {
    /** What a path leads to. */
    enum Kind {
        NOTHING, FILE, DIRECTORY
    }

    /** The file system of this machine. */
    static StoreFiles onDisk() {
        return DiskFiles.INSTANCE;
    }

    /** Follows symbolic links at the end of the path. */
    Kind kind(Path path) throws IOException;

    /** The names in a directory, in ascending order. */
    List<String> list(Path directory) throws IOException;

    /** Its parent must exist, and it must not. */
    void createDirectory(Path directory) throws IOException;

    /** Makes the names in it durable: what was created, renamed or deleted in it. */
    void syncDirectory(Path directory) throws IOException;

    /**
     * Atomic. {@code to} must not be there, unless both are files, in which case it is replaced.
     */
    void rename(Path from, Path to) throws IOException;

    /** A file, an empty directory or a symbolic link, which is not followed. */
    void delete(Path path) throws IOException;

    /**
     * Of a directory itself, not of what a link leads to: whether it may be descended into to
     * delete it.
     */
    boolean isOwnDirectory(Path path) throws IOException;

    /** Creates a file, which must not be there, for writing and for reading what was written. */
    StoreFile create(Path file) throws IOException;

    StoreFile openToRead(Path file) throws IOException;

    /** Bytes that this process may still write there. */
    long usableSpace(Path directory) throws IOException;

    /** Bytes that there are in all, used or not; 0 where nobody knows. */
    default long totalSpace(Path directory) throws IOException {
        return 0;
    }

    /**
     * Locks a file, creating it if need be, against other processes and against this one. Closing
     * the answer unlocks it and leaves the file.
     *
     * @return null if it is in use
     */
    @Nullable
    Closeable tryLock(Path file) throws IOException;

    /** Who has the lock on a file, for people, such as {@code pid 4711}; null where nobody can tell. */
    default @Nullable String holder(Path file) {
        return null;
    }
}
