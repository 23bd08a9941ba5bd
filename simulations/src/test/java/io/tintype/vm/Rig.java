package io.tintype.vm;

import static org.awaitility.Awaitility.await;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.DiskId;
import io.tintype.cow.disk.DiskChain;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.fleet.CheckpointFiles;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.CrashCheck;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.OracleOptions;
import io.tintype.simulations.oracle.Violation;
import io.tintype.store.StoreFiles;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.guest.DrivenGuest;
import io.tintype.vm.guest.DrivenGuest.Cpu;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestLayout;
import io.tintype.vm.guest.GuestRecorder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.awaitility.core.ConditionTimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * A host with one VM whose guest, storage and savers a test drives step by step, and the oracle that looks on. One thread uses
 * it.
 */
final class Rig implements AutoCloseable {
    /** How a rig differs from the usual one. */
    record Setup(
            Path store,
            Rules rules,
            PendingSet.Reissue reissue,
            PendingSet.Conflict conflict,
            boolean ordered,
            Duration deadline,
            StoreFiles storeFiles) {
        static Setup of(Path store, Rules rules) {
            return new Setup(store, rules, PendingSet.Reissue.LANDED, PendingSet.Conflict.PUT_OFF,
                    false,
                    Duration.ofSeconds(60), StoreFiles.onDisk());
        }

        Setup withDiskReissue(PendingSet.Conflict how) {
            return new Setup(store, rules, PendingSet.Reissue.DISK, how, ordered, deadline,
                    storeFiles);
        }

        Setup withOrderedDisks() {
            return new Setup(store, rules, reissue, conflict, true, deadline, storeFiles);
        }

        Setup withDeadline(Duration newDeadline) {
            return new Setup(store, rules, reissue, conflict, ordered, newDeadline, storeFiles);
        }

        Setup withStoreFiles(StoreFiles files) {
            return new Setup(store, rules, reissue, conflict, ordered, deadline, files);
        }
    }

    /** A request that the guest put into its ring. */
    static final class Io {
        final int slot;
        final int disk;
        final CompletableFuture<Long> issued = new CompletableFuture<>();
        final CompletableFuture<IoStatus> completed = new CompletableFuture<>();

        Io(int slot, int disk) {
            this.slot = slot;
            this.disk = disk;
        }

        /** What the engine calls it; waits until it is issued. */
        long ioId() {
            return get(issued);
        }

        boolean isCompleted() {
            return completed.isDone();
        }

        /** Waits until the guest has seen the completion. */
        IoStatus done() {
            return get(completed);
        }
    }

    /** A checkpoint begun. */
    record Taken(CheckpointRef ref, CompletableFuture<CheckpointOutcome> outcome) {
        CheckpointOutcome ended() {
            return get(outcome);
        }

        boolean isEnded() {
            return outcome.isDone();
        }
    }

    private record Range(long sector, int sectorCount) {}

    static final int GROUP_SECTORS = 128;
    private static final long MIB = 1 << 20;
    private static final long MEMORY_BYTES = 4 * MIB;
    private static final List<Long> DISKS = List.of(4 * MIB);
    private static final int SLOT_COUNT = 16;
    private static final int REQUEST_SECTORS_MAX = 256;
    private static final long STANDING_STILL = 1L << 40;
    private static final Duration LONG = Duration.ofSeconds(60);
    private static final Duration BOUND = Duration.ofSeconds(10);
    // Message hops from a landing to the guest, and a few.
    private static final int FENCE_TRIPS = 12;

    private final GuestBlueprint blueprint =
            DrivenGuest.blueprint(1, MEMORY_BYTES, DISKS, SLOT_COUNT, REQUEST_SECTORS_MAX);
    final HeldIo io = new HeldIo();
    final HeldTasks saving = new HeldTasks();
    final HeldTasks blocking = new HeldTasks();
    final CrashableDisks disks = new CrashableDisks();
    final CrashCheck crashCheck;
    final Set<Long> stunned = ConcurrentHashMap.newKeySet();
    final Set<Long> resumed = ConcurrentHashMap.newKeySet();
    final Set<Long> landed = ConcurrentHashMap.newKeySet();
    final Set<Long> started = ConcurrentHashMap.newKeySet();
    final Set<Long> delayed = ConcurrentHashMap.newKeySet();
    final Set<Integer> committed = ConcurrentHashMap.newKeySet();
    final Rules rules;
    final AtomicInteger flattened = new AtomicInteger();
    final Steps steps = new Steps();
    final TintypeHost host;
    final Vm vm;

