package io.tintype.simulations.fleet;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.DamagedImageException;
import io.tintype.cow.memory.FramePool;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.Violation;
import io.tintype.simulations.run.ConflictPolicy;
import io.tintype.simulations.run.CutStory;
import io.tintype.simulations.run.DiskPolicy;
import io.tintype.simulations.run.Progress;
import io.tintype.simulations.run.ReissuePolicy;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.SeriesSampler;
import io.tintype.simulations.run.SpeedMeter;
import io.tintype.simulations.run.StunStats;
import io.tintype.store.DamagedSegmentException;
import io.tintype.vm.CheckpointDisks;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.HostOptions;
import io.tintype.vm.MachineState;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.VmSpec;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.guest.TraceException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * One run of a fleet, from the first VM to the last verification.
 *
 * <p>The calling thread is in charge: it begins checkpoints when they are due, reads counters, and publishes progress. Other
 * threads verify: the stored checkpoint first, then a VM restored from it. What is due and cannot begin, because the store or the
 * verifier has not caught up, begins later: a checkpoint is late rather than unverified.
 */
final class LiveFleet implements AutoCloseable {
    private static final long MIB = 1L << 20;
    // Held for checkpoints at most: what those in progress would need if their VMs wrote to all of their memory.
    private static final long HELD_BYTES_MIN = 256 * MIB;
    private static final long HELD_BYTES_MAX = 4096 * MIB;
    private static final long TICK_MS = 2;
    private static final long SAMPLE_NS = TimeUnit.MILLISECONDS.toNanos(250);
    private static final long WARM_UP_NS = TimeUnit.SECONDS.toNanos(2);
    private static final long SPEED_NS = TimeUnit.MILLISECONDS.toNanos(20);
    private static final long WINDOW_NS = TimeUnit.SECONDS.toNanos(1);
    // Checkpoints in progress at once: the savers of the host, and more that prepare, drain and sync meanwhile.
    private static final int IN_PROGRESS_MAX = 16;
    // Sealed and waiting for the oracle: bounds what the store holds beyond --keep.
    private static final int UNVERIFIED_MAX = 16;
    private static final long RESTORED_NS = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long RESTORED_LOOK_NS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long ANSWER_SECONDS_MAX = 120;
    private static final int VERIFIERS_MAX = 4;
    private static final int FULL_EVERY = 16;
    private static final int VIOLATIONS_LISTED_MAX = 1_000;
    // Marks in a log that are no checkpoint's: above all of their numbers.
    private static final long STANDING_STILL = 1L << 40;

    /** The files of a VM restored from a checkpoint could not be made. */
    private static final class CannotRestoreException extends Exception {
        private static final long serialVersionUID = 1;

        CannotRestoreException(IOException cause) {
            super(cause);
        }
    }

    private record Sealed(FleetMember member, CheckpointOutcome outcome) {}

    private final RunOptions options;
    private final Progress progress;
    private final Guesthouse guests;
    private final TintypeHost host;
    private final SpaceGauges gauges;
    private final Auditor auditor;
    private final List<FleetMember> members = new ArrayList<>();
    private final Map<FleetMember, Oracle> oracles = new HashMap<>();
    private final ConcurrentLinkedQueue<Violation> violations = new ConcurrentLinkedQueue<>();
    private final LinkedBlockingQueue<Runnable> mail = new LinkedBlockingQueue<>();
    private final AtomicLong marks = new AtomicLong();
    private final List<RunResult.Checkpoint> checkpoints = new ArrayList<>();
    private final StunStats stuns = new StunStats();
    private final SpeedMeter speed = new SpeedMeter();
    private final Arena arena = Arena.ofShared();
    private final ExecutorService remover =
            Executors.newSingleThreadExecutor(
                    Thread.ofPlatform().name("tintype-remove").daemon().factory());
    private final List<Verifier> verifiers = new ArrayList<>();
    private final AtomicLong restoredCount = new AtomicLong();
    private final long beginNs = System.nanoTime();

