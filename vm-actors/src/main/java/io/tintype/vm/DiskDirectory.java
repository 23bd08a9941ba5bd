package io.tintype.vm;

import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.store.CheckpointStore;
import io.tintype.store.GcReport;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The chains of a host's disks by the directory they live in, so that a clone shares the layers of a
 * chain that is open instead of opening its files again.
 *
 * <p>Safe on any thread; calls block on files. Owns every chain it hands out.
 */
final class DiskDirectory implements AutoCloseable {
    /**
     * A chain and where it lives.
     *
     * @param key the directory of its images, relative to the store; what a manifest names
     */
    record Opened(String key, DiskChain chain) {}

    private final CheckpointStore store;
    private final boolean inMemory;
    private final Function<String, ImageDirectory> images;
    private final Rules rules;
    private final int groupBytes;
    // In the order of creation: a clone comes after its parent and is closed before it.
    private final Map<String, DiskChain> chains = new LinkedHashMap<>();
    private final Map<VmId, Integer> incarnations = new HashMap<>();

    DiskDirectory(
            CheckpointStore store,
            boolean inMemory,
            Function<String, ImageDirectory> images,
            Rules rules,
            int groupBytes) {
        this.store = store;
        this.inMemory = inMemory;
        this.images = images;
        this.rules = rules;
        this.groupBytes = groupBytes;
    }

    /** Returns whether the store has disks of a VM of that name, running or not. */
    boolean hasDisks(VmId vm) {
        return !inMemory && Files.exists(store.directory().resolve("images").resolve(vm.value()));
    }

    /** Returns the number of the next life of {@code vm}: 1, 2, … */
    synchronized int nextIncarnation(VmId vm) {
        return incarnations.merge(vm, 1, Integer::sum);
    }

    /** Makes an empty disk. */
    synchronized Opened create(VmId vm, int disk, long sizeBytes) throws IOException {
        var path = path(vm, disk, 0);
        var key = key(path);
        return keep(key, DiskChain.create(directory(key), new DiskGeometry(sizeBytes, groupBytes)));
    }

    /**
     * Makes a disk that starts as {@code view} of the chain in {@code parentKey} shows it.
     *
     * @param incarnation 0 for a new VM; else the life of {@code vm} after a rollback
     */
    synchronized Opened cloneOf(
            String parentKey, int view, VmId vm, int disk, int incarnation) throws IOException {
        var parent = chains.get(parentKey);
        if (parent == null) {
            parent = keep(parentKey, DiskChain.open(directory(parentKey))).chain();
        }
        var path = path(vm, disk, incarnation);
        var key = key(path);
        return keep(key, DiskChain.createOn(directory(key), parent, view));
    }

    /**
     * Closes and deletes the disks of a VM that has ended.
     *
     * @throws IOException when files could not be deleted; the disks are closed all the same
     */
    synchronized void remove(VmId vm) throws IOException {
        var ofVm = store.directory().resolve("images", vm.value());
        var prefix = key(ofVm) + "/";
        var keys = chains.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
        for (var key : keys.reversed()) {
            var chain = chains.remove(key);
            if (chain != null) {
                chain.close();
                for (var name : chain.directory().list()) {
                    chain.directory().delete(name);
                }
            }
        }
        if (!inMemory && Files.isDirectory(ofVm)) {
            // Also what is left of a disk that could not be made, for want of space mostly.
            try (var left = Files.walk(ofVm)) {
                for (var path : left.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
            }
        }
    }

    /**
     * Removes the images of disks that nobody needs; no disk is made meanwhile. Does nothing where disks are in memory.
     */
    synchronized GcReport collect() throws StoreException {
        return inMemory
                ? new GcReport(List.of(), 0, List.of())
                : store.gcImages(List.copyOf(chains.keySet()));
    }

    private Opened keep(String key, DiskChain chain) {
        chains.put(key, chain);
        return new Opened(key, chain);
    }

    private Path path(VmId vm, int disk, int incarnation) throws IOException {
        // A disk in memory has a name of the same form, but costs no directory that is made durably.
        var path =
                inMemory
                        ? store.directory().resolve("images", vm.value(), "disk-" + disk)
                        : store.imagesDirectory(vm, disk);
        return incarnation == 0
                ? path
                : path.resolveSibling(path.getFileName() + "-life-" + incarnation);
    }

    private String key(Path path) {
        return store.directory().relativize(path).toString();
    }

    private ImageDirectory directory(String key) {
        var directory = images.apply(key);
        return rules.on(Rule.R1) ? directory : new LateDirectory(directory);
    }

    /** Closes every chain, clones before what they stand on. */
    @Override
    public synchronized void close() {
        chains.values().stream().toList().reversed().forEach(DiskChain::close);
        chains.clear();
    }
}
