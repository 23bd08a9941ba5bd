package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DamagedImageException;
import io.tintype.cow.disk.DiskCopy;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.store.CheckpointStore;
import io.tintype.store.DamagedSegmentException;
import io.tintype.store.Manifest;
import io.tintype.store.StoredCheckpoint;
import io.tintype.vm.DeviceState;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads all of a checkpoint: every segment through its checksums; of each disk the index entries, through theirs, and every block group that is
 * stored. Those of layers that a checkpoint points to were given checksums when it was sealed, and are compared with them; where there are none,
 * in images of the first format, it is proved that they are there and can be read. Of segments and of a copy of a disk every byte is proved.
 */
public final class Verifier {
    /**
     * What was found.
     *
     * @param file null where the damage is not in one file
     * @param offset of the damage in the file, in bytes; -1 where it has none
     * @param problem in one line
     */
    public record Damage(@Nullable String file, long offset, String problem) {}

    /**
     * One checkpoint.
     *
     * @param vanished whether it was deleted by another process meanwhile
     * @param pages read from memory segments, zero pages not counted
     * @param groups block groups read from disks
     * @param bytes read in all
     * @param damages at most one for each segment and each disk
     */
    public record Verdict(String ref, boolean vanished, long pages, long groups, long bytes,
            List<Damage> damages) {
        /** Copies the list. */
        public Verdict {
            damages = List.copyOf(damages);
        }

        /** Whether all of it is as it was written. */
        public boolean isWhole() {
            return !vanished && damages.isEmpty();
        }
    }

    /** Asked to stop in the middle of a checkpoint. */
    private static final class InterruptedVerification extends RuntimeException {
        private static final long serialVersionUID = 1;

        InterruptedVerification() {
            super(null, null, false, false);
        }
    }

    private static final String DISK_PREFIX = "disk-";

    private final CheckpointStore store;
    private final BooleanSupplier isCancelled;
    private final AtomicLong bytes = new AtomicLong();

    /** @param isCancelled asked often; once true, {@link #verify} answers null */
    public Verifier(CheckpointStore store, BooleanSupplier isCancelled) {
        this.store = store;
        this.isCancelled = isCancelled;
    }

    /** Bytes read so far, of all checkpoints; any thread. */
    public long bytesRead() {
        return bytes.get();
    }

    /** Verifies one checkpoint; null when it was cancelled before the end. */
    public @Nullable Verdict verify(CheckpointRef ref) {
        long before = bytes.get();
        var damages = new ArrayList<Damage>();
        var counts = new long[2];
        try {
            var stored = store.open(ref);
            devices(stored, damages);
            for (int region = 0; region < stored.manifest().regions().size(); region++) {
                memory(stored, region, counts, damages);
            }
            for (int disk = 0; disk < stored.manifest().disks().size(); disk++) {
                disk(stored, disk, counts, damages);
            }
        } catch (InterruptedVerification _) {
            return null;
        } catch (IOException damaged) {
            damages.add(damage(damaged));
        }
        boolean vanished = !damages.isEmpty() && Vanished.is(store, ref);
        return new Verdict(ref.toString(), vanished, counts[0], counts[1], bytes.get() - before,
                vanished ? List.of() : damages);
    }

    private void devices(StoredCheckpoint stored, List<Damage> damages) {
        for (var segment : stored.manifest().segments()) {
            if (segment.name().startsWith(DISK_PREFIX)) {
                copy(stored, segment, damages);
            } else if (!segment.name().startsWith("memory-")) {
                try {
                    bytes.addAndGet(stored.segment(segment.name()).length);
                    if (segment.name().equals(DeviceState.SEGMENT)) {
                        DeviceState.of(stored);
                    }
                } catch (IOException damaged) {
                    damages.add(damage(damaged));
                }
            }
        }
    }

    /** Unlike the files of a running disk a copy has nothing in it that no checksum is for. */
    private void copy(StoredCheckpoint stored, Manifest.Segment segment, List<Damage> damages) {
        var directory = ShownDisk.directoryOf(store, stored.manifest().ref());
        try {
            DiskCopy.verify(new FileImageDirectory(directory), segment.name(), segment.crc());
            read(segment.bytes());
        } catch (IOException damaged) {
            damages.add(damage(damaged));
        }
    }

    private void memory(StoredCheckpoint stored, int region, long[] counts,
            List<Damage> damages) {
        try {
            stored.forEachPage(region, (_, _, _) -> {
                counts[0]++;
                read(4096);
            });
        } catch (IOException damaged) {
            damages.add(damage(damaged));
        }
    }

    private void disk(StoredCheckpoint stored, int index, long[] counts, List<Damage> damages) {
        var disk = stored.manifest().disks().get(index);
        try (var shown = ShownDisk.open(store, stored.manifest(), index);
                var arena = Arena.ofConfined()) {
            var chain = shown.chain();
            if (chain.geometry().sizeBytes() != disk.sizeBytes()) {
                damages.add(new Damage(chain.directory().location(), -1,
                        "disk " + index + " has " + chain.geometry().sizeBytes()
                                + " bytes, and its checkpoint says " + disk.sizeBytes()));
                return;
            }
            int groupBytes = chain.geometry().groupBytes();
            MemorySegment buffer = arena.allocate(groupBytes);
            for (var groups = chain.groupsWithData(shown.view()).iterator(); groups.hasNext();) {
                long at = (long) groups.nextInt() * groupBytes;
                long count = Math.min(groupBytes, disk.sizeBytes() - at);
                chain.read(shown.view(), at, buffer, 0, count);
                counts[1]++;
                read(count);
            }
        } catch (IOException damaged) {
            var found = damage(damaged);
            // Of a copy it may have been found already, byte by byte.
            if (!damages.contains(found)) {
                damages.add(found);
            }
        }
    }

    private void read(long count) {
        bytes.addAndGet(count);
        if (isCancelled.getAsBoolean()) {
            throw new InterruptedVerification();
        }
    }

    private static Damage damage(IOException found) {
        var words = String.valueOf(found.getMessage()).replace('\n', ' ');
        return switch (found) {
            case DamagedSegmentException segment ->
                new Damage(segment.file(), segment.offset(), words);
            case DamagedImageException image -> new Damage(image.file(), image.offset(), words);
            default -> new Damage(null, -1, words);
        };
    }
}
