package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A fact about a host's VMs, as it is stored. Adding a field means a new version of its form and a way from the old one: see
 * {@code EventJson} and docs/catalogue.md.
 */
public sealed interface CatalogueEvent {
    /** A VM was made; {@code origin} is the checkpoint it came from, null for one that begins empty. */
    record VmCreated(VmId vm, List<Long> regionBytes, List<Long> diskBytes,
            @Nullable CheckpointRef origin, Instant at)
            implements
                CatalogueEvent {
        /** Copies the lists. */
        public VmCreated {
            regionBytes = List.copyOf(regionBytes);
            diskBytes = List.copyOf(diskBytes);
        }
    }

    /** The store has disks or checkpoints of a VM that nobody told of; sizes are empty where unknown. */
    record VmFound(VmId vm, List<Long> regionBytes, List<Long> diskBytes, Instant at)
            implements
                CatalogueEvent {
        /** Copies the lists. */
        public VmFound {
            regionBytes = List.copyOf(regionBytes);
            diskBytes = List.copyOf(diskBytes);
        }
    }

    /** The guest was let run. */
    record VmStarted(VmId vm, Instant at) implements CatalogueEvent {}

    /** The VM ended: because it was asked to, or, with a {@code failure}, because it broke. */
    record VmStopped(VmId vm, @Nullable String failure, Instant at) implements CatalogueEvent {}

    /** The state of a VM was replaced by that of a checkpoint. */
    record VmRestored(VmId vm, CheckpointRef from, Instant at) implements CatalogueEvent {}

    /** Nothing is left of a VM. */
    record VmRemoved(VmId vm, String reason, Instant at) implements CatalogueEvent {}

    /** A checkpoint got its name. Durable before its manifest is written. */
    record CheckpointBegun(CheckpointRef checkpoint, Instant at) implements CatalogueEvent {}

    /** The guest of a checkpoint runs again after {@code stunNs}. */
    record CheckpointStunned(CheckpointRef checkpoint, long stunNs, int pendingCount)
            implements
                CatalogueEvent {}

    /** A checkpoint's manifest is durable and visible; this comes after it. */
    record CheckpointSealed(CheckpointRef checkpoint, SealedFacts facts)
            implements
                CatalogueEvent {}

    /** A checkpoint came to nothing. */
    record CheckpointAborted(CheckpointRef checkpoint, String reason) implements CatalogueEvent {}

    /** A sealed checkpoint is to be deleted. */
    record CheckpointDeleteBegun(CheckpointRef checkpoint) implements CatalogueEvent {}

    /** A checkpoint that was to be deleted is still there, whole. */
    record CheckpointKept(CheckpointRef checkpoint) implements CatalogueEvent {}

    /** A sealed checkpoint is gone: {@code reason} says how. */
    record CheckpointDeleted(CheckpointRef checkpoint, String reason) implements CatalogueEvent {}

    /** Something of several steps was begun. Durable before its first step. */
    record OperationBegun(String name, OperationRecord.Kind kind, VmId vm, int disk,
            SortedMap<String, String> details, Instant at)
            implements
                CatalogueEvent {
        /** Copies the details. */
        public OperationBegun {
            details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
        }
    }

    /** A step was done; {@code details} are added to those of before. */
    record OperationStepped(String name, String step, SortedMap<String, String> details)
            implements
                CatalogueEvent {
        /** Copies the details. */
        public OperationStepped {
            details = Collections.unmodifiableSortedMap(new TreeMap<>(details));
        }
    }

    /** It is done, or was taken back because of {@code failure}. */
    record OperationEnded(String name, @Nullable String failure) implements CatalogueEvent {}
}
