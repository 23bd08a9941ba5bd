package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.JournalPlace;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.DeviceState;
import io.tintype.vm.HostOptions;
import io.tintype.vm.RestoreMode;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * Restores VMs from a checkpoint in this process and lets them run. A running VM ends with its process; what stays is what a
 * checkpoint at its end holds, and its disks.
 */
public final class Restorer implements AutoCloseable {
    /** What became of one VM. */
    public enum Guests {
        /** It ran its own program. */
        ITS_OWN,
        /** What its program is does not follow from the checkpoint, so it stood still. */
        IDLE
    }

    /**
     * One VM.
     *
     * @param from the checkpoint
     * @param vm its name
     * @param guestKind of its guest
     * @param guest what ran in it
     * @param firstInstructionMillis from the call to the first slice of its guest; 0 if it was not started
     * @param pending requests that were in flight at the cut
     * @param delivered of them, how many completions the guest has seen
     * @param seconds how long it ran, until the checkpoint at its end was sealed
     * @param steps what its guest did meanwhile
     * @param ioCompleted requests that completed meanwhile
     * @param memoryFaults pages copied or brought in meanwhile
     * @param left the checkpoint that was taken of it at the end
     * @param leftBytes of that checkpoint
     * @param disks where its disks are
     */
    public record Restored(String from, String vm, String guestKind, Guests guest,
            double firstInstructionMillis, int pending, int delivered, double seconds, long steps,
            long ioCompleted, long memoryFaults, String left, long leftBytes, String disks) {}

    private static final long MIB = 1L << 20;
    private static final long ANSWER_SECONDS_MAX = 300;
    private static final long LOOK_MS = 5;
    // Enough that one sync is for many. Each has a few files open and a chunk to compress.
    private static final int CLONES_AT_ONCE = 16;
    // What is in flight ends first; one that goes on running is waited for in vain, on the way to an error.
    private static final long ENDING_SECONDS_MAX = 2;

    private final TintypeHost host;
    private final CheckpointRef ref;
    private final List<String> names;
    private final Manifest manifest;
    private final DeviceState devices;
    private final BooleanSupplier isCancelled;

    private Restorer(TintypeHost host, CheckpointRef ref, List<String> names, Manifest manifest,
            DeviceState devices, BooleanSupplier isCancelled) {
        this.host = host;
        this.ref = ref;
        this.names = names;
        this.manifest = manifest;
        this.devices = devices;
        this.isCancelled = isCancelled;
    }

    /**
     * Opens the store for restoring one checkpoint, as {@link Refs#find} understands its name.
     *
     * @param names of the VMs that will be restored from it
     * @throws UserErrorException when what is asked for cannot be done; nothing was changed then
     */
    public static Restorer open(Path store, String name,
            Function<CheckpointRef, List<String>> names, BooleanSupplier isCancelled)
            throws IOException {
        // Beside the start of the host, which takes longer; if it cannot be loaded the first page says so.
        var _ = CompletableFuture.runAsync(CheckpointStore::loadCodec);
        List<String> all;
        long memory;
        CheckpointRef ref;
        Manifest manifest;
        DeviceState devices;
        try (var look = CheckpointStore.openReadOnly(store)) {
            ref = Refs.find(look, name);
            var stored = look.open(ref);
            manifest = stored.manifest();
            devices = DeviceState.of(stored);
            // Before the host starts, which writes to the store.
            all = names.apply(ref);
            requireFree(look, all);
            memory = manifest.regions().stream().mapToLong(region -> region.pages() * 4096L).sum();
            // Each leaves a checkpoint of its own, in the worst case as large as its memory.
            look.requireSpace(all.size() * memory);
        }
        int vms = all.size();
        // Nothing but what is sealed outlives this process, and of that the next host finds all in the store. So no journal is
        // opened, which takes longer than all else here, and none is begun in a store that keeps its own in a database.
        var options = HostOptions.defaults(store).withCatalogue(new JournalPlace.Memory())
                .withMemory(vms * (2 * memory + 16 * MIB) + 64 * MIB, vms * memory + 32 * MIB);
        return new Restorer(TintypeHost.start(options), ref, all, manifest, devices, isCancelled);
    }

