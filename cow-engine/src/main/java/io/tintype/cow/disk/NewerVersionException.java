package io.tintype.cow.disk;

/** An intact file in a format that this program is too old for. */
public final class NewerVersionException extends ImageException {
    public NewerVersionException(String file, int found, int known) {
        super(file + ": has format version " + found + ", this program knows up to version "
                + known + "; use a newer program");
    }
}
