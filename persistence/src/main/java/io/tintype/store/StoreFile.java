package io.tintype.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;

/**
 * One open file of a {@link StoreFiles}. One thread at a time, except that several may read at once
 * and any thread may close it.
 */
public interface StoreFile extends Closeable {
    /** Writes all that remains in {@code source}. */
    void write(long position, ByteBuffer source) throws IOException;

    /**
     * Fills {@code target}, or as much of it as there is before the end of the file; the position
     * tells.
     */
    void read(long position, ByteBuffer target) throws IOException;

    /** Makes everything written durable, the file's size included. */
    void force() throws IOException;

    long size() throws IOException;
}
