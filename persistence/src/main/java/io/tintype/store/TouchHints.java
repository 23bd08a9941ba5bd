package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
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
    static final String DIRECTORY = "hints";
    private static final String MAGIC = "TTTOUCHE";
    private static final int VERSION = 1;
    private static final int BYTES_MAX = 16 << 20;

    private final StoreFiles files;
    private final Path store;

    /** The hints of the store in {@code store}. */
    public TouchHints(StoreFiles files, Path store) {
        this.files = files;
        this.store = store;
    }

    /** The pages in their order; empty if nothing is known. */
    public long[] read(CheckpointRef ref) {
        var path = path(ref);
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
            return java.util.Arrays.copyOf(bytes.array(), bytes.position());
        }
    }

    /** Replaces what is known of a checkpoint, if that is still there. */
    public synchronized void write(CheckpointRef ref, long[] entries) {
        var path = path(ref);
        var temporary = path.resolveSibling(path.getFileName() + ".tmp");
        var payload = ByteBuffer.allocate(entries.length * Long.BYTES).order(Envelope.BYTE_ORDER);
        payload.asLongBuffer().put(entries);
        try {
            var checkpoint = store.resolve("checkpoints").resolve(ref.vm().value())
                    .resolve(ref.id().toString());
            if (files.kind(checkpoint) != StoreFiles.Kind.DIRECTORY) {
                return;
            }
            if (files.kind(store.resolve(DIRECTORY)) == StoreFiles.Kind.NOTHING) {
                files.createDirectory(store.resolve(DIRECTORY));
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

    /** Forgets what is known of a checkpoint. */
    public synchronized void delete(CheckpointRef ref) {
        try {
            if (files.kind(path(ref)) == StoreFiles.Kind.FILE) {
                files.delete(path(ref));
            }
        } catch (IOException unimportant) {
            LOG.debug("the hint for {} stays: {}", ref, unimportant.getMessage());
        }
    }

    private Path path(CheckpointRef ref) {
        return store.resolve(DIRECTORY).resolve(ref.vm().value() + "." + ref.id());
    }
}
