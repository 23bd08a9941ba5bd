package io.tintype.simulations.simulate;

import io.tintype.actors.Clock;
import io.tintype.actors.VmId;
import io.tintype.actors.strand.Ready;
import io.tintype.actors.strand.SimulatedSystem;
import io.tintype.cow.memory.FramePool;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.Violation;
import io.tintype.simulations.oracle.WordReader;
import io.tintype.store.StoreException;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.DiskIo;
import io.tintype.vm.HostActor;
import io.tintype.vm.HostOptions;
import io.tintype.vm.HostPorts;
import io.tintype.vm.HostWorld;
import io.tintype.vm.MachineState;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.Vm;
import io.tintype.vm.VmSpec;
import io.tintype.vm.device.QueueState;
import io.tintype.vm.guest.DrivenGuest;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestLayout;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.GuestScratch;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.jspecify.annotations.Nullable;

/**
 * Small schedules through the real actors, tens of thousands a second: each is a VM of its own with one disk, a handful of requests
 * and stores, and one checkpoint from its first overlay to its manifest; at every step the seed chooses among all that could be next,
 * a message to any actor, the end of a disk operation, a task of another thread, the next action of guest or operator. Then the oracle
 * compares the whole checkpoint and the whole VM with what the guest knew, all frames must be back, and the VM is destroyed.
 *
 * <p>What a {@link Simulation} makes anew for each run is shared here: the actor system, the host and its parent actor. So is what
 * stands in for slow storage: checkpoints are kept {@linkplain CheckpointInMemory in memory}, the catalogue is silent. Nothing fails
 * and there is no crash; those are for whole runs.
 *
 * <p>A schedule depends on its seed alone, not on those before it. For one thread; one of these at a time on a machine.
 */
public final class SmallSchedules implements AutoCloseable {
    /**
     * What one schedule came to.
     *
     * @param seed of it
     * @param violations what no correct schedule shows; empty if all was well
     * @param traceHash of all its steps, in order
     * @param messages handled
     * @param pending requests that were in flight at the instant of the checkpoint
     */
    public record Ended(long seed, List<Violation> violations, long traceHash, int messages,
            int pending) {}

    /** Something that is not a message and may happen next. */
    private record Event(int kind, Runnable body) {}

    private static final String VM = "vm-1";
    private static final int GROUPS = 2;
    private static final int SECTORS_A_GROUP = SimulatedHost.GROUP_BYTES / 512;
    private static final int SECTORS = GROUPS * SECTORS_A_GROUP;
    private static final int SLOTS = 2;
    private static final int REQUESTS = 2;
    private static final int HEAP_PAGES = 1;
    private static final int BUFFER_PAGES = SECTORS_A_GROUP * 512 / 4096 + 2;
    // Page 0, two pages of rings, records, tables, buffers, the heap.
    private static final long MEMORY_BYTES =
            (1 + 2 + 2 + (long) SLOTS * BUFFER_PAGES + HEAP_PAGES) * 4096;
    private static final long DISK_BYTES = (long) GROUPS * SimulatedHost.GROUP_BYTES;
    private static final VmId ID = new VmId(VM);
    private static final String[] READS = {"r1", "r2", "r3"};
    private static final String[] WRITES = {"w1", "w2", "w3"};
    private static final String[] TOUCHES = {"t1", "t2", "t3"};
    private static final Action HEAP = new Action.Heap(VM, "h1");
    private static final Action BEGIN = new Action.Begin(VM, "c1", false);
    private static final int HELD_FRAMES = 4096;
    private static final long STEP_NS = 500;
    private static final int FOLD = 31;
    /** Far more than any schedule takes that does not go round in circles. */
    private static final int STEPS_MAX = 2_000;
    // No checkpoint has such a number.
    private static final long STANDING_STILL = 1L << 40;

    private static final int ACTION = 1;
    private static final int DISK = 2;
    private static final int BLOCKING = 3;
    private static final int SAVING = 4;

