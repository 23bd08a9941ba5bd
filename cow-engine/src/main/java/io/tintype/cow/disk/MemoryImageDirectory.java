package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Image files in memory, for tests and benchmarks: nothing is durable, so syncing costs nothing. All directories that were
 * made from one {@link #root} find each other and share one bound. What was never written takes no memory.
 */
public final class MemoryImageDirectory implements ImageDirectory {
    /** Begins the locator of a directory that is not in memory: a disk in memory may stand on a copy in a file. */
    private static final String FILES = "file:";

    /** What directories of one root share. */
    private static final class Host {
        private final long capacityBytes;
        private final AtomicLong usedBytes = new AtomicLong();
        private final ConcurrentHashMap<String, MemoryImageDirectory> directories =
                new ConcurrentHashMap<>();

        Host(long capacityBytes) {
            this.capacityBytes = capacityBytes;
        }

        void take(String file, long bytes) throws IOException {
            if (usedBytes.addAndGet(bytes) > capacityBytes) {
                usedBytes.addAndGet(-bytes);
                throw new IOException(
                        file + ": no space left of " + capacityBytes
                                + " bytes for disks in memory");
            }
        }
    }

    private final Host host;
    private final String path;

    // Guarded by this.
    private final TreeMap<String, Content> files = new TreeMap<>();

    private MemoryImageDirectory(Host host, String path) {
        this.host = host;
        this.path = path;
    }

    /** A directory that shares nothing with others, with no bound but the heap. */
    public MemoryImageDirectory() {
        this(new Host(Long.MAX_VALUE), "/memory");
        host.directories.put(path, this);
    }

    /** @param capacityBytes what all files in all directories from this root may take; writes fail beyond */
    public static MemoryImageDirectory root(long capacityBytes) {
        var host = new Host(capacityBytes);
        return (MemoryImageDirectory) new MemoryImageDirectory(host, "").resolve("/memory");
    }

    /** The directory of that name in this one; made at the first call. */
    public MemoryImageDirectory child(String name) {
        return (MemoryImageDirectory) resolve(path + "/" + name);
    }

    /** What the files of all directories from this root take. */
    public long usedBytes() {
        return host.usedBytes.get();
    }

    @Override
    public String location() {
        return path;
    }

    @Override
    public boolean isMemory() {
        return true;
    }

    @Override
    public synchronized List<String> list() {
        return List.copyOf(files.keySet());
    }

    @Override
    public synchronized ImageFile create(String name) throws IOException {
        if (files.containsKey(name)) {
            throw new FileAlreadyExistsException(path + "/" + name);
        }
        var content = new Content(host, path + "/" + name);
        files.put(name, content);
        return new Handle(content, true);
    }

    @Override
    public synchronized ImageFile open(String name, boolean writable) throws IOException {
        return new Handle(find(name), writable);
    }

    @Override
    public synchronized void delete(String name) throws IOException {
        find(name).release();
        files.remove(name);
    }

    @Override
    public synchronized byte[] read(String name) throws IOException {
        var content = find(name);
        var bytes = new byte[Math.toIntExact(content.size())];
        content.read(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        return bytes;
    }

    @Override
    public synchronized void replace(String name, byte[] bytes) throws IOException {
        var content = new Content(host, path + "/" + name);
        content.write(0, MemorySegment.ofArray(bytes), 0, bytes.length);
        var before = files.put(name, content);
        if (before != null) {
            before.release();
        }
    }

    @Override
    public void sync() {}

    /** An absolute path: memory is not moved. */
    @Override
    public String locate(ImageDirectory other) {
        if (other instanceof FileImageDirectory files) {
            return FILES + files.path();
        }
        if (!(other instanceof MemoryImageDirectory memory) || memory.host != host) {
            throw new IllegalArgumentException(
                    other.location() + " is not in the same memory as " + location());
        }
        return memory.path;
    }

    @Override
    public ImageDirectory resolve(String locator) {
        if (locator.startsWith(FILES)) {
            return new FileImageDirectory(Path.of(locator.substring(FILES.length())));
        }
        return host.directories.computeIfAbsent(locator, at -> new MemoryImageDirectory(host, at));
    }

    private Content find(String name) throws NoSuchFileException {
        var content = files.get(name);
        if (content == null) {
            throw new NoSuchFileException(path + "/" + name);
        }
        return content;
    }

    /** An open file. It keeps the content alive after the file was deleted. */
    private static final class Handle implements ImageFile {
        private final Content content;
        private final boolean writable;
        private volatile boolean closed;

        Handle(Content content, boolean writable) {
            this.content = content;
            this.writable = writable;
        }

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes)
                throws IOException {
            checkOpen();
            content.read(position, target, targetOffset, bytes);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            checkWritable();
            content.write(position, source, sourceOffset, bytes);
        }

        @Override
        public void sync() throws IOException {
            checkOpen();
        }

        @Override
        public long size() throws IOException {
            checkOpen();
            return content.size();
        }

        @Override
        public void setSize(long bytes) throws IOException {
            checkWritable();
            content.setSize(bytes);
        }

        @Override
        public void close() {
            closed = true;
        }

        private void checkOpen() throws ClosedImageException {
            if (closed) {
                throw new ClosedImageException(content.where);
            }
        }

        private void checkWritable() throws IOException {
            checkOpen();
            if (!writable) {
                throw new IOException(content.where + ": open to be read only");
            }
        }
    }

    /**
     * The bytes of a file: a head that grows, and chunks that are allocated whole when first written. The head is for what
     * is small and written rarely, behind a lock; chunks never move once there, so they need none.
     */
    private static final class Content {
        private static final int CHUNK_SHIFT = 16;
        private static final int CHUNK_BYTES = 1 << CHUNK_SHIFT;
        private static final int HEAD_MIN = 512;

        private static final VarHandle CHUNK =
                MethodHandles.arrayElementVarHandle(MemorySegment[].class);
        private static final MemorySegment[] NO_CHUNKS = new MemorySegment[0];
        private static final byte[] NO_BYTES = new byte[0];
        private static final MemorySegment ZEROS =
                MemorySegment.ofArray(new byte[CHUNK_BYTES]).asReadOnly();

        private final Host host;
        private final String where;
        private volatile long size;

        /** Chunk i has the bytes from i * CHUNK_BYTES on; chunk 0 is never there, the head is. */
        private volatile MemorySegment[] chunks = NO_CHUNKS;

        // Guarded by this.
        private byte[] head = NO_BYTES;
        private long takenBytes;

        Content(Host host, String where) {
            this.host = host;
            this.where = where;
        }

        long size() {
            return size;
        }

        void read(long position, MemorySegment target, long targetOffset, int bytes) {
            long at = position;
            long end = position + bytes;
            while (at < end) {
                int offset = (int) at & (CHUNK_BYTES - 1);
                int length = (int) Math.min(CHUNK_BYTES - offset, end - at);
                long to = targetOffset + (at - position);
                if (at < CHUNK_BYTES) {
                    readHead(offset, target, to, length);
                } else {
                    var chunk = chunk(at);
                    MemorySegment.copy(chunk == null ? ZEROS : chunk, offset, target, to, length);
                }
                at += length;
            }
        }

        void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            long at = position;
            long end = position + bytes;
            while (at < end) {
                int offset = (int) at & (CHUNK_BYTES - 1);
                int length = (int) Math.min(CHUNK_BYTES - offset, end - at);
                long from = sourceOffset + (at - position);
                if (at < CHUNK_BYTES) {
                    writeHead(offset, source, from, length);
                } else {
                    var chunk = chunk(at);
                    MemorySegment.copy(source, from, chunk == null ? allocate(at) : chunk, offset,
                            length);
                }
                at += length;
            }
            if (end > size) {
                grow(end);
            }
        }

        synchronized void setSize(long bytes) {
            if (bytes < size) {
                cut(bytes);
            }
            size = bytes;
        }

        /** The file has no name any more. Its space counts as given back; the collector takes it when nobody reads it. */
        synchronized void release() {
            host.usedBytes.addAndGet(-takenBytes);
            takenBytes = 0;
        }

        private @Nullable MemorySegment chunk(long position) {
            var table = chunks;
            long index = position >>> CHUNK_SHIFT;
            return index < table.length
                    ? (MemorySegment) CHUNK.getAcquire(table, (int) index)
                    : null;
        }

        private synchronized MemorySegment allocate(long position) throws IOException {
            var there = chunk(position);
            if (there != null) {
                return there;
            }
            take(CHUNK_BYTES);
            int index = Math.toIntExact(position >>> CHUNK_SHIFT);
            if (index >= chunks.length) {
                chunks = Arrays.copyOf(chunks,
                        Math.max(index + 1, chunks.length + chunks.length / 2));
            }
            var chunk = MemorySegment.ofArray(new byte[CHUNK_BYTES]);
            CHUNK.setRelease(chunks, index, chunk);
            return chunk;
        }

        private synchronized void readHead(int offset, MemorySegment target, long to, int length) {
            int there = Math.clamp(head.length - offset, 0, length);
            MemorySegment.copy(MemorySegment.ofArray(head), Math.min(offset, head.length), target,
                    to, there);
            MemorySegment.copy(ZEROS, 0, target, to + there, length - there);
        }

        private synchronized void writeHead(int offset, MemorySegment source, long from, int length)
                throws IOException {
            int end = offset + length;
            if (end > head.length) {
                int longer = Math.max(HEAD_MIN, Integer.highestOneBit(end - 1) << 1);
                take(longer - head.length);
                head = Arrays.copyOf(head, longer);
            }
            MemorySegment.copy(source, from, MemorySegment.ofArray(head), offset, length);
        }

        private void take(long bytes) throws IOException {
            host.take(where, bytes);
            takenBytes += bytes;
        }

        private synchronized void grow(long end) {
            size = Math.max(size, end);
        }

        private void cut(long end) {
            if (end < head.length) {
                Arrays.fill(head, (int) end, head.length, (byte) 0);
            }
            for (int i = 1; i < chunks.length; i++) {
                long start = (long) i << CHUNK_SHIFT;
                var chunk = chunks[i];
                if (chunk != null && start + CHUNK_BYTES > end) {
                    chunk.asSlice(Math.max(0, end - start)).fill((byte) 0);
                }
            }
        }
    }
}