    private final EventLog log = new EventLog();
    private final Oracle oracle;
    private final List<Violation> violations = Collections.synchronizedList(new ArrayList<>());
    private final Map<Long, Taken> taken = new LinkedHashMap<>();
    private final Set<CheckpointRef> deleted = ConcurrentHashMap.newKeySet();
    private final Set<CheckpointRef> wasRight = ConcurrentHashMap.newKeySet();
    private final Set<Long> mayAbort = ConcurrentHashMap.newKeySet();
    private final Set<Range> ranges = ConcurrentHashMap.newKeySet();
    private final Seen seen = new Seen();
    private final MemorySegment memory = Arena.ofAuto().allocate(MEMORY_BYTES, 4096);
    private volatile @Nullable Runnable atStun;
    private long marks;
    private int restoredCount;

    Rig(Setup setup) throws IOException {
        var options = HostOptions.defaults(setup.store())
                .withMemory(128 * MIB, 32 * MIB)
                .withDisksInMemory()
                .withReissue(setup.reissue(), setup.conflict())
                .withDeadline(setup.deadline());
        disks.copiesAreIn(setup.store());
        rules = setup.rules();
        host = TintypeHost.start(options,
                new HostPorts(setup.rules(), io, disks::at, setup.storeFiles(),
                        blocking::before, saving::before, setup.ordered(), options));
        crashCheck = new CrashCheck(blueprint.sectors(), blueprint.layout().slotCount());
        // On storage that performs one operation after another a block never tears.
        oracle = new Oracle("vm-1", blueprint, log,
                OracleOptions.COMPLETE.withTearsAreViolations(true),
                violations::add);
        var recorder = new Tee(List.of(log, crashCheck, seen));
        vm = host.create(VmSpec.of("vm-1", MEMORY_BYTES, DISKS.getFirst(),
                DrivenGuest.factory(blueprint, recorder, steps)), new Probe());
        vm.start();
        steps.wake(vm);
    }

    // ---- What the guest does ----

    Io read(long sector, int sectorCount) {
        return submit(IoKind.READ, sector, sectorCount, false);
    }

    Io write(long sector, int sectorCount) {
        return submit(IoKind.WRITE, sector, sectorCount, false);
    }

    Io flush() {
        return submit(IoKind.FLUSH, 0, 0, false);
    }

    /** Has the guest issue a request, reads into buffers that straddle pages; returns when the disk has it. */
    Io submit(IoKind kind, long sector, int sectorCount, boolean fua) {
        var submitted = submitLater(kind, sector, sectorCount, fua);
        var one = get(submitted);
        one.ioId();
        // The disk has been told in the step of the issue; now it has handled that, too.
        get(vm.visit(_ -> {}).toCompletableFuture());
        get(vm.visit(_ -> {}).toCompletableFuture());
        return one;
    }

    /** As {@link #submit}, but waits for nothing; completes when the request is in the ring. */
    CompletableFuture<Io> submitLater(IoKind kind, long sector, int sectorCount, boolean fua) {
        ranges.add(new Range(sector, Math.max(1, sectorCount)));
        var submitted = new CompletableFuture<Io>();
        steps.add(cpu -> {
            cpu.submit(kind, 0, sector, sectorCount, fua,
                    kind == IoKind.READ ? GuestLayout.SHAPE_STRADDLING : GuestLayout.SHAPE_PLAIN);
            submitted.complete(seen.last());
        });
        return submitted;
    }

    /** Has the guest execute {@code step} and waits until it has. */
    void step(Consumer<Cpu> step) {
        var done = new CompletableFuture<Boolean>();
        steps.add(cpu -> {
            step.accept(cpu);
            done.complete(true);
        });
        get(done);
    }

    /** Stores into page 0 or 1 of a read's buffer, beside its data. */
    void touch(Io of, int page) {
        step(cpu -> cpu.touch(of.slot, page));
    }

