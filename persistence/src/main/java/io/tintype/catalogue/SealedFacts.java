package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is worth knowing of a sealed checkpoint without opening it. All of it is in its manifest too, and read from there when the
 * event is missing.
 *
 * @param at the instant of the checkpoint
 * @param stunNs how long the guest stood still
 * @param pendingCount requests in flight at that instant
 * @param bytes size in the store
 * @param parent whose pages it needs; null for one that is complete in itself
 * @param guestKind which kind of guest it is of
 * @param regionBytes sizes of the VM's memory regions
 * @param diskBytes sizes of its disks
 */
public record SealedFacts(Instant at, long stunNs, int pendingCount, long bytes,
        @Nullable CheckpointRef parent, String guestKind, List<Long> regionBytes,
        List<Long> diskBytes) {
    /** Copies the lists. */
    public SealedFacts {
        regionBytes = List.copyOf(regionBytes);
        diskBytes = List.copyOf(diskBytes);
    }
}
