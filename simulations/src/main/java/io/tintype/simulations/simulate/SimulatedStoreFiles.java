package io.tintype.simulations.simulate;

import io.tintype.store.StoreFile;
import io.tintype.store.StoreFiles;
import java.io.Closeable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The file system under a simulated store: its checkpoints, and through {@link SimulatedImages} the images of its disks. After a power failure each sector of a file and each name in a directory is as
 * it was last synced or as it was now, one independent of the other: more is lost than by any real file system.
 */
final class SimulatedStoreFiles implements StoreFiles {
    private sealed interface Node {}

    private record FileNode(CrashableBytes bytes) implements Node {}

    private static final class DirectoryNode implements Node {
        TreeMap<String, Node> durable = new TreeMap<>();
        TreeMap<String, Node> now = new TreeMap<>();
    }

    private final Power power;
    private final DirectoryNode root;
    private boolean locked;

    SimulatedStoreFiles(Power power) {
        this(power, new DirectoryNode());
    }

    private SimulatedStoreFiles(Power power, DirectoryNode root) {
        this.power = power;
        this.root = root;
    }

    /** What a power failure now leaves; this one is as it was. */
    SimulatedStoreFiles crashed(Power newPower, long seed) {
        return new SimulatedStoreFiles(newPower, crashed(newPower, root, seed, ""));
    }

    private static DirectoryNode crashed(Power power, DirectoryNode directory, long seed,
            String path) {
        var names = new TreeMap<>(directory.durable);
        names.putAll(directory.now);
        var left = new DirectoryNode();
        for (var name : names.keySet()) {
            var where = path + "/" + name;
            var older = directory.durable.get(name);
            var newer = directory.now.get(name);
            var node = Objects.equals(older, newer) || (Dice.of(seed, where, -2) & 1) != 0
                    ? newer
                    : older;
            switch (node) {
                case null -> {}
                case FileNode(var bytes) ->
                    left.now.put(name, new FileNode(bytes.crashed(power, seed, where)));
                case DirectoryNode below -> left.now.put(name, crashed(power, below, seed, where));
            }
        }
        left.durable = new TreeMap<>(left.now);
        return left;
    }

    Power power() {
        return power;
    }

    /** The content of a file that is there. */
    CrashableBytes content(Path file) throws IOException {
        if (existing(file) instanceof FileNode(var bytes)) {
            return bytes;
        }
        throw new FileSystemException(file.toString(), null, "Is a directory");
    }

    /** All files, by their path; for an onlooker, so that it works without power, too. */
    List<Path> all() {
        var found = new ArrayList<Path>();
        addAll(Path.of("/"), root, found);
        return found;
    }

    private static void addAll(Path path, DirectoryNode directory, List<Path> found) {
        directory.now.forEach((name, node) -> {
            switch (node) {
                case FileNode _ -> found.add(path.resolve(name));
                case DirectoryNode below -> addAll(path.resolve(name), below, found);
            }
        });
    }

    /** Turns over one bit of a file; which one is up to {@code choice}. False if the file is empty. */
    boolean rot(Path file, long choice) throws IOException {
        if (!(existing(file) instanceof FileNode(var bytes)) || bytes.size() == 0) {
            return false;
        }
        bytes.rot(Long.remainderUnsigned(choice >>> 3, bytes.size()), (int) (choice & 7));
        return true;
    }

    @Override
    public Kind kind(Path path) throws IOException {
        power.access();
        return switch (find(path)) {
            case null -> Kind.NOTHING;
            case FileNode _ -> Kind.FILE;
            case DirectoryNode _ -> Kind.DIRECTORY;
        };
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        power.access();
        return new ArrayList<>(directory(directory).now.keySet());
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        power.change();
        add(directory, new DirectoryNode());
    }

    @Override
    public void syncDirectory(Path path) throws IOException {
        power.change();
        var directory = directory(path);
        directory.durable = new TreeMap<>(directory.now);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        power.change();
        var node = existing(from);
        var there = find(to);
        if (there instanceof DirectoryNode
                || (there != null && node instanceof DirectoryNode)) {
            throw new FileAlreadyExistsException(to.toString());
        }
        if (there instanceof FileNode(var bytes)) {
            power.shrink((long) bytes.pages() * CrashableBytes.PAGE_BYTES);
        }
        parent(to).now.put(name(to), node);
        parent(from).now.remove(name(from));
    }

    @Override
    public void delete(Path path) throws IOException {
        power.change();
        var node = existing(path);
        if (node instanceof DirectoryNode directory && !directory.now.isEmpty()) {
            throw new FileSystemException(path.toString(), null, "Directory not empty");
        }
        if (node instanceof FileNode(var bytes)) {
            power.shrink((long) bytes.pages() * CrashableBytes.PAGE_BYTES);
        }
        parent(path).now.remove(name(path));
    }

    @Override
    public boolean isOwnDirectory(Path path) throws IOException {
        return kind(path) == Kind.DIRECTORY;
    }

    @Override
    public StoreFile create(Path file) throws IOException {
        power.change();
        var node = new FileNode(new CrashableBytes(power));
        add(file, node);
        return new OpenFile(file.toString(), node.bytes());
    }

    @Override
    public StoreFile openToRead(Path file) throws IOException {
        power.access();
        return new OpenFile(file.toString(), content(file));
    }

    @Override
    public long usableSpace(Path directory) {
        return power.usableBytes();
    }

    @Override
    public @Nullable Closeable tryLock(Path file) throws IOException {
        power.access();
        if (locked) {
            return null;
        }
        if (find(file) == null) {
            add(file, new FileNode(new CrashableBytes(power)));
        }
        locked = true;
        return () -> locked = false;
    }

    private void add(Path path, Node node) throws IOException {
        if (parent(path).now.putIfAbsent(name(path), node) != null) {
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
        var node = find(path);
        if (node == null) {
            throw new NoSuchFileException(path.toString());
        }
        return node;
    }

    private @Nullable Node find(Path path) {
        Node node = root;
        for (int i = 0; i < path.getNameCount(); i++) {
            node = node instanceof DirectoryNode directory
                    ? directory.now.get(path.getName(i).toString())
                    : null;
        }
        return node;
    }

    private final class OpenFile implements StoreFile {
        private final String where;
        private final CrashableBytes bytes;

        OpenFile(String where, CrashableBytes bytes) {
            this.where = where;
            this.bytes = bytes;
        }

        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            power.change();
            int count = source.remaining();
            int before = bytes.pages();
            int after = (int) ((position + count + CrashableBytes.PAGE_BYTES - 1)
                    / CrashableBytes.PAGE_BYTES);
            if (after > before) {
                power.grow(where, (long) (after - before) * CrashableBytes.PAGE_BYTES);
            }
            bytes.write(position, MemorySegment.ofBuffer(source), 0, count);
            source.position(source.limit());
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            power.access();
            int count = Math.clamp(bytes.size() - position, 0, target.remaining());
            bytes.read(position, MemorySegment.ofBuffer(target), 0, count);
            target.position(target.position() + count);
        }

        @Override
        public void force() throws IOException {
            power.change();
            bytes.sync();
        }

        @Override
        public long size() throws IOException {
            power.access();
            return bytes.size();
        }

        @Override
        public void close() {}
    }
}