    /** Completed writes of whole groups, so that the disk holds something of every sector of the first groups. */
    void fill(int groupCount) {
        for (int group = 0; group < groupCount; group++) {
            write((long) group * GROUP_SECTORS, GROUP_SECTORS).done();
        }
    }

    /** Has the guest issue a write with the first instructions after the next stun. */
    void writeAfterStun(long sector, int sectorCount) {
        atStun = () -> {
            var _ = submitLater(IoKind.WRITE, sector, sectorCount, false);
        };
    }

    // ---- Checkpoints ----

    /** Begins a checkpoint. */
    Taken begin() {
        return begin(CheckpointDisks.POINTER);
    }

    /** Begins a checkpoint that keeps its disk like this. */
    Taken begin(CheckpointDisks kept) {
        long number = taken.size() + 1L;
        var ref = new CheckpointRef(vm.id(), new CheckpointId(number));
        var one = new Taken(ref, vm.checkpoint(kept).toCompletableFuture());
        taken.put(number, one);
        return one;
    }

    /** Begins a checkpoint and returns after its T. */
    Taken checkpoint() {
        var one = begin();
        awaitStun(one);
        return one;
    }

    /** Takes a checkpoint from begin to seal. */
    Taken sealed() {
        var one = checkpoint();
        if (!one.ended().sealed()) {
            throw new AssertionError(one.ended().reason());
        }
        return one;
    }

    /** Deletes a sealed checkpoint. */
    void delete(Taken one) throws IOException {
        host.delete(one.ref());
        deleted.add(one.ref());
    }

    void awaitStun(Taken one) {
        until("the stun of " + one.ref(),
                () -> stunned.contains(one.ref().id().value()) || isDead());
    }

    boolean isResumed(Taken one) {
        return resumed.contains(one.ref().id().value());
    }

    /** The abort of this checkpoint is part of the scenario. */
    void mayAbort(Taken one) {
        mayAbort.add(one.ref().id().value());
    }

    // ---- Waiting ----

    /** Returns when everything that was in the strand's mailboxes, and what follows from it, has been handled. */
    void fence() {
        for (int i = 0; i < FENCE_TRIPS && !isDead(); i++) {
            get(vm.visit(_ -> {}).toCompletableFuture());
        }
    }

    static void until(String what, Callable<Boolean> condition) {
        await(what).pollInterval(Duration.ofMillis(1)).atMost(LONG).until(condition);
    }

    /** Whether it does within ten seconds, which who breaks a rule waits for. */
    static boolean becomes(Callable<Boolean> condition) {
        try {
            await().pollInterval(Duration.ofMillis(1)).atMost(BOUND).until(condition);
            return true;
        } catch (ConditionTimeoutException _) {
            return false;
        }
    }

