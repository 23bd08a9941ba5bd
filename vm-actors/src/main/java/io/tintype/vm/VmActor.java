package io.tintype.vm;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.DiskId;
import io.tintype.actors.VmId;
import io.tintype.actors.strand.Strands;
import io.tintype.actors.strand.Urgent;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.PageUnavailableException;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.store.CheckpointSink;
import io.tintype.vm.device.QueueState;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Outcome;
import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.VmIdentity;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.agrona.collections.Long2ObjectHashMap;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.ChildFailed;
import org.apache.pekko.actor.typed.PostStop;
import org.apache.pekko.actor.typed.Signal;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.AbstractMatchingBehavior;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.apache.pekko.actor.typed.javadsl.TimerScheduler;
import org.apache.pekko.pattern.StatusReply;
import org.jspecify.annotations.Nullable;

/**
 * One simulated VM: runs its guest slice by slice, issues the requests that the guest's queues ask for,
 * delivers completions, and stands still for a stun.
 *
 * <p>What holds at any message:
 *
 * <ul>
 *   <li>{@code flights} has an entry for exactly the requests in {@code pending}; an entry holds the
 *       pins of its frames.
 *   <li>No guest code runs while {@code stun} is set.
 *   <li>The guest's memory, the devices and {@code pending} change on this VM's strand only.
 * </ul>
 *
 * <p>A stun (R2) is one go of the strand: freeze the regions, copy registers, queues and P to memory,
 * switch the disks; then the guest runs on at once, and only after that slice is told who is part of
 * the cut.
 */
public final class VmActor extends AbstractMatchingBehavior<VmActor.Command> {
    /** What a VM understands. */
    public sealed interface Command {}

    /** Let the guest run; nothing happens when it does. */
    public record Start() implements Command {}

    /** Something outside wants the guest's attention: it runs a slice, if it runs at all. */
    public record Interrupt() implements Command {}

    /** Stop running guest code; I/O in flight goes on. */
    public record Pause() implements Command {}

    /**
     * Take a live checkpoint. {@code replyTo} hears {@link CheckpointOutcome} once, when it is sealed or
     * aborted.
     *
     * @param disks what it keeps of disks; null: what the host's options say
     */
    public record BeginCheckpoint(
            CheckpointSink store,
            @Nullable CheckpointDisks disks,
            ActorRef<CheckpointOutcome> replyTo)
            implements
                Command {
        /** A checkpoint that keeps disks as the host's options say. */
        public BeginCheckpoint(CheckpointSink store, ActorRef<CheckpointOutcome> replyTo) {
            this(store, null, replyTo);
        }
    }

    /** Make a disk's chain flat, see {@link Vm#flatten}; {@code replyTo} hears once. */
    public record FlattenDisk(int disk, ActorRef<DiskFlattened> replyTo) implements Command {}

    /** Give up making a disk flat. No reply of its own. */
    public record CancelFlatten(int disk) implements Command {}

    /**
     * Take a checkpoint that stays in memory. {@code replyTo} hears of it once; the snapshot holds frames and layers of this VM
     * until it is closed.
     */
    public record TakeSnapshot(ActorRef<StatusReply<Snapshot>> replyTo) implements Command {}

    /** Give up a checkpoint in progress; no effect on others. Its {@code replyTo} hears of the abort. */
    public record CancelCheckpoint(CheckpointId id, String reason) implements Command {}

    /**
     * Pause and wait until nothing is in flight; {@code replyTo} hears {@link Quiet} once. {@link Start}
     * lets the guest run again.
     */
    public record Quiesce(ActorRef<Quiet> replyTo) implements Command {}

    /** Run {@code visit} on the strand, between two slices. */
    public record Visit(Visitor visit) implements Command {}

    /**
     * Replace the VM's state by {@code state}, prepared from {@code to}: requests in flight leave the
     * ongoing side (R17). {@code replyTo} hears {@link Quiet} when the guest runs on from there; nothing if whoever prepared
     * the state took it back before this came.
     */
    public record RollBack(MachineState state, CheckpointRef to, ActorRef<Quiet> replyTo)
            implements
                Command {}

    /** Abort the checkpoints in progress, and end the VM when nothing is in flight any more. No reply: watch it. */
    public record Stop() implements Command {}

    /** A checkpoint of this VM is deleted: its disks need not keep their layers for it. */
    @SuppressWarnings("ArrayRecordComponent") // made for this message, not shared
    public record ForgetCheckpoint(long checkpoint, int[] views, int incarnation)
            implements
                Command {}

    /** Nothing is in flight. */
    public record Quiet(VmId vm) {}

    /** Looks at a VM from its own strand. */
    @FunctionalInterface
    public interface Visitor {
        /** Called once, between two slices; must not keep {@code machine}. */
        void visit(MachineState machine);
    }

