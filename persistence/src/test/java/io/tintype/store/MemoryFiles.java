package io.tintype.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A file system in memory that knows what is durable, and so what may be left after a loss of
 * power. More is lost than by any real one: each 512 bytes of a file, and each name in a directory,
 * either are as they were last synced or as they are now, one independent of the other; even a
 * rename may be half done. One thread at a time.
 */
final class MemoryFiles implements StoreFiles {
    private static final int SECTOR_BYTES = 512;

    private sealed interface Node {}

    private static final class FileNode implements Node {
        byte[] durable = {};
        byte[] current = {};
    }

    private static final class DirectoryNode implements Node {
        Map<String, Node> durable = new TreeMap<>();
        Map<String, Node> current = new TreeMap<>();
    }

    private final DirectoryNode root;
    private boolean locked;
    private int openCount;

    MemoryFiles() {
        this(new DirectoryNode());
    }

    private MemoryFiles(DirectoryNode root) {
        this.root = root;
    }

    /** How many files are open. */
    int openCount() {
        return openCount;
    }

    /** What a machine finds when it comes up again; this one is left alone. */
    MemoryFiles afterPowerLoss(RandomGenerator random) {
        return new MemoryFiles(survivor(root, random));
    }

    private static DirectoryNode survivor(DirectoryNode directory, RandomGenerator random) {
        var names = new TreeMap<>(directory.durable);
        names.putAll(directory.current);
        var survivor = new DirectoryNode();
        for (String name : names.keySet()) {
            Node node = (random.nextBoolean() ? directory.durable : directory.current).get(name);
            switch (node) {
                case null -> {}
                case FileNode file -> survivor.current.put(name, survivor(file, random));
                case DirectoryNode below -> survivor.current.put(name, survivor(below, random));
            }
        }
        survivor.durable = new TreeMap<>(survivor.current);
        return survivor;
    }

    private static FileNode survivor(FileNode file, RandomGenerator random) {
        var survivor = new FileNode();
        int size = (random.nextBoolean() ? file.durable : file.current).length;
        survivor.current = new byte[size];
        for (int at = 0; at < size; at += SECTOR_BYTES) {
            byte[] from = random.nextBoolean() ? file.durable : file.current;
            int count = Math.min(SECTOR_BYTES, Math.min(size, from.length) - at);
            if (count > 0) {
                System.arraycopy(from, at, survivor.current, at, count);
            }
        }
        survivor.durable = survivor.current.clone();
        return survivor;
    }

    @Override
    public Kind kind(Path path) {
        return switch (find(path)) {
            case null -> Kind.NOTHING;
            case FileNode _ -> Kind.FILE;
            case DirectoryNode _ -> Kind.DIRECTORY;
        };
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        return new ArrayList<>(directory(directory).current.keySet());
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        add(directory, new DirectoryNode());
    }

    @Override
    public void syncDirectory(Path path) throws IOException {
        DirectoryNode directory = directory(path);
        directory.durable = new TreeMap<>(directory.current);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        Node node = existing(from);
        if (find(to) instanceof DirectoryNode
                || (find(to) != null && node instanceof DirectoryNode)) {
            throw new FileAlreadyExistsException(to.toString());
        }
        parent(to).current.put(name(to), node);
        parent(from).current.remove(name(from));
    }

    @Override
    public void delete(Path path) throws IOException {
        if (existing(path) instanceof DirectoryNode directory && !directory.current.isEmpty()) {
            throw new FileSystemException(path.toString(), null, "Directory not empty");
        }
        parent(path).current.remove(name(path));
    }

    @Override
    public boolean isOwnDirectory(Path path) {
        return kind(path) == Kind.DIRECTORY;
    }

    @Override
    public StoreFile create(Path file) throws IOException {
        var node = new FileNode();
        add(file, node);
        return new OpenFile(node);
    }

    @Override
    public StoreFile openToRead(Path file) throws IOException {
        return new OpenFile((FileNode) existing(file));
    }

    @Override
    public long usableSpace(Path directory) {
        return Long.MAX_VALUE;
    }

    @Override
    public @Nullable Closeable tryLock(Path file) throws IOException {
        if (locked) {
            return null;
        }
        if (find(file) == null) {
            add(file, new FileNode());
        }
        locked = true;
        return () -> locked = false;
    }

    private void add(Path path, Node node) throws IOException {
        if (parent(path).current.putIfAbsent(name(path), node) != null) {
            throw new FileAlreadyExistsException(path.toString());
        }
    }

    private DirectoryNode parent(Path path) throws IOException {
        return directory(Objects.requireNonNull(path.getParent()));
    }

    private static String name(Path path) {
        return String.valueOf(path.getFileName());
    }

    private DirectoryNode directory(Path path) throws IOException {
        if (existing(path) instanceof DirectoryNode directory) {
            return directory;
        }
        throw new FileSystemException(path.toString(), null, "Not a directory");
    }

    private Node existing(Path path) throws IOException {
        Node node = find(path);
        if (node == null) {
            throw new NoSuchFileException(path.toString());
        }
        return node;
    }

    private @Nullable Node find(Path path) {
        Node node = root;
        for (Path name : path) {
            node = node instanceof DirectoryNode directory
                    ? directory.current.get(name.toString())
                    : null;
        }
        return node;
    }

    private final class OpenFile implements StoreFile {
        private final FileNode node;
        private boolean closed;

        OpenFile(FileNode node) {
            this.node = node;
            openCount++;
        }

        @Override
        public void write(long position, ByteBuffer source) {
            int end = Math.toIntExact(position + source.remaining());
            if (node.current.length < end) {
                node.current = Arrays.copyOf(node.current, end);
            }
            source.get(node.current, (int) position, source.remaining());
        }

        @Override
        public void read(long position, ByteBuffer target) {
            int count =
                    (int) Math.max(0, Math.min(target.remaining(), node.current.length - position));
            target.put(node.current, (int) position, count);
        }

        @Override
        public void force() {
            node.durable = node.current.clone();
        }

        @Override
        public long size() {
            return node.current.length;
        }

        @Override
        public void close() {
            openCount -= closed ? 0 : 1;
            closed = true;
        }
    }
}
