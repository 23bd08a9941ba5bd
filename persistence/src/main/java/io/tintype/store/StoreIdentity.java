package io.tintype.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.UUID;

/**
 * Tells stores apart that keep their catalogues in one database: a number made once and kept in {@code DIR/catalogue/identity}. A
 * store that is moved keeps it; so does a copy, which is why only one of the two can be open at once there.
 */
public final class StoreIdentity {
    private static final String DIRECTORY = "catalogue";
    private static final String FILE = "identity";
    private static final String TMP = "identity.tmp";
    private static final String MAGIC = "TTIDENTI";
    private static final int VERSION = 1;
    private static final int BYTES_MAX = 4096;

    private StoreIdentity() {}

    /** Returns the directory for what a catalogue keeps in the store. */
    public static Path directory(CheckpointStore store) {
        return store.directory().resolve(DIRECTORY);
    }

    /**
     * Returns the identity of {@code store}, which gets one if it has none.
     *
     * @throws StoreException when it cannot be read or written, is damaged, or is of a newer version
     */
    public static UUID of(CheckpointStore store) throws StoreException {
        var files = store.files();
        Path directory = directory(store);
        Path file = directory.resolve(FILE);
        try {
            if (files.kind(directory) == StoreFiles.Kind.NOTHING) {
                files.createDirectory(directory);
                files.syncDirectory(store.directory());
            }
            if (files.kind(file) == StoreFiles.Kind.FILE) {
                return read(files, file);
            }
            var made = UUID.randomUUID();
            write(files, directory, made);
            return made;
        } catch (DamagedSegmentException e) {
            throw new StoreException(
                    file + ", which tells this store from others, is damaged at offset "
                            + e.offset()
                            + "; delete it, and the catalogue is made from the store again",
                    e);
        } catch (IOException e) {
            throw StoreException.of("read or make", file, e);
        }
    }

    private static UUID read(StoreFiles files, Path path) throws IOException {
        try (StoreFile file = files.openToRead(path)) {
            var bytes = ByteBuffer.allocate((int) Math.min(file.size(), BYTES_MAX));
            file.read(0, bytes);
            byte[] payload = Envelope.unwrap(path, bytes.array(), MAGIC, VERSION);
            return UUID.fromString(new String(payload, StandardCharsets.US_ASCII).strip());
        } catch (IllegalArgumentException e) {
            throw new DamagedSegmentException(path, Envelope.HEADER_BYTES,
                    "it is no identity: " + e.getMessage());
        }
    }

    private static void write(StoreFiles files, Path directory, UUID identity) throws IOException {
        Path tmp = directory.resolve(TMP);
        if (files.kind(tmp) != StoreFiles.Kind.NOTHING) {
            files.delete(tmp);
        }
        byte[] text = (identity + "\n").getBytes(StandardCharsets.US_ASCII);
        try (StoreFile file = files.create(tmp)) {
            file.write(0, ByteBuffer.wrap(Envelope.wrap(MAGIC, VERSION, text)));
            file.force();
        }
        files.rename(tmp, directory.resolve(FILE));
        files.syncDirectory(directory);
    }
}