    /**
     * Stop the guest, freeze, capture, switch, go on. {@code replyTo} hears {@link CheckpointActor.Cut} and then {@link
     * CheckpointActor.Resumed} or {@link CheckpointActor.ResumeHeld}; or else {@link CheckpointActor.Conflicted} and
     * later, once, {@link CheckpointActor.ConflictOver}. If the VM was rolled back since the checkpoint was begun, it hears
     * {@link CheckpointActor.Conflicted} and is cancelled.
     *
     * @param incarnation whose disks have overlays for it
     * @param isSaved whether the frozen memory is read right away; or else not before it is settled
     */
    record Stun(
            long checkpoint,
            int incarnation,
            boolean isSaved,
            PendingSet.Conflict ifConflict,
            ActorRef<CheckpointActor.Command> replyTo)
            implements
                Command,
                Urgent {}

    /** The requests that a held resume waited for are done, or the checkpoint gave up. */
    record ResumeHeld(long checkpoint) implements Command, Urgent {}

    record RegionFrozen(int region, FrozenMemory frozen) implements Command, Urgent {}

    record DiskSwitched(int disk, int top, int frozenView) implements Command, Urgent {}

    /**
     * From a disk: new requests are bound to {@code top} from now on, an overlay that came without a checkpoint. The disk hears
     * {@link DiskActor.TopKnown}.
     */
    record TopMoved(int disk, int top, ActorRef<DiskActor.Command> of) implements Command {}

    record IoLanded(long ioId, IoStatus status) implements Command {}

    record IoReissued(long ioId, IoStatus status) implements Command {}

    record CheckpointEnded(long checkpoint, Machine machine) implements Command {}

    /** From a disk of an earlier life: no request, checkpoint or work of that life needs it any more, and its actor has ended. */
    record DiskRetired(int disk, ActorRef<DiskActor.Command> of) implements Command {}

    /** A region of a machine that is over has given its frames back. */
    enum RegionClosed implements Command {
        INSTANCE
    }

    private enum Run implements Command {
        SLICE
    }

    private enum Wake implements Command {
        UP
    }

    /** A stun under way: what has been frozen and switched so far. */
    private static final class StunProgress {
        final Stun request;
        final long startNs;
        // From when on the guest's clock stands still for it: a rollback meanwhile brings another guest.
        long clockStoppedNs;
        // Never again, unless R3 is switched off.
        CapturedState captured;
        // What was in flight at T: immutable, so that the list of P is made after the stun.
        PendingSet atStun;
        final FrozenMemory[] frozen;
        final int[] views;
        int answersLeft;
        // The answers are in, but the guest stays stopped: R9's delay-resume.
        boolean held;

        StunProgress(Stun request, long startNs, CapturedState captured, PendingSet atStun,
                int regions, int disks) {
            this.request = request;
            this.startNs = startNs;
            this.clockStoppedNs = startNs;
            this.captured = captured;
            this.atStun = atStun;
            this.frozen = new FrozenMemory[regions];
            this.views = new int[disks];
            this.answersLeft = regions + disks;
        }
    }

    // Frames at hand when a slice begins, beside what the guest may use between two looks at whether to
    // yield. A slice of 100 µs makes at most some 300 COW faults; 128 × 4 KiB = 512 KiB for each busy VM.
    private static final int SLICE_FRAMES = 128;
    // Frames at hand when a request is fetched: for the targets of most reads, and the completion.
    private static final int REQUEST_FRAMES = 32;
    private static final Duration THROTTLE_RETRY = Duration.ofMillis(1);
    private static final int FRAME_BYTES = 4096;

    private final ActorContext<Command> context;
    private final TimerScheduler<Command> timers;
    private final VmId id;
    private final VmServices services;
    private final VmProbe probe;
    private final @Nullable CoreProbe cores;
    private final VmCounters counters;
    private final MemorySegment frames;
    private final Long2ObjectHashMap<Flight> flights = new Long2ObjectHashMap<>();
    private final TreeMap<Long, ActorRef<CheckpointActor.Command>> checkpoints = new TreeMap<>();
    // Checkpoints to be told when no read and write of one block are in flight (R9).
    private final List<ActorRef<CheckpointActor.Command>> putOff = new ArrayList<>();
    private final ArrayDeque<Stun> waitingStuns = new ArrayDeque<>();
    private final List<ActorRef<Quiet>> waitingForQuiet = new ArrayList<>();
    private final RequestBinder binder;
    private final SliceContext slice = new SliceContext();

    private final long firstCheckpoint;
    // By incarnation; a checkpoint of an earlier life still names layers of its disks. Without those of which none is left.
    private final TreeMap<Integer, Machine> lives = new TreeMap<>();

    private Machine machine;
    private PendingSet pending;
    private long nextIoId = 1;
    private long nextCheckpoint;
    private boolean running;
    private boolean runQueued;
    private boolean stopping;
    private boolean ending;
    // Of machines that are over.
    private int regionsToClose;
    private @Nullable StunProgress stun;
    // The region and page being copied while the pending set is told of it.
    private int copyingIn;
    private int copyingPage;
    private long throttledSinceNs = -1;
    // The last checkpoint that was to go for want of memory.
    private long lastGivenUp;
    // Why the VM cannot go on; it ends with this when nothing is in flight.
    private @Nullable PageUnavailableException lost;
    // The guest's clock is ours less this: it stands still while the guest does (DESIGN: the guest
    // must not be able to tell).
    private long guestClockOffsetNs;
    private long stoppedAtNs;

