package io.tintype.simulations.bench.suite;

import io.tintype.actors.VmId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.HostOptions;
import io.tintype.vm.HostPorts;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.VmSpec;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.LoadProfile;
import java.io.IOException;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;

/**
 * A host with what benchmarks do to it again and again. Made, used and closed by the thread that measures; its waits end early
 * when the user cancels, its answers never take longer than a minute.
 */
final class Rig implements AutoCloseable {
    static final long KIB = 1 << 10;
    static final long MIB = 1 << 20;

    private static final long ANSWER_SECONDS_MAX = 60;
    private static final int LAYERS_SETTLED = 8;
    private static final long LOOK_NS = 1_000_000;
    // Beside the guests' pages: frames that each region keeps at hand.
    private static final long SPARE_BYTES = 64 * MIB;

    /**
     * What a benchmark wants of its host.
     *
     * @param guestBytes touched by all guests together
     * @param heldBytes that may be held for checkpoints
     * @param disksInMemory see {@link HostOptions}
     * @param threads that run VMs; 0 for the default
     * @param diskThreads that disk operations may block; 0 for the default
     * @param diskPerSecond transfers that the disks do together; 0: as many as they can
     */
    record Wish(
            long guestBytes, long heldBytes, boolean disksInMemory, int threads, int diskThreads,
            int diskPerSecond) {
        static Wish diskFiles(long guestBytes, long heldBytes) {
            return new Wish(guestBytes, heldBytes, false, 0, 0, 0);
        }

        static Wish memoryDisks(long guestBytes, long heldBytes) {
            return new Wish(guestBytes, heldBytes, true, 0, 0, 0);
        }

        Wish withThreads(int count) {
            return new Wish(guestBytes, heldBytes, disksInMemory, count, diskThreads,
                    diskPerSecond);
        }

        Wish withDiskThreads(int count) {
            return new Wish(guestBytes, heldBytes, disksInMemory, threads, count, diskPerSecond);
        }

        Wish withDiskPerSecond(int count) {
            return new Wish(guestBytes, heldBytes, disksInMemory, threads, diskThreads, count);
        }
    }

    private final BenchContext context;
    private final TintypeHost host;

    private Rig(BenchContext context, TintypeHost host) {
        this.context = context;
        this.host = host;
    }

    /** Starts a host whose store is the directory {@code name} of the benchmark's own. */
    static Rig start(BenchContext context, String name, Wish wish) throws IOException {
        return start(context, name, wish, UnaryOperator.identity());
    }

    /** The same with other ports than {@code wish} alone leads to. */
    static Rig start(BenchContext context, String name, Wish wish, UnaryOperator<HostPorts> other)
            throws IOException {
        var usual = HostOptions.defaults(context.directory().resolve(name));
        var options =
                new HostOptions(
                        usual.store(),
                        wish.disksInMemory(),
                        wish.guestBytes() + wish.heldBytes() + SPARE_BYTES,
                        wish.heldBytes() + SPARE_BYTES,
                        wish.threads(),
                        wish.diskThreads() == 0 ? usual.diskThreads() : wish.diskThreads(),
                        usual.savers(),
                        usual.slice(),
                        usual.deadline(),
                        usual.chainDepthMax(),
                        usual.throttle(),
                        usual.reissue(),
                        usual.conflict());
        var ports = other.apply(HostPorts.of(options));
        var host =
                TintypeHost.start(options, wish.diskPerSecond() == 0
                        ? ports
                        : ports.withDiskIo(disk -> new PacedDisk(disk, wish.diskPerSecond())));
        // Its journal is part of what is measured; opening it is not.
        host.catalogue().ready().join();
        return new Rig(context, host);
    }

    boolean cancelled() {
        return context.cancelled();
    }

    TintypeHost host() {
        return host;
    }

    /** Makes a VM under a load; it stands still. */
    Vm create(
            String name, long memoryBytes, List<Long> diskBytes, LoadProfile load, VmProbe probe)
            throws IOException {
        return create(name, memoryBytes, diskBytes, Guests.load(load, diskBytes), probe);
    }

    /** Makes a VM with a guest of the benchmark's own; it stands still. */
    Vm create(
            String name, long memoryBytes, List<Long> diskBytes, GuestFactory guest, VmProbe probe)
            throws IOException {
        return host.create(
                new VmSpec(new VmId(name), List.of(memoryBytes), diskBytes, guest), probe);
    }

