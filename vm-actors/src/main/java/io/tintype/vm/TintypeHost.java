package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.memory.FramePool;
import io.tintype.store.CheckpointStore;
import io.tintype.store.GcReport;
import io.tintype.store.Manifest;
import io.tintype.store.StoreException;
import io.tintype.store.StoredCheckpoint;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
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
    // They mostly wait for a sync: overlays, chains and manifests of many checkpoints become durable together.
    private static final int BLOCKING_A_DISK_THREAD = 4;

    private final HostOptions options;
    private final CheckpointStore store;
    private final FramePool pool;
    private final DiskIo diskIo;
    private final ExecutorService blocking;
    private final ExecutorService saving;
    private final DiskDirectory disks;
    private final HostWorld world;
    private final HostPorts ports;
    private final Executor blockingPort;
    private final Executor savingPort;
    private final Map<VmId, Vm> vms = new ConcurrentHashMap<>();
    private final Map<VmId, VmSpec> specs = new ConcurrentHashMap<>();

    private TintypeHost(HostOptions options, HostPorts ports) throws StoreException {
        this.options = options;
        this.ports = ports;
        this.store = CheckpointStore.open(options.store(), ports.storeFiles());
        this.world = ports.world().get();
        this.pool = world.frames();
        this.diskIo = ports.diskIo();
        this.disks =
                new DiskDirectory(
                        store, options.disksInMemory(), ports.images(), ports.rules(),
                        ports.groupBytes());
        this.blocking =
                threads("tintype-blocking-", BLOCKING_A_DISK_THREAD * options.diskThreads());
        this.saving = threads("tintype-save-", options.savers());
        this.blockingPort = ports.blocking().apply(blocking);
        this.savingPort = ports.saving().apply(saving);
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
        var chains = new ArrayList<DiskDirectory.Opened>();
        for (int i = 0; i < spec.diskBytes().size(); i++) {
            chains.add(disks.create(spec.id(), i, spec.diskBytes().get(i)));
        }
        var state = StoredMachine.fresh(pool, spec, chains);
        return spawn(spec, state, probe);
    }

    /**
     * Makes a new VM from a sealed checkpoint; it runs on from there when started. Its disks share the
     * layers of the checkpoint and get an overlay of their own.
     *
     * @param newId name of the new VM; its sizes are the checkpoint's
     */
    public Vm restore(CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe)
            throws IOException {
        return restoreLater(checkpoint, newId, guest, probe).join();
    }

    /** The same for callers that must not wait for an actor: simulators, on whose thread the actors run. */
    public CompletableFuture<Vm> restoreLater(
            CheckpointRef checkpoint, String newId, GuestFactory guest, VmProbe probe)
            throws IOException {
        var id = new VmId(newId);
        checkNew(id);
        var stored = store.open(checkpoint);
        var state = restored(stored, id, guest);
        var manifest = stored.manifest();
        var spec =
                new VmSpec(
                        id,
                        StoredMachine.regionBytes(manifest),
                        StoredMachine.diskBytes(manifest),
                        guest);
        return spawn(spec, state, probe);
    }

    /** The memory and disks of a new VM; if they cannot be made, nothing of them is left. */
    private MachineState restored(StoredCheckpoint stored, VmId id, GuestFactory guest)
            throws IOException {
        try {
            return StoredMachine.restore(pool, stored, disks, id, 0, guest);
        } catch (IOException | RuntimeException failure) {
            try {
                disks.remove(id);
            } catch (IOException left) {
                failure.addSuppressed(left);
            }
            throw failure;
        }
    }

    /** Makes a new VM from a checkpoint of a VM of this host, with the same guest. */
    public Vm restore(CheckpointRef checkpoint, String newId) throws IOException {
        var spec = specs.get(checkpoint.vm());
        if (spec == null) {
            throw new IllegalArgumentException(
                    checkpoint.vm()
                            + " is not of this host; name the guest that its checkpoint restores");
        }
        return restore(checkpoint, newId, spec.guest(), VmProbe.NONE);
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
        return vm.checkpoint()
                .thenApplyAsync(
                        outcome -> {
                            if (!outcome.sealed()) {
                                throw new IllegalStateException(
                                        "cannot clone " + vm.id() + ": " + outcome.reason());
                            }
                            try {
                                return restore(outcome.ref(), newId);
                            } catch (IOException failure) {
                                throw new UncheckedIOException(failure);
                            }
                        },
                        blocking);
    }

    CompletableFuture<VmActor.Quiet> rollBack(Vm vm, CheckpointRef checkpoint) {
        var spec = specs.get(vm.id());
        if (spec == null) {
            throw new IllegalArgumentException(vm.id() + " is not of this host");
        }
        return Blocking.call(
                blocking,
                () -> StoredMachine.restore(
                        pool,
                        store.open(checkpoint),
                        disks,
                        vm.id(),
                        disks.nextIncarnation(vm.id()),
                        spec.guest()))
                .thenCompose(state -> vm.ask(replyTo -> new VmActor.RollBack(state, replyTo)));
    }

    /**
     * Deletes a checkpoint; the layers that only it needed are committed by its VM, if that runs.
     * Checkpoints that stand on it keep what they need of its pages.
     */
    public void delete(CheckpointRef checkpoint) throws StoreException {
        var manifest = store.open(checkpoint).manifest();
        store.drop(checkpoint);
        var vm = vms.get(checkpoint.vm());
        if (vm != null) {
            vm.actor().tell(StoredMachine.forget(manifest));
        }
    }

    /**
     * Reclaims what nobody needs of the store, beside the running VMs: what is left of deleted and of
     * aborted checkpoints, and images of disks that no VM of this host and no checkpoint stands on.
     * Blocks; may be repeated.
     */
    public GcReport gc() throws StoreException {
        return store.gc().and(disks.collect());
    }

    /**
     * Ends {@code vm} and deletes its disks. Blocks.
     *
     * @throws IllegalStateException when checkpoints of it are in the store: they name its disks
     */
    public void destroy(Vm vm) throws IOException {
        var sealed = store.list().stream().filter(ref -> ref.vm().equals(vm.id())).count();
        if (sealed > 0) {
            throw new IllegalStateException(
                    vm.id() + " has " + sealed
                            + " checkpoints, which need its disks; delete them first");
        }
        await(vm.stop().toCompletableFuture());
        specs.remove(vm.id());
        disks.remove(vm.id());
    }

    /** Returns the VMs that were made here and have not ended. */
    public List<Vm> vms() {
        return vms.values().stream().sorted(Comparator.comparing(Vm::id)).toList();
    }

    /** Returns the checkpoints. */
    public CheckpointStore store() {
        return store;
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
                        blockingPort,
                        savingPort,
                        probe,
                        counters,
                        ports.rules(),
                        options.reissue(),
                        options.conflict(),
                        ports.orderedDisks(),
                        options.slice().toNanos(),
                        options.deadline().toNanos(),
                        options.chainDepthMax(),
                        options.throttle().toNanos());
        var started = new CompletableFuture<ActorRef<VmActor.Command>>();
        var ended = new CompletableFuture<Void>();
        world.host().tell(
                new HostActor.Spawn(
                        spec.id(),
                        VmActor.create(spec.id(), state, services, store.nextId(spec.id()).value()),
                        started,
                        ended));
        return started.thenApply(
                actor -> {
                    var vm = new Vm(this, spec.id(), actor, counters, ended);
                    vms.put(spec.id(), vm);
                    specs.put(spec.id(), spec);
                    var _ = ended.whenComplete((_, _) -> vms.remove(spec.id()));
                    return vm;
                });
    }

    /** Stops all VMs, waits for their requests in flight and gives every file and frame back. */
    @Override
    public void close() {
        var quiet =
                vms().stream()
                        .map(vm -> vm.stop().toCompletableFuture())
                        .toArray(CompletableFuture<?>[]::new);
        await(CompletableFuture.allOf(quiet));
        world.end();
        stop(saving);
        stop(blocking);
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

    private static void stop(ExecutorService executor) {
        executor.shutdown();
        try {
            if (!executor.awaitTermination(CLOSE_SECONDS_MAX, TimeUnit.SECONDS)) {
                executor.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private static ExecutorService threads(String name, int count) {
        return Executors.newFixedThreadPool(
                count, Thread.ofPlatform().name(name, 0).daemon().factory());
    }
}
