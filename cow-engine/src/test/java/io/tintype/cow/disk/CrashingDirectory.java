package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A directory that loses power after a number of operations. What was not synced then is kept or lost at random: each sector
 * of each write by itself, each change of a size, each name. It can also fail one operation and live on.
 *
 * <p>What it does not do: keep a sector torn, change what was synced, or lose a part of {@link #replace}.
 */
final class CrashingDirectory implements ImageDirectory {
    /** Everything fails with this after the crash. */
    static final class Crash extends IOException {
        Crash() {
            super("power lost");
        }
    }

    /** One operation failed as a disk may fail; of a write some sectors were done, of anything else nothing. */
    static final class Failure extends IOException {
        Failure(String what) {
            super("injected failure of " + what);
        }
    }

    private sealed interface Change {
        @SuppressWarnings("ArrayRecordComponent") // never compared
        record Write(int position, byte[] bytes) implements Change {}

        record Size(int bytes) implements Change {}
    }

    private static final class Inode {
        private byte[] current = new byte[0];
        private byte[] durable = new byte[0];
        private final List<Change> unsynced = new ArrayList<>();

        void apply(Change change) {
            current = applied(current, change);
            unsynced.add(change);
        }

        void sync() {
            for (var change : unsynced) {
                durable = applied(durable, change);
            }
            unsynced.clear();
        }

        /** What is found after a crash that kept each unsynced sector with probability {@code kept}. */
        Inode survivor(Random random, double kept) {
            var bytes = durable.clone();
            for (var change : unsynced) {
                switch (change) {
                    case Change.Size _ when random.nextDouble() < kept ->
                        bytes = applied(bytes, change);
                    case Change.Size _ -> {}
                    case Change.Write(int position, byte[] written) -> {
                        for (int at = 0; at < written.length;) {
                            int length = Math.min(Sectors.BYTES - (position + at) % Sectors.BYTES,
                                    written.length - at);
                            if (random.nextDouble() < kept) {
                                bytes = applied(bytes, new Change.Write(position + at,
                                        Arrays.copyOfRange(written, at, at + length)));
                            }
                            at += length;
                        }
                    }
                }
            }
            var survivor = new Inode();
            survivor.current = bytes;
            survivor.durable = bytes.clone();
            return survivor;
        }

        /** In place where nothing grows. */
        private static byte[] applied(byte[] bytes, Change change) {
            return switch (change) {
                case Change.Size(int size) -> Arrays.copyOf(bytes, size);
                case Change.Write(int position, byte[] written) -> {
                    int end = position + written.length;
                    var longer = end <= bytes.length ? bytes : Arrays.copyOf(bytes, end);
                    System.arraycopy(written, 0, longer, position, written.length);
                    yield longer;
                }
            };
        }
    }

    private final Random random;
    private final TreeMap<String, Inode> names = new TreeMap<>();
    private TreeMap<String, Inode> durableNames = new TreeMap<>();
    private long operationsLeft = Long.MAX_VALUE;
    private long operationsToFailure = Long.MAX_VALUE;
    private boolean failSyncs;

    CrashingDirectory(Random random) {
        this.random = random;
    }

    void crashAfter(long operations) {
        operationsLeft = operations;
    }

    /** Fails one operation; if it is a sync, that file's later ones go through, having lost what they should have written. */
    void failAfter(long operations, boolean syncsToo) {
        operationsToFailure = operations;
        failSyncs = syncsToo;
    }

    /** What is there when the power is back. */
    CrashingDirectory afterCrash() {
        var after = new CrashingDirectory(random);
        double kept = new double[] {0, 0.1, 0.5, 0.9, 1}[random.nextInt(5)];
        var all = new TreeSet<>(names.keySet());
        all.addAll(durableNames.keySet());
        for (String name : all) {
            var inode = random.nextDouble() < kept ? names.get(name) : durableNames.get(name);
            if (inode != null) {
                var survivor = inode.survivor(random, kept);
                after.names.put(name, survivor);
                after.durableNames.put(name, survivor);
            }
        }
        return after;
    }

    @Override
    public String location() {
        return "crashing";
    }

    @Override
    public List<String> list() throws IOException {
        return List.copyOf(names.keySet());
    }

    @Override
    public ImageFile create(String name) throws IOException {
        tick("create");
        if (names.containsKey(name)) {
            throw new FileAlreadyExistsException(name);
        }
        var inode = new Inode();
        names.put(name, inode);
        return new Handle(name, inode);
    }

    @Override
    public ImageFile open(String name, boolean writable) throws IOException {
        return new Handle(name, find(name));
    }

    @Override
    public void delete(String name) throws IOException {
        find(name);
        tick("delete");
        names.remove(name);
    }

    @Override
    public byte[] read(String name) throws IOException {
        return find(name).current.clone();
    }

    @Override
    public void replace(String name, byte[] content) throws IOException {
        tick("replace, before");
        var inode = new Inode();
        inode.apply(new Change.Write(0, content));
        inode.sync();
        names.put(name, inode);
        // From here on it may or may not be found after a crash.
        tick("replace, sync of the directory");
        durableNames = new TreeMap<>(names);
    }

    @Override
    public void sync() throws IOException {
        tick("sync of the directory");
        durableNames = new TreeMap<>(names);
    }

    @Override
    public String locate(ImageDirectory other) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ImageDirectory resolve(String locator) {
        throw new UnsupportedOperationException();
    }

    private void tick(String operation) throws IOException {
        if (operationsLeft <= 0) {
            throw new Crash();
        }
        operationsLeft--;
        operationsToFailure--;
        if (operationsToFailure < 0 && (failSyncs || !operation.contains("sync"))) {
            operationsToFailure = Long.MAX_VALUE;
            throw new Failure(operation);
        }
    }

    private Inode find(String name) throws NoSuchFileException {
        var inode = names.get(name);
        if (inode == null) {
            throw new NoSuchFileException(name);
        }
        return inode;
    }

    private final class Handle implements ImageFile {
        private final String name;
        private final Inode inode;
        private boolean closed;

        Handle(String name, Inode inode) {
            this.name = name;
            this.inode = inode;
        }

        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes)
                throws IOException {
            checkOpen();
            int there = Math.clamp(inode.current.length - position, 0, bytes);
            target.asSlice(targetOffset, bytes).fill((byte) 0);
            if (there > 0) {
                MemorySegment.copy(MemorySegment.ofArray(inode.current), position, target,
                        targetOffset, there);
            }
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            checkOpen();
            var written = new byte[bytes];
            MemorySegment.copy(source, sourceOffset, MemorySegment.ofArray(written), 0, bytes);
            try {
                tick("write to " + name);
            } catch (Failure e) {
                int done = random.nextInt(bytes / Sectors.BYTES + 1) * Sectors.BYTES;
                inode.apply(new Change.Write((int) position, Arrays.copyOf(written, done)));
                throw e;
            }
            inode.apply(new Change.Write((int) position, written));
        }

        @Override
        public void sync() throws IOException {
            checkOpen();
            tick("sync of " + name);
            inode.sync();
        }

        @Override
        public long size() throws IOException {
            checkOpen();
            return inode.current.length;
        }

        @Override
        public void setSize(long bytes) throws IOException {
            checkOpen();
            tick("size of " + name);
            inode.apply(new Change.Size((int) bytes));
        }

        @Override
        public void close() {
            closed = true;
        }

        private void checkOpen() throws ClosedImageException {
            if (closed) {
                throw new ClosedImageException(name);
            }
        }
    }
}
