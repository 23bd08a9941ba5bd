package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.ImageDirectory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/**
 * Where a VM's checkpoints go: a {@link CheckpointStore}, or what a simulator has in its place. What these calls do and when they
 * fail is said there.
 */
public interface CheckpointSink {
    /** A checkpoint on its way there, as {@link StagedCheckpoint}. */
    interface Draft {
        /** Fails if there is no room for that many bytes. */
        void requireSpace(long bytes) throws IOException;

        /** Takes the pages of one region: all of them, or those that changed since {@code parent}. */
        PageSink memory(int region, int pageCount, @Nullable CheckpointRef parent)
                throws IOException;

        /** Keeps what {@code payload} says, under a name. */
        void put(String name, Payload payload) throws IOException;

        /** Where copies of disks are written. */
        ImageDirectory images() throws IOException;

        /** Adds a copy of a disk that was written there. */
        void addDisk(String name, long bytes, int crc) throws IOException;

        /** Ends it: it is there from now on, whole. */
        Sealed seal(Manifest manifest) throws IOException;

        /** Ends it: nothing of it is left. */
        void abort();
    }

    /** Takes the pages of one memory region, as {@link MemorySegmentWriter}. */
    interface PageSink {
        /** Whether those pages will do that changed since the parent. */
        boolean isIncremental();

        /** Takes a page, the 4096 bytes from {@code offset} on. */
        void append(int page, MemorySegment source, long offset) throws IOException;

        /** What was appended is kept, come what may. */
        void sync() throws IOException;
    }

    /** Something small, which is put into bytes by those who need bytes. */
    @FunctionalInterface
    interface Payload {
        byte[] bytes() throws IOException;
    }

    /** Takes the name of a checkpoint that is to begin, and touches no file. */
    void claim(CheckpointRef ref);

    /** Begins a checkpoint, which is then sealed or aborted. */
    Draft begin(CheckpointRef ref) throws IOException;
}