    /** The checkpoint. */
    public CheckpointRef ref() {
        return ref;
    }

    private static void requireFree(CheckpointStore store, List<String> names) {
        for (var name : names) {
            if (!VmId.isValid(name)) {
                throw UserErrorException.of("--as", name, "not a VM's name",
                        "write 1 to 63 of a-z, 0-9 and -, not beginning with -");
            }
            boolean taken = Files.exists(store.directory().resolve("images").resolve(name))
                    || store.list().stream().anyMatch(all -> all.vm().value().equals(name));
            if (taken) {
                throw UserErrorException.of("--as", name,
                        "there is a VM of that name in " + store.directory(),
                        "choose another name");
            }
        }
    }

    /**
     * Restores a VM, lets it run, and takes a checkpoint of it.
     *
     * @param mode when its memory is read
     */
    public Restored restore(String vmName, Duration runFor, RestoreMode mode)
            throws IOException, InterruptedException {
        return end(begin(runFor,
                (guest, seen) -> host.restore(ref, vmName, guest, seen, mode)),
                Unsealed.ITS_DISKS);
    }

    /**
     * Makes clones that share what they do not write, and takes a checkpoint of each before its first instruction, of several at
     * once: a checkpoint is mostly syncs, and a disk makes those of several durable together.
     *
     * @param made is told of each whose checkpoint is sealed, in the order of their names
     * @return whether all of them were made; or else, and when this throws, it was cancelled and none of them is left
     */
    public boolean cloneAll(Consumer<Restored> made) throws IOException, InterruptedException {
        var under = new ArrayDeque<Begun>();
        boolean complete = false;
        try {
            for (var each : names) {
                if (under.size() == CLONES_AT_ONCE) {
                    made.accept(end(under.remove(), Unsealed.NOTHING));
                }
                if (isCancelled.getAsBoolean()) {
                    return false;
                }
                under.add(begin(Duration.ZERO,
                        (guest, seen) -> host.clone(ref, each, guest, seen)));
            }
            while (!under.isEmpty()) {
                made.accept(end(under.remove(), Unsealed.NOTHING));
            }
            complete = !isCancelled.getAsBoolean();
            return complete;
        } finally {
            if (!complete) {
                under.forEach(each -> each.checkpoint().handle((_, _) -> each).join());
                undo();
            }
        }
    }

    private interface Making {
        Vm make(GuestFactory guest, VmProbe seen) throws IOException;
    }

    /** What is left of a VM of which no checkpoint could be taken. */
    private enum Unsealed {
        ITS_DISKS, NOTHING
    }

    /**
     * A VM whose checkpoint is under way.
     *
     * @param beginNs when it began to be made
     * @param runsFromNs since when it runs; 0 if it does not
     */
    private record Begun(Vm vm, long beginNs, long runsFromNs, Seen seen, boolean isIdle,
            CompletableFuture<CheckpointOutcome> checkpoint) {}

    private Begun begin(Duration runFor, Making making)
            throws IOException, InterruptedException {
        var seen = new Seen(pendingTags());
        var own = TintypeHost.guestOf(manifest, seen);
        GuestFactory guest = own == null ? IdleGuest.factory() : own;
        long beginNs = System.nanoTime();
        Vm vm = making.make(guest, seen);
        long runsFromNs = 0;
        if (!runFor.isZero()) {
            runsFromNs = System.nanoTime();
            vm.start();
            run(vm, runsFromNs, runFor);
        }
        return new Begun(vm, beginNs, runsFromNs, seen, own == null, vm.checkpoint());
    }

