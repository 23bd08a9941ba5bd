package io.tintype.cow.disk;

/** A file is not what was written to it: cut, flipped, mixed up with another, or missing. */
public final class DamagedImageException extends ImageException {
    private final String file;
    private final long offset;

    /**
     * @param offset where in {@code file}, in bytes
     * @param what found there, as the end of a sentence
     */
    public DamagedImageException(String file, long offset, String what) {
        super(file + ": damaged at byte " + offset + ": " + what);
        this.file = file;
        this.offset = offset;
    }

    public String file() {
        return file;
    }

    public long offset() {
        return offset;
    }
}
