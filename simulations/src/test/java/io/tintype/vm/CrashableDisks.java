package io.tintype.vm;

import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Image directories in memory that know what a power failure would leave: what was synced, and of the writes since as much as
 * a test likes. Thread-safe.
 */
final class CrashableDisks {
    /** Which unsynced writes a power failure leaves. */
    @FunctionalInterface
    interface Survives {
        boolean survives(String file, long position, int bytes);
    }

    static final Survives NONE = (_, _, _) -> false;

    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Write(long position, byte[] bytes) {}

    private static final class Content {
        private byte[] now = new byte[0];
        private byte[] durable = new byte[0];
        private final List<Write> unsynced = new ArrayList<>();

        synchronized void write(long position, byte[] bytes) {
            now = put(now, position, bytes);
            unsynced.add(new Write(position, bytes));
        }

        synchronized void setSize(long bytes) {
            now = Arrays.copyOf(now, (int) bytes);
            unsynced.add(new Write(bytes, new byte[0]));
        }

        synchronized void sync() {
            durable = now.clone();
            unsynced.clear();
        }

        synchronized Content crashed(String name, Survives survives) {
            var left = new Content();
            left.now = durable.clone();
            for (var write : unsynced) {
                if (survives.survives(name, write.position, write.bytes.length)) {
                    left.now = put(left.now, write.position, write.bytes);
                }
            }
            left.durable = left.now.clone();
            return left;
        }

        private static byte[] put(byte[] to, long position, byte[] bytes) {
            int end = (int) position + bytes.length;
            var longer = end > to.length ? Arrays.copyOf(to, end) : to;
            System.arraycopy(bytes, 0, longer, (int) position, bytes.length);
            return longer;
        }
    }

    private final Map<String, Directory> directories = new ConcurrentHashMap<>();
    private volatile Runnable beforeSync = () -> {};
    private volatile @Nullable Path store;

    /** What to do whenever a file is about to be synced, on the thread that syncs it. */
    void beforeSync(Runnable what) {
        beforeSync = what;
    }

    /** Copies of disks are files of the store, in checkpoints. */
    void copiesAreIn(Path directory) {
        store = directory;
    }

    /** The directory of that path. */
    ImageDirectory at(String key) {
        int checkpoint = key.indexOf("checkpoints/");
        var copies = store;
        if (checkpoint >= 0 && copies != null) {
            return new FileImageDirectory(copies.resolve(key.substring(checkpoint)));
        }
        return directories.computeIfAbsent(key, Directory::new);
    }

    /** What a power failure now would leave. This one goes on as if nothing had happened. */
    CrashableDisks crash(Survives survives) {
        var left = new CrashableDisks();
        left.store = store;
        directories.forEach(
                (key, directory) -> left.directories.put(key, directory.crashed(left, survives)));
        return left;
    }

    private final class Directory implements ImageDirectory {
        private final String path;
        private final TreeMap<String, Content> files = new TreeMap<>();
        private TreeMap<String, Content> durableNames = new TreeMap<>();

        Directory(String path) {
            this.path = path;
        }

        synchronized Directory crashed(CrashableDisks into, Survives survives) {
            var left = into.new Directory(path);
            durableNames.forEach(
                    (name, content) -> left.files.put(name, content.crashed(name, survives)));
            left.durableNames = new TreeMap<>(left.files);
            return left;
        }

        @Override
        public String location() {
            return path;
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
            var content = new Content();
            files.put(name, content);
            return new Handle(content, beforeSync());
        }

        private Runnable beforeSync() {
            return () -> beforeSync.run();
        }

        @Override
        public synchronized ImageFile open(String name, boolean writable) throws IOException {
            return new Handle(find(name), beforeSync());
        }

        @Override
        public synchronized void delete(String name) throws IOException {
            find(name);
            files.remove(name);
        }

        @Override
        public synchronized byte[] read(String name) throws IOException {
            return find(name).now.clone();
        }

        @Override
        public synchronized void replace(String name, byte[] bytes) {
            var content = new Content();
            content.write(0, bytes.clone());
            content.sync();
            files.put(name, content);
            sync();
        }

        @Override
        public synchronized void sync() {
            durableNames = new TreeMap<>(files);
        }

        @Override
        public String locate(ImageDirectory other) {
            return other.location();
        }

        @Override
        public ImageDirectory resolve(String locator) {
            return at(locator);
        }

        private Content find(String name) throws NoSuchFileException {
            var content = files.get(name);
            if (content == null) {
                throw new NoSuchFileException(path + "/" + name);
            }
            return content;
        }
    }

    private static final class Handle implements ImageFile {
        private final Content content;
        private final Runnable beforeSync;

        Handle(Content content, Runnable beforeSync) {
            this.content = content;
            this.beforeSync = beforeSync;
        }

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes) {
            synchronized (content) {
                int there = Math.clamp(content.now.length - position, 0, bytes);
                MemorySegment.copy(MemorySegment.ofArray(content.now),
                        Math.min(position, content.now.length), target,
                        targetOffset, there);
                target.asSlice(targetOffset + there, bytes - there).fill((byte) 0);
            }
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes) {
            var copy = new byte[bytes];
            MemorySegment.copy(source, sourceOffset, MemorySegment.ofArray(copy), 0, bytes);
            content.write(position, copy);
        }

        @Override
        public void sync() {
            beforeSync.run();
            content.sync();
        }

        @Override
        public long size() {
            synchronized (content) {
                return content.now.length;
            }
        }

        @Override
        public void setSize(long bytes) {
            content.setSize(bytes);
        }

        @Override
        public void close() {}
    }
}
