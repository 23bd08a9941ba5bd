package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * What a collection reclaimed.
 *
 * @param removed directories and files, as they were called
 * @param bytes of the files in them
 * @param unreadable checkpoints whose manifest could not be read: since nobody knows what they
 *         need, nothing that a checkpoint might need was removed while there are any
 */
public record GcReport(List<Path> removed, long bytes, List<CheckpointRef> unreadable) {
    public GcReport {
        removed = List.copyOf(removed);
        unreadable = List.copyOf(unreadable);
    }

    /** What this one and another one came to. */
    public GcReport and(GcReport other) {
        var all = new ArrayList<>(removed);
        all.addAll(other.removed);
        return new GcReport(all, bytes + other.bytes, unreadable);
    }
}