    private final SimulatedMachine machine;
    private final SimulatedSystem<?> system;
    private final Rules rules;
    private final GuestBlueprint blueprint =
            DrivenGuest.blueprint(1, MEMORY_BYTES, List.of(DISK_BYTES), SLOTS, SECTORS_A_GROUP);
    private final CheckpointInMemory stored = new CheckpointInMemory(MEMORY_BYTES);
    private final List<Event> events = new ArrayList<>();
    private final List<Violation> violations = new ArrayList<>();
    private final List<Action> script = new ArrayList<>();
    private final Executor blocking = task -> events.add(new Event(BLOCKING, task));
    private final Executor saving = task -> events.add(new Event(SAVING, task));
    private final DiskIo disk = new Disk();
    private final ReusedImages images = new ReusedImages();
    private final GuestScratch guestScratch = new GuestScratch();
    private @Nullable Shared shared;
    private long seed;
    private long draws;
    private long hash;
    private int steps;
    private int messages;
    private int pending;

    /** @param broken the rule that is switched off; null for none */
    public SmallSchedules(SimulatedMachine machine, @Nullable Rule broken) {
        this.machine = machine;
        this.system = machine.system();
        this.rules = broken == null ? Rules.ALL_ON : Rules.without(broken);
    }

    /** The host that schedules share, until one of them leaves something behind. */
    private record Shared(TintypeHost host, ActorRef<HostActor.Command> actor, FramePool pool) {}

    /** Runs {@code count} schedules, from {@code firstSeed} on, and hands each to {@code each}, which may say to stop. */
    public void run(long firstSeed, long count, Predicate<Ended> each) {
        system.stepping(() -> {
            for (long next = firstSeed; next < firstSeed + count; next++) {
                if (!each.test(run(next))) {
                    return;
                }
            }
        });
        system.checkThreads();
    }

    private Ended run(long newSeed) {
        seed = newSeed;
        draws = 0;
        hash = 0;
        steps = 0;
        messages = 0;
        pending = 0;
        violations.clear();
        events.clear();
        stored.clear();
        var dice = new Dice(seed);
        boolean isOver = false;
        try {
            schedule(dice);
            isOver = violations.isEmpty();
        } catch (IOException failure) {
            violated(null, "the VM", "one that can be made", String.valueOf(failure.getMessage()));
        } finally {
            if (!isOver) {
                abandon();
            }
        }
        return new Ended(seed, List.copyOf(violations), hash, messages, pending);
    }

    private void schedule(Dice dice) throws IOException {
        var on = shared();
        var guest = new SmallVm(VM, blueprint, machine.oracleScratch(), violations::add);
        images.clear();
        var spec = new VmSpec(ID, List.of(MEMORY_BYTES), List.of(DISK_BYTES),
                DrivenGuest.factory(blueprint, guest, guest, guestScratch));
        draw(dice);
        var made = on.host().createLater(spec, guest);
        drain();
        if (!made.isDone()) {
            violated(null, "the VM", "one that is made", "none");
            return;
        }
        var vm = made.join();
        vm.start();
        var outcome = new CheckpointOutcome[1];
        happen(dice, guest, vm, outcome);
        if (violations.isEmpty()) {
            check(guest, vm, outcome[0]);
        }
        if (violations.isEmpty()) {
            end(on, vm);
        }
    }

    /** What guest and operator do, in this order: a few requests, stores beside them, a checkpoint. */
    private void draw(Dice dice) {
        script.clear();
        for (int i = 0; i < REQUESTS; i++) {
            int what = dice.below(20);
            if (what < 8) {
                read(dice, i);
            } else if (what < 16) {
                submit(dice, WRITES[i], IoKind.WRITE, GuestLayout.SHAPE_PLAIN);
            } else if (what < 18) {
                submit(dice, WRITES[i], what == 16 ? IoKind.DISCARD : IoKind.WRITE_ZEROES,
                        GuestLayout.SHAPE_PLAIN);
            } else {
                script.add(new Action.Submit(VM, WRITES[i], IoKind.FLUSH, 0, 0, 0, 0, false));
            }
        }
        if (dice.percent(33)) {
            script.add(dice.below(script.size() + 1), HEAP);
        }
        script.add(dice.below(script.size() + 1), BEGIN);
    }

    private void read(Dice dice, int number) {
        boolean isTouched = dice.percent(75);
        submit(dice, READS[number], IoKind.READ,
                isTouched ? GuestLayout.SHAPE_STRADDLING : GuestLayout.SHAPE_PLAIN);
        if (isTouched) {
            script.add(new Action.Touch(VM, TOUCHES[number], READS[number], dice.below(2)));
        }
    }

