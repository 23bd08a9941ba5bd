package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * A directory of which nothing is there until something has to be: the first files, with their headers, are kept in memory and
 * made, all of them in the order in which they were created, before the first of them is synced, gets data, or changes its
 * name. For the disks of clones, of which many are never written to. Whatever {@link ImageDirectory} promises holds, since it
 * promises nothing before a sync.
 */
public final class DeferredImageDirectory implements ImageDirectory {
    /** A header or a description fits; a group, or a page of an index, does not. */
    private static final int KEPT_BYTES_MAX = 4096;

    private final ImageDirectory directory;
    // In the order created; under the lock. Null once they are made.
    private @Nullable Map<String, Kept> kept = new LinkedHashMap<>();

    /** Makes files in {@code directory}, later. */
    public DeferredImageDirectory(ImageDirectory directory) {
        this.directory = directory;
    }

    /** A file of this directory: kept, or made. */
    private final class Kept implements ImageFile {
        private volatile @Nullable ImageFile made;
        // Under the directory's lock, and meaningless once it is made.
        private byte[] bytes = new byte[0];
        private long size;
        private boolean closed;

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int count)
                throws IOException {
            var file = made;
            if (file == null) {
                synchronized (DeferredImageDirectory.this) {
                    file = made;
                    if (file == null) {
                        checkOpen();
                        int there = Math.clamp(bytes.length - position, 0, count);
                        MemorySegment.copy(MemorySegment.ofArray(bytes),
                                Math.min(position, bytes.length), target, targetOffset, there);
                        target.asSlice(targetOffset + there, (long) count - there).fill((byte) 0);
                        return;
                    }
                }
            }
            file.read(position, target, targetOffset, count);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int count)
                throws IOException {
            var file = made;
            if (file == null) {
                synchronized (DeferredImageDirectory.this) {
                    if (made == null && position + count <= KEPT_BYTES_MAX) {
                        checkOpen();
                        int end = (int) position + count;
                        bytes = Arrays.copyOf(bytes, Math.max(bytes.length, end));
                        MemorySegment.copy(source, sourceOffset, MemorySegment.ofArray(bytes),
                                position, count);
                        size = Math.max(size, end);
                        return;
                    }
                }
                file = made();
            }
            file.write(position, source, sourceOffset, count);
        }

        @Override
        public void sync() throws IOException {
            made().sync();
        }

        @Override
        public long size() throws IOException {
            var file = made;
            if (file == null) {
                synchronized (DeferredImageDirectory.this) {
                    file = made;
                    if (file == null) {
                        checkOpen();
                        return size;
                    }
                }
            }
            return file.size();
        }

        @Override
        public void setSize(long newSize) throws IOException {
            synchronized (DeferredImageDirectory.this) {
                if (made == null) {
                    checkOpen();
                    bytes = Arrays.copyOf(bytes, (int) Math.min(bytes.length, newSize));
                    size = newSize;
                    return;
                }
            }
            made().setSize(newSize);
        }

        @Override
        public void close() {
            synchronized (DeferredImageDirectory.this) {
                closed = true;
                var file = made;
                if (file != null) {
                    file.close();
                }
            }
        }

        private ImageFile made() throws IOException {
            var file = made;
            if (file == null) {
                make();
                file = made;
                if (file == null) {
                    throw new ClosedImageException(location() + " has no such file any more");
                }
            }
            return file;
        }

        private void checkOpen() throws IOException {
            if (closed) {
                throw new ClosedImageException("a file in " + location() + " is closed");
            }
        }
    }

    /** Makes what is kept; after a failure nothing is made, and all of it still kept. */
    private synchronized void make() throws IOException {
        var files = kept;
        if (files == null) {
            return;
        }
        var made = new LinkedHashMap<String, ImageFile>();
        try {
            for (var one : files.entrySet()) {
                var file = directory.create(one.getKey());
                made.put(one.getKey(), file);
                var bytes = one.getValue().bytes;
                file.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
                if (one.getValue().size != bytes.length) {
                    file.setSize(one.getValue().size);
                }
            }
        } catch (IOException | RuntimeException e) {
            for (var one : made.entrySet()) {
                one.getValue().close();
                try {
                    directory.delete(one.getKey());
                } catch (IOException second) {
                    e.addSuppressed(second);
                }
            }
            throw e;
        }
        kept = null;
        made.forEach((name, file) -> {
            var one = files.get(name);
            if (one != null) {
                if (one.closed) {
                    file.close();
                }
                one.made = file;
            }
        });
    }

    @Override
    public String location() {
        return directory.location();
    }

    @Override
    public synchronized List<String> list() throws IOException {
        var names = new TreeSet<>(directory.list());
        if (kept != null) {
            names.addAll(kept.keySet());
        }
        return List.copyOf(names);
    }

    @Override
    public synchronized ImageFile create(String name) throws IOException {
        var files = kept;
        if (files == null) {
            return directory.create(name);
        }
        if (files.containsKey(name)) {
            throw new java.nio.file.FileAlreadyExistsException(location() + "/" + name);
        }
        var file = new Kept();
        files.put(name, file);
        return file;
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        make();
        return directory.open(name, writable);
    }

    @Override
    public synchronized void delete(String name) throws IOException {
        if (kept == null || kept.remove(name) == null) {
            directory.delete(name);
        }
    }

    @Override
    public synchronized byte[] read(String name) throws IOException {
        var one = kept == null ? null : kept.get(name);
        return one == null ? directory.read(name) : Arrays.copyOf(one.bytes, (int) one.size);
    }

    @Override
    public void replace(String name, byte[] content) throws IOException {
        make();
        directory.replace(name, content);
    }

    @Override
    public void sync() throws IOException {
        make();
        directory.sync();
    }

    @Override
    public String locate(ImageDirectory other) {
        return directory.locate(
                other instanceof DeferredImageDirectory deferred ? deferred.directory : other);
    }

    @Override
    public boolean isMemory() {
        return directory.isMemory();
    }

    @Override
    public ImageDirectory resolve(String locator) {
        return directory.resolve(locator);
    }
}
