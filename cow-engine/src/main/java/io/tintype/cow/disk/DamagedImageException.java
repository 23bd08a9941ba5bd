package io.tintype.cow.disk;

/** A file is not what was written to it: cut, flipped, mixed up with another, or missing. */
public final class DamagedImageException extends ImageException {
    private final String file;
    private final long offset;
    private final String what;

    /**
     * @param offset where in {@code file}, in bytes
     * @param what found there, as the end of a sentence
     */
    public DamagedImageException(String file, long offset, String what) {
        super(file + ": damaged at byte " + offset + ": " + what);
        this.file = file;
        this.offset = offset;
        this.what = what;
    }

    public String file() {
        return file;
    }

    public long offset() {
        return offset;
    }

    /** What was found there, as the end of a sentence. */
    public String what() {
        return what;
    }
}
