package io.tintype.vm;

import io.tintype.scheduler.IoStatus;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The port through which a disk's operations reach storage; adapters differ in when and where an
 * operation runs: at once on the caller's thread, on a pool, in the order a test or a seed says.
 */
public interface DiskIo extends AutoCloseable {
    /**
     * One step on one layer chain, decided by the ordering rules and safe to run now.
     *
     * @param kind what the request is
     * @param disk which disk of which VM
     * @param ioId the request this step belongs to
     * @param layer the layer written, or the view read or synced
     * @param group the block group of a write's part; -1 when the step is no part of a write
     * @param fault whether the group is copied into the layer with this part
     * @param body moves the bytes; blocks; called at most once
     */
    record Operation(
            Kind kind, String disk, long ioId, int layer, long group, boolean fault, Body body) {
        /** What an operation does to the storage. */
        public enum Kind {
            READ,
            WRITE,
            SYNC
        }
    }

    /** The work of an operation. */
    @FunctionalInterface
    interface Body {
        /** Moves the bytes and returns how it went; never throws for what the storage did. */
        IoStatus perform();
    }

    /**
     * Starts {@code operation}. Called by the strand of the disk's VM.
     *
     * @param done hears the status exactly once, on any thread, unless it was returned
     * @return the status when the operation finished within the call, otherwise null
     */
    @Nullable
    IoStatus submit(Operation operation, Consumer<IoStatus> done);

    /** Waits for operations under way, then gives the threads back. */
    @Override
    void close();

    /** Performs every operation within {@link #submit}: for disks in memory. */
    static DiskIo inline() {
        return new DiskIo() {
            @Override
            public IoStatus submit(Operation operation, Consumer<IoStatus> done) {
                return operation.body().perform();
            }

            @Override
            public void close() {}
        };
    }
}