    private VmActor(
            ActorContext<Command> context,
            TimerScheduler<Command> timers,
            VmId id,
            MachineState state,
            VmServices services,
            long firstCheckpoint) {
        super(context);
        this.context = context;
        this.timers = timers;
        this.id = id;
        this.services = services;
        this.probe = services.probe();
        this.cores = probe.cores();
        this.counters = services.counters();
        this.binder = new RequestBinder(services.rules());
        this.frames = services.pool().segment();
        this.pending = PendingSet.empty(services.reissue(), services.rules());
        this.firstCheckpoint = firstCheckpoint;
        this.nextCheckpoint = firstCheckpoint;
        this.machine = install(state, 0);
    }

    /**
     * Makes a VM that stands still until {@link Start}.
     *
     * @param state becomes the property of the VM's strand
     * @param firstCheckpoint the number of its first checkpoint, at least 1
     */
    static Behavior<Command> create(
            VmId id, MachineState state, VmServices services, long firstCheckpoint) {
        return Behaviors.setup(
                context -> Behaviors.withTimers(
                        timers -> new VmActor(
                                context,
                                timers,
                                id,
                                state,
                                services,
                                firstCheckpoint)));
    }

    @Override
    public Behavior<Command> onMessage(Command command) {
        if (ending && command != RegionClosed.INSTANCE) {
            // As if this had ended: who waits for an answer hears that it has.
            return this;
        }
        switch (command) {
            case Run _ -> {
                runQueued = false;
                runSlice();
            }
            case Wake _ -> queueRun();
            case IoLanded(var ioId, var status) -> {
                probe.landed(ioId, status);
                feed(new PendingSet.Input.Landed(ioId, status));
            }
            case IoReissued(var ioId, var status) ->
                feed(new PendingSet.Input.Reissued(ioId, status));
            case Start _ -> onStart();
            case Interrupt _ -> queueRun();
            case Pause _ -> onPause();
            case BeginCheckpoint begin -> onBeginCheckpoint(begin);
            case TakeSnapshot(var replyTo) -> onTakeSnapshot(replyTo);
            case CancelCheckpoint cancel -> onCancelCheckpoint(cancel);
            case Stun request -> onStun(request);
            case ResumeHeld(var checkpoint) -> onResumeHeld(checkpoint);
            case RegionFrozen(var region, var frozen) -> onRegionFrozen(region, frozen);
            case DiskSwitched switched -> onDiskSwitched(switched);
            case FlattenDisk flatten -> onFlattenDisk(flatten);
            case CancelFlatten(var disk) -> onCancelFlatten(disk);
            case TopMoved moved -> {
                long fromNs = services.clock().nanoTime();
                onTopMoved(moved);
                probe.keptUp(services.clock().nanoTime() - fromNs);
            }
            case CheckpointEnded ended -> onCheckpointEnded(ended);
            case RegionClosed _ -> regionsToClose--;
            case DiskRetired(var disk, var of) -> onDiskRetired(disk, of);
            case ForgetCheckpoint forget -> onForgetCheckpoint(forget);
            case Quiesce(var replyTo) -> onQuiesce(replyTo);
            case Visit(var visit) -> visit.visit(machine.state);
            case RollBack rollBack -> onRollBack(rollBack);
            case Stop _ -> onStop();
        }
        return stopping && flights.isEmpty() && checkpoints.isEmpty() ? end() : this;
    }

    // ---- The guest's turn ----

    private void onStart() {
        if (!running && !stopping) {
            running = true;
            guestClockOffsetNs += services.clock().nanoTime() - stoppedAtNs;
            queueRun();
        }
    }

    private void onPause() {
        pause();
    }

    private void pause() {
        if (running) {
            running = false;
            stoppedAtNs = services.clock().nanoTime();
        }
    }

    private void queueRun() {
        if (!runQueued) {
            runQueued = true;
            context.getSelf().tell(Run.SLICE);
        }
    }

    private void runSlice() {
        if (!running || stun != null) {
            return;
        }
        var guest = machine.state.guest();
        if (!reserve(SLICE_FRAMES + guest.pagesBetweenYieldsMax())) {
            throttle();
            return;
        }
        throttledSinceNs = -1;
        slice.begin(guest.pagesBetweenYieldsMax());
        Outcome outcome;
        try {
            outcome = guest.run(slice);
            issueAll();
        } catch (PageUnavailableException failure) {
            lose(failure);
            return;
        }
        counters.ran(guest.steps(), faults());
        probe.ran(guest);
        switch (outcome) {
            case Outcome.Busy _ -> queueRun();
            case Outcome.WaitUntil(var guestNs) -> wakeAt(guestNs);
            case Outcome.WaitForInterrupt _ -> trimIfIdle();
            case Outcome.Stopped(var reason) -> {
                pause();
                probe.guestStopped(reason);
            }
        }
    }

