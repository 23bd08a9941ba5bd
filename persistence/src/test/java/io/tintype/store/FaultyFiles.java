package io.tintype.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Passes everything on to another file system, and makes calls fail that it is told to. */
class FaultyFiles implements StoreFiles {
    enum Fault {
        /** One call fails. A write that does has written half. */
        ONCE,
        /** From that call on, everything that needs room fails. */
        FULL_FROM_THEN_ON,
        /** From that call on everything fails, as if the process were dead. */
        DEAD_FROM_THEN_ON
    }

    static final String ENOSPC = "No space left on device";
    static final String EIO = "Input/output error";

    private final StoreFiles files;
    private Fault fault = Fault.ONCE;
    private String reason = EIO;
    private int callsLeft = Integer.MAX_VALUE;
    private boolean fired;

    FaultyFiles(StoreFiles files) {
        this.files = files;
    }

    /** The {@code call}-th call from now fails, counting from 1. */
    void failAt(int call, Fault how, String why) {
        fault = how;
        reason = why;
        callsLeft = call;
        fired = false;
    }

    /** Answers whether any call failed since {@link #failAt}. */
    boolean heal() {
        callsLeft = Integer.MAX_VALUE;
        return fired;
    }

    @Override
    public Kind kind(Path path) throws IOException {
        before(false);
        return files.kind(path);
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        before(false);
        return files.list(directory);
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        before(true);
        files.createDirectory(directory);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        before(false);
        files.syncDirectory(directory);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        before(false);
        files.rename(from, to);
    }

    @Override
    public void delete(Path path) throws IOException {
        before(false);
        files.delete(path);
    }

    @Override
    public boolean isOwnDirectory(Path path) throws IOException {
        before(false);
        return files.isOwnDirectory(path);
    }

    @Override
    public StoreFile create(Path file) throws IOException {
        before(true);
        return new FaultyFile(files.create(file));
    }

    @Override
    public StoreFile openToRead(Path file) throws IOException {
        before(false);
        return new FaultyFile(files.openToRead(file));
    }

    @Override
    public long usableSpace(Path directory) throws IOException {
        before(false);
        return files.usableSpace(directory);
    }

    @Override
    public @Nullable Closeable tryLock(Path file) throws IOException {
        before(false);
        return files.tryLock(file);
    }

    private void before(boolean needsRoom) throws IOException {
        if (fails(needsRoom)) {
            throw new IOException(reason);
        }
    }

    private boolean fails(boolean needsRoom) {
        if (callsLeft == Integer.MAX_VALUE) {
            return false;
        }
        callsLeft--;
        boolean fails = switch (fault) {
            case ONCE -> callsLeft == 0;
            case FULL_FROM_THEN_ON -> callsLeft <= 0 && needsRoom;
            case DEAD_FROM_THEN_ON -> callsLeft <= 0;
        };
        fired |= fails;
        return fails;
    }

    private final class FaultyFile implements StoreFile {
        private final StoreFile file;

        FaultyFile(StoreFile file) {
            this.file = file;
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            if (fails(true)) {
                file.write(position, source.slice(source.position(), source.remaining() / 2));
                throw new IOException(reason);
            }
            file.write(position, source);
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            before(false);
            file.read(position, target);
        }

        @Override
        public void force() throws IOException {
            before(true);
            file.force();
        }

        @Override
        public long size() throws IOException {
            before(false);
            return file.size();
        }

        @Override
        public void close() throws IOException {
            // A file that reports an error when it is closed is closed all the same.
            file.close();
            before(false);
        }
    }
}
