package io.tintype.store;

import io.tintype.cow.disk.ClosedImageException;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;

/**
 * A directory of a store as the place of disk images: a checkpoint's, for copies of disks, which are written once from the beginning
 * to the end, then only read; or a disk's, to look at its description and to delete. Goes through {@link StoreFiles}, so that it
 * fails, and survives a loss of power, as all of the store does. Any thread; a file is used by one at a time.
 */
public final class StoreImages implements ImageDirectory {
    private final StoreFiles files;
    private final Path directory;

    public StoreImages(StoreFiles files, Path directory) {
        this.files = files;
        this.directory = directory;
    }

    @Override
    public String location() {
        return directory.toString();
    }

    @Override
    public List<String> list() throws IOException {
        return files.list(directory);
    }

    @Override
    public ImageFile create(String name) throws IOException {
        return new Handle(directory.resolve(name), files.create(directory.resolve(name)));
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        if (writable) {
            throw neverChanged();
        }
        return new Handle(directory.resolve(name), files.openToRead(directory.resolve(name)));
    }

    @Override
    public void delete(String name) throws IOException {
        files.delete(directory.resolve(name));
    }

    @Override
    public byte[] read(String name) throws IOException {
        try (StoreFile file = files.openToRead(directory.resolve(name))) {
            var bytes = ByteBuffer.allocate(Math.toIntExact(file.size()));
            file.read(0, bytes);
            return bytes.array();
        }
    }

    @Override
    public void replace(String name, byte[] content) {
        throw neverChanged();
    }

    @Override
    public void sync() throws IOException {
        files.syncDirectory(directory);
    }

    @Override
    public String locate(ImageDirectory other) {
        throw neverChanged();
    }

    @Override
    public ImageDirectory resolve(String locator) {
        // Normal, so that one place has one name.
        return new StoreImages(files, directory.resolve(locator).normalize());
    }

    private UnsupportedOperationException neverChanged() {
        return new UnsupportedOperationException(directory + " is not written to from here");
    }

    private static final class Handle implements ImageFile {
        private final Path path;
        private final StoreFile file;
        private long length;
        private boolean closed;

        Handle(Path path, StoreFile file) {
            this.path = path;
            this.file = file;
        }

        @Override
        public synchronized void read(long position, MemorySegment target, long targetOffset,
                int bytes) throws IOException {
            checkOpen();
            var buffer = target.asSlice(targetOffset, bytes).asByteBuffer();
            file.read(position, buffer);
            while (buffer.hasRemaining()) {
                buffer.put((byte) 0);
            }
        }

        @Override
        public synchronized void write(long position, MemorySegment source, long sourceOffset,
                int bytes) throws IOException {
            checkOpen();
            file.write(position, source.asSlice(sourceOffset, bytes).asByteBuffer());
        }

        @Override
        public synchronized void sync() throws IOException {
            checkOpen();
            if (file.size() < length) {
                // There is no call that only extends a file: its last byte does, and what is before it is a hole.
                file.write(length - 1, ByteBuffer.allocate(1));
            }
            file.force();
        }

        @Override
        public synchronized long size() throws IOException {
            checkOpen();
            return Math.max(length, file.size());
        }

        @Override
        public synchronized void setSize(long bytes) throws IOException {
            checkOpen();
            length = Math.max(length, bytes);
        }

        @Override
        public synchronized void close() {
            if (closed) {
                return;
            }
            closed = true;
            try {
                file.close();
            } catch (IOException _) {
                // Nothing is written by closing: what must be durable was forced.
            }
        }

        private void checkOpen() throws ClosedImageException {
            if (closed) {
                throw new ClosedImageException(path.toString());
            }
        }
    }
}