    private long begunCount;
    private long sealedCount;
    private long abortedCount;
    private long verifiedCount;
    private int inProgress;
    private long storeBytes;
    private long saveNs;
    private long pendingSum;
    private long pendingMax;
    private long stunnedCount;
    private long framesInUseMax;
    private volatile @Nullable CutStory story;
    private volatile @Nullable Throwable broken;

    LiveFleet(RunOptions options, Progress progress) throws IOException, TraceException {
        this.options = options;
        this.progress = progress;
        this.guests = new Guesthouse(options);
        var hostOptions = hostOptions(options);
        this.host = TintypeHost.start(hostOptions);
        this.gauges = new SpaceGauges(host, hostOptions.chainDepthMax());
        this.auditor = new Auditor(violations::add);
        for (int i = 0; i < Math.min(VERIFIERS_MAX, options.vms()); i++) {
            verifiers.add(new Verifier(i));
        }
    }

    private static HostOptions hostOptions(RunOptions options) {
        long guests = options.vms() * options.memoryBytes();
        long held =
                Math.clamp(IN_PROGRESS_MAX * options.memoryBytes(), HELD_BYTES_MIN, HELD_BYTES_MAX);
        // Room for the restored VMs of the verifiers, and for what a slice may take beyond the bound.
        long slack = VERIFIERS_MAX * options.memoryBytes() + 64 * MIB + options.vms() * MIB;
        return HostOptions.defaults(options.store())
                .withMemory(guests + held + slack, held)
                .withCheckpointDisks(
                        options.checkpointDisks() == DiskPolicy.COPY
                                ? CheckpointDisks.COPY
                                : CheckpointDisks.POINTER)
                .withCatalogue(options.catalogue())
                .withReissue(
                        options.reissue() == ReissuePolicy.DISK
                                ? PendingSet.Reissue.DISK
                                : PendingSet.Reissue.LANDED,
                        options.conflict() == ConflictPolicy.DELAY_RESUME
                                ? PendingSet.Conflict.DELAY_RESUME
                                : PendingSet.Conflict.PUT_OFF);
    }

    RunResult run() throws IOException, InterruptedException, ExecutionException, TimeoutException {
        var startedAt = Instant.now().toString();
        createVms();
        long runNs = System.nanoTime();
        var sampler = new SeriesSampler(runNs, counters());
        verifiers.forEach(verifier -> verifier.thread.start());
        startVms(runNs);
        long totalNs = options.runFor() == null ? 0 : options.runFor().toNanos();
        long sampleNs = runNs;
        long speedNs = runNs;
        long windowNs = runNs;
        while (!progress.cancelled() && broken == null && !isOver(runNs, totalNs)) {
            long now = System.nanoTime();
            handleMail();
            beginDue(now);
            if (now - speedNs >= SPEED_NS) {
                speedNs = now;
                readSpeeds(now, runNs);
            }
            if (now - windowNs >= WINDOW_NS) {
                windowNs = now;
                speed.endWindow();
            }
            if (now - sampleNs >= SAMPLE_NS) {
                sampleNs = now;
                sampler.read(now, counters());
                publish(Progress.Phase.RUNNING, now - runNs, totalNs);
            }
            waitForMail();
        }
        long ranNs = System.nanoTime() - runNs;
        finish(ranNs, totalNs);
        sampler.read(System.nanoTime(), counters());
        return result(startedAt, ranNs, sampler);
    }

    private void createVms() throws IOException {
        publish(Progress.Phase.STARTING, 0, 0);
        var prefix = freePrefix();
        for (int i = 0; i < options.vms() && !progress.cancelled(); i++) {
            var log = new EventLog();
            var member = new FleetMember(i, prefix + (i + 1), log, beginNs, this::offer);
            oracles.put(member, auditor.open(member.name, guests.blueprint(i), log));
            var spec = new VmSpec(new VmId(member.name), List.of(options.memoryBytes()),
                    guests.diskBytes(), guests.guest(i, log));
            member.vm(host.create(spec, member.probe()));
            var _ = member.vm().ended().whenComplete((_, failure) -> {
                if (failure != null) {
                    broken = failure;
                }
            });
            members.add(member);
        }
    }

