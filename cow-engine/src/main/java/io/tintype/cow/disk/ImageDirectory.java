package io.tintype.cow.disk;

import java.io.IOException;
import java.util.List;

/**
 * Where the files of one disk live: the port through which all of this package's bytes pass. Names are plain file names.
 * Thread-safe. A missing file is a {@link java.nio.file.NoSuchFileException}.
 */
public interface ImageDirectory {
    /** How a person finds it; for messages. */
    String location();

    /** Names of all files, ascending; empty where the directory does not exist yet. */
    List<String> list() throws IOException;

    /** Creates and opens an empty file that must not exist, and the directory if need be. Not durable before {@link #sync}. */
    ImageFile create(String name) throws IOException;

    ImageFile open(String name, boolean writable) throws IOException;

    /** Whoever has the file open may see {@link ClosedImageException} from now on. Not durable before {@link #sync}. */
    void delete(String name) throws IOException;

    /** The whole of a small file. */
    byte[] read(String name) throws IOException;

    /**
     * Gives a small file this content at once and durably, with all changes of names before it: after a crash the file has
     * the old content or the new, after a return the new.
     */
    void replace(String name, byte[] content) throws IOException;

    /** Makes all creations and deletions of names durable. */
    void sync() throws IOException;

    /** How to find {@code other} from here: what {@link #resolve} wants, even after both were moved together. */
    String locate(ImageDirectory other);

    /**
     * Whether files are nowhere but in this process's memory, which is trusted as all of its memory is: then what is read need
     * not be compared with what was written.
     */
    default boolean isMemory() {
        return false;
    }

    ImageDirectory resolve(String locator);
}
