package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one checkpoint consists of: written last, so that where there is a manifest there is
 * everything it names.
 *
 * @param parent the checkpoint since which this one has what changed; null: it is complete by itself
 * @param sources the checkpoints in whose files some of its pages lie, whether or not they are still
 *         listed; filled in by the store when it seals
 * @param createdAt the instant T, to the precision it was given
 * @param stunNs how long the guest stood still, in nanoseconds
 * @param guestKind which kind of guest the registers belong to
 * @param regions the VM's memory, from address 0 up
 * @param disks by disk index
 * @param segments the files, in the order of their names; filled in by the store when it seals
 * @param pending the requests that were in flight at T, each with the status it completed with, in
 *         the order issued
 * @param figures whatever else was measured: text, numbers and truth values by name
 */
public record Manifest(
        CheckpointRef ref,
        @Nullable CheckpointRef parent,
        List<CheckpointRef> sources,
        Instant createdAt,
        long stunNs,
        String guestKind,
        List<Region> regions,
        List<Disk> disks,
        List<Segment> segments,
        List<Pending> pending,
        SortedMap<String, Object> figures) {

    /** One memory region; its pages are the segment {@code memory-<index>}. */
    public record Region(int pages) {}

    /**
     * One disk: what the layers up to {@code view} of the chain in {@code images} show.
     *
     * @param images a directory, relative to that of the store
     */
    public record Disk(String images, int view, long sizeBytes) {}

    /**
     * One file of the checkpoint.
     *
     * @param bytes the file's size
     * @param crc the checksum that ends the file, CRC32C; through it the manifest vouches for all
     *         of the file
     */
    public record Segment(String name, long bytes, int crc) {}

    /**
     * @param kind an {@code IoKind}, by its name
     * @param firstSector in sectors of 512 bytes, as the count
     * @param status an {@code IoStatus}, by its name
     */
    public record Pending(long ioId, String kind, int disk, long firstSector, int sectorCount,
            String status) {}

    public Manifest {
        sources = List.copyOf(sources);
        regions = List.copyOf(regions);
        disks = List.copyOf(disks);
        segments = List.copyOf(segments);
        pending = List.copyOf(pending);
        figures = normalized(figures);
    }

    /** A manifest as the store takes it: complete but for the segments. */
    public Manifest(CheckpointRef ref, Instant createdAt, long stunNs, String guestKind,
            List<Region> regions,
            List<Disk> disks, List<Pending> pending, Map<String, ?> figures) {
        this(ref, null, List.of(), createdAt, stunNs, guestKind, regions, disks, List.of(), pending,
                new TreeMap<>(figures));
    }

    Manifest withSegments(List<Segment> stored) {
        return new Manifest(ref, parent, sources, createdAt, stunNs, guestKind, regions, disks,
                stored, pending, figures);
    }

    Manifest standingOn(@Nullable CheckpointRef newParent, List<CheckpointRef> newSources) {
        return new Manifest(ref, newParent, newSources, createdAt, stunNs, guestKind, regions,
                disks, segments, pending, figures);
    }

    /**
     * Whole numbers as {@code Long}, others as {@code Double}: so a manifest equals itself after it
     * was stored.
     */
    private static SortedMap<String, Object> normalized(Map<String, ?> figures) {
        var normalized = new TreeMap<String, Object>();
        figures.forEach((name, value) -> normalized.put(name, switch (value) {
            case Integer number -> number.longValue();
            case Float number -> number.doubleValue();
            case Long _,Double _,String _,Boolean _ -> value;
            default -> throw new IllegalArgumentException(
                    "figure " + name + " is a " + value.getClass().getName());
        }));
        return Collections.unmodifiableSortedMap(normalized);
    }
}
