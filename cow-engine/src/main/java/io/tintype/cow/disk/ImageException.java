package io.tintype.cow.disk;

import java.io.IOException;

/** Something is wrong with a stored image; the kinds of it are the subclasses. */
public abstract sealed class ImageException extends IOException
        permits ClosedImageException, DamagedImageException, NewerVersionException,
        UnknownViewException {
    ImageException(String message) {
        super(message);
    }
}
