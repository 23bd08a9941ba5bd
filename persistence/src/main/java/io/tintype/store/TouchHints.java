package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Remembers in which order a VM that was restored from a checkpoint touched its pages, for whoever restores that checkpoint
 * again: one file for each, {@code DIR/hints/VM.ID}, in the {@link Envelope} with magic {@code TTTOUCHE}; the payload is 8
 * bytes for each page, its region in the high half.
 *
 * <p>Nothing depends on it: a hint that is missing, old or damaged is as good as none, nothing is synced, and what fails here
 * fails silently. Safe on any thread; calls block.
 */
public final class TouchHints {
    private static final Logger LOG = LoggerFactory.getLogger(TouchHints.class);
    private static final String MAGIC = "TTTOUCHE";
    private static final int VERSION = 1;
    private static final int BYTES_MAX = 16 << 20;

    private final StoreFiles files;
    private final StoreLayout layout;

    TouchHints(StoreFiles files, StoreLayout layout) {
        this.files = files;
        this.layout = layout;
    }

    /** The pages in their order; empty if nothing is known. */
    public long[] read(CheckpointRef ref) {
        var path = layout.hintOf(ref);
        try {
            if (files.kind(path) != StoreFiles.Kind.FILE) {
                return new long[0];
            }
            var payload = Envelope.unwrap(path, content(path), MAGIC, VERSION);
            var entries = new long[payload.length / Long.BYTES];
            ByteBuffer.wrap(payload).order(Envelope.BYTE_ORDER).asLongBuffer().get(entries);
            return entries;
        } catch (IOException useless) {
            LOG.debug("no hint for {}: {}", ref, useless.getMessage());
            return new long[0];
        }
    }

    private byte[] content(Path path) throws IOException {
        try (var file = files.openToRead(path)) {
            var bytes = ByteBuffer.allocate((int) Math.min(file.size(), BYTES_MAX));
            file.read(0, bytes);
            return Arrays.copyOf(bytes.array(), bytes.position());
        }
    }

    /** Replaces what is known of a checkpoint, if that is still there. */
    public synchronized void write(CheckpointRef ref, long[] entries) {
        var path = layout.hintOf(ref);
        var temporary = path.resolveSibling(path.getFileName() + ".tmp");
        var payload = ByteBuffer.allocate(entries.length * Long.BYTES).order(Envelope.BYTE_ORDER);
        payload.asLongBuffer().put(entries);
        try {
            if (files.kind(layout.sealedAt(ref)) != StoreFiles.Kind.DIRECTORY) {
                return;
            }
            if (files.kind(layout.hints()) == StoreFiles.Kind.NOTHING) {
                files.createDirectory(layout.hints());
            }
            if (files.kind(temporary) != StoreFiles.Kind.NOTHING) {
                files.delete(temporary);
            }
            try (var file = files.create(temporary)) {
                file.write(0, ByteBuffer.wrap(Envelope.wrap(MAGIC, VERSION, payload.array())));
            }
            files.rename(temporary, path);
        } catch (IOException unimportant) {
            LOG.debug("no hint kept for {}: {}", ref, unimportant.getMessage());
        }
    }

    /** Forgets what is known of a checkpoint, which is deleted; if that fails, it is garbage. */
    synchronized void delete(CheckpointRef ref) {
        Path path = layout.hintOf(ref);
        try {
            if (files.kind(path) == StoreFiles.Kind.FILE) {
                files.delete(path);
            }
        } catch (IOException unimportant) {
            LOG.debug("the hint for {} stays: {}", ref, unimportant.getMessage());
        }
    }
}
