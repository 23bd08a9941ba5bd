package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.ChainId;
import io.tintype.cow.disk.DeferredImageDirectory;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskCopy;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.store.CheckpointStore;
import io.tintype.store.DiskDirectories;
import io.tintype.store.GcReport;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    /** Begins the key of a copy in a checkpoint. */
    static final String COPIES = "checkpoints/";

    private static final Logger LOG = LoggerFactory.getLogger(DiskDirectory.class);
    private static final String LIFE = "-life-";

    private final CheckpointStore store;
    private final boolean inMemory;
    private final Function<String, ImageDirectory> images;
    private final Rules rules;
    private final int groupBytes;
    private final Function<DiskChain, ChainWork> unfinished;
    private final LongSupplier random;
    // In the order of creation: a clone comes after its parent and is closed before it.
    private final Map<String, DiskChain> chains = new LinkedHashMap<>();
    private final Map<VmId, Integer> incarnations = new HashMap<>();
    // Chains that no VM writes to: of lives that are over, and those that were opened only for others to stand on. They are closed
    // when nobody stands on them any more, and opened again if somebody comes to.
    private final Set<String> over = new LinkedHashSet<>();

    DiskDirectory(
            CheckpointStore store,
            boolean inMemory,
            Function<String, ImageDirectory> images,
            Rules rules,
            int groupBytes,
            Function<DiskChain, ChainWork> unfinished,
            LongSupplier random) {
        this.unfinished = unfinished;
        this.random = random;
        this.store = store;
        this.inMemory = inMemory;
        this.images = images;
        this.rules = rules;
        this.groupBytes = groupBytes;
    }

    /** Returns whether the store has disks of a VM of that name, running or not. */
    boolean hasDisks(VmId vm) throws StoreException {
        try {
            return !inMemory && store.images().has(vm);
        } catch (IOException failure) {
            throw new StoreException("cannot tell whether the store " + store.directory()
                    + " has disks of a VM named " + vm + ": " + failure.getMessage(), failure);
        }
    }

    /** Returns the number of the next life of {@code vm}: 1, 2, …, and none that an earlier process gave. */
    synchronized int nextIncarnation(VmId vm) throws IOException {
        var last = incarnations.get(vm);
        int next = (last == null ? lastLife(vm) : last) + 1;
        incarnations.put(vm, next);
        return next;
    }

    private int lastLife(VmId vm) throws IOException {
        int last = 0;
        for (var name : inMemory ? List.<String>of() : store.images().of(vm)) {
            int life = name.lastIndexOf(LIFE);
            try {
                last = life < 0
                        ? last
                        : Math.max(last, Integer.parseInt(name.substring(life + LIFE.length())));
            } catch (NumberFormatException _) {
                // Not ours.
            }
        }
        return last;
    }

    /** Makes an empty disk. */
    synchronized Opened create(VmId vm, int disk, long sizeBytes) throws IOException {
        var key = key(vm, disk, 0);
        return keep(key, DiskChain.create(directory(key),
                new DiskGeometry(sizeBytes, groupBytes), newId()));
    }

    /**
     * Makes a disk that starts as {@code view} of the chain in {@code parentKey} shows it.
     *
     * @param incarnation 0 for a new VM; else the life of {@code vm} after a rollback
     */
    synchronized Opened cloneOf(
            String parentKey, int view, VmId vm, int disk, int incarnation) throws IOException {
        var key = key(vm, disk, incarnation);
        var known = chains.get(parentKey);
        if (known != null) {
            return keep(key, createOn(known, view, key));
        }
        var parent = keep(parentKey, DiskChain.open(directory(parentKey))).chain();
        try {
            return keep(key, createOn(parent, view, key));
        } finally {
            // Not closed before that, even if the clone is gone until then.
            var _ = finishCommit(parent).thenRun(() -> over(parentKey, parent));
        }
    }

    /** Its files are made when it is first written to: most clones of many never are. */
    private DiskChain createOn(DiskChain parent, int view, String key) throws IOException {
        return DiskChain.createOn(deferred(key), parent, view, newId());
    }

    /**
     * Makes a disk that starts as the copy in a sealed checkpoint shows it.
     *
     * @param incarnation 0 for a new VM; else the life of {@code vm} after a rollback
     */
    synchronized Opened cloneOfCopy(
            CheckpointRef checkpoint, String copy, VmId vm, int disk, int incarnation)
            throws IOException {
        var directoryKey = keyOf(checkpoint);
        var copyKey = directoryKey + "/" + copy;
        var parent = chains.get(copyKey);
        if (parent == null) {
            parent = keep(copyKey, DiskCopy.open(directory(directoryKey), copy)).chain();
            over.add(copyKey);
        }
        var key = key(vm, disk, incarnation);
        return keep(key, DiskChain.createOn(directory(key), parent, parent.top(), newId()));
    }

    /**
     * Closes the copies in a checkpoint that is about to be deleted.
     *
     * @throws StoreException if disks stand on them
     */
    synchronized void letGoOfCopies(CheckpointRef checkpoint) throws IOException {
        var prefix = keyOf(checkpoint) + "/";
        var keys = chains.keySet().stream().filter(key -> key.startsWith(prefix)).toList();
        if (keys.stream().anyMatch(key -> Objects.requireNonNull(chains.get(key)).hasClones())) {
            throw new StoreException(
                    "checkpoint " + checkpoint
                            + " has copies of disks that a VM of this host stands on; "
                            + "destroy that first, or make its disk flat");
        }
        for (var key : keys) {
            over.remove(key);
            Objects.requireNonNull(chains.remove(key)).close();
        }
    }

    /**
     * No VM writes to {@code chain} in {@code key} any more. It is closed now, or when nothing stands on it: no checkpoint that this
     * process took of it, and no open disk. From then on {@link #collect} may remove it. Does nothing if its VM was destroyed since:
     * a new one of the same name has disks with the same keys.
     */
    synchronized void over(String key, DiskChain chain) {
        if (chains.get(key) == chain) {
            over.add(key);
        }
        closeUnused();
    }

    /** The same for all disks of a life that never began. */
    synchronized void neverLived(VmId vm, int incarnation) {
        var suffix = LIFE + incarnation;
        var prefix = prefix(vm);
        chains.keySet().stream()
                .filter(key -> key.startsWith(prefix) && key.endsWith(suffix))
                .forEach(over::add);
        closeUnused();
    }

    /** Closes what nobody stands on, then what that stood on, and so on. */
    private void closeUnused() {
        boolean isAnyClosed = true;
        while (isAnyClosed) {
            isAnyClosed = false;
            for (var key : List.copyOf(over)) {
                var chain = Objects.requireNonNull(chains.get(key));
                if (chain.isIdle()) {
                    over.remove(key);
                    chains.remove(key);
                    close(chain);
                    isAnyClosed = true;
                }
            }
        }
    }

    private void close(DiskChain chain) {
        chain.close();
        // In the store they wait for a collection. Here nobody else comes, and they take memory.
        if (inMemory && !chain.isCopy()) {
            try {
                for (var name : chain.directory().list()) {
                    chain.directory().delete(name);
                }
            } catch (IOException failure) {
                LOG.warn("{} keeps its memory: {}", chain.directory().location(),
                        failure.getMessage());
            }
        }
    }

    /** What each open disk of a VM is like now, copies and parents left out. */
    synchronized List<DiskGauge> gauges() {
        return chains.entrySet().stream()
                .filter(entry -> !entry.getValue().isCopy())
                .map(entry -> new DiskGauge(
                        entry.getKey(),
                        entry.getValue().depth(),
                        entry.getValue().files(),
                        List.copyOf(entry.getValue().heldViews()),
                        entry.getValue().bytesOnDisk()))
                .toList();
    }

    /** So that a file of another disk is found when it takes the place of one of this. */
    private ChainId newId() {
        return new ChainId(random.getAsLong(), random.getAsLong());
    }

    private static String keyOf(CheckpointRef checkpoint) {
        return COPIES + checkpoint.vm() + "/" + checkpoint.id();
    }

    /**
     * Refuses if a disk of another VM, running or not, starts from one of {@code vm} (R16).
     *
     * @throws StoreException that names such a disk
     */
    synchronized void requireNoClonesOf(VmId vm) throws StoreException {
        var prefix = prefix(vm);
        var its = new HashSet<String>();
        chains.forEach((key, chain) -> {
            if (key.startsWith(prefix)) {
                its.add(chain.directory().location());
            }
        });
        for (var entry : chains.entrySet()) {
            var parent = entry.getValue().parentLocation();
            if (parent != null && its.contains(parent) && !entry.getKey().startsWith(prefix)) {
                throw new StoreException("the disk " + entry.getKey() + " starts from one of VM "
                        + vm + "; destroy its VM first, or make the disk flat");
            }
        }
        if (!inMemory) {
            store.requireNoDisksFrom(vm);
        }
    }

    /** {@link #remove}, unless {@link #requireNoClonesOf} refuses; no disk is made meanwhile. */
    synchronized void removeUnlessNeeded(VmId vm) throws IOException {
        requireNoClonesOf(vm);
        remove(vm);
    }

    /**
     * Closes and deletes the disks of a VM that has ended.
     *
     * @throws IOException when files could not be deleted; the disks are closed all the same
     */
    synchronized void remove(VmId vm) throws IOException {
        var prefix = prefix(vm);
        var keys = new ArrayList<String>();
        for (var key : chains.keySet()) {
            if (key.startsWith(prefix)) {
                keys.add(key);
            }
        }
        for (var key : keys.reversed()) {
            over.remove(key);
            var chain = chains.remove(key);
            if (chain != null) {
                chain.close();
                for (var name : inMemory ? chain.directory().list() : List.<String>of()) {
                    chain.directory().delete(name);
                }
            }
        }
        closeUnused();
        if (!inMemory) {
            // Also what is left of a disk that could not be made, for want of space mostly.
            store.images().remove(vm);
        }
    }

    /**
     * Removes the images of disks that nobody needs; no disk is made meanwhile. Does nothing where disks are in memory.
     *
     * @param absent VMs that do not run here and may be taken up again: all of theirs stay
     * @param unknown VMs that do not run here, and nobody knows whether they ever did: theirs stay if something in them may have
     *     been promised to a guest, see {@link DiskDirectories#flushed}
     * @param gone hears of each of these that had disks and has none any more, before a VM can be made under its name
     */
    synchronized GcReport collect(Collection<VmId> absent, Collection<VmId> unknown,
            Consumer<VmId> gone) throws StoreException {
        if (inMemory) {
            return new GcReport(List.of(), 0, List.of());
        }
        var stay = new ArrayList<>(absent);
        var doomed = new ArrayList<VmId>();
        for (var vm : unknown) {
            if (mayBeNeeded(vm)) {
                stay.add(vm);
            } else if (hasDisks(vm)) {
                doomed.add(vm);
            }
        }
        var report = collect(stay);
        for (var vm : doomed) {
            if (!hasDisks(vm)) {
                gone.accept(vm);
            }
        }
        return report;
    }

    private boolean mayBeNeeded(VmId vm) throws StoreException {
        var prefix = prefix(vm);
        try {
            // One that is open is of a VM that is being made just now.
            return chains.keySet().stream().anyMatch(key -> key.startsWith(prefix))
                    || store.images().flushed(vm) != null;
        } catch (IOException failure) {
            throw new StoreException("cannot tell whether " + vm + " flushed its disks, so none is "
                    + "removed: " + failure.getMessage(), failure);
        }
    }

    private GcReport collect(Collection<VmId> absent) throws StoreException {
        // Made flat meanwhile, a disk stands on its parent no more.
        closeUnused();
        var kept = new ArrayList<String>();
        for (var vm : absent) {
            try {
                for (var name : store.images().of(vm)) {
                    kept.add(prefix(vm) + name);
                }
            } catch (IOException failure) {
                throw new StoreException("cannot tell which disks " + vm + " has, so none is "
                        + "removed: " + failure.getMessage(), failure);
            }
        }
        return store.gcImages(List.copyOf(chains.keySet()), kept);
    }

    private Opened keep(String key, DiskChain chain) {
        chains.put(key, chain);
        return new Opened(key, chain);
    }

    /** Where a disk lies below the store; made by the chain when it has a file to put there, and durable with it. */
    private static String key(VmId vm, int disk, int incarnation) {
        var key = prefix(vm) + "disk-" + disk;
        return incarnation == 0 ? key : key + LIFE + incarnation;
    }

    /** What the keys of all disks of a VM begin with, and no others. */
    private static String prefix(VmId vm) {
        return "images/" + vm.value() + "/";
    }

    private ImageDirectory deferred(String key) {
        return late(new DeferredImageDirectory(images.apply(key)));
    }

    private ImageDirectory directory(String key) {
        return late(images.apply(key));
    }

    private ImageDirectory late(ImageDirectory directory) {
        return rules.on(Rule.R1) ? directory : new LateDirectory(directory);
    }

    /**
     * A crash came into a commit: it goes on beside whoever uses the disk. What stood in its way when it began cannot have come
     * back, and until it ends the disk takes more room than it needs, which is all.
     *
     * @return complete when it is over, however it ends; at once when there is none
     */
    private CompletableFuture<Void> finishCommit(DiskChain chain) {
        int layer = chain.unfinishedCommit();
        if (layer < 0 || !chain.mayCommit(layer)) {
            return CompletableFuture.completedFuture(null);
        }
        return unfinished.apply(chain).resume(layer).handle((_, failure) -> {
            if (failure != null) {
                // The chain is as it was, or the host closes: the next opening tries again.
                LOG.warn("the commit of layer {} of {} stays unfinished: {}", layer,
                        chain.directory().location(), Blocking.reason(failure));
            }
            return null;
        });
    }

    /** Gives all data checksums on disk, for the next process to verify; when nothing is in flight any more. */
    synchronized void seal() {
        for (var chain : inMemory ? List.<DiskChain>of() : List.copyOf(chains.values())) {
            try {
                chain.sealAll();
            } catch (IOException failure) {
                // What was flushed is durable all the same.
                LOG.warn("{} is closed without checksums of what was written last: {}",
                        chain.directory().location(), failure.getMessage());
            }
        }
    }

    /** Closes every chain, clones before what they stand on. */
    @Override
    public synchronized void close() {
        chains.values().stream().toList().reversed().forEach(DiskChain::close);
        chains.clear();
        over.clear();
    }
}
