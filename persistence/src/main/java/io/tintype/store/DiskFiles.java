package io.tintype.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The file system of this machine, through {@link FileChannel}. */
final class DiskFiles implements StoreFiles {
    static final DiskFiles INSTANCE = new DiskFiles();

    /**
     * Lock files held by this JVM. Asked before the file is opened, since POSIX drops a process's
     * lock when the process closes any descriptor of that file, not only the one that was locked.
     */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private DiskFiles() {}

    @Override
    public Kind kind(Path path) {
        if (Files.isDirectory(path)) {
            return Kind.DIRECTORY;
        }
        return Files.exists(path, LinkOption.NOFOLLOW_LINKS) ? Kind.FILE : Kind.NOTHING;
    }

    @Override
    public List<String> list(Path directory) throws IOException {
        try (var paths = Files.list(directory)) {
            return paths.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
        Files.createDirectory(directory);
    }

    @Override
    public void syncDirectory(Path directory) throws IOException {
        try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
        // rename(2) would replace an empty directory without a word.
        if (Files.isDirectory(from) && Files.exists(to, LinkOption.NOFOLLOW_LINKS)) {
            throw new FileAlreadyExistsException(to.toString(), null, "File exists");
        }
        Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
    }

    @Override
    public void delete(Path path) throws IOException {
        Files.delete(path);
    }

    @Override
    public boolean isOwnDirectory(Path path) {
        return Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
    }

    @Override
    public StoreFile create(Path file) throws IOException {
        return new DiskFile(
                FileChannel.open(file, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ,
                        StandardOpenOption.WRITE));
    }

    @Override
    public StoreFile openToRead(Path file) throws IOException {
        return new DiskFile(FileChannel.open(file, StandardOpenOption.READ));
    }

    @Override
    public long usableSpace(Path directory) throws IOException {
        return Files.getFileStore(directory).getUsableSpace();
    }

    @Override
    public long totalSpace(Path directory) throws IOException {
        return Files.getFileStore(directory).getTotalSpace();
    }

    @Override
    public @Nullable Closeable tryLock(Path file) throws IOException {
        Path key = Objects.requireNonNull(file.toAbsolutePath().getParent()).toRealPath()
                .resolve(file.getFileName());
        if (!HELD.add(key)) {
            return null;
        }
        FileChannel channel = null;
        boolean locked = false;
        try {
            channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            locked = channel.tryLock() != null;
            if (!locked) {
                return null;
            }
            writeOwner(channel);
            FileChannel held = channel;
            return () -> {
                try {
                    held.close();
                } finally {
                    HELD.remove(key);
                }
            };
        } catch (OverlappingFileLockException e) {
            return null;
        } finally {
            if (!locked) {
                if (channel != null) {
                    channel.close();
                }
                HELD.remove(key);
            }
        }
    }

    @Override
    public @Nullable String holder(Path file) {
        try {
            Path key = Objects.requireNonNull(file.toAbsolutePath().getParent()).toRealPath()
                    .resolve(file.getFileName());
            if (HELD.contains(key)) {
                // Not to be opened: closing any file of it would give up this process's own lock.
                return "pid " + ProcessHandle.current().pid();
            }
            String owner = Files.readString(file, StandardCharsets.US_ASCII).strip();
            return owner.matches("pid [0-9]{1,10}") ? owner : null;
        } catch (IOException _) {
            return null;
        }
    }

    /** For whoever looks into the file; so a full disk is no reason not to lock. */
    private static void writeOwner(FileChannel channel) {
        try {
            channel.truncate(0);
            String owner = "pid " + ProcessHandle.current().pid() + "\n";
            channel.write(ByteBuffer.wrap(owner.getBytes(StandardCharsets.US_ASCII)), 0);
        } catch (IOException _) {
            // The lock is held all the same.
        }
    }

    private record DiskFile(FileChannel channel) implements StoreFile {
        @Override
        public void write(long position, ByteBuffer source) throws IOException {
            long at = position;
            while (source.hasRemaining()) {
                at += channel.write(source, at);
            }
        }

        @Override
        public void read(long position, ByteBuffer target) throws IOException {
            long at = position;
            while (target.hasRemaining()) {
                int count = channel.read(target, at);
                if (count < 0) {
                    return;
                }
                at += count;
            }
        }

        @Override
        public void force() throws IOException {
            // fdatasync: the size is made durable too, the time stamps need not be.
            channel.force(false);
        }

        @Override
        public long size() throws IOException {
            return channel.size();
        }

        @Override
        public void close() throws IOException {
            channel.close();
        }
    }
}