    /** Names that no VM of an earlier run in this store has. */
    private String freePrefix() {
        for (int run = 1;; run++) {
            var prefix = run == 1 ? "vm-" : "run-" + run + "-vm-";
            var taken = host.store().directory().resolve("images").resolve(prefix + 1);
            if (!Files.exists(taken)) {
                return prefix;
            }
        }
    }

    private void startVms(long now) {
        long every = options.checkpointEvery().toNanos();
        for (int i = 0; i < members.size(); i++) {
            var member = members.get(i);
            // Evenly spread, so that not all VMs are checkpointed in the same instant.
            member.nextDueNs = now + every / 2 + every * i / members.size();
            member.lastNs = now;
            member.vm().start();
        }
    }

    private boolean isOver(long runNs, long totalNs) {
        return totalNs > 0
                ? System.nanoTime() - runNs >= totalNs
                : members.stream().allMatch(member -> member.stopped);
    }

    /** Those first that are most overdue: when not all can be in progress, each VM gets its share. */
    private void beginDue(long now) {
        var due = members.stream().filter(member -> now >= member.nextDueNs)
                .sorted(Comparator.comparingLong(member -> member.nextDueNs)).toList();
        for (var member : due) {
            boolean may = member.inProgress == 0 && member.unverified < 2
                    && inProgress < IN_PROGRESS_MAX && unverified() < UNVERIFIED_MAX
                    && !member.stopped;
            if (may) {
                member.nextDueNs =
                        Math.max(member.nextDueNs + options.checkpointEvery().toNanos(), now);
                begin(member);
            }
        }
    }

    private void begin(FleetMember member) {
        begunCount++;
        inProgress++;
        member.inProgress++;
        member.unverified++;
        var _ = member.vm().checkpoint().whenComplete((outcome, failure) -> mail.add(() -> {
            if (failure != null) {
                broken = failure;
                outcomeOf(member, null);
            } else {
                outcomeOf(member, outcome);
                if (outcome.sealed()) {
                    verifierOf(member).toVerify.add(new Sealed(member, outcome));
                }
            }
        }));
    }

    private void outcomeOf(FleetMember member, @Nullable CheckpointOutcome outcome) {
        inProgress--;
        member.inProgress--;
        if (outcome == null || !outcome.sealed()) {
            abortedCount++;
            member.unverified--;
        }
        if (outcome == null) {
            return;
        }
        if (outcome.stunNs() >= 0) {
            stuns.record(outcome.stunNs());
            stunnedCount++;
            pendingSum += outcome.pendingCount();
            pendingMax = Math.max(pendingMax, outcome.pendingCount());
        }
        if (outcome.sealed()) {
            sealedCount++;
            storeBytes += outcome.bytes();
            saveNs += outcome.saveNs();
        } else {
            record(member, outcome, false, 0);
            if (outcome.stunNs() >= 0) {
                var _ = auditor.release(oracle(member), outcome.ref().id().value());
            }
        }
    }

    private void record(FleetMember member, CheckpointOutcome outcome, boolean verified,
            int found) {
        var known = member.checkpoints.remove(outcome.ref().id().value());
        boolean hadInstant = known != null && outcome.stunNs() >= 0;
        var noted = known == null ? new FleetMember.Noted() : known;
        checkpoints.add(new RunResult.Checkpoint(member.name, outcome.ref().id().value(),
                hadInstant ? noted.atNs / 1e9 : (System.nanoTime() - beginNs) / 1e9,
                outcome.sealed() ? RunResult.State.SEALED : RunResult.State.ABORTED,
                outcome.reason(),
                hadInstant ? outcome.stunNs() / 1e3 : null,
                outcome.sealed() ? outcome.totalNs() / 1e9 : null, 0,
                outcome.pendingCount(), hadInstant ? noted.reissued : 0,
                hadInstant ? noted.delayed : 0,
                outcome.pages() * 4096, outcome.bytes(), verified, found));
    }

    private Oracle oracle(FleetMember member) {
        var oracle = oracles.get(member);
        if (oracle == null) {
            throw new IllegalStateException(member.name + " has no oracle");
        }
        return oracle;
    }

    private void handleMail() {
        for (var letter = mail.poll(); letter != null; letter = mail.poll()) {
            letter.run();
        }
    }