    /**
     * Memory that this VM was restored from is damaged: it cannot go on, and its guest stands in the middle of an instruction. So
     * no checkpoint that has not had its T may be sealed. What is in flight ends first.
     */
    private void lose(PageUnavailableException failure) {
        if (lost == null) {
            lost = failure;
            onStop();
            context.getSelf().tell(new Stop());
        }
    }

    /** Nothing is in flight, so the guest may sleep for long: thousands like it must not keep frames at hand. */
    private void trimIfIdle() {
        if (flights.isEmpty()) {
            for (var region : machine.state.regions()) {
                region.trim();
            }
        }
    }

    private boolean reserve(int frameCount) {
        for (var region : machine.state.regions()) {
            if (!region.reserve(frameCount)) {
                return false;
            }
        }
        return true;
    }

    private void wakeAt(long guestNs) {
        long delayNs = guestNs - slice.guestNs();
        if (delayNs <= 0) {
            queueRun();
        } else {
            timers.startSingleTimer(Wake.UP, Wake.UP, Duration.ofNanos(delayNs));
        }
    }

    private long faults() {
        long faults = 0;
        for (var region : machine.state.regions()) {
            faults += region.faults();
        }
        return faults;
    }

    /** No frame is free: the guest waits, and at last a checkpoint of its own makes room. */
    private void throttle() {
        counters.throttled();
        long now = services.clock().nanoTime();
        if (throttledSinceNs < 0) {
            throttledSinceNs = now;
        } else if (now - throttledSinceNs > services.throttleNsMax()) {
            // Not the same again: a snapshot that a clone stands on stays however often it is told.
            var oldest = checkpoints.higherEntry(lastGivenUp);
            if (oldest != null) {
                throttledSinceNs = now;
                lastGivenUp = oldest.getKey();
                oldest.getValue()
                        .tell(
                                new CheckpointActor.Cancel(
                                        "the memory held for checkpoints is used up; raise its "
                                                + "bound or checkpoint less often"));
            }
        }
        timers.startSingleTimer(Wake.UP, Wake.UP, THROTTLE_RETRY);
    }

    /** What the guest sees while its slice runs. */
    private final class SliceContext implements GuestContext {
        private long endNs;
        private int framesMin;

        void begin(int pagesBetweenYieldsMax) {
            endNs = services.clock().nanoTime() + services.sliceNs();
            framesMin = pagesBetweenYieldsMax;
        }

        @Override
        public GuestMemory memory() {
            return machine.state.memory();
        }

        @Override
        public long guestNs() {
            return services.clock().nanoTime() - guestClockOffsetNs;
        }

        @Override
        public VmIdentity identity() {
            return machine.state.identity();
        }

        @Override
        public boolean shouldYield() {
            return services.clock().nanoTime() >= endNs || framesLow();
        }

