package io.tintype.store;

import java.nio.file.Path;

/**
 * A stored file does not hold what was written to it. Nothing of what was found damaged has been
 * handed out; of the pages of a memory segment those before {@link #offset} may have been, each of
 * them verified.
 */
public final class DamagedSegmentException extends StoreException {
    private final String file;
    private final long offset;

    DamagedSegmentException(Path file, long offset, String what) {
        super(file + " is damaged at offset " + offset + ": " + what
                + "; this checkpoint cannot be restored, use another one");
        this.file = file.toString();
        this.offset = offset;
    }

    /** The file's path, as it was when the damage was found. */
    public String file() {
        return file;
    }

    /**
     * Where in the file the structure begins that is not right, in bytes; the file's size where its
     * end is missing.
     */
    public long offset() {
        return offset;
    }
}
