package io.tintype.store;

import java.io.IOException;
import java.nio.file.Path;

/** Directories with all that is in them. */
final class FileTrees {
    private FileTrees() {}

    /**
     * Removes a file or a directory with all that is in it, as far as possible; follows no links.
     */
    static void delete(StoreFiles files, Path path) throws IOException {
        IOException first = null;
        if (files.isOwnDirectory(path)) {
            for (String name : files.list(path)) {
                try {
                    delete(files, path.resolve(name));
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

    /** Of all files in it; follows no links. */
    static long bytes(StoreFiles files, Path path) throws IOException {
        if (files.isOwnDirectory(path)) {
            long sum = 0;
            for (String name : files.list(path)) {
                sum += bytes(files, path.resolve(name));
            }
            return sum;
        }
        try (StoreFile file = files.openToRead(path)) {
            return file.size();
        }
    }
}
