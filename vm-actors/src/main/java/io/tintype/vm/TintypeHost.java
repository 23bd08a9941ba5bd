package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.Catalogue;
import io.tintype.catalogue.CatalogueEvent;
import io.tintype.catalogue.CatalogueHealth;
import io.tintype.catalogue.CatalogueState;
import io.tintype.catalogue.JournalPlace;
import io.tintype.catalogue.OperationRecord;
import io.tintype.catalogue.Reconciliation;
import io.tintype.catalogue.VmRecord;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.store.CheckpointStore;
import io.tintype.store.GcReport;
import io.tintype.store.Manifest;
import io.tintype.store.Retention;
import io.tintype.store.StoreException;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.VmIdentity;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Hosts VMs in this process: the way in for programs that use Tintype as a library.
 *
 * <p>Safe on any thread. Calls that read or write files (create, restore, clone) block their caller;
 * {@link #close} waits for requests in flight and leaves the store as it is.
 */
public final class TintypeHost implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(TintypeHost.class);
    private static final long CLOSE_SECONDS_MAX = 30;
    private static final long RECORD_SECONDS_MAX = 5;

    private final HostOptions options;
    private final CheckpointStore store;
    private final Catalogue catalogue;
    private final Operations operations;
    private final FramePool pool;
    private final DiskIo diskIo;
    private final HostThreads threads;
    private final DiskDirectory disks;
    private final HostWorld world;
    private final HostPorts ports;
    private final Map<VmId, Vm> vms = new ConcurrentHashMap<>();
    private final Map<VmId, VmSpec> specs = new ConcurrentHashMap<>();
    /** Of VMs that are being made. */
    private final Set<VmId> names = ConcurrentHashMap.newKeySet();
    // What restored VMs may still have to read, in the order of their restores.
    private final List<Restored> restored = new ArrayList<>();
    // What clones share, by their checkpoint.
    private final Map<CheckpointRef, RestoredMemory> shared = new HashMap<>();
    private volatile boolean closing;

    /**
     * A VM whose memory is still being read.
     *
     * @param from where it comes from
     * @param unloadedPages that are left, those of all VMs that share the memory
     * @param touchedPages that guests wanted so far
     */
    public record Restoring(VmId vm, CheckpointRef from, long unloadedPages, int touchedPages) {}

    private record Restored(VmId vm, RestoredMemory memory) {}

    private record Share(RestoredMemory memory, boolean isNew) {}

    private TintypeHost(HostOptions options, HostPorts ports) throws StoreException {
        this.options = options;
        this.ports = ports;
        this.store = CheckpointStore.open(options.store(), ports.storeFiles());
        // First of all: its journal is opened beside everything below.
        this.catalogue = openCatalogue(store, ports, options);
        this.world = ports.world().get();
        this.operations = new Operations(catalogue, world.wall());
        this.pool = world.frames();
        this.diskIo = ports.diskIo();
        this.threads = new HostThreads(options, ports);
        this.disks =
                new DiskDirectory(
                        store, options.disksInMemory(), ports.images(), ports.rules(),
                        ports.groupBytes(), this::unfinished, world.random());
    }

    /** For what an earlier process began on a chain; of whose VM it is stands in the catalogue. */
    private ChainWork unfinished(DiskChain chain) {
        return new ChainWork(null, chain, threads.upkeep(), threads.upkeep(), threads.copying(),
                world.clock(),
                operations);
    }

    private static Catalogue openCatalogue(
            CheckpointStore store, HostPorts ports, HostOptions options) throws StoreException {
        Catalogue opened = null;
        boolean usable = false;
        try {
            opened = ports.catalogue().open(store);
            if (options.catalogue() instanceof JournalPlace.Postgres) {
                // Somebody named it: an address that is wrong is said now, not with the first checkpoint.
                opened.ready().join();
            }
            usable = true;
            return opened;
        } catch (CompletionException failure) {
            throw new StoreException(Blocking.reason(failure), failure);
        } finally {
            if (!usable) {
                if (opened != null) {
                    opened.close();
                }
                store.close();
            }
        }
    }

    /**
     * Starts a host.
     *
     * @throws StoreException when the store directory cannot be used; nothing was created then
     */
    public static TintypeHost start(HostOptions options) throws StoreException {
        return new TintypeHost(options, HostPorts.of(options));
    }

    /**
     * Starts a host on other ports, with rules switched off perhaps: for tests and simulators.
     *
     * @throws StoreException when the store cannot be used
     */
    public static TintypeHost start(HostOptions options, HostPorts ports) throws StoreException {
        return new TintypeHost(options, ports);
    }

    /** Creates a VM with empty memory and disks; it stands still until {@link Vm#start}. */
    public Vm create(VmSpec spec) throws IOException {
        return create(spec, VmProbe.NONE);
    }

    /** Creates a VM that {@code probe} observes. */
    public Vm create(VmSpec spec, VmProbe probe) throws IOException {
        return createLater(spec, probe).join();
    }

    /** The same for callers that must not wait for an actor: simulators, on whose thread the actors run. */
    public CompletableFuture<Vm> createLater(VmSpec spec, VmProbe probe) throws IOException {
        checkNew(spec.id());
        return making(
                OperationRecord.Kind.CREATE,
                spec.id(),
                spec.diskBytes().size(),
                null,
                () -> {
                    var chains = new ArrayList<DiskDirectory.Opened>();
                    for (int i = 0; i < spec.diskBytes().size(); i++) {
                        chains.add(disks.create(spec.id(), i, spec.diskBytes().get(i)));
                    }
                    return spawnNew(spec, StoredMachine.fresh(pool, spec, chains, newIdentity()),
                            probe, null);
                });
    }

    private interface Making {
        CompletableFuture<Vm> make() throws IOException;
    }

    /**
     * Makes a VM, with a record of it. If it cannot be made, nothing of it is left; what is half made when the process ends is
     * removed by the next.
     */
    private CompletableFuture<Vm> making(
            OperationRecord.Kind kind,
            VmId id,
            int diskCount,
            @Nullable CheckpointRef from,
            Making making)
            throws IOException {
        var details = new TreeMap<>(
                Map.of(Reconciliation.DISKS, Integer.toString(diskCount)));
        if (from != null) {
            details.put("from", from.toString());
        }
        return claiming(id, () -> {
            // Again: what was looked at before may have been made since.
            checkNew(id);
            return recording(
                    new CatalogueEvent.OperationBegun("make " + id, kind, id, -1, details, now()),
                    making);
        });
    }

    /** One at a time has the name of a VM that it makes or takes up. */
    private CompletableFuture<Vm> claiming(VmId id, Making making) throws IOException {
        if (!names.add(id)) {
            throw new IllegalArgumentException(
                    "a VM named " + id + " is being made on this host; choose another name");
        }
        try {
            return making.make().whenComplete((_, _) -> names.remove(id));
        } catch (IOException | RuntimeException failure) {
            names.remove(id);
            throw failure;
        }
    }

    private CompletableFuture<Vm> recording(CatalogueEvent.OperationBegun begun, Making making)
            throws IOException {
        // Not waited for: what is made is made long before a guest's first write, and removed only if it is incomplete.
        tell(begun);
        try {
            return making.make().whenComplete(
                    (_, failure) -> tell(
                            new CatalogueEvent.OperationEnded(begun.name(),
                                    failure == null ? null : Blocking.reason(failure))));
        } catch (IOException | RuntimeException failure) {
            // Not spawned, so nobody uses them.
            try {
                disks.remove(begun.vm());
            } catch (IOException left) {
                failure.addSuppressed(left);
            }
            tell(new CatalogueEvent.OperationEnded(begun.name(), Blocking.reason(failure)));
            throw failure;
        }
    }

    private CompletableFuture<Vm> spawnNew(
            VmSpec spec, MachineState state, VmProbe probe, @Nullable CheckpointRef origin) {
        tell(
                new CatalogueEvent.VmCreated(
                        spec.id(), spec.regionBytes(), spec.diskBytes(), origin, now()));
        return spawn(spec, state, probe);
    }

    private Instant now() {
        return world.wall().instant();
    }

    private void tell(CatalogueEvent event) {
        catalogue.tell(event);
    }

    /**
     * Makes a new VM from a sealed checkpoint; it runs on from there when started, and its memory is read meanwhile ({@link
     * RestoreMode#LAZY}). Its disks share the layers of the checkpoint and get an overlay of their own; it has an identity of
     * its own, too.
     *
     * @param newId name of the new VM; its sizes are the checkpoint's
     */
    public Vm restore(CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe)
            throws IOException {
        return restore(checkpoint, newId, guest, probe, RestoreMode.LAZY);
    }

    /** The same, reading the memory when {@code mode} says. */
    public Vm restore(CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe,
            RestoreMode mode) throws IOException {
        return restoreLater(checkpoint, newId, guest, probe, mode).join();
    }

    /** The same for callers that must not wait for an actor: simulators, on whose thread the actors run. */
    public CompletableFuture<Vm> restoreLater(
            CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe,
            RestoreMode mode)
            throws IOException {
        var id = new VmId(newId);
        checkNew(id);
        var stored = store.open(checkpoint);
        var spec = specOf(stored.manifest(), id, guest);
        return making(OperationRecord.Kind.RESTORE, id, spec.diskBytes().size(), checkpoint, () -> {
            if (mode == RestoreMode.EAGER) {
                return spawnNew(spec,
                        StoredMachine.restoreEagerly(pool, stored, disks, id, 0, guest,
                                newIdentity()),
                        probe, checkpoint);
            }
            try (var memory = RestoredMemory.open(stored, pool)) {
                var state = machine(memory, memory.own(), id, 0, guest);
                return spawnOn(memory, id, guest, state, probe, true);
            }
        });
    }

    /**
     * Makes one of many VMs from a sealed checkpoint: they share the memory that they do not write, besides the layers of their
     * disks, and so cost what they change. Each has an identity of its own. What is shared is read once, when one of them
     * touches it or in the background, and goes when the last of them ends.
     */
    public Vm clone(CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe)
            throws IOException {
        return cloneLater(checkpoint, newId, guest, probe).join();
    }

    /** The same for callers that must not wait for an actor. */
    public CompletableFuture<Vm> cloneLater(
            CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe)
            throws IOException {
        var id = new VmId(newId);
        checkNew(id);
        var share = share(checkpoint);
        var memory = share.memory();
        try {
            return making(OperationRecord.Kind.RESTORE, id,
                    memory.stored.manifest().disks().size(), checkpoint, () -> {
                        var state = machine(memory, memory.shared(), id, 0, guest);
                        return spawnOn(memory, id, guest, state, probe, share.isNew());
                    });
        } finally {
            if (share.isNew()) {
                memory.close();
            } else {
                memory.unuse();
            }
        }
    }

    /** What the clones of a checkpoint share, kept from going away by its maker or by one use. */
    private Share share(CheckpointRef checkpoint) throws StoreException {
        synchronized (shared) {
            shared.values().removeIf(RestoredMemory::isGone);
            var before = shared.get(checkpoint);
            if (before != null && before.use()) {
                return new Share(before, false);
            }
            var opened = RestoredMemory.open(store.open(checkpoint), pool);
            shared.put(checkpoint, opened);
            return new Share(opened, true);
        }
    }

    private MachineState machine(RestoredMemory memory,
            List<Function<MemoryRegion.CopyListener, MemoryRegion>> regions, VmId id,
            int incarnation, GuestFactory guest) throws IOException {
        return StoredMachine.restore(memory.ref, StoredMachine.views(memory.stored.manifest()),
                memory.devices,
                regions, disks, id,
                incarnation, guest, newIdentity());
    }

    private static VmSpec specOf(Manifest manifest, VmId id, GuestFactory guest) {
        return new VmSpec(id, StoredMachine.regionBytes(manifest),
                StoredMachine.diskBytes(manifest), guest);
    }

    /** Starts the VM, and has what is left of its memory loaded. */
    private CompletableFuture<Vm> spawnOn(RestoredMemory memory, VmId id, GuestFactory guest,
            MachineState state, VmProbe probe, boolean loads) {
        noteRestored(id, memory);
        var made = spawnNew(specOf(memory.stored.manifest(), id, guest), state, probe, memory.ref);
        return made.thenApply(vm -> {
            if (loads) {
                loadAhead(memory);
            }
            var _ = vm.ended().whenComplete((_, _) -> {
                forgetRead();
                if (memory.isGone()) {
                    keepTouches(memory);
                }
            });
            return vm;
        });
    }

    private void noteRestored(VmId id, RestoredMemory memory) {
        forgetRead();
        synchronized (restored) {
            restored.add(new Restored(id, memory));
        }
    }

    private void forgetRead() {
        synchronized (restored) {
            restored.removeIf(one -> one.memory().unloadedPages() == 0);
        }
    }

    private void loadAhead(RestoredMemory memory) {
        world.loading().execute(() -> new PageLoader(memory.ref.toString(), memory.memories,
                new PageOrder(store.hints().read(memory.ref)), pool, world.loading(),
                world.pagesLoadedAtOnce(), () -> keepTouches(memory)).run());
    }

    private void keepTouches(RestoredMemory memory) {
        var touches = memory.touches();
        if (touches.count() > 0) {
            world.loading().execute(() -> store.hints().write(memory.ref, touches.entries()));
        }
    }

    private VmIdentity newIdentity() {
        var random = world.random();
        return new VmIdentity(random.getAsLong(), random.getAsLong(), random.getAsLong());
    }

    /**
     * Takes up a VM where its last sealed checkpoint left it, under its own name, after the process that ran it has ended; it
     * stands still until {@link Vm#start}. What its disks held beyond that checkpoint stays in the store, and is not its disks
     * any more. Blocks.
     *
     * @param guest makes the guest that the VM ran
     * @throws StoreException when it has no sealed checkpoint, or the last one cannot be read: choose another one, and restore it
     *     under another name
     */
    public Vm resume(VmId id, GuestFactory guest, VmProbe probe) throws IOException {
        return claiming(id, () -> takeUp(id, guest, probe)).join();
    }

    private CompletableFuture<Vm> takeUp(VmId id, GuestFactory guest, VmProbe probe)
            throws IOException {
        if (vms.containsKey(id)) {
            throw new IllegalArgumentException("a VM named " + id + " runs on this host already");
        }
        var known = catalogued().vms().get(id);
        if (known == null) {
            throw new StoreException(
                    "store " + store.directory() + " has no VM named " + id
                            + "; choose one of those listed");
        }
        var last = known.lastSealed();
        if (last == null) {
            throw new StoreException(
                    "VM " + id + " has no sealed checkpoint to go on from; create it anew under "
                            + "another name");
        }
        var spec = specOf(store.open(last.ref()).manifest(), id, guest);
        var state = rolledBack(last.ref(), spec);
        tell(new CatalogueEvent.VmRestored(id, last.ref(), now()));
        return spawn(spec, state, probe);
    }

    /**
     * What became of a VM that ran when the last process ended.
     *
     * @param vm is taken up, and stands still; null when it is not
     * @param reason why it is not, in one line; null when it is
     */
    public record Resumed(VmId id, @Nullable Vm vm, @Nullable String reason) {}

    /**
     * Takes up every VM that ran when the last process ended, see {@link #resume(VmId, GuestFactory, VmProbe)}. One that cannot
     * be taken up does not keep others from it. Blocks.
     *
     * @param guests makes the guest of a VM
     * @throws StoreException when it is not known which ones ran, as the catalogue cannot be read
     */
    public List<Resumed> resume(Function<VmRecord, GuestFactory> guests) throws StoreException {
        var resumed = new ArrayList<Resumed>();
        for (var known : catalogued().vms().values()) {
            if (known.status() == VmRecord.Status.RUNNING && !vms.containsKey(known.id())) {
                try {
                    var vm = resume(known.id(), guests.apply(known), VmProbe.NONE);
                    resumed.add(new Resumed(known.id(), vm, null));
                } catch (IOException failure) {
                    resumed.add(new Resumed(known.id(), null, Blocking.reason(failure)));
                }
            }
        }
        return List.copyOf(resumed);
    }

    /** What the catalogue knew when it was opened and has learned since; waits until it is opened. */
    private CatalogueState catalogued() throws StoreException {
        try {
            // It may have failed first and work now.
            if (catalogue.health().status() != CatalogueHealth.Status.WORKING) {
                catalogue.ready().join();
            }
            return catalogue.state();
        } catch (CompletionException failure) {
            throw new StoreException(Blocking.reason(failure), failure);
        }
    }

    /** Makes a new VM from a checkpoint of a VM of this host, with the same guest. */
    public Vm restore(CheckpointRef checkpoint, String newId) throws IOException {
        return restore(checkpoint, newId, guestOf(checkpoint.vm()), VmProbe.NONE);
    }

    private GuestFactory guestOf(VmId vm) {
        var spec = specs.get(vm);
        if (spec == null) {
            throw new IllegalArgumentException(
                    vm + " is not of this host; name the guest that its checkpoint restores");
        }
        return spec.guest();
    }

    /**
     * Returns what makes the guest of a checkpoint, from the checkpoint alone; null when it does not say enough, as that of a
     * replayed trace, which needs the trace.
     *
     * @throws IllegalArgumentException when what it says makes no sense
     */
    public static @Nullable GuestFactory guestOf(Manifest checkpoint, GuestRecorder recorder) {
        return StoredMachine.guest(checkpoint, recorder);
    }

    /** Makes a second VM that runs on from this instant of {@code vm}, I/O in flight included. */
    public CompletableFuture<Vm> clone(Vm vm, String newId) {
        return operations.during("clone " + vm.id() + " as " + newId, OperationRecord.Kind.CLONE,
                new VmId(newId), "from", vm.id().value(), () -> cloned(vm, newId));
    }

    private CompletableFuture<Vm> cloned(Vm vm, String newId) {
        return vm.checkpoint()
                .thenApplyAsync(
                        outcome -> {
                            if (!outcome.sealed()) {
                                throw new IllegalStateException(
                                        "cannot clone " + vm.id() + ": " + outcome.reason());
                            }
                            try {
                                return clone(outcome.ref(), newId, guestOf(outcome.ref().vm()),
                                        VmProbe.NONE);
                            } catch (IOException failure) {
                                throw new UncheckedIOException(failure);
                            }
                        },
                        threads.calls());
    }

    CompletableFuture<VmActor.Quiet> rollBack(Vm vm, CheckpointRef checkpoint) {
        var spec = specs.get(vm.id());
        if (spec == null) {
            throw new IllegalArgumentException(vm.id() + " is not of this host");
        }
        return operations.during("roll back " + vm.id() + " to " + checkpoint,
                OperationRecord.Kind.ROLL_BACK, vm.id(), "to", checkpoint.toString(),
                () -> rollBack(vm, checkpoint, spec));
    }

    private CompletableFuture<VmActor.Quiet> rollBack(Vm vm, CheckpointRef checkpoint,
            VmSpec spec) {
        return Blocking.call(
                threads.blocking(),
                () -> rolledBack(checkpoint, spec))
                .thenCompose(state -> takeBack(vm, state, checkpoint))
                .thenApply(
                        quiet -> {
                            tell(new CatalogueEvent.VmRestored(vm.id(), checkpoint, now()));
                            return quiet;
                        });
    }

    CompletableFuture<VmActor.Quiet> rollBack(Vm vm, Snapshot snapshot) {
        var guest = guestOf(vm.id());
        if (!snapshot.use()) {
            throw new IllegalStateException("snapshot " + snapshot.ref() + " is closed");
        }
        var to = "snapshot " + snapshot.ref();
        return operations.during("roll back " + vm.id() + " to " + to,
                OperationRecord.Kind.ROLL_BACK, vm.id(), "to", to, () -> {
                    var back = snapshot.memory().toCompletableFuture()
                            .thenCompose(memory -> Blocking.call(threads.blocking(),
                                    () -> copied(snapshot, memory, vm.id(), guest)));
                    var _ = back.whenComplete((_, _) -> snapshot.unuse());
                    return back.thenCompose(
                            state -> takeBack(vm, state, snapshot.ref()));
                });
    }

    /** If the VM ends before it hears of the state, nobody else would give its frames back. */
    private CompletableFuture<VmActor.Quiet> takeBack(Vm vm, MachineState state,
            CheckpointRef to) {
        return vm.<VmActor.Quiet>ask(replyTo -> new VmActor.RollBack(state, to, replyTo))
                .whenComplete((_, failure) -> {
                    if (failure != null && state.discard()) {
                        threads.upkeep().execute(() -> state.forEachDisk(disks::over));
                    }
                });
    }

    /**
     * A machine with copies of the snapshot's pages: if it shared them, each life of a VM that is rolled back again and again
     * would keep the one before.
     */
    private MachineState copied(Snapshot snapshot, List<FrozenMemory> memory, VmId id,
            GuestFactory guest) throws IOException {
        var state = nextLife(id, life -> StoredMachine.restore(null, snapshot.disks(),
                snapshot.devices(), StoredMachine.empty(pool, snapshot.regionBytes()), disks, id,
                life, guest, newIdentity()));
        boolean complete = false;
        try {
            for (int i = 0; i < memory.size(); i++) {
                var from = memory.get(i);
                var to = state.regions().get(i);
                from.forEachPresent((page, frame) -> to.load(page, from.pool(), frame * 4096L));
            }
            complete = true;
            return state;
        } finally {
            if (!complete) {
                state.regions().forEach(MemoryRegion::close);
                state.forEachDisk(disks::over);
            }
        }
    }

    private interface Life {
        MachineState make(int incarnation) throws IOException;
    }

    /** If it cannot be made none of its disks stays open. */
    private MachineState nextLife(VmId vm, Life life) throws IOException {
        int incarnation = disks.nextIncarnation(vm);
        boolean isMade = false;
        try {
            var state = life.make(incarnation);
            isMade = true;
            return state;
        } finally {
            if (!isMade) {
                disks.neverLived(vm, incarnation);
            }
        }
    }

    /**
     * Makes a new VM that runs on from {@code snapshot}, shares all memory with it that it does not write, and has an identity
     * of its own. The snapshot, and with it its VM's frames, stays until the clone has ended, even if it is closed before.
     */
    public CompletableFuture<Vm> clone(Snapshot snapshot, String newId, GuestFactory guest,
            VmProbe probe) throws IOException {
        var id = new VmId(newId);
        checkNew(id);
        if (!snapshot.use()) {
            throw new IllegalStateException("snapshot " + snapshot.ref() + " is closed");
        }
        var made = snapshot.memory().toCompletableFuture()
                .thenComposeAsync(memory -> cloned(snapshot, memory, id, guest, probe),
                        threads.blocking());
        return made.whenComplete((vm, failure) -> {
            if (failure == null) {
                var _ = vm.ended().whenComplete((_, _) -> snapshot.unuse());
            } else {
                snapshot.unuse();
            }
        });
    }

    private CompletableFuture<Vm> cloned(Snapshot snapshot, List<FrozenMemory> frozen, VmId id,
            GuestFactory guest, VmProbe probe) {
        try {
            checkNew(id);
            return making(OperationRecord.Kind.CLONE, id, snapshot.disks().size(), null,
                    () -> spawnClone(snapshot, frozen, id, guest, probe));
        } catch (IOException failure) {
            return CompletableFuture.failedFuture(failure);
        }
    }

    private CompletableFuture<Vm> spawnClone(Snapshot snapshot, List<FrozenMemory> frozen, VmId id,
            GuestFactory guest, VmProbe probe) throws IOException {
        var regions = new ArrayList<Function<MemoryRegion.CopyListener, MemoryRegion>>();
        for (var memory : frozen) {
            regions.add(listener -> new MemoryRegion(memory, listener));
        }
        var state =
                StoredMachine.restore(null, snapshot.disks(), snapshot.devices(), regions, disks,
                        id, 0, guest, newIdentity());
        var spec = new VmSpec(id, snapshot.regionBytes(),
                snapshot.disks().stream().map(StoredMachine.DiskView::sizeBytes).toList(),
                guest);
        return spawnNew(spec, state, probe, null);
    }

    private MachineState rolledBack(CheckpointRef checkpoint, VmSpec spec) throws IOException {
        try (var memory = RestoredMemory.open(store.open(checkpoint), pool)) {
            var state = nextLife(spec.id(),
                    life -> machine(memory, memory.own(), spec.id(), life, spec.guest()));
            noteRestored(spec.id(), memory);
            loadAhead(memory);
            return state;
        }
    }

    /** The VMs whose memory is still being read, in the order of their restores. */
    public List<Restoring> restoring() {
        synchronized (restored) {
            return restored.stream()
                    .map(one -> new Restoring(one.vm(), one.memory().ref,
                            one.memory().unloadedPages(), one.memory().touches().count()))
                    .filter(one -> one.unloadedPages() > 0)
                    .toList();
        }
    }

    /**
     * The VM whose memory is still being read from {@code checkpoint}, the first one restored; null if there is none.
     */
    public @Nullable VmId readerOf(CheckpointRef checkpoint) {
        synchronized (restored) {
            for (var one : restored) {
                if (one.memory().ref.equals(checkpoint) && one.memory().unloadedPages() > 0) {
                    return one.vm();
                }
            }
            return null;
        }
    }

    /**
     * Deletes a checkpoint; the layers that only it needed are committed by its VM, if that runs. Checkpoints that stand on it
     * keep what they need of its pages, and a restored VM that still reads its memory from there goes on doing so.
     *
     * @throws StoreException also when disks stand on copies in it
     */
    public void delete(CheckpointRef checkpoint) throws StoreException {
        var manifest = store.open(checkpoint).manifest();
        store.requireNoDiskOn(checkpoint);
        try {
            disks.letGoOfCopies(checkpoint);
        } catch (StoreException needed) {
            throw needed;
        } catch (IOException failure) {
            throw new StoreException(
                    "cannot tell whether disks stand on checkpoint " + checkpoint + ": "
                            + failure.getMessage(),
                    failure);
        }
        // Not waited for: a store that is full, with its journal in it, must not keep checkpoints from being deleted.
        tell(new CatalogueEvent.CheckpointDeleteBegun(checkpoint));
        store.drop(checkpoint);
        tell(new CatalogueEvent.CheckpointDeleted(checkpoint, "it was asked for"));
        var vm = vms.get(checkpoint.vm());
        if (vm != null) {
            vm.actor().tell(StoredMachine.forget(manifest));
        }
    }

    /**
     * Deletes the checkpoints of a VM, running or not, that are not to be kept. Those that are keep what they need of the
     * others. Blocks.
     *
     * @return those that were deleted, the oldest first
     */
    public List<CheckpointRef> retain(VmId vm, Retention retention) throws StoreException {
        var taken = new ArrayList<Retention.Taken>();
        for (var ref : store.list()) {
            if (ref.vm().equals(vm)) {
                taken.add(new Retention.Taken(ref, store.open(ref).manifest().createdAt()));
            }
        }
        var doomed = retention.toDrop(taken);
        for (var ref : doomed) {
            delete(ref);
        }
        return doomed;
    }

    /**
     * Reclaims what nobody needs of the store, beside the running VMs: what is left of deleted and of
     * aborted checkpoints, and images of disks that no VM and no checkpoint stands on. A VM that an earlier process ran and that
     * was not taken up here keeps its disks. One that it was making when the power failed does so only if something of it may have
     * been flushed: nobody was promised anything else. Blocks; may be repeated.
     *
     * @throws StoreException also when the catalogue cannot say which VMs there are: no images are removed then
     */
    public GcReport gc() throws StoreException {
        var segments = store.gc();
        var absent = new ArrayList<VmId>();
        var unknown = new ArrayList<VmId>();
        for (var known : catalogued().vms().values()) {
            if (!vms.containsKey(known.id())) {
                (mayHaveRun(known) ? absent : unknown).add(known.id());
            }
        }
        return segments.and(disks.collect(absent, unknown,
                vm -> tell(new CatalogueEvent.VmRemoved(vm,
                        "its process ended while it was made, and nothing of it was ever flushed",
                        now()))));
    }

    /** Whether it ran for all that the journal says, whose end a loss of power may have taken. */
    private static boolean mayHaveRun(VmRecord known) {
        return switch (known.status()) {
            case RUNNING, STOPPED, FAILED, REMOVING -> true;
            case CREATED, FOUND -> known.checkpoints().size() > 0;
        };
    }

    /**
     * Ends {@code vm} and deletes its disks. Blocks.
     *
     * @throws IllegalStateException when checkpoints of it are in the store: they name its disks
     * @throws StoreException when disks of other VMs start from its disks (R16): they are clones of it, also of
     *     checkpoints that are deleted since. It runs on then
     * @throws IOException when it has requests that do not end
     */
    public void destroy(Vm vm) throws IOException {
        var begun = destroying(vm.id());
        var ended = vm.stop().toCompletableFuture();
        await(ended);
        if (!ended.isDone()) {
            throw new IOException(vm.id() + " has requests in flight that do not end, so its disks "
                    + "stay; destroy it again when they do");
        }
        try {
            recorded(begun).get();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException failure) {
            throw new IllegalStateException(failure);
        }
        try {
            removeDisks(vm.id());
        } catch (IOException | RuntimeException failure) {
            destroyed(vm.id(), failure);
            throw failure;
        }
        destroyed(vm.id(), null);
    }

    /**
     * The same for callers that must not wait for an actor: what stands in its way now is thrown, what comes to do so until the VM
     * has ended fails the answer.
     */
    public CompletableFuture<?> destroyLater(Vm vm) throws IOException {
        var begun = destroying(vm.id());
        return vm.stop().toCompletableFuture()
                .handle((_, _) -> begun)
                .thenCompose(TintypeHost::recorded)
                .thenCompose(_ -> Blocking.call(threads.blocking(), () -> {
                    removeDisks(vm.id());
                    return vm.id();
                }))
                .whenComplete((_, failure) -> destroyed(vm.id(), failure));
    }

    private Catalogue.Told destroying(VmId vm) throws IOException {
        requireNoCheckpointsOn(vm);
        disks.requireNoClonesOf(vm);
        return catalogue.tell(new CatalogueEvent.OperationBegun(
                destruction(vm), OperationRecord.Kind.DESTROY, vm, -1, new TreeMap<>(), now()));
    }

    private void removeDisks(VmId vm) throws IOException {
        // Again, as a checkpoint may have been sealed, or a clone made, while it stopped.
        requireNoCheckpointsOn(vm);
        disks.removeUnlessNeeded(vm);
        specs.remove(vm);
    }

    private void destroyed(VmId vm, @Nullable Throwable failure) {
        tell(new CatalogueEvent.OperationEnded(destruction(vm),
                failure == null ? null : Blocking.reason(failure)));
        if (failure == null) {
            tell(new CatalogueEvent.VmRemoved(vm, "it was asked for", now()));
        }
    }

    private static String destruction(VmId vm) {
        return "destroy " + vm;
    }

    private void requireNoCheckpointsOn(VmId vm) throws IOException {
        long pointing = 0;
        for (var ref : store.list()) {
            if (ref.vm().equals(vm) && pointsToDisks(ref)) {
                pointing++;
            }
        }
        if (pointing > 0) {
            throw new IllegalStateException(
                    vm + " has " + pointing
                            + " checkpoints, which need its disks; delete them first");
        }
    }

    /** So that the next process finishes what this one may not; if it cannot be recorded, it is done all the same. */
    private static CompletableFuture<?> recorded(Catalogue.Told told) {
        return told.durable().orTimeout(RECORD_SECONDS_MAX, TimeUnit.SECONDS)
                .handle((_, failure) -> {
                    if (failure != null) {
                        LOG.warn("going on without a record: {}", Blocking.reason(failure));
                    }
                    return told;
                });
    }

    private boolean pointsToDisks(CheckpointRef ref) throws IOException {
        return store.open(ref).manifest().disks().stream().anyMatch(disk -> disk.copy() == null);
    }

    /** Returns the VMs that were made here and have not ended. */
    public List<Vm> vms() {
        return vms.values().stream().sorted(Comparator.comparing(Vm::id)).toList();
    }

    /** Returns the checkpoints. */
    public CheckpointStore store() {
        return store;
    }

    /** Returns what each open disk is like now. */
    public List<DiskGauge> disks() {
        return disks.gauges();
    }

    /** Returns what is known of VMs, those of earlier processes included, and how its journal is. */
    public Catalogue catalogue() {
        return catalogue;
    }

    /** Returns the host's frames: gauges of memory held. */
    public FramePool frames() {
        return pool;
    }

    Executor answers() {
        return world.answers();
    }

    Scheduler scheduler() {
        return world.scheduler();
    }

    private void checkNew(VmId id) throws StoreException {
        if (vms.containsKey(id)) {
            throw new IllegalArgumentException(
                    "a VM named " + id + " runs on this host; choose another name");
        }
        if (disks.hasDisks(id)) {
            throw new StoreException(
                    "store "
                            + store.directory()
                            + " has disks of a VM named "
                            + id
                            + " from an earlier run; choose another name, or restore one of its "
                            + "checkpoints under another name");
        }
    }

    private CompletableFuture<Vm> spawn(VmSpec spec, MachineState state, VmProbe probe) {
        var counters = new VmCounters();
        var services =
                new VmServices(
                        world.clock(),
                        world.wall(),
                        pool,
                        diskIo,
                        threads.blocking(),
                        threads.upkeep(),
                        world::later,
                        threads.copying(),
                        threads.saving(),
                        probe,
                        counters,
                        ports.rules(),
                        options.reissue(),
                        options.conflict(),
                        ports.orderedDisks(),
                        options.slice().toNanos(),
                        options.deadline().toNanos(),
                        options.chainDepthMax(),
                        options.checkpointDisks(),
                        options.throttle().toNanos(),
                        disks::over,
                        catalogue);
        var started = new CompletableFuture<ActorRef<VmActor.Command>>();
        var ended = new CompletableFuture<Void>();
        world.host().tell(
                new HostActor.Spawn(
                        spec.id(),
                        VmActor.create(spec.id(), state, services, firstCheckpoint(spec.id())),
                        started,
                        ended));
        return started.thenApply(
                actor -> {
                    // Who waits for the end may close the host next, so the catalogue is told first.
                    var over = new CompletableFuture<Void>();
                    var vm = new Vm(this, spec.id(), actor, counters, over);
                    vms.put(spec.id(), vm);
                    specs.put(spec.id(), spec);
                    var _ = ended.whenComplete((_, failure) -> {
                        try {
                            ended(vm, failure);
                        } finally {
                            if (failure == null) {
                                over.complete(null);
                            } else {
                                over.completeExceptionally(failure);
                            }
                        }
                    });
                    return vm;
                });
    }

    /** An id that was given to a checkpoint that came to nothing is in the journal only. */
    private long firstCheckpoint(VmId id) {
        return Math.max(store.nextId(id).value(), catalogue.state().lastId(id) + 1);
    }

    void started(VmId id) {
        tell(new CatalogueEvent.VmStarted(id, now()));
    }

    private void ended(Vm vm, @Nullable Throwable failure) {
        vms.remove(vm.id());
        // A host that closes decides nothing about its VMs: they ran, and may be taken up by the next.
        if (failure != null || (vm.isStopAsked() && !closing)) {
            tell(
                    new CatalogueEvent.VmStopped(
                            vm.id(), failure == null ? null : Blocking.reason(failure), now()));
        }
    }

    /** Stops all VMs, waits for their requests in flight and gives every file and frame back. */
    @Override
    public void close() {
        closing = true;
        var quiet =
                vms().stream()
                        .map(vm -> vm.stop().toCompletableFuture())
                        .toArray(CompletableFuture<?>[]::new);
        await(CompletableFuture.allOf(quiet));
        world.end();
        threads.close();
        disks.seal();
        closeFiles();
        pool.close();
    }

    /**
     * Closes every file and does not ask whether a VM is left: for simulators, after they stopped all VMs, and whose frames
     * outlive a host.
     */
    public void closeFiles() {
        diskIo.close();
        disks.close();
        catalogue.close();
        try {
            store.close();
        } catch (StoreException failure) {
            LOG.warn("the store did not close cleanly: {}", failure.getMessage());
        }
    }

    static void await(CompletableFuture<?> future) {
        try {
            future.get(CLOSE_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        } catch (ExecutionException
                | TimeoutException stuck) {
            // A request that never completes must not keep the process: what it would have written is
            // lost to a running VM only.
            LOG.warn("closing without waiting further: {}", Blocking.reason(stuck));
        }
    }
}