    /** Waits for the next letter, or for the tick after which something may be due. */
    private void waitForMail() throws InterruptedException {
        var letter = mail.poll(TICK_MS, TimeUnit.MILLISECONDS);
        if (letter != null) {
            letter.run();
        }
    }

    // ---- Verifying: on the verifiers' threads ----

    /** One VM is always the same verifier's, since an oracle looks at what changed since the checkpoint before. */
    private Verifier verifierOf(FleetMember member) {
        return verifiers.get(member.index % verifiers.size());
    }

    private int unverified() {
        return verifiers.stream().mapToInt(verifier -> verifier.toVerify.size()).sum();
    }

    /** A thread that verifies; most of the time it waits, for files, the oracle, or turns of a restored VM. */
    private final class Verifier {
        final LinkedBlockingQueue<Sealed> toVerify = new LinkedBlockingQueue<>();
        final Thread thread;
        // One checkpoint after another is read into it: touching fresh memory each time would cost more than the reading.
        final MemorySegment memory = arena.allocate(options.memoryBytes(), 4096);

        Verifier(int index) {
            thread = Thread.ofPlatform().name("tintype-verify-" + index).daemon()
                    .unstarted(this::verifyAll);
        }

        private void verifyAll() {
            try {
                while (true) {
                    verify(toVerify.take(), memory);
                }
            } catch (InterruptedException closing) {
                Thread.currentThread().interrupt();
            } catch (IOException | ExecutionException | TimeoutException
                    | RuntimeException failure) {
                broken = failure;
            }
        }
    }

