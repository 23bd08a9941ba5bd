package io.tintype.cow.disk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Image files in a directory of the operating system, which is made when the first file is, and durably when this is first
 * synced: so a disk that nobody has written to yet, a clone among a hundred, costs no sync.
 */
public final class FileImageDirectory implements ImageDirectory {
    private interface Call<R> {
        R run() throws IOException;
    }

    private static final String TEMPORARY_SUFFIX = ".tmp";

    /**
     * Directories in which one was made whose name may not be durable yet, with how often. Of all disks together: the directory of
     * a VM is made for its first disk, and a flush of the second one must not rely on one of the first.
     */
    private static final ConcurrentMap<Path, Long> UNSYNCED = new ConcurrentHashMap<>();

    private final Path path;
    private final OpenFiles openFiles;

    public FileImageDirectory(Path path) {
        this(path, OpenFiles.shared());
    }

    /** @param openFiles bounds the files that this and other directories have open */
    public FileImageDirectory(Path path, OpenFiles openFiles) {
        this.path = path.toAbsolutePath().normalize();
        this.openFiles = openFiles;
    }

    public Path path() {
        return path;
    }

    @Override
    public String location() {
        return path.toString();
    }

    @Override
    public List<String> list() throws IOException {
        var names = new ArrayList<String>();
        try (var files = Files.newDirectoryStream(path)) {
            for (var file : files) {
                names.add(String.valueOf(file.getFileName()));
            }
        } catch (NoSuchFileException e) {
            return List.of();
        } catch (DirectoryIteratorException e) {
            throw e.getCause();
        }
        names.sort(null);
        return names;
    }

    @Override
    public ImageFile create(String name) throws IOException {
        try {
            return new FileImage(path.resolve(name), true, true, openFiles);
        } catch (NoSuchFileException e) {
            makeDirectory(path);
            return new FileImage(path.resolve(name), true, true, openFiles);
        }
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        return new FileImage(path.resolve(name), writable, false, openFiles);
    }

    @Override
    public void delete(String name) throws IOException {
        Files.delete(path.resolve(name));
    }

    @Override
    public byte[] read(String name) throws IOException {
        return uninterrupted(() -> Files.readAllBytes(path.resolve(name)));
    }

    @Override
    public void replace(String name, byte[] content) throws IOException {
        var temporary = path.resolve(name + TEMPORARY_SUFFIX);
        uninterrupted(() -> {
            writeDurably(temporary, content);
            return name;
        });
        Files.move(temporary, path.resolve(name), StandardCopyOption.ATOMIC_MOVE,
                StandardCopyOption.REPLACE_EXISTING);
        sync();
    }

    private static void writeDurably(Path temporary, byte[] content) throws IOException {
        try (var channel =
                FileChannel.open(temporary, StandardOpenOption.CREATE, StandardOpenOption.WRITE,
                        StandardOpenOption.TRUNCATE_EXISTING)) {
            var buffer = ByteBuffer.wrap(content);
            while (buffer.hasRemaining()) {
                channel.write(buffer);
            }
            channel.force(true);
        } catch (IOException e) {
            try {
                Files.deleteIfExists(temporary);
            } catch (IOException second) {
                e.addSuppressed(second);
            }
            throw e;
        }
    }

    @Override
    public void sync() throws IOException {
        if (!UNSYNCED.isEmpty()) {
            var above = new ArrayDeque<Path>();
            for (var each = path.getParent(); each != null; each = each.getParent()) {
                above.addFirst(each);
            }
            for (var each : above) {
                var count = UNSYNCED.get(each);
                if (count != null) {
                    syncDirectory(each);
                    // Not if another one was made there meanwhile; nor after a failure, so that nothing is forgotten here.
                    UNSYNCED.remove(each, count);
                }
            }
        }
        syncDirectory(path);
    }

    /** A relative path where there is one, so that a tree of disks can be moved. */
    @Override
    public String locate(ImageDirectory other) {
        if (!(other instanceof FileImageDirectory files)) {
            throw new IllegalArgumentException(
                    other.location() + " is no directory of files, unlike "
                            + location());
        }
        return path.relativize(files.path).toString();
    }

    @Override
    public ImageDirectory resolve(String locator) {
        // Normal, so that one place has one name.
        return new FileImageDirectory(path.resolve(locator).normalize(), openFiles);
    }

    /** Makes the directory and those above it; syncing a directory says nothing about its own name, see {@link #sync}. */
    private void makeDirectory(Path directory) throws IOException {
        var above = directory.getParent();
        if (above == null || Files.isDirectory(directory)) {
            return;
        }
        makeDirectory(above);
        // Before, for who finds it there and syncs; and after, as somebody may have synced too early.
        UNSYNCED.merge(above, 1L, Long::sum);
        try {
            Files.createDirectory(directory);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
        UNSYNCED.merge(above, 1L, Long::sum);
    }

    private static void syncDirectory(Path directory) throws IOException {
        uninterrupted(() -> {
            try (var channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
            return directory;
        });
    }

    /** An interrupt closes the channel that it finds a thread in; what is done here can be done again. */
    private static <R> R uninterrupted(Call<R> call) throws IOException {
        boolean interrupted = false;
        try {
            for (;;) {
                try {
                    return call.run();
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
