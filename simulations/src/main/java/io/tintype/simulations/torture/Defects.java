package io.tintype.simulations.torture;

import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.store.StoreFile;
import io.tintype.store.StoreFiles;
import io.tintype.vm.DiskIo;
import io.tintype.vm.HostPorts;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** Ports that are broken as a {@link Defect} says. */
final class Defects {
    private static final Executor LATER =
            CompletableFuture.delayedExecutor(1_500, TimeUnit.MILLISECONDS);

    private Defects() {}

    static HostPorts in(HostPorts ports, Defect defect) {
        return switch (defect) {
            case NONE -> ports;
            case LATE_SEGMENTS -> ports.broken(Rules.ALL_ON, UnaryOperator.identity(),
                    files -> new BrokenFiles(files, true, false));
            case EARLY_COMPLETIONS -> ports.broken(Rules.ALL_ON,
                    disks -> new BrokenDiskIo(disks, DiskIo.Operation.Kind.WRITE),
                    UnaryOperator.identity());
            case EMPTY_FLUSHES -> ports.broken(Rules.ALL_ON,
                    disks -> new BrokenDiskIo(disks, DiskIo.Operation.Kind.SYNC),
                    UnaryOperator.identity());
            case SHALLOW_FLUSHES -> ports.broken(Rules.without(Rule.R13), UnaryOperator.identity(),
                    UnaryOperator.identity());
            case EARLY_SEALS -> ports.broken(Rules.without(Rule.R12), UnaryOperator.identity(),
                    UnaryOperator.identity());
            case UNDELETED -> ports.broken(Rules.ALL_ON, UnaryOperator.identity(),
                    files -> new BrokenFiles(files, false, true));
        };
    }

    /** Says that operations of a kind are done, and does writes later, when the guest may have used the frames again, and syncs never. */
    private record BrokenDiskIo(DiskIo disks, Operation.Kind broken) implements DiskIo {
        @Override
        public @Nullable IoStatus submit(Operation operation, Consumer<IoStatus> done) {
            if (operation.kind() != broken || operation.fault()) {
                return disks.submit(operation, done);
            }
            if (broken == Operation.Kind.WRITE) {
                LATER.execute(() -> operation.body().perform());
            }
            return IoStatus.OK;
        }

        @Override
        public void close() {
            disks.close();
        }
    }

    private record BrokenFiles(StoreFiles files, boolean lateSegments, boolean undeleted)
            implements
                StoreFiles {
        @Override
        public Kind kind(Path path) throws IOException {
            return files.kind(path);
        }

        @Override
        public List<String> list(Path directory) throws IOException {
            return files.list(directory);
        }

        @Override
        public void createDirectory(Path directory) throws IOException {
            files.createDirectory(directory);
        }

        @Override
        public void syncDirectory(Path directory) throws IOException {
            files.syncDirectory(directory);
        }

        @Override
        public void rename(Path from, Path to) throws IOException {
            if (undeleted && to.toString().endsWith(".deleted")) {
                return;
            }
            files.rename(from, to);
        }

        @Override
        public void delete(Path path) throws IOException {
            if (undeleted && files.kind(path) == Kind.NOTHING) {
                return;
            }
            files.delete(path);
        }

        @Override
        public boolean isOwnDirectory(Path path) throws IOException {
            return files.isOwnDirectory(path);
        }

        @Override
        public StoreFile create(Path file) throws IOException {
            var created = files.create(file);
            if (undeleted && file.toString().contains("retired")) {
                files.delete(file);
            }
            return lateSegments && String.valueOf(file.getFileName()).startsWith("memory-")
                    ? new LateFile(created)
                    : created;
        }

        @Override
        public StoreFile openToRead(Path file) throws IOException {
            return files.openToRead(file);
        }

        @Override
        public long usableSpace(Path directory) throws IOException {
            return files.usableSpace(directory);
        }

        @Override
        public @Nullable Closeable tryLock(Path file) throws IOException {
            return files.tryLock(file);
        }
    }

    /** Writes what it was given, all of it, some time after it was closed; until then it is in memory. */
    private static final class LateFile implements StoreFile {
        private final StoreFile file;
        private byte[] content = new byte[1 << 20];
        private int size;

        LateFile(StoreFile file) {
            this.file = file;
        }

        @Override
        public synchronized void write(long position, ByteBuffer source) {
            int from = Math.toIntExact(position);
            int end = from + source.remaining();
            if (end > content.length) {
                content = Arrays.copyOf(content, 2 * end);
            }
            source.get(content, from, end - from);
            size = Math.max(size, end);
        }

        @Override
        public synchronized void read(long position, ByteBuffer target) {
            int from = Math.toIntExact(Math.min(position, size));
            target.put(content, from, Math.min(target.remaining(), size - from));
        }

        @Override
        public void force() {}

        @Override
        public synchronized long size() {
            return size;
        }

        @Override
        public void close() {
            LATER.execute(() -> {
                try (file) {
                    file.write(0, ByteBuffer.wrap(content, 0, size));
                } catch (IOException lost) {
                    // A defect that fails is one all the same.
                    size = 0;
                }
            });
        }
    }
}