    private void verify(Sealed sealed, MemorySegment memory)
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        var member = sealed.member();
        var ref = sealed.outcome().ref();
        var oracle = oracle(member);
        int found;
        try (var files = new CheckpointFiles(host.store(), ref, memory)) {
            found = await(auditor.verify(oracle, files.image(), isFull(ref))).violations().size();
            found += verifyRestored(member, ref, oracle, files);
        } catch (CannotRestoreException noRoom) {
            // The stored checkpoint is right; that it can be run from is not shown, and so it does not count as verified.
            await(auditor.release(oracle, ref.id().value()));
            mail.add(() -> notVerified(member, sealed.outcome()));
            return;
        } catch (DamagedSegmentException | DamagedImageException damaged) {
            violations.add(
                    new Violation(Rule.R12, member.name, ref.id().value(), "the stored checkpoint",
                            "files as they were sealed", String.valueOf(damaged.getMessage())));
            found = 1;
        }
        await(auditor.release(oracle, ref.id().value()));
        int all = found;
        mail.add(() -> verified(member, sealed.outcome(), all));
    }

    /** Now and then all of a checkpoint is compared, not only what changed and a sample of the rest. */
    private static boolean isFull(CheckpointRef ref) {
        return ref.id().value() % FULL_EVERY == 0;
    }

    /** Runs a VM restored from the checkpoint until its requests of P are over and some more, and compares it with its oracle. */
    private int verifyRestored(FleetMember member, CheckpointRef ref, Oracle oracle,
            CheckpointFiles files)
            throws CannotRestoreException, IOException, InterruptedException, ExecutionException,
            TimeoutException {
        var log = new EventLog();
        var name = "restored-" + restoredCount.incrementAndGet() + "-of-" + member.name;
        var fork = await(auditor.fork(oracle, files.image(), name, log));
        Vm vm;
        try {
            vm = host.restore(ref, name, guests.guest(member.index, log), VmProbe.NONE);
        } catch (DamagedSegmentException | DamagedImageException damaged) {
            auditor.forget(fork);
            throw damaged;
        } catch (IOException failure) {
            auditor.forget(fork);
            throw new CannotRestoreException(failure);
        }
        try {
            vm.start();
            long enough = files.image().pending().size() + 16L;
            long untilNs = System.nanoTime() + RESTORED_NS;
            while (vm.counters().ioCompleted() < enough && System.nanoTime() < untilNs) {
                LockSupport.parkNanos(RESTORED_LOOK_NS);
            }
            return verifyStandingStill(vm, fork, log);
        } finally {
            auditor.forget(fork);
            later(() -> host.destroy(vm));
        }
    }

    /** Stops a VM's guest, waits for its requests, and compares all of it with what its guest knows. */
    private int verifyStandingStill(Vm vm, Oracle oracle, EventLog log)
            throws InterruptedException, ExecutionException, TimeoutException {
        await(vm.quiesce().toCompletableFuture());
        var image = new CompletableFuture<CheckpointImage>();
        long mark = STANDING_STILL + marks.incrementAndGet();
        await(vm.visit(machine -> {
            var registers = machine.guest().saveRegisters();
            log.stunned(mark, registers);
            image.complete(new CheckpointImage(mark, registers,
                    machine.queues().stream().map(DiskQueue::save).toList(),
                    List.of(), (page, destination) -> readPage(machine, page, destination),
                    (disk, sector, destination) -> {
                        var chain = machine.chains().get(disk);
                        chain.read(chain.top(), sector * 512, destination);
                    }));
        }).toCompletableFuture());
        return await(auditor.verifyOngoing(oracle, await(image))).violations().size();
    }

    private static boolean readPage(MachineState machine, int page, MemorySegment destination) {
        int first = 0;
        for (var region : machine.regions()) {
            if (page < first + region.pageCount()) {
                boolean isPresent = region.frame(page - first) != 0;
                if (isPresent) {
                    region.read((page - first) * 4096L, destination, 0, 4096);
                }
                return isPresent;
            }
            first += region.pageCount();
        }
        throw new IllegalArgumentException("page " + page + " is none of the VM's " + first);
    }

    // ---- The caller's thread again ----

    private void verified(FleetMember member, CheckpointOutcome outcome, int found) {
        verifiedCount++;
        member.unverified--;
        record(member, outcome, true, found);
        if (found > 0) {
            // What is wrong stays to be looked at.
            return;
        }
        keep(member, outcome.ref());
    }

    /** For want of space, most likely: the VMs run on, and so does this. */
    private void notVerified(FleetMember member, CheckpointOutcome outcome) {
        member.unverified--;
        record(member, outcome, false, 0);
        keep(member, outcome.ref());
    }

    private void keep(FleetMember member, CheckpointRef ref) {
        member.kept.add(ref);
        while (member.kept.size() > options.keep()) {
            var oldest = member.kept.poll();
            later(() -> host.delete(oldest));
        }
    }

    private interface Removal {
        void run() throws IOException;
    }

    /** Removes files on a thread of its own: a file system may take its time, and nothing waits for it. */
    private void later(Removal removal) {
        remover.execute(() -> {
            try {
                removal.run();
            } catch (IOException | RuntimeException failure) {
                broken = failure;
            }
        });
    }

    private void finish(long ranNs, long totalNs)
            throws IOException, InterruptedException, ExecutionException, TimeoutException {
        publish(Progress.Phase.FINISHING, ranNs, totalNs);
        settle(ranNs, totalNs);
        if (!progress.cancelled() && broken == null) {
            // Each VM as it stands now, compared sector by sector and page by page.
            for (var member : members) {
                verifyStandingStill(member.vm(), oracle(member), member.log);
                publish(Progress.Phase.FINISHING, ranNs, totalNs);
            }
        }
        if (broken != null) {
            throw new ExecutionException(broken);
        }
    }

    /** Waits until every checkpoint begun is sealed or aborted, and verified. */
    private void settle(long ranNs, long totalNs) throws InterruptedException {
        while ((inProgress > 0 || members.stream().anyMatch(member -> member.unverified > 0))
                && broken == null) {
            waitForMail();
            publish(Progress.Phase.FINISHING, ranNs, totalNs);
        }
    }

    // ---- Figures ----

    private void offer(CutStory told) {
        synchronized (stuns) {
            var best = story;
            if (!told.requests().isEmpty() && (best == null || told.interest() > best.interest())) {
                story = told;
            }
        }
    }

    private void readSpeeds(long now, long runNs) {
        for (var member : members) {
            long steps = member.vm().counters().steps();
            boolean during = member.inProgress > 0;
            // The beginning warms up the compiler and fills the memory: slow for another reason.
            if (during == member.lastInProgress && !member.stopped && now - runNs > WARM_UP_NS) {
                speed.record(during, steps - member.lastSteps, now - member.lastNs);
            }
            member.lastSteps = steps;
            member.lastNs = now;
            member.lastInProgress = during;
        }
    }

    private SeriesSampler.Counters counters() {
        long io = 0;
        long steps = 0;
        long faults = 0;
        long diskFaults = 0;
        long reissued = 0;
        long delayed = 0;
        for (var member : members) {
            var counters = member.vm().counters();
            io += counters.ioCompleted();
            steps += counters.steps();
            faults += counters.memoryFaults();
            diskFaults += counters.diskFaults();
            reissued += counters.readsReissued();
            delayed += counters.writesDelayed();
        }
        long inUse = host.frames().framesInUse();
        framesInUseMax = Math.max(framesInUseMax, inUse);
        return new SeriesSampler.Counters(io, steps, faults, diskFaults, reissued, delayed,
                storeBytes, inUse,
                host.frames().framesHeld(), inProgress, gauges.read());
    }

    private void publish(Progress.Phase phase, long elapsedNs, long totalNs) {
        long io = members.stream().mapToLong(member -> member.vm().counters().ioCompleted()).sum();
        progress.publish(new Progress.Snapshot(phase, elapsedNs, totalNs, members.size(), io,
                sealedCount, inProgress,
                abortedCount, verifiedCount, violations.size(), stuns.p99Micros(),
                host.frames().framesHeld() * FramePool.FRAME_BYTES, gauges.isNearlyFull()));
    }

    private RunResult result(String startedAt, long ranNs, SeriesSampler sampler) {
        var total = counters();
        double seconds = ranNs / 1e9;
        checkpoints.sort(Comparator.comparingDouble(RunResult.Checkpoint::atSeconds));
        var listed = violations.stream()
                .limit(VIOLATIONS_LISTED_MAX)
                .map(found -> new RunResult.Violation(
                        found.rule() == null ? "data" : found.rule().name(), found.vm(),
                        found.checkpointId() == 0 ? null : found.checkpointId(), found.where(),
                        found.expected(),
                        found.found()))
                .toList();
        return new RunResult(RunResult.FORMAT, RunResult.Versions.current(), startedAt,
                RunResult.Options.of(options), members.size(),
                seconds,
                progress.cancelled() ? RunResult.Ended.INTERRUPTED : RunResult.Ended.FINISHED,
                new RunResult.Checkpoints(begunCount, sealedCount, abortedCount, verifiedCount,
                        violations.size()),
                stuns.summary(),
                new RunResult.PendingAtStun(
                        stunnedCount == 0 ? null : (double) pendingSum / stunnedCount, pendingMax),
                new RunResult.Faults(total.memoryFaults(), total.diskFaults()),
                new RunResult.Reads(total.readsReissued()),
                new RunResult.Writes(total.writesDelayed()),
                new RunResult.Io(total.ioCompleted(), total.ioCompleted() / seconds),
                new RunResult.GuestSpeed(speed.speedDuringCheckpoint()),
                new RunResult.StoreFigures(storeBytes,
                        saveNs == 0 ? null : storeBytes / 1e6 / (saveNs / 1e9)),
                new RunResult.MemoryFigures(host.frames().framesHeldMax(), framesInUseMax,
                        host.frames().framesHeldLimit(), host.frames().frameCapacity()),
                gauges.figures(), gauges.chains(), listed,
                checkpoints,
                sampler.samples(), stuns.percentiles(), story);
    }

    private static <T> T await(CompletableFuture<T> answer)
            throws InterruptedException, ExecutionException, TimeoutException {
        return answer.get(ANSWER_SECONDS_MAX, TimeUnit.SECONDS);
    }

    @Override
    public void close() {
        verifiers.forEach(verifier -> verifier.thread.interrupt());
        try {
            for (var verifier : verifiers) {
                verifier.thread.join();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        remover.shutdown();
        try {
            if (!remover.awaitTermination(ANSWER_SECONDS_MAX, TimeUnit.SECONDS)) {
                remover.shutdownNow();
            }
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        host.close();
        auditor.close();
        arena.close();
    }
}
