package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a collection of garbage did so far, or would do. It goes on after a failure, which {@link #report} throws. One thread.
 */
final class Sweep {
    /** How one thing is removed. */
    interface Removal {
        void run() throws IOException;
    }

    private final StoreFiles files;
    private final boolean isDryRun;
    private final List<Path> removed = new ArrayList<>();
    private long bytes;
    private @Nullable StoreException first;

    /** @param isDryRun whether nothing is to be removed */
    Sweep(StoreFiles files, boolean isDryRun) {
        this.files = files;
        this.isDryRun = isDryRun;
    }

    /** In a directory that may be missing. */
    List<String> names(Path parent) {
        try {
            return files.kind(parent) == StoreFiles.Kind.DIRECTORY
                    ? files.list(parent)
                    : List.of();
        } catch (IOException e) {
            failed("read", parent, e);
            return List.of();
        }
    }

    void remove(Path path) {
        try {
            long itsBytes = FileTrees.bytes(files, path);
            if (!isDryRun) {
                FileTrees.delete(files, path);
            }
            bytes += itsBytes;
            removed.add(path);
        } catch (IOException e) {
            failed("remove", path, e);
        }
    }

    /** What takes more than deleting its directory, which may be gone already. */
    void remove(Path path, Removal removal) {
        try {
            boolean isThere = files.kind(path) == StoreFiles.Kind.DIRECTORY;
            long itsBytes = isThere ? FileTrees.bytes(files, path) : 0;
            if (!isDryRun) {
                removal.run();
            }
            bytes += itsBytes;
            if (isThere) {
                removed.add(path);
            }
        } catch (IOException e) {
            failed("remove", path, e);
        }
    }

    /** How many were removed, or would be. */
    int count() {
        return removed.size();
    }

    /** Makes what was removed from {@code directory} stay removed. */
    void sync(Path directory) {
        if (isDryRun || removed.isEmpty()) {
            return;
        }
        try {
            files.syncDirectory(directory);
        } catch (IOException e) {
            failed("sync", directory, e);
        }
    }

    /** The first failure is the one that is reported. */
    void failed(String doing, Path path, IOException e) {
        first = first == null ? StoreException.of(doing, path, e) : first;
    }

    /** @param unreadable checkpoints for whose sake nothing was removed that they may need */
    GcReport report(List<CheckpointRef> unreadable) throws StoreException {
        if (first != null) {
            throw first;
        }
        return new GcReport(removed, bytes, unreadable);
    }
}