    static <T> T get(CompletableFuture<T> answer) {
        try {
            return answer.get(LONG.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
            throw new AssertionError(interrupted);
        } catch (ExecutionException | TimeoutException failure) {
            throw new AssertionError(failure);
        }
    }

    boolean isDead() {
        return vm.ended().toCompletableFuture().isDone();
    }

    int depth() {
        var depth = new int[1];
        get(vm.visit(machine -> depth[0] = machine.chains().getFirst().depth())
                .toCompletableFuture());
        return depth[0];
    }

    // ---- The oracle ----

    /** Notes what a scenario itself sees, where no image shows it. */
    void violated(@Nullable Rule rule, String where, String expected, String found) {
        violations.add(new Violation(rule, "vm-1", 0, where, expected, found));
    }

    /** Compares the stored checkpoint with what the guest knew at T. */
    void verify(Taken one) throws IOException {
        verify(one, disks);
    }

    /** The same on other disks: what a crash left. */
    void verify(Taken one, CrashableDisks on) throws IOException {
        try (var files = new CheckpointFiles(host.store(), one.ref(), memory, on::at)) {
            var found = oracle.verify(files.image(), true).violations();
            violations.addAll(found);
            if (found.isEmpty()) {
                wasRight.add(one.ref());
            }
        } catch (IOException | RuntimeException damaged) {
            damaged(one, damaged);
        }
    }

    private void damaged(Taken one, Exception how) {
        // Right once, and changed since: somebody wrote into what the checkpoint names.
        var rule = wasRight.contains(one.ref()) ? Rule.R16 : Rule.R12;
        violations.add(
                new Violation(rule, "vm-1", one.ref().id().value(), "the stored checkpoint",
                        "files as they were sealed", String.valueOf(how.getMessage())));
    }

    /** Opens what a crash now would leave of the running VM's disk and compares it with what was acknowledged. */
    void verifyCrash(CrashableDisks.Survives survives) throws IOException {
        var left = disks.crash(survives);
        try (var chain = DiskChain.open(left.at("images/vm-1/disk-0"))) {
            violations.addAll(crashCheck.check("vm-1",
                    (_, sector, destination) -> chain.read(chain.top(), sector * 512,
                            destination)));
        } catch (IOException damaged) {
            violated(null, "the disk after a crash", "a chain that opens",
                    String.valueOf(damaged.getMessage()));
        }
    }

    /**
     * Lets everything held go on, waits until all is over, and compares: each stored checkpoint, a VM restored from it, and the
     * running VM.
     */
    List<Violation> finish() throws IOException {
        io.hold(HeldIo.NOTHING);
        saving.release();
        blocking.release();
        try {
            until("all completions", () -> {
                io.release(HeldIo.ALL);
                return isDead() || seen.openCount() == 0;
            });
        } catch (ConditionTimeoutException _) {
            violated(Rule.R11, "requests", "each completed once", seen.openCount() + " never");
        }
        if (isDead()) {
            violated(null, "the VM", "one that runs",
                    String.valueOf(vm.ended().toCompletableFuture()));
            return violations;
        }
        readAll(steps, seen, () -> isDead());
        for (var one : taken.values()) {
            var outcome = one.ended();
            if (deleted.contains(one.ref())) {
                continue;
            }
            if (outcome.sealed()) {
                verify(one);
            } else if (!mayAbort.contains(one.ref().id().value())) {
                violated(null, one.ref().toString(), "a sealed checkpoint",
                        String.valueOf(outcome.reason()));
            }
        }
        if (violations.isEmpty()) {
            for (var one : taken.values()) {
                if (one.ended().sealed() && !deleted.contains(one.ref())) {
                    verifyRestored(one);
                }
            }
        }
        verifyStandingStill(vm, oracle, log);
        return violations;
    }

    /** A VM restored from a checkpoint, that stands still. */
    Vm restored(Taken one, String name) throws IOException {
        return host.restore(one.ref(), name,
                DrivenGuest.factory(blueprint, new Tee(List.of(new EventLog(), new Seen())),
                        new Steps()),
                VmProbe.NONE);
    }

    private void verifyRestored(Taken one) {
        var name = "restored-" + ++restoredCount;
        var newLog = new EventLog();
        var newSeen = new Seen();
        var newSteps = new Steps();
        try (var files = new CheckpointFiles(host.store(), one.ref(), memory, disks::at)) {
            var fork = oracle.fork(files.image(), name, newLog, violations::add);
            var restored = host.restore(one.ref(), name,
                    DrivenGuest.factory(blueprint, new Tee(List.of(newLog, newSeen)), newSteps),
                    VmProbe.NONE);
            restored.start();
            newSteps.wake(restored);
            readAll(newSteps, newSeen, () -> restored.ended().toCompletableFuture().isDone());
            verifyStandingStill(restored, fork, newLog);
        } catch (IOException damaged) {
            // Since it was verified: what writes into its layers without R16 may begin at any time.
            damaged(one, damaged);
        }
    }

    /** Has a guest read every range that was ever used, one after another. */
    private void readAll(Steps script, Seen of,
            Callable<Boolean> dead) {
        script.add(cpu -> cpu.ringing(true));
        for (var range : List.copyOf(ranges)) {
            var submitted = new CompletableFuture<Io>();
            script.add(cpu -> {
                cpu.submit(IoKind.READ, 0, range.sector(), range.sectorCount(), false,
                        GuestLayout.SHAPE_PLAIN);
                submitted.complete(of.last());
            });
            until("a read of " + range, () -> dead.call()
                    || (submitted.isDone() && get(submitted).isCompleted()));
        }
    }

    private void verifyStandingStill(Vm of, Oracle with, EventLog itsLog) throws IOException {
        if (of.ended().toCompletableFuture().isDone()) {
            violated(null, of.id().toString(), "a VM that runs", String.valueOf(of.ended()));
            return;
        }
        get(of.quiesce().toCompletableFuture());
        var images = new HashMap<Long, CheckpointImage>();
        long mark = STANDING_STILL + ++marks;
        get(of.visit(machine -> {
            var registers = machine.guest().saveRegisters();
            itsLog.stunned(mark, registers);
            images.put(mark, new CheckpointImage(mark, registers,
                    machine.queues().stream().map(DiskQueue::save).toList(), List.of(),
                    (page, destination) -> {
                        machine.memory().read(page * 4096L, destination, 0, 4096);
                        return true;
                    },
                    (disk, sector, destination) -> {
                        var chain = machine.chains().get(disk);
                        chain.read(chain.top(), sector * 512, destination);
                    }));
        }).toCompletableFuture());
        var image = images.get(mark);
        if (image == null) {
            throw new AssertionError("not visited");
        }
        violations.addAll(with.verifyOngoing(image).violations());
    }

    @Override
    public void close() {
        io.hold(HeldIo.NOTHING);
        saving.release();
        blocking.release();
        for (var one : taken.values()) {
            vm.cancel(one.ref().id(), "the test is over");
        }
        var stopped = vm.stop().toCompletableFuture();
        until("the end of the VM", () -> {
            io.release(HeldIo.ALL);
            return stopped.isDone();
        });
        host.close();
    }

    /** What the guest has in flight, by its own account. */
    private static final class Seen implements GuestRecorder {
        private final Map<Integer, Io> open = new ConcurrentHashMap<>();
        private volatile @Nullable Io last;

        Io last() {
            var one = last;
            if (one == null) {
                throw new AssertionError("nothing was submitted");
            }
            return one;
        }

        @Nullable
        Io open(int slot) {
            return open.get(slot);
        }

        int openCount() {
            return open.size();
        }

        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua,
                int version, int shape) {
            var one = new Io(slot, disk);
            last = one;
            open.put(slot, one);
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            var one = open.remove(slot);
            if (one != null) {
                one.completed.complete(status);
            }
        }

        @Override
        public void reset(long event, int disk) {
            open.values().removeIf(one -> one.disk == disk);
        }
    }