    private Restored end(Begun begun, Unsealed keeps) throws IOException, InterruptedException {
        var vm = begun.vm();
        var seen = begun.seen();
        var outcome = await(begun.checkpoint());
        // It runs on while the checkpoint is taken, and what it does then counts, too.
        long steps = vm.counters().steps();
        double seconds =
                begun.runsFromNs() == 0 ? 0 : (System.nanoTime() - begun.runsFromNs()) / 1e9;
        long firstNs = seen.firstNs.get();
        if (!outcome.sealed()) {
            throw unsealed(vm, Objects.requireNonNullElse(outcome.reason(), "no reason was given"),
                    keeps);
        }
        return new Restored(ref.toString(), vm.id().value(), manifest.guestKind(),
                begun.isIdle() ? Guests.IDLE : Guests.ITS_OWN,
                firstNs == 0 ? 0 : (firstNs - begun.beginNs()) / 1e6,
                pendingTags().size(), seen.delivered(), seconds, steps,
                vm.counters().ioCompleted(), vm.counters().memoryFaults(), outcome.ref().toString(),
                outcome.bytes(), disksOf(vm.id().value()));
    }

    /** A VM that lost its memory is gone, and nobody can want its disks; what another one wrote is not ours to delete. */
    private UserErrorException unsealed(Vm vm, String reason, Unsealed keeps)
            throws IOException, InterruptedException {
        boolean isLost;
        try {
            vm.ended().toCompletableFuture().get(ENDING_SECONDS_MAX, TimeUnit.SECONDS);
            isLost = false;
        } catch (ExecutionException _) {
            isLost = true;
        } catch (TimeoutException _) {
            isLost = false;
        }
        if (isLost) {
            host.destroy(vm);
            return new UserErrorException(vm.id() + " could not run from " + ref + ": " + reason);
        }
        return new UserErrorException("no checkpoint of " + vm.id() + " could be taken: " + reason
                + switch (keeps) {
                    case ITS_DISKS -> "; its disks stay in " + disksOf(vm.id().value());
                    case NOTHING -> "; none of the clones is there";
                });
    }

    private String disksOf(String vmName) {
        return host.store().directory().resolve("images").resolve(vmName).toString();
    }

    private void run(Vm vm, long startNs, Duration runFor) throws InterruptedException {
        while (System.nanoTime() - startNs < runFor.toNanos() && !isCancelled.getAsBoolean()) {
            if (vm.ended().toCompletableFuture().isDone()) {
                // Why, the checkpoint that cannot be taken tells.
                break;
            }
            // How often it is looked whether to end.
            Thread.sleep(LOOK_MS);
        }
    }

    /** Deletes all that this has left of the VMs to be restored, of one that was only half made, too. */
    private void undo() throws IOException {
        for (var left : host.store().list()) {
            if (names.contains(left.vm().value())) {
                host.delete(left);
            }
        }
        for (var vm : host.vms()) {
            if (names.contains(vm.id().value())) {
                host.destroy(vm);
            }
        }
    }

    private Set<Long> pendingTags() {
        var tags = new HashSet<Long>();
        for (var pending : devices.pending()) {
            if (pending.status() != null) {
                tags.add(key(pending.disk(), pending.tag()));
            }
        }
        return tags;
    }

    private static long key(int disk, int tag) {
        return (long) disk << 32 | (tag & 0xffff_ffffL);
    }

    private static <T> T await(CompletableFuture<T> answer)
            throws IOException, InterruptedException {
        try {
            return answer.get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof IOException known) {
                throw known;
            }
            throw new IllegalStateException(failure.getCause());
        } catch (TimeoutException _) {
            throw new IOException("the VM did not answer within " + ANSWER_SECONDS_MAX
                    + " s; look whether the disk of its store is well");
        }
    }

    /** Ends the VMs and gives the store back. */
    @Override
    public void close() {
        host.close();
    }

    /** Counts the completions that were owed, and notes when the guest began. */
    private static final class Seen implements GuestRecorder, VmProbe {
        private final Set<Long> owed;
        private final Set<Long> seen = ConcurrentHashMap.newKeySet();
        final AtomicLong firstNs = new AtomicLong();

        Seen(Set<Long> owed) {
            this.owed = owed;
        }

        int delivered() {
            return seen.size();
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            var key = key(disk, slot);
            if (seen.size() < owed.size() && owed.contains(key)) {
                seen.add(key);
            }
        }

        @Override
        public void ran(Guest guest) {
            if (firstNs.get() == 0) {
                firstNs.set(System.nanoTime());
            }
        }
    }
}
