package io.tintype.cow.disk;

/** The file was closed, or deleted by whoever owns it, before or while it was used. */
public final class ClosedImageException extends ImageException {
    public ClosedImageException(String file) {
        super(file + ": closed");
    }
}
