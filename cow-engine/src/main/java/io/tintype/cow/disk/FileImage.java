package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.NoSuchFileException;
import java.nio.file.OpenOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An image in a file of the operating system. Its channel comes and goes: {@link OpenFiles} closes it when it is idle, and an
 * interrupt that hits a thread in the middle of a call closes it for all threads; either way it is opened again.
 *
 * <p>{@code users} counts the calls under way; the channel is closed by whoever moves it from 0 to {@link #CLOSING}, or by
 * the last of them after {@link #close}.
 */
final class FileImage implements ImageFile {
    private interface Call<R> {
        R run(FileChannel channel) throws IOException;
    }

    private static final int CLOSING = -1;

    private final Path path;
    private final boolean writable;
    private final OpenFiles openFiles;
    private final AtomicInteger users = new AtomicInteger();
    private volatile @Nullable FileChannel channel;
    private volatile boolean unsynced;
    private volatile boolean closed;
    private volatile boolean wasUsed;

    FileImage(Path path, boolean writable, boolean create, OpenFiles openFiles) throws IOException {
        this.path = path;
        this.writable = writable;
        this.openFiles = openFiles;
        channel = FileChannel.open(path, create
                ? Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.READ,
                        StandardOpenOption.WRITE)
                : options());
        openFiles.opened(this);
    }

    @Override
    public void read(long position, MemorySegment target, long targetOffset, int bytes)
            throws IOException {
        int read = call(channel -> {
            var buffer = target.asSlice(targetOffset, bytes).asByteBuffer();
            while (buffer.hasRemaining()) {
                if (channel.read(buffer, position + buffer.position()) < 0) {
                    break;
                }
            }
            return buffer.position();
        });
        if (read < bytes) {
            target.asSlice(targetOffset + read, bytes - read).fill((byte) 0);
        }
    }

    @Override
    public void write(long position, MemorySegment source, long sourceOffset, int bytes)
            throws IOException {
        call(channel -> {
            writeFully(channel, position, source.asSlice(sourceOffset, bytes).asByteBuffer());
            return bytes;
        });
    }

    @Override
    public void sync() throws IOException {
        call(channel -> {
            unsynced = false;
            // Not the time stamps; the size it does write, as reading the data needs it.
            channel.force(false);
            return 0;
        });
    }

    @Override
    public long size() throws IOException {
        return call(FileChannel::size);
    }

    @Override
    public void setSize(long bytes) throws IOException {
        call(channel -> {
            if (bytes <= channel.size()) {
                unsynced = true;
                channel.truncate(bytes);
            } else {
                // There is no call to extend a file; what is skipped is a hole.
                writeFully(channel, bytes - 1, ByteBuffer.allocate(1));
            }
            return 0;
        });
    }

    @Override
    public void close() {
        closed = true;
        closeIfIdle(true);
        openFiles.forget(this);
    }

    /** False if it is in use, or was since it was last asked. Closed ones count as idle. */
    boolean closeIfIdle(boolean evenUnsynced) {
        boolean spare = (wasUsed || unsynced) && !evenUnsynced;
        wasUsed = false;
        if (spare || !users.compareAndSet(0, CLOSING)) {
            return false;
        }
        try {
            closeChannel();
        } finally {
            users.set(0);
        }
        return true;
    }

    private void writeFully(FileChannel channel, long position, ByteBuffer buffer)
            throws IOException {
        // Before and after: a sync that clears it in between may have missed this.
        unsynced = true;
        while (buffer.hasRemaining()) {
            channel.write(buffer, position + buffer.position());
        }
        unsynced = true;
    }

    private <R> R call(Call<R> call) throws IOException {
        boolean interrupted = false;
        try {
            for (;;) {
                enter();
                try {
                    var open = openChannel();
                    try {
                        return call.run(open);
                    } catch (ClosedChannelException e) {
                        // This thread was interrupted, or another one in the same channel. Calls can be repeated, and an
                        // interrupt is no reason for a disk to fail.
                        interrupted |= Thread.interrupted();
                        drop(open);
                    }
                } finally {
                    exit();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void enter() {
        for (;;) {
            int before = users.get();
            if (before == CLOSING) {
                Thread.onSpinWait();
            } else if (users.compareAndSet(before, before + 1)) {
                return;
            }
        }
    }

    private void exit() {
        if (!wasUsed) {
            wasUsed = true;
        }
        if (users.decrementAndGet() == 0 && closed) {
            closeIfIdle(true);
        }
    }

    private FileChannel openChannel() throws IOException {
        // Checked on every call: the last reader of a closed file may have its channel still open.
        if (closed) {
            throw new ClosedImageException(path.toString());
        }
        var open = channel;
        return open != null ? open : reopen();
    }

    private FileChannel reopen() throws IOException {
        FileChannel reopened;
        synchronized (this) {
            var open = channel;
            if (open != null) {
                return open;
            }
            try {
                reopened = FileChannel.open(path, options());
            } catch (NoSuchFileException e) {
                // Deleted by its owner while this one only had it open to read now and then.
                throw new ClosedImageException(path.toString());
            }
            channel = reopened;
        }
        openFiles.opened(this);
        return reopened;
    }

    private synchronized void drop(FileChannel broken) {
        if (broken.equals(channel)) {
            closeChannel();
        }
    }

    private synchronized void closeChannel() {
        var open = channel;
        if (open == null) {
            return;
        }
        channel = null;
        openFiles.closed();
        try {
            open.close();
        } catch (IOException e) {
            // Nothing depends on it: what must be durable was synced, and a sync reports its own errors.
            return;
        }
    }

    private Set<OpenOption> options() {
        return writable
                ? Set.of(StandardOpenOption.READ, StandardOpenOption.WRITE)
                : Set.of(StandardOpenOption.READ);
    }
}