    /** Tells several recorders. */
    private record Tee(List<GuestRecorder> recorders) implements GuestRecorder {
        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua,
                int version, int shape) {
            recorders.forEach(
                    one -> one.submitted(event, slot, kind, disk, sector, sectorCount, fua, version,
                            shape));
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            recorders.forEach(
                    one -> one.completed(event, slot, disk, status, versions, versionCount));
        }

        @Override
        public void unexpected(long event, int disk, int tag, int status) {
            recorders.forEach(one -> one.unexpected(event, disk, tag, status));
        }

        @Override
        public void reset(long event, int disk) {
            recorders.forEach(one -> one.reset(event, disk));
        }

        @Override
        public void overwritten(long event, int slot, int disk) {
            recorders.forEach(one -> one.overwritten(event, slot, disk));
        }
    }

    private final class Probe implements VmProbe {
        @Override
        public void stunned(long checkpoint, io.tintype.vm.guest.Guest guest) {
            log.stunned(checkpoint, guest.saveRegisters());
            var what = atStun;
            if (what != null) {
                atStun = null;
                what.run();
            }
            stunned.add(checkpoint);
        }

        @Override
        public void resumed(long checkpoint, long stunNs) {
            resumed.add(checkpoint);
        }

        @Override
        public void issued(IoRequest request) {
            var one = seen.open(request.tag());
            if (one != null) {
                one.issued.complete(request.ioId());
            }
        }

        @Override
        public void landed(long ioId, IoStatus status) {
            landed.add(ioId);
        }

        @Override
        public void started(DiskId disk, long ioId, int layer, long group, boolean fault) {
            started.add(ioId);
        }

        @Override
        public void delayed(DiskId disk, long ioId, long group) {
            delayed.add(ioId);
        }

        @Override
        public void flattened(DiskId disk, int depth) {
            flattened.incrementAndGet();
        }

        @Override
        public void committed(DiskId disk, int layer) {
            committed.add(layer);
        }
    }
}
