package io.tintype.simulations.simulate;

import io.tintype.cow.disk.ClosedImageException;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import io.tintype.store.StoreFiles;
import io.tintype.store.StoreImages;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/**
 * The image files of all disks of a simulated host: files of {@link SimulatedStoreFiles}, where a collection of garbage finds them,
 * and a power failure. What is created, renamed and synced in which order is that of {@link
 * io.tintype.cow.disk.FileImageDirectory}, which does it on a real file system.
 */
final class SimulatedImages {
    private static final String CHECKPOINTS = "checkpoints/";
    private static final String TEMPORARY_SUFFIX = ".tmp";

    private final SimulatedStoreFiles files;
    private final Power power;
    /** Directories in which one was made whose name is not durable yet, of all disks together, outermost first. */
    private final TreeSet<Path> unsynced = new TreeSet<>();

    SimulatedImages(SimulatedStoreFiles files) {
        this.files = files;
        this.power = files.power();
    }

    /** The images in a directory, relative to the store. Copies of disks are in checkpoints, which the store itself writes. */
    ImageDirectory at(String key) {
        var path = SimulatedHost.STORE.resolve(key).normalize();
        return key.startsWith(CHECKPOINTS)
                ? new StoreImages(files, path)
                : new Directory(path, key(path.toString()));
    }

    /** Relative to the store: what people read, and manifests say. */
    private static String key(String location) {
        var path = Path.of(location);
        return path.isAbsolute() ? SimulatedHost.STORE.relativize(path).toString() : location;
    }

    private static long pageBytes(int pages) {
        return (long) pages * CrashableBytes.PAGE_BYTES;
    }

    private final class Directory implements ImageDirectory {
        private final Path path;
        private final String key;

        Directory(Path path, String key) {
            this.path = path;
            this.key = key;
        }

        @Override
        public String location() {
            return key;
        }

        @Override
        public List<String> list() throws IOException {
            return files.kind(path) == StoreFiles.Kind.DIRECTORY ? files.list(path) : List.of();
        }

        @Override
        public ImageFile create(String name) throws IOException {
            makeDirectory(path);
            files.create(path.resolve(name)).close();
            return open(name, true);
        }

        private void makeDirectory(Path directory) throws IOException {
            var above = directory.getParent();
            if (above == null || files.kind(directory) == StoreFiles.Kind.DIRECTORY) {
                return;
            }
            makeDirectory(above);
            try {
                files.createDirectory(directory);
            } catch (FileAlreadyExistsException e) {
                if (files.kind(directory) != StoreFiles.Kind.DIRECTORY) {
                    throw e;
                }
            }
            unsynced.add(above);
        }

        @Override
        public ImageFile open(String name, boolean writable) throws IOException {
            power.access();
            return new Handle(key + "/" + name, files.content(path.resolve(name)));
        }

        @Override
        public void delete(String name) throws IOException {
            files.delete(path.resolve(name));
        }

        @Override
        public byte[] read(String name) throws IOException {
            power.access();
            var content = files.content(path.resolve(name));
            var bytes = new byte[(int) content.size()];
            content.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
            return bytes;
        }

        @Override
        public void replace(String name, byte[] bytes) throws IOException {
            var temporary = path.resolve(name + TEMPORARY_SUFFIX);
            if (files.kind(temporary) == StoreFiles.Kind.FILE) {
                // Cut to nothing by the opening that follows.
                files.delete(temporary);
            }
            files.create(temporary).close();
            try (var file = open(name + TEMPORARY_SUFFIX, true)) {
                file.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
                file.sync();
            } catch (IOException e) {
                try {
                    files.delete(temporary);
                } catch (IOException second) {
                    e.addSuppressed(second);
                }
                throw e;
            }
            files.rename(temporary, path.resolve(name));
            sync();
        }

        @Override
        public void sync() throws IOException {
            for (var above : List.copyOf(unsynced)) {
                if (path.startsWith(above)) {
                    files.syncDirectory(above);
                    unsynced.remove(above);
                }
            }
            files.syncDirectory(path);
        }

        @Override
        public String locate(ImageDirectory other) {
            return path.relativize(SimulatedHost.STORE.resolve(key(other.location()))).toString();
        }

        @Override
        public ImageDirectory resolve(String locator) {
            return at(key(path.resolve(locator).normalize().toString()));
        }
    }

    private final class Handle implements ImageFile {
        private final String where;
        private final CrashableBytes content;
        private boolean closed;

        Handle(String where, CrashableBytes content) {
            this.where = where;
            this.content = content;
        }

        private void check() throws IOException {
            if (closed) {
                throw new ClosedImageException(where);
            }
            power.access();
        }

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes)
                throws IOException {
            check();
            content.read(position, target, targetOffset, bytes);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            check();
            power.change();
            int before = content.pages();
            long end = position + bytes;
            int after = (int) ((end + CrashableBytes.PAGE_BYTES - 1) / CrashableBytes.PAGE_BYTES);
            if (after > before) {
                power.grow(where, pageBytes(after - before));
            }
            content.write(position, source, sourceOffset, bytes);
        }

        @Override
        public void sync() throws IOException {
            check();
            power.change();
            content.sync();
        }

        @Override
        public long size() throws IOException {
            check();
            return content.size();
        }

        @Override
        public void setSize(long bytes) throws IOException {
            check();
            power.change();
            content.setSize(bytes);
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