    /** Gives every page of the VM's memory a frame that is not zero; before it is started. */
    void touch(Vm vm) throws IOException {
        answer(
                vm.visit(
                        machine -> {
                            var memory = machine.memory();
                            // All ones are no number of a completion: the guest's rings lie in there too.
                            memory.fillLongs(0, memory.sizeBytes() / Long.BYTES, -1);
                        }));
    }

    /** Gives every page a content of its own that no codec makes smaller; before the VM is started, and if it has no disk. */
    void fillUnique(Vm vm, SplittableRandom random) throws IOException {
        fill(vm, random, 1);
    }

    /** The same, but only one word in {@code stride} is random, as in a table of records. */
    void fill(Vm vm, SplittableRandom random, int stride) throws IOException {
        answer(
                vm.visit(
                        machine -> {
                            var memory = machine.memory();
                            for (long page = 0; page < memory.sizeBytes()
                                    / GuestMemory.PAGE_BYTES; page++) {
                                fillPage(memory, page, random, stride);
                            }
                        }));
    }

    static void fillPage(GuestMemory memory, long page, SplittableRandom random, int stride) {
        long start = page * GuestMemory.PAGE_BYTES;
        for (int at = 0; at < GuestMemory.PAGE_BYTES; at += Long.BYTES) {
            int word = at / Long.BYTES % stride;
            memory.putLong(start + at, word == 0 ? random.nextLong() : word);
        }
    }

    /**
     * Sees to it that the kernel has memory at hand for a file of that size. A virtual machine may get it from its host only
     * when it is touched, and then waits ten times as long as a write of it takes: a cost of the machine, of which the first
     * to write would bear most.
     */
    void warmFileCache(long bytes) throws IOException {
        PlainFile.write(context.directory().resolve("warm"), bytes, false);
    }

    /** As {@link #checkpoint}, and leaves it there. */
    CheckpointOutcome keep(Vm vm) throws IOException {
        settle(vm);
        var outcome = answer(vm.checkpoint());
        if (!outcome.sealed()) {
            throw new IllegalStateException(
                    "checkpoint " + outcome.ref() + " was aborted: " + outcome.reason());
        }
        return outcome;
    }

    /**
     * Takes a checkpoint once the VM has settled, waits until it is sealed, and deletes it, so that its overlay is committed
     * while the VM runs on.
     *
     * @throws IllegalStateException if it was aborted
     */
    CheckpointOutcome checkpoint(Vm vm) throws IOException {
        var outcome = keep(vm);
        host.delete(outcome.ref());
        return outcome;
    }

    /**
     * Waits until the overlays of earlier checkpoints are committed but for a few, so that checkpoints one right after another
     * do not find the longest chain that is allowed.
     */
    void settle(Vm vm) throws IOException {
        var depth = new AtomicInteger();
        do {
            answer(
                    vm.visit(
                            machine -> depth.set(
                                    machine.chains().stream()
                                            .mapToInt(DiskChain::depth)
                                            .max()
                                            .orElse(0))));
            if (depth.get() > LAYERS_SETTLED) {
                pass(LOOK_NS);
            }
        } while (depth.get() > LAYERS_SETTLED && !context.cancelled());
    }

    /** Stops the guest and waits until nothing of it is in flight. */
    void quiesce(Vm vm) throws IOException {
        answer(vm.quiesce());
    }

    /** Lets {@code ns} pass, or less when the user cancels. */
    void pass(long ns) {
        long end = System.nanoTime() + ns;
        for (long left = ns; left > 0 && !context.cancelled(); left = end - System.nanoTime()) {
            LockSupport.parkNanos(Math.min(left, 20 * LOOK_NS));
        }
    }

    /**
     * Waits until {@code vm} has run guest code.
     *
     * @throws IllegalStateException if it does not within a minute
     */
    void awaitSlices(Vm vm, long slices) {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(ANSWER_SECONDS_MAX);
        while (vm.counters().slices() < slices && !context.cancelled()) {
            if (System.nanoTime() > end) {
                throw new IllegalStateException(
                        vm.id() + " got " + vm.counters().slices() + " slices in a minute");
            }
            LockSupport.parkNanos(LOOK_NS);
        }
    }

    /** Waits for an answer of the host. */
    static <T> T answer(CompletionStage<T> stage) throws IOException {
        try {
            return stage.toCompletableFuture().get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException | TimeoutException failure) {
            throw new IOException("the host did not answer as it should", failure);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", interrupted);
        }
    }

    @Override
    public void close() {
        host.close();
    }
}