    private void submit(Dice dice, String label, IoKind kind, int shape) {
        int count = dice.percent(25) ? SECTORS_A_GROUP : dice.between(1, SECTORS_A_GROUP);
        int range = dice.percent(75) ? Math.max(count, SECTORS_A_GROUP) : SECTORS;
        script.add(new Action.Submit(VM, label, kind, 0, dice.below(range - count + 1), count,
                shape, false));
    }

    /** All that can happen does, in an order that the seed chooses, until nothing can. */
    private void happen(Dice dice, SmallVm guest, Vm vm, CheckpointOutcome[] outcome) {
        int nextAction = 0;
        while (violations.isEmpty()) {
            var ready = system.ready();
            int actions = nextAction < script.size() ? 1 : 0;
            int count = ready.size() + events.size() + actions;
            if (count == 0) {
                return;
            }
            if (++steps > STEPS_MAX) {
                violated(Rule.R15, "the schedule", "an end", STEPS_MAX + " steps without one");
                return;
            }
            int choice = count == 1 ? 0 : dice.below(count);
            if (choice < ready.size()) {
                deliver(ready.get(choice));
            } else if (choice < ready.size() + events.size()) {
                var event = events.remove(choice - ready.size());
                fold(event.kind(), 1);
                event.body().run();
            } else {
                fold(ACTION, nextAction);
                act(script.get(nextAction++), guest, vm, outcome);
            }
            system.advance(STEP_NS);
        }
    }

    private void act(Action action, SmallVm guest, Vm vm, CheckpointOutcome[] outcome) {
        if (action instanceof Action.Begin) {
            var _ = vm.checkpoint(stored).whenComplete((ended, _) -> outcome[0] = ended);
        } else {
            guest.tell(action);
            vm.interrupt();
        }
    }

    private void deliver(Ready one) {
        messages++;
        var message = one.sentMessage();
        fold(one.name().hashCode(), message == null ? 0 : message.getClass().getName().hashCode());
        system.run(one);
    }

    private void drain() {
        for (var ready = system.ready(); !ready.isEmpty(); ready = system.ready()) {
            deliver(ready.getFirst());
        }
    }

    private void fold(int a, int b) {
        hash = Dice.mix(hash * FOLD + ((long) a << 32 ^ (b & 0xffff_ffffL)));
    }

    private void violated(@Nullable Rule rule, String where, String expected, String found) {
        violations.add(new Violation(rule, VM, 0, where, expected, found));
    }

    // ---- what it came to ----

    private void check(SmallVm guest, Vm vm, @Nullable CheckpointOutcome outcome)
            throws IOException {
        var ended = vm.ended().toCompletableFuture();
        if (ended.isDone()) {
            violated(null, "the VM", "one that runs", ended.isCompletedExceptionally()
                    ? String.valueOf(ended.exceptionNow())
                    : "it ended");
            return;
        }
        if (guest.openCount() > 0) {
            violated(Rule.R11, "requests", "each completed once", guest.openCount() + " never");
        }
        if (outcome == null || !outcome.sealed() || !stored.isSealed()) {
            violated(Rule.R15, "the checkpoint", "sealed, since nothing fails",
                    outcome == null ? "it never ends" : String.valueOf(outcome.reason()));
            return;
        }
        pending = outcome.pendingCount();
        var seen = new MachineState[1];
        var _ = vm.visit(machineState -> seen[0] = machineState);
        drain();
        var state = seen[0];
        if (state == null) {
            violated(null, "the VM", "one that answers", "nothing");
            return;
        }
        violations.addAll(guest.oracle.verify(stored.image(state), true).violations());
        var registers = state.guest().saveRegisters();
        guest.log.stunned(STANDING_STILL, registers);
        violations.addAll(guest.oracle.verifyOngoing(new CheckpointImage(STANDING_STILL, registers,
                queues(state), List.of(),
                new Standing(state.memory()),
                (diskIndex, sector, destination) -> {
                    var chain = state.chains().get(diskIndex);
                    chain.read(chain.top(), sector * 512, destination);
                })).violations());
    }

    private record Standing(GuestMemory memory) implements WordReader {
        @Override
        public boolean read(int page, MemorySegment destination) {
            memory.read(page * 4096L, destination, 0, 4096);
            return true;
        }

