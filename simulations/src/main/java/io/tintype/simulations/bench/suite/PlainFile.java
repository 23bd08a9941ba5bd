package io.tintype.simulations.bench.suite;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A file that is written from front to back by plain calls, and deleted: what the store's writing is compared with. */
final class PlainFile {
    private static final int WRITE_BYTES = 1 << 20;

    private PlainFile() {}

    /**
     * Writes and deletes it.
     *
     * @param path where nothing is
     * @param durably with an fsync at the end
     * @return what writing took, fsync included, in nanoseconds
     */
    static long write(Path path, long bytes, boolean durably) throws IOException {
        var buffer = ByteBuffer.allocateDirect(WRITE_BYTES);
        while (buffer.hasRemaining()) {
            buffer.put((byte) buffer.position());
        }
        long start = System.nanoTime();
        try (var channel =
                FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (long left = bytes; left > 0; left -= buffer.limit()) {
                buffer.clear().limit((int) Math.min(left, WRITE_BYTES));
                while (buffer.hasRemaining()) {
                    channel.write(buffer);
                }
            }
            if (durably) {
                channel.force(true);
            }
        }
        long ns = System.nanoTime() - start;
        Files.delete(path);
        return ns;
    }
}
