package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** What checkpoints there are, each with what its manifest says, by VM. */
public final class Listing {
    /**
     * One checkpoint.
     *
     * @param ref {@code vm/id}
     * @param parent the checkpoint that it builds on; null for a full one
     * @param createdAt ISO 8601, UTC
     * @param kind {@code full} or {@code incremental}; {@code damaged} when its manifest cannot be read
     * @param bytes of its own files
     * @param memoryBytes of the VM
     * @param diskBytes of the VM, all disks together
     * @param stunMicros how long the guest stood still
     * @param inFlight requests in flight at the cut
     * @param problem what is wrong with it, in one line; null for nothing
     */
    public record Entry(String ref, @Nullable String parent, @Nullable String createdAt,
            String kind, long bytes, long memoryBytes, long diskBytes, double stunMicros,
            int inFlight, @Nullable String problem) {}

    /**
     * A VM of the store.
     *
     * @param from the checkpoint that it was restored or cloned from, if that is still there, or {@code vm} alone; null if it was new
     * @param checkpoints oldest first
     */
    public record OfVm(String name, @Nullable String from, List<Entry> checkpoints) {
        /** Copies the list. */
        public OfVm {
            checkpoints = List.copyOf(checkpoints);
        }
    }

    private final CheckpointStore store;
    private final Map<CheckpointRef, Manifest> manifests = new TreeMap<>();
    private final Map<CheckpointRef, String> problems = new HashMap<>();

    private Listing(CheckpointStore store) {
        this.store = store;
    }

    /** Reads all manifests; what cannot be read is listed as damaged. */
    public static List<OfVm> of(CheckpointStore store) {
        var listing = new Listing(store);
        return listing.list();
    }

    private List<OfVm> list() {
        var refs = new TreeSet<CheckpointRef>();
        for (var ref : store.list()) {
            try {
                manifests.put(ref, store.open(ref).manifest());
                refs.add(ref);
            } catch (IOException unreadable) {
                if (!Vanished.is(store, ref)) {
                    problems.put(ref, String.valueOf(unreadable.getMessage()));
                    refs.add(ref);
                }
            }
        }
        var byVm = new TreeMap<String, List<Entry>>();
        for (var ref : refs) {
            byVm.computeIfAbsent(ref.vm().value(), _ -> new ArrayList<>()).add(entry(ref));
        }
        return byVm.entrySet().stream()
                .map(of -> new OfVm(of.getKey(), from(of.getKey()), of.getValue())).toList();
    }

    private Entry entry(CheckpointRef ref) {
        var manifest = manifests.get(ref);
        if (manifest == null) {
            return new Entry(ref.toString(), null, null, "damaged", ownBytes(ref), 0, 0, 0, 0,
                    problems.get(ref));
        }
        var parent = manifest.parent();
        return new Entry(ref.toString(), parent == null ? null : parent.toString(),
                manifest.createdAt().toString(), parent == null ? "full" : "incremental",
                ownBytes(ref),
                manifest.regions().stream().mapToLong(region -> region.pages() * 4096L).sum(),
                manifest.disks().stream().mapToLong(Manifest.Disk::sizeBytes).sum(),
                manifest.stunNs() / 1e3, manifest.pending().size(), null);
    }

    private long ownBytes(CheckpointRef ref) {
        var directory = store.directory().resolve("checkpoints").resolve(ref.vm().value())
                .resolve(Long.toString(ref.id().value()));
        long bytes = 0;
        try (var files = Files.newDirectoryStream(directory)) {
            for (var file : files) {
                bytes += Files.size(file);
            }
        } catch (IOException _) {
            // Deleted meanwhile, or not readable, which the manifest's entry says.
            return bytes;
        }
        return bytes;
    }

    /** Found by its first disk: that stands on a layer of another VM's. */
    private @Nullable String from(String vm) {
        var images = store.directory().resolve("images").resolve(vm).resolve("disk-0");
        try {
            var directory = new FileImageDirectory(images);
            var copy = DiskChain.copyBelow(directory);
            if (copy != null) {
                return fromCopy(Path.of(copy));
            }
            var footing = DiskChain.footing(directory);
            if (footing == null) {
                return null;
            }
            var key = store.directory().relativize(Path.of(footing.directory().location()));
            for (var manifest : manifests.values()) {
                for (var disk : manifest.disks()) {
                    if (Path.of(disk.images()).equals(key) && disk.view() == footing.view()) {
                        return manifest.ref().toString();
                    }
                }
            }
            return key.getNameCount() > 1 ? key.getName(1).toString() : null;
        } catch (IOException | IllegalArgumentException _) {
            // A VM without disks, or one whose disks are damaged, which verify says.
            return null;
        }
    }

    /** @param directory of the checkpoint that has the copy which the disk stands on */
    private @Nullable String fromCopy(Path directory) {
        for (var ref : manifests.keySet()) {
            if (ShownDisk.directoryOf(store, ref).equals(directory)) {
                return ref.toString();
            }
        }
        var ofVm = directory.getParent();
        return ofVm == null ? null : String.valueOf(ofVm.getFileName());
    }
}
