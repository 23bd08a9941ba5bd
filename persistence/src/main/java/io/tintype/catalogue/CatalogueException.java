package io.tintype.catalogue;

import java.io.IOException;

/** Something cannot be recorded, or the journal cannot be read: one line for the user, with the way out. */
public final class CatalogueException extends IOException {
    private static final long serialVersionUID = 1;

    /** Says what is wrong, and what can be done. */
    public CatalogueException(String message) {
        super(message);
    }

    /** The same with what led to it. */
    public CatalogueException(String message, Throwable cause) {
        super(message, cause);
    }
}