        @Override
        public void read(int page, int word, long[] destination, int index, int count) {
            memory.read(page * 4096L + (long) word * Long.BYTES,
                    MemorySegment.ofArray(destination), (long) index * Long.BYTES,
                    (long) count * Long.BYTES);
        }
    }

    private static List<QueueState> queues(MachineState state) {
        var queues = new ArrayList<QueueState>(state.queues().size());
        for (var queue : state.queues()) {
            queues.add(queue.save());
        }
        return queues;
    }

    // ---- begin and end ----

    private Shared shared() throws StoreException {
        var there = shared;
        if (there != null) {
            return there;
        }
        var pool = machine.pool(HELD_FRAMES);
        var actor = machine.startHost("small");
        var defaults = HostOptions.defaults(SimulatedHost.STORE);
        var options = new HostOptions(SimulatedHost.STORE, true, defaults.memoryBytes(),
                defaults.heldBytesMax(), 1, 1, 1, Duration.ofMillis(1), Duration.ofSeconds(1), 16,
                Duration.ofMillis(2), PendingSet.Reissue.LANDED, PendingSet.Conflict.PUT_OFF);
        var host = TintypeHost.start(options, new HostPorts(rules, disk, images::at,
                new SimulatedStoreFiles(new Power(0)), _ -> blocking, _ -> saving, false,
                SimulatedHost.GROUP_BYTES, () -> new World(actor, pool),
                _ -> new SilentCatalogue()));
        there = new Shared(host, actor, pool);
        shared = there;
        return there;
    }

    /** The VM goes, with all that it had: the next one finds the host as this one found it. */
    private void end(Shared on, Vm vm) throws IOException {
        var _ = vm.stop();
        drain();
        on.host().destroy(vm);
        drain();
        system.clearTimers();
        long left = on.pool().framesInUse();
        if (left != 0) {
            violated(null, "memory", "all frames given back", left + " frames are still in use");
        }
    }

    /** Something is wrong, so nothing of the host may be used again. */
    private void abandon() {
        events.clear();
        var gone = shared;
        shared = null;
        if (gone != null) {
            machine.stopHost(gone.actor());
            gone.host().closeFiles();
            events.clear();
            system.clearTimers();
            if (gone.pool().framesInUse() != 0) {
                machine.discardPool();
            }
        }
    }

    @Override
    public void close() {
        system.stepping(this::abandon);
    }

    /** Virtual time, the machine's memory, and actors that run when a schedule says so. */
    private final class World implements HostWorld {
        private final ActorRef<HostActor.Command> actor;
        private final FramePool pool;

        World(ActorRef<HostActor.Command> actor, FramePool pool) {
            this.actor = actor;
            this.pool = pool;
        }

        @Override
        public Clock clock() {
            return system.clock();
        }

        @Override
        public InstantSource wall() {
            return () -> Instant.EPOCH.plusNanos(system.nowNs());
        }

        @Override
        public LongSupplier random() {
            return () -> Dice.mix(seed + ++draws);
        }

        @Override
        public Executor loading() {
            return blocking;
        }

        @Override
        public int pagesLoadedAtOnce() {
            return 1;
        }

        @Override
        public FramePool frames() {
            return pool;
        }

        @Override
        public ActorRef<HostActor.Command> host() {
            return actor;
        }

        @Override
        public Scheduler scheduler() {
            return system.system().scheduler();
        }

        @Override
        public Executor answers() {
            return Runnable::run;
        }

        @Override
        public void end() {}
    }

    /** Storage whose operations end when a schedule says so, and never fail. */
    private final class Disk implements DiskIo {
        @Override
        public @Nullable IoStatus submit(Operation operation, Consumer<IoStatus> done) {
            events.add(new Event(DISK, () -> done.accept(perform(operation))));
            return null;
        }

        /** What the engine's own checks refuse is a violation, whichever rule let it get there. */
        private IoStatus perform(Operation operation) {
            try {
                return operation.body().perform();
            } catch (RuntimeException refused) {
                violated(null, operation.disk(), "an operation that the engine allows",
                        refused.toString());
                return IoStatus.ERROR;
            }
        }

        @Override
        public void close() {}
    }
}
