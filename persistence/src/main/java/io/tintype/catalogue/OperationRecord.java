package io.tintype.catalogue;

import io.tintype.actors.VmId;
import java.time.Instant;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Something that takes several steps and was begun. It is in the catalogue until it ends, so whoever finds it there after a
 * restart goes on from its step, or takes it back.
 *
 * @param name unique among those that have not ended, such as {@code commit web-1/disk-0}
 * @param vm whose it is; for a restore or clone, the new one
 * @param disk index of the disk; -1 when it is about all of the VM
 * @param step the last step that was done; empty before the first
 * @param details what is needed to go on, by names that the kind of operation defines
 */
public record OperationRecord(String name, Kind kind, VmId vm, int disk, String step,
        SortedMap<String, String> details, Instant at) {
    /** The detail of work on a chain: where its images are, such as {@code web-1/disk-0}. */
    public static final String CHAIN = "chain";
    /** The detail of a commit: the layer that is committed. */
    public static final String LAYER = "layer";
    /** The detail of a commit: the highest layer of the file that it is committed into, before it is. */
    public static final String INTO = "into";
    /** The detail of a flatten: the view that is made flat. */
    public static final String VIEW = "view";
    /** The detail of a copy: the checkpoint that it is for. */
    public static final String CHECKPOINT = "checkpoint";

    /** What is done. */
    public enum Kind {
        /** A VM is made, empty. */
        CREATE,
        /** A VM is made from a checkpoint. */
        RESTORE,
        /** A VM is made from another that runs. */
        CLONE,
        /** A VM goes back to a checkpoint. */
        ROLL_BACK,
        /** A VM's disks are removed. */
        DESTROY,
        /** A disk's frozen layers are copied. */
        DISK_COPY,
        /** A layer is committed into its parent. */
        DISK_COMMIT,
        /** A chain is copied into one image. */
        DISK_FLATTEN
    }

    /** Copies the details. */
    public OperationRecord {
        details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
    }

    /** Returns whether it is about a disk of a VM that exists before and after it. */
    public boolean isOfDisk() {
        return switch (kind) {
            case DISK_COPY, DISK_COMMIT, DISK_FLATTEN -> true;
            case CREATE, RESTORE, CLONE, ROLL_BACK, DESTROY -> false;
        };
    }

    OperationRecord stepped(String done, Map<String, String> more) {
        var all = new TreeMap<>(details);
        all.putAll(more);
        return new OperationRecord(name, kind, vm, disk, done, all, at);
    }

    /** Returns the detail of that name; null if there is none. */
    public @Nullable String detail(String key) {
        return details.get(key);
    }
}