        private boolean framesLow() {
            for (var region : machine.state.regions()) {
                if (region.reservedFrames() < framesMin) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public void configureDisk(int disk, QueueLayout layout) {
            machine.state.queues().get(disk).configure(layout);
        }

        @Override
        public void doorbell(int disk, int tail) {
            machine.state.queues().get(disk).doorbell(tail);
            machine.doorbells[disk] = true;
        }

        @Override
        public void resetDisk(int disk) {
            detach(disk);
            machine.state.queues().get(disk).reset();
        }
    }

    // ---- Issuing ----

    private void issueAll() {
        for (int disk = 0; disk < machine.doorbells.length; disk++) {
            while (machine.doorbells[disk] && issueNext(disk)) {
                // one request after another
            }
        }
    }

    /**
     * Fetches one request of {@code disk} and binds it. Returns whether there may be more now; the doorbell stays as it is until
     * the ring is empty.
     */
    private boolean issueNext(int disk) {
        var queue = machine.state.queues().get(disk);
        var memory = machine.state.memory();
        if (!reserve(REQUEST_FRAMES)) {
            // The entry stays in guest memory, not fetched, until frames are free.
            throttle();
            return false;
        }
        var fetched = queue.fetch(memory);
        if (queue.takeInterrupt()) {
            // An entry that made no sense was completed on the way.
            queueRun();
        }
        if (fetched == null) {
            machine.doorbells[disk] = false;
            return false;
        }
        long ioId = nextIoId++;
        var bound = binder.bind(machine, fetched);
        var request =
                new IoRequest(
                        ioId,
                        machine.incarnation,
                        disk,
                        fetched.tag(),
                        machine.tops[disk],
                        fetched.kind(),
                        fetched.fua(),
                        fetched.sector(),
                        fetched.sectorCount(),
                        bound.buffer());
        feed(
                new PendingSet.Input.Issued(
                        new PendingSet.Request(
                                ioId,
                                machine.incarnation,
                                request.kind(),
                                disk,
                                request.sector(),
                                request.sectorCount(),
                                bound.targets())));
        var actor =
                context.spawnAnonymous(
                        PendingIoActor.create(
                                request, context.getSelf(), machine.diskActors.get(disk)));
        machine.diskActors.get(disk).tell(new DiskActor.Submit(request, actor));
        machine.lastIssued[disk] = ioId;
        flights.put(ioId, new Flight(request, machine, actor, bound));
        machine.users++;
        probe.issued(request);
        return true;
    }

    // ---- Landing, debts, delivery ----

    private void feed(PendingSet.Input input) {
        var step = pending.step(input);
        if (cores != null) {
            cores.stepped(this,
                    new CoreProbe.PendingStep(pending, input, step.next(), step.outputs()));
        }
        pending = step.next();
        for (var output : step.outputs()) {
            carryOut(output);
        }
    }

    private void carryOut(PendingSet.Output output) {
        switch (output) {
            case PendingSet.Output.Owe(var ioId, var frame) ->
                flight(ioId).owe(copyingIn, copyingPage, frame);
            case PendingSet.Output.Forgive(var ioId, var frame) -> flight(ioId).forgive(frame);
            case PendingSet.Output.Pay(var ioId, var from, var to, var offset, var bytes) -> {
                MemorySegment.copy(
                        frames,
                        from * (long) FRAME_BYTES + offset,
                        frames,
                        to * (long) FRAME_BYTES + offset,
                        bytes);
                counters.readReissued();
                probe.reissued(ioId, flight(ioId).pageOfCopy(to), bytes);
            }
            case PendingSet.Output.Reissue(var ioId, var copies) -> reissue(ioId, copies);
            case PendingSet.Output.Deliver(var ioId, var status) -> deliver(ioId, status);
            case PendingSet.Output.Settled(var ioId, var status, var of) ->
                settle(ioId, status, of);
            case PendingSet.Output.CopyTarget(var region, var page, var frame) ->
                leaveBehind(region, page, frame);
        }
    }

    /** Gives the ongoing page a frame of its own, beside the one that a detached request still uses (R17). */
    private void leaveBehind(int region, int page, int frame) {
        if (machine.region(region).frame(page) == frame) {
            onCopied(region, page, frame, machine.region(region).detachPage(page));
        }
    }

    private Flight flight(long ioId) {
        var flight = flights.get(ioId);
        if (flight == null) {
            throw new IllegalStateException("request " + ioId + " of " + id + " is not in flight");
        }
        return flight;
    }

    private void onCopied(int region, int page, int fromFrame, int toFrame) {
        copyingIn = region;
        copyingPage = page;
        feed(new PendingSet.Input.Copied(region, page, fromFrame, toFrame));
    }

    /** Reads the bound layers again into pages copied meanwhile: the {@code disk} reissue of R9. */
    private void reissue(long ioId, List<PendingSet.Target> copies) {
        var flight = flight(ioId);
        int count = copies.size();
        var boundFrames = new int[count];
        var offsets = new int[count];
        var sizes = new int[count];
        var requestOffsets = new int[count];
        for (int i = 0; i < count; i++) {
            var copy = copies.get(i);
            boundFrames[i] = copy.frame();
            offsets[i] = copy.offsetInPage();
            sizes[i] = copy.bytes();
            requestOffsets[i] = (int) copy.offsetInRequest();
            counters.readReissued();
            probe.reissued(ioId, copy.page(), copy.bytes());
        }
        var first = flight.request;
        flight.actor.tell(
                new PendingIoActor.Reissue(
                        new IoRequest(
                                nextIoId++,
                                first.incarnation(),
                                first.disk(),
                                first.tag(),
                                first.layer(),
                                IoKind.READ,
                                false,
                                first.sector(),
                                first.sectorCount(),
                                new IoBuffer(boundFrames, offsets, sizes, requestOffsets))));
    }

    /** Writes the completion into the guest's ring and raises the interrupt (R3, R11). */
    private void deliver(long ioId, IoStatus status) {
        var request = flight(ioId).request;
        complete(machine.state, request.disk(), request.tag(), status);
        counters.ioDelivered(status != IoStatus.OK);
        probe.delivered(ioId, status);
        queueRun();
    }

    private void complete(MachineState state, int disk, int tag, IoStatus status) {
        try {
            state.queues().get(disk).complete(state.memory(), tag, status);
        } catch (PageUnavailableException failure) {
            // The guest never sees it, nor anything else: the rest of the request is settled all the same.
            lose(failure);
        }
    }

    private void settle(long ioId, IoStatus status, List<Long> waiting) {
        var flight = flight(ioId);
        flights.remove(ioId);
        flight.unpin();
        var reportTo = new ArrayList<ActorRef<CheckpointActor.Command>>(waiting.size());
        for (long checkpoint : waiting) {
            var actor = checkpoints.get(checkpoint);
            if (actor != null) {
                reportTo.add(actor);
            }
        }
        flight.actor.tell(new PendingIoActor.Settled(status, reportTo));
        leave(flight.machine);
        tellConflictOver();
        answerWhenQuiet();
    }

    /** One user less; an old machine without users gives its frames back, and its disks. */
    private void leave(Machine left) {
        left.users--;
        if (left.users == 0 && left != machine) {
            retire(left);
        }
    }

    private void retire(Machine old) {
        close(old);
        old.retireDisks();
        if (old.disksLeft == 0) {
            lives.remove(old.incarnation);
        }
    }

    private void onDiskRetired(int disk, ActorRef<DiskActor.Command> of) {
        for (var life : List.copyOf(lives.values())) {
            if (life.diskActors.get(disk).equals(of)) {
                var place = life.state.imageKeys().get(disk);
                var chain = life.state.chains().get(disk);
                services.later().apply(services.upkeep())
                        .execute(() -> services.diskOver().accept(place, chain));
                life.disksLeft--;
                if (life.disksLeft == 0) {
                    lives.remove(life.incarnation);
                }
            }
        }
    }

    private void close(Machine over) {
        regionsToClose += over.close(context.getSelf());
    }

    private void tellConflictOver() {
        if (!putOff.isEmpty() && !pending.readWriteConflict()) {
            putOff.forEach(checkpoint -> checkpoint.tell(CheckpointActor.ConflictOver.INSTANCE));
            putOff.clear();
        }
    }

    private void answerWhenQuiet() {
        if (!waitingForQuiet.isEmpty() && flights.isEmpty()) {
            var quiet = new Quiet(id);
            waitingForQuiet.forEach(waiting -> waiting.tell(quiet));
            waitingForQuiet.clear();
        }
    }

    // ---- Checkpoints ----

    private void onBeginCheckpoint(BeginCheckpoint begin) {
        var ref = new CheckpointRef(id, new CheckpointId(nextCheckpoint++));
        for (var chain : machine.state.chains()) {
            if (chain.files() >= services.chainDepthMax()) {
                begin.replyTo()
                        .tell(
                                CheckpointOutcome.aborted(
                                        ref,
                                        "a disk of "
                                                + id
                                                + " has "
                                                + chain.files()
                                                + " layers, the most allowed; delete older checkpoints "
                                                + "or wait until they are committed"));
                return;
            }
        }
        // Here, where they are in order; opening their files they may overtake each other.
        begin.store().claim(ref);
        var actor =
                context.spawn(
                        CheckpointActor.create(
                                ref,
                                begin.store(),
                                begin.replyTo(),
                                context.getSelf(),
                                machine,
                                services,
                                (begin.disks() == null
                                        ? services.checkpointDisks()
                                        : begin.disks()) == CheckpointDisks.COPY),
                        "checkpoint-" + ref.id().value());
        context.watch(actor);
        checkpoints.put(ref.id().value(), actor);
        machine.users++;
    }

    private void onTakeSnapshot(ActorRef<StatusReply<Snapshot>> replyTo) {
        // A number also where there is nothing, as for any checkpoint.
        var ref = new CheckpointRef(id, new CheckpointId(nextCheckpoint++));
        if (stopping) {
            replyTo.tell(StatusReply.error(id + " stops"));
            return;
        }
        for (var chain : machine.state.chains()) {
            if (chain.depth() >= services.chainDepthMax()) {
                replyTo.tell(StatusReply.error("a disk of " + id + " has " + chain.depth()
                        + " layers, the most allowed; close older snapshots, delete older "
                        + "checkpoints, or wait until they are committed"));
                return;
            }
        }
        var actor = context.spawn(
                SnapshotActor.create(ref, replyTo, context.getSelf(), machine, services),
                "snapshot-" + ref.id().value());
        context.watch(actor);
        checkpoints.put(ref.id().value(), actor);
        machine.users++;
    }

    private void onCancelCheckpoint(CancelCheckpoint cancel) {
        var checkpoint = checkpoints.get(cancel.id().value());
        if (checkpoint != null) {
            checkpoint.tell(new CheckpointActor.Cancel(cancel.reason()));
        }
    }

    private void onStun(Stun request) {
        if (stun != null) {
            waitingStuns.add(request);
            return;
        }
        if (request.incarnation() != machine.incarnation) {
            // Its overlays are on disks that are not the guest's any more, and the instant that it was for is gone.
            request.replyTo().tell(CheckpointActor.Conflicted.INSTANCE);
            request.replyTo()
                    .tell(new CheckpointActor.Cancel("the VM was rolled back before its instant"));
            nextStun();
            return;
        }
        if (request.ifConflict() == PendingSet.Conflict.PUT_OFF && conflicts()) {
            putOff.add(request.replyTo());
            request.replyTo().tell(CheckpointActor.Conflicted.INSTANCE);
            nextStun();
            return;
        }
        long startNs = services.clock().nanoTime();
        Strands.holdTurn();
        // Registers, queues and P in one step, before any completion of P can be handled (R3).
        stun =
                new StunProgress(
                        request,
                        startNs,
                        capture(startNs),
                        pending,
                        machine.regionActors.size(),
                        machine.diskActors.size());
        feed(new PendingSet.Input.Stunned(request.checkpoint()));
        for (var region : machine.regionActors) {
            region.tell(new MemoryRegionActor.Freeze(request.isSaved(), context.getSelf()));
        }
        for (int disk = 0; disk < machine.diskActors.size(); disk++) {
            machine.diskActors
                    .get(disk)
                    .tell(
                            new DiskActor.Switch(
                                    request.checkpoint(), machine.lastIssued[disk],
                                    context.getSelf()));
        }
        probe.stunned(request.checkpoint(), machine.state.guest());
    }

    /** Whether a reissue that asks the disk again could see a later write (R9). */
    private boolean conflicts() {
        return services.reissue() == PendingSet.Reissue.DISK && pending.readWriteConflict();
    }

    private CapturedState capture(long nowNs) {
        var queues = machine.state.queues();
        var captured = new ArrayList<QueueState>(queues.size());
        for (var queue : queues) {
            captured.add(queue.save());
        }
        var guest = machine.state.guest();
        return new CapturedState(
                guest.kind(), guest.saveRegisters(), captured, List.of(),
                nowNs - guestClockOffsetNs);
    }

    private void onRegionFrozen(int region, FrozenMemory frozen) {
        var progress = stunInProgress();
        progress.frozen[region] = frozen;
        answered(progress);
    }

    private void onDiskSwitched(DiskSwitched switched) {
        var progress = stunInProgress();
        progress.views[switched.disk()] = switched.frozenView();
        machine.tops[switched.disk()] = switched.top();
        answered(progress);
    }

    private StunProgress stunInProgress() {
        if (stun == null) {
            throw new IllegalStateException(id + " got an answer to a stun that it is not in");
        }
        return stun;
    }

    private void answered(StunProgress progress) {
        progress.answersLeft--;
        if (progress.answersLeft > 0) {
            return;
        }
        if (mustWaitForPending(progress)) {
            progress.held = true;
            Strands.endHold();
            tellCut(progress);
            progress.request
                    .replyTo()
                    .tell(
                            new CheckpointActor.ResumeHeld(
                                    pending.pendingOf(progress.request.checkpoint())));
        } else {
            resume(progress);
        }
    }

    private boolean mustWaitForPending(StunProgress progress) {
        // R2 switched off is what most hypervisors do: they drain inside the pause.
        return (progress.request.ifConflict() == PendingSet.Conflict.DELAY_RESUME && conflicts())
                || !services.rules().on(Rule.R2);
    }

    /** Ends the stun: the guest runs its next slice here and now, everything else comes after it. */
    private void resume(StunProgress progress) {
        long checkpoint = progress.request.checkpoint();
        var cut = pending;
        long nowNs = services.clock().nanoTime();
        long stunNs = nowNs - progress.startNs;
        stun = null;
        guestClockOffsetNs += nowNs - progress.clockStoppedNs;
        runSlice();
        if (!services.rules().on(Rule.R3)) {
            progress.captured = capture(services.clock().nanoTime());
            progress.atStun = pending;
        }
        Strands.endHold();
        probe.resumed(checkpoint, stunNs);
        if (!progress.held) {
            tellCut(progress);
        }
        progress.request
                .replyTo()
                .tell(new CheckpointActor.Resumed(stunNs, cut.pendingOf(checkpoint)));
        nextStun();
        queueRun();
    }

    /** After a stun has ended, or was refused: of those that waited for it nobody else would be heard. */
    private void nextStun() {
        var next = waitingStuns.poll();
        if (next != null) {
            context.getSelf().tell(next);
        }
    }

    private void tellCut(StunProgress progress) {
        var cut = new ArrayList<IoRequest>(progress.atStun.size());
        for (var request : progress.atStun.requests()) {
            cut.add(flight(request.ioId()).request);
        }
        progress.request
                .replyTo()
                .tell(
                        new CheckpointActor.Cut(
                                progress.captured.with(cut),
                                List.of(progress.frozen),
                                progress.views,
                                pending.blockedFrames(progress.request.checkpoint())));
    }

    private void onResumeHeld(long checkpoint) {
        var progress = stun;
        if (progress != null && progress.held && progress.request.checkpoint() == checkpoint) {
            resume(progress);
        }
    }

    private void onCheckpointEnded(CheckpointEnded ended) {
        checkpoints.remove(ended.checkpoint());
        feed(new PendingSet.Input.Ended(ended.checkpoint()));
        leave(ended.machine());
        waitingStuns.removeIf(waiting -> waiting.checkpoint() == ended.checkpoint());
        onResumeHeld(ended.checkpoint());
        queueRun();
    }

    private void onFlattenDisk(FlattenDisk flatten) {
        if (flatten.disk() < 0 || flatten.disk() >= machine.diskActors.size()) {
            flatten.replyTo().tell(
                    new DiskFlattened(false, id + " has no disk " + flatten.disk(), 0));
            return;
        }
        machine.diskActors.get(flatten.disk()).tell(new DiskActor.MakeFlat(flatten.replyTo()));
    }

    private void onCancelFlatten(int disk) {
        if (disk >= 0 && disk < machine.diskActors.size()) {
            machine.diskActors.get(disk).tell(DiskActor.CancelFlatten.INSTANCE);
        }
    }

    /**
     * What was issued between the disk's switch and this is bound below the top, and nothing yet is bound to it: so it is as if
     * the switch came now. A stun may have moved the top further meanwhile.
     */
    private void onTopMoved(TopMoved moved) {
        for (var life : lives.values()) {
            if (life.diskActors.get(moved.disk()).equals(moved.of())) {
                life.tops[moved.disk()] = Math.max(life.tops[moved.disk()], moved.top());
                moved.of().tell(new DiskActor.TopKnown(life.lastIssued[moved.disk()]));
            }
        }
    }

    private void onForgetCheckpoint(ForgetCheckpoint forget) {
        // A checkpoint of an earlier process is of no machine here; its layers are part of a parent chain.
        var of = lives.get(forget.incarnation());
        if (of != null && forget.checkpoint() >= firstCheckpoint) {
            for (int disk = 0; disk < forget.views().length; disk++) {
                if (forget.views()[disk] >= 0) {
                    of.diskActors.get(disk)
                            .tell(new DiskActor.ReleaseView(forget.views()[disk], false));
                }
            }
        }
    }

    // ---- Quiet, rollback, end ----

    private void onQuiesce(ActorRef<Quiet> replyTo) {
        pause();
        waitingForQuiet.add(replyTo);
        answerWhenQuiet();
    }

    private void onStop() {
        stopping = true;
        pause();
        checkpoints
                .values()
                .forEach(checkpoint -> checkpoint.tell(new CheckpointActor.Cancel("the VM stops")));
    }

    /** The last act of this VM: nothing is in flight and no checkpoint in progress, and all frames go back. */
    private Behavior<Command> end() {
        if (!ending) {
            ending = true;
            close(machine);
        }
        if (regionsToClose > 0) {
            return this;
        }
        if (lost != null) {
            throw new IllegalStateException(
                    id + " ended: the memory that it was restored from is damaged: "
                            + lost.getMessage(),
                    lost);
        }
        return Behaviors.stopped();
    }

    /**
     * Takes the requests of {@code disk} off the ongoing side (R17): their target pages are copied
     * first, no completion comes; checkpoints that they are part of go on.
     */
    private void detach(int disk) {
        for (var request : pending.requests()) {
            if (request.disk() == disk) {
                probe.detached(request.ioId());
            }
        }
        feed(new PendingSet.Input.Detached(disk));
        machine.diskActors.get(disk).tell(new DiskActor.Detach());
        tellConflictOver();
    }

    private void onRollBack(RollBack rollBack) {
        if (!rollBack.state().take()) {
            return;
        }
        boolean wasRunning = running;
        pause();
        for (var request : pending.requests()) {
            probe.detached(request.ioId());
        }
        feed(new PendingSet.Input.RolledBack());
        var old = machine;
        machine = install(rollBack.state(), old.incarnation + 1);
        if (old.users == 0) {
            retire(old);
        }
        if (stun != null) {
            // Still held, for what the old machine waits for; the clock of the new guest was set just now.
            stun.clockStoppedNs = stoppedAtNs;
        }
        probe.rolledBack(rollBack.to(), rollBack.state());
        if (wasRunning) {
            onStart();
        }
        tellConflictOver();
        rollBack.replyTo().tell(new Quiet(id));
    }

    /** Spawns the actors of {@code state} and delivers what its guest is still owed. */
    private Machine install(MachineState state, int incarnation) {
        state.onCopied(this::onCopied);
        var suffix = incarnation == 0 ? "" : "-" + incarnation;
        var regionActors = new ArrayList<ActorRef<MemoryRegionActor.Command>>();
        for (int i = 0; i < state.regions().size(); i++) {
            regionActors.add(
                    context.spawn(
                            MemoryRegionActor.create(i, state.regions().get(i)),
                            "memory-" + i + suffix));
        }
        var diskActors = new ArrayList<ActorRef<DiskActor.Command>>();
        for (int i = 0; i < state.chains().size(); i++) {
            diskActors.add(
                    context.spawn(
                            DiskActor.create(
                                    new DiskId(id, i), state.chains().get(i), services,
                                    context.getSelf()),
                            "disk-" + i + suffix));
        }
        regionActors.forEach(context::watch);
        diskActors.forEach(context::watch);
        stoppedAtNs = services.clock().nanoTime();
        guestClockOffsetNs = stoppedAtNs - state.guestNs();
        for (var owed : state.owed()) {
            complete(state, owed.disk(), owed.tag(), owed.status());
        }
        var installed = new Machine(state, incarnation, regionActors, diskActors);
        lives.put(incarnation, installed);
        return installed;
    }

    @Override
    public Behavior<Command> onSignal(Signal signal) {
        switch (signal) {
            case ChildFailed failed -> {
                // A part of this VM is broken: the VM ends, the host and its other VMs go on.
                throw new IllegalStateException(
                        failed.ref().path().name() + " of " + id + " failed", failed.cause());
            }
            case Terminated _,PostStop _ -> {}
            default -> {}
        }
        return this;
    }
}
