package io.tintype.simulations.simulate;

import io.tintype.actors.VmId;
import io.tintype.actors.strand.Ready;
import io.tintype.actors.strand.SimulatedSystem;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.Violation;
import io.tintype.simulations.story.StoryEvent;
import io.tintype.simulations.story.StoryEvent.Kind;
import io.tintype.store.StoreException;
import io.tintype.vm.CoreProbe;
import io.tintype.vm.DiskIo;
import io.tintype.vm.VmSpec;
import io.tintype.vm.guest.DrivenGuest;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One run of the real host on simulated storage.
 *
 * <p>What can happen next is either a message that an actor has waiting, or an <em>event</em> of the world around the actors: a guest's
 * or operator's action, the end of a storage operation, a task of another thread, a timer, a power failure. A free run draws which
 * message is next from the seed and has each event at its virtual time. A run by {@link Schedule} does what the schedule names.
 *
 * <p>Then comes the quiet phase: no more faults, first come first served, and everything must come to its end. At last {@link
 * Inspection} compares what is there with what the guests knew.
 */
final class Simulation {
    /** More than any run of ours needs; one that takes more goes round in circles. */
    private static final int STEPS_MAX = 60_000;
    private static final int POLLING_STEPS = 15_000;
    /** Virtual time after which what has not happened will not: far above all deadlines, below the one of forgotten asks. */
    private static final long FOREVER_NS = 3_600_000_000_000L;
    private static final String HOST = "/user/host/";
    private static final int FOLD = 31;
    private static final String DELIVER = "deliver ";
    private static final String TIMER = "timer ";
    private static final String CRASH_AFTER = "crash after ";
    private static final String CHANGES_IN = " changes in ";
    /** Before the messages are handled that are waiting. */
    static final String AT_ONCE = "at once ";
    /** Begins the name of what a story tells and no schedule asks for. */
    static final String NOTE = StoryEvent.NOTE;

    /** Something of the world that happens at a time, or when a schedule says so. */
    private static final class Event implements Comparable<Event> {
        final String name;
        final long atNs;
        final long number;
        final Consumer<String> body;

        Event(String name, long atNs, long number, Consumer<String> body) {
            this.name = name;
            this.atNs = atNs;
            this.number = number;
            this.body = body;
        }

        @Override
        public int compareTo(Event other) {
            int byTime = Long.compare(atNs, other.atNs);
            return byTime != 0 ? byTime : Long.compare(number, other.number);
        }
    }

    record Submitted(String name, DiskIo.Operation operation, Consumer<IoStatus> done) {}

    /** How an operation of the storage ends. */
    private enum End {
        FINISH("finish "), FAIL("fail "), FAIL_LATE("fail, though written, "), HANG("hang ");

        final String verb;

        End(String verb) {
            this.verb = verb;
        }
    }

    /** Storage whose operations are events. */
    private final class Disks implements DiskIo {
        @Override
        public @Nullable IoStatus submit(DiskIo.Operation operation, Consumer<IoStatus> done) {
            submitted(operation, done);
            return null;
        }

        @Override
        public void close() {}
    }

    final SimulatedMachine machine;
    final Knobs knobs;
    private final SimulatedSystem<?> system;
    private final @Nullable Schedule schedule;
    private final boolean records;
    private final boolean tells;
    private final Strategy.Picker picker;
    private final long startNs;
    private final Map<String, SimulatedVm> vms = new TreeMap<>();
    private final List<Violation> violations = new ArrayList<>();
    private final PriorityQueue<Event> events = new PriorityQueue<>();
    /** In a run by schedule: what could happen and is not asked for yet. */
    private final LinkedHashMap<String, Event> held = new LinkedHashMap<>();
    private final LinkedHashMap<String, Submitted> operations = new LinkedHashMap<>();
    private final List<Submitted> hung = new ArrayList<>();
    private final Map<String, Integer> names = new HashMap<>();
    private final Map<String, String> labels = new HashMap<>();
    private final List<String> recorded = new ArrayList<>();
    /** The same without messages, for a schedule that has these handled by themselves. */
    private final List<String> recordedWorld = new ArrayList<>();
    private final BitSet done = new BitSet();
    private final Teller teller;
    private final int[] situations = new int[Situation.values().length];
    private final Executor blocking = task -> task("run ", task);
    private final Executor saving = task -> task("save ", task);
    private final Executor loading = task -> named("load pages", () -> load(task));
    private final Operator operator = new Operator(this);
    private final Liveness liveness = new Liveness(this);
    private SimulatedHost host;
    private long numbers;
    private long hash;
    private long steps;
    private int worldEvents;
    private boolean quiet;
    private boolean over;
    private boolean ending;
    /** Whether what happens is what the schedule asks for; else it follows from that. */
    private boolean isAsked;
    /** The schedule's name of the step that it asks for, where that says more than the step's own. */
    private @Nullable String askedName;
    /** The last event of the world; its name must not depend on whether deliveries get any. */
    private String eventName = "start";
    private int unfitting = -1;
    private Set<String> waiting = Set.of();

    private Simulation(SimulatedMachine machine, Knobs knobs, @Nullable Schedule schedule,
            boolean records, boolean tells) throws StoreException {
        this.machine = machine;
        this.knobs = knobs;
        this.system = machine.system();
        this.schedule = schedule;
        this.records = records;
        this.tells = tells;
        this.teller = new Teller(system, tells);
        this.picker = new Strategy.Picker(knobs.strategy(),
                new Dice(Dice.of(knobs.seed(), "schedule", 0)));
        this.startNs = system.nowNs();
        host = new SimulatedHost(machine, knobs, "host",
                new SimulatedStoreFiles(new Power(between())), new MemoryJournal(), new Disks(),
                blocking, saving, loading);
    }

    /** A run as the seed has it. */
    static RunRecord free(SimulatedMachine machine, Knobs knobs, boolean records) {
        return run(machine, knobs, null, records, false);
    }

    /** The same, and told. */
    static RunRecord freeTold(SimulatedMachine machine, Knobs knobs) {
        return run(machine, knobs, null, true, true);
    }

    /** A run by a schedule. */
    static RunRecord scheduled(SimulatedMachine machine, Knobs knobs, Schedule schedule,
            boolean tells) {
        return run(machine, knobs, schedule, tells, tells);
    }

    /** A free run whose recorded deliveries also say where in the source their messages were sent: to find what is not deterministic. */
    static RunRecord withCallSites(SimulatedMachine machine, Knobs knobs) {
        machine.system().rememberSenders(true);
        try {
            return run(machine, knobs, null, true, false);
        } finally {
            machine.system().rememberSenders(false);
        }
    }

    private static RunRecord run(SimulatedMachine machine, Knobs knobs,
            @Nullable Schedule schedule, boolean records, boolean tells) {
        var result = new RunRecord[1];
        machine.system().stepping(() -> {
            try {
                machine.system().markMessages(tells);
                result[0] = new Simulation(machine, knobs, schedule, records, tells).run();
                machine.system().markMessages(false);
            } catch (IOException e) {
                throw new IllegalStateException("the simulated host did not start", e);
            }
        });
        machine.system().checkThreads();
        return result[0];
    }

    // ---- for the parts of the run ----

    @Nullable
    CoreProbe cores() {
        return tells ? teller : machine.cores();
    }

    Liveness liveness() {
        return liveness;
    }

    /** Operations that never end. */
    List<Submitted> hung() {
        return hung;
    }

    SimulatedHost host() {
        return host;
    }

    Map<String, SimulatedVm> vms() {
        return vms;
    }

    List<Violation> violations() {
        return violations;
    }

    void count(Situation situation) {
        if (!over) {
            situations[situation.index()]++;
        }
    }

    void violated(@Nullable Rule rule, String vm, String where, String expected, String found) {
        violations.add(new Violation(rule, vm, 0, where, expected, found));
    }

    /** Something that people want to know of the step under way. */
    void note(Kind kind, String lane, String text) {
        if (!ending) {
            teller.note(kind, lane, text);
        }
    }

    // ---- the run ----

    private RunRecord run() throws IOException {
        try {
            for (int i = 0; i < knobs.vms(); i++) {
                create("vm-" + (i + 1));
            }
            if (schedule == null) {
                for (var timed : Workload.of(knobs)) {
                    at(timed.atNs(), timed.action().name(), _ -> act(timed.action()));
                }
                runFreely();
            } else {
                runBy(schedule);
            }
            if (!over) {
                quiet();
            }
            for (var vm : vms.values()) {
                if (vm.isStarted() && vm.vm().counters().throttles() > 0) {
                    count(Situation.GUEST_WAITS_FOR_MEMORY);
                }
                for (var one : vm.taken.values()) {
                    if (one.snapshot != null && !one.isOpen() && !one.closed) {
                        count(Situation.SNAPSHOT_LOST);
                    }
                }
            }
            if (host.power.refusals() > 0) {
                count(Situation.DISK_FULL);
            }
            if (!over) {
                operator.inspection().inspect();
            }
        } finally {
            tearDown();
        }
        return new RunRecord(List.copyOf(violations), hash, steps, system.nowNs() - startNs,
                situations, List.copyOf(recorded), List.copyOf(recordedWorld), done, unfitting,
                waiting, teller.story());
    }

    private void create(String name) throws IOException {
        var disks = new ArrayList<Long>();
        for (int i = 0; i < knobs.disks(); i++) {
            disks.add((long) knobs.groups() * SimulatedHost.GROUP_BYTES);
        }
        var blueprint = DrivenGuest.blueprint(Dice.of(knobs.seed(), name, 0), memoryBytes(disks),
                disks, knobs.slots(), knobs.requestSectorsMax());
        var vm = new SimulatedVm(this, name, blueprint, false);
        vms.put(name, vm);
        operator.inspection().watch(vm);
        var spec = new VmSpec(new VmId(name), List.of(memoryBytes(disks)), disks,
                DrivenGuest.factory(blueprint, vm, vm));
        var made = host.host.createLater(spec, vm);
        settle();
        vm.started(made.join(), 1);
        watchEnd(vm);
        vm.vm().start();
        settle();
    }

    void watchEnd(SimulatedVm vm) {
        var _ = vm.vm().ended().whenComplete((_, failure) -> {
            if (failure != null && !over && !ending) {
                violated(null, vm.name, "the VM", "one that runs", text(failure));
            }
        });
    }

    static String text(Throwable failure) {
        var cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.toString();
    }

    private long memoryBytes(List<Long> disks) {
        // Page 0, two pages of rings for each disk, records, tables, buffers, the heap.
        long buffers = (long) knobs.slots() * (knobs.requestSectorsMax() * 512 / 4096 + 2);
        return (1 + 2L * disks.size() + 2 + buffers + knobs.heapPages()) * 4096;
    }

    // ---- messages ----

    private void deliver(Ready one) {
        var message = one.message();
        steps++;
        fold(one.actor().hashCode(), message == null ? 0 : message.getClass().getName().hashCode());
        var name = "";
        if (records) {
            name = unique(deliverName(one.actor(), message));
            var site = system.sentAt(one);
            recorded.add(site.isEmpty() ? name : name + ", sent at " + site);
        }
        boolean isTold = tells && !ending && tellDelivery(one, message, name);
        if (message != null && (one.actor().contains("/checkpoint-")
                || one.actor().contains("/snapshot-"))) {
            noteStage(one.actor(), message.getClass().getSimpleName());
        }
        long before = host.power.changes();
        system.run(one);
        if (isTold) {
            teller.handled();
        }
        system.advance(knobs.stepNs());
        if (host.power.isOff() && !over && !ending) {
            if (records) {
                recorded.set(recorded.size() - 1,
                        CRASH_AFTER + (host.power.changes() - before) + CHANGES_IN + name);
            }
            crash();
        }
        if (steps > STEPS_MAX && !over && !ending) {
            violated(Rule.R15, "", "the run", "an end", STEPS_MAX + " steps without one");
            over = true;
        }
    }

    /** False for one that nobody wants to see. */
    private boolean tellDelivery(Ready one, @Nullable Object message, String name) {
        boolean isExact = isAsked && schedule != null && !schedule.settles();
        boolean isShown = isExact || (message != null && schedule != null && schedule.settles());
        teller.delivery(one, message, label(one.actor()), isExact ? asked(name) : null, isShown);
        return isShown;
    }

    /** What the schedule calls the step under way. */
    private String asked(String name) {
        var asked = askedName;
        askedName = null;
        return asked == null ? name : asked;
    }

    /** Of a checkpoint that the conflict of a read and a write holds up, which only its own messages tell. */
    private void noteStage(String actor, String message) {
        var stage = switch (message) {
            case "Conflicted" -> Taken.Stage.PUT_OFF;
            case "ConflictOver" -> Taken.Stage.PREPARING;
            case "ResumeHeld" -> Taken.Stage.HELD;
            default -> null;
        };
        boolean ends = message.equals("Cancel") || message.equals("TimerMsg");
        if (stage == null && !ends) {
            return;
        }
        var name = label(actor);
        int slash = name.indexOf('/');
        var vm = slash < 0 ? null : vms.get(name.substring(0, slash));
        var one = vm == null ? null : vm.taken.get(name.substring(slash + 1));
        if (one != null && ends && one.stageAtAbort == null) {
            one.stageAtAbort = one.stage;
        }
        if (one != null && stage != null) {
            one.stage = stage;
        }
    }

    private void fold(int a, int b) {
        hash = Dice.mix(hash * FOLD + ((long) a << 32 ^ (b & 0xffff_ffffL)));
    }

    private String deliverName(String actor, @Nullable Object message) {
        return DELIVER + label(actor) + " "
                + (message == null ? "system" : message.getClass().getSimpleName());
    }

    /** An actor's name for people. */
    private String label(String actor) {
        var known = labels.get(actor);
        if (known != null) {
            return known;
        }
        var name = actor;
        boolean isKnown = true;
        if (actor.startsWith(HOST)) {
            name = actor.substring(HOST.length());
            int slash = name.indexOf('/');
            if (slash >= 0) {
                var own = name.substring(slash + 1);
                var vm = vms.get(name.substring(0, slash));
                var label = vm == null ? null : vm.actorLabel(own);
                name = label == null ? name : name.substring(0, slash + 1) + label;
                // It may get one yet: what it is called must not depend on when it was first asked for.
                isKnown = label != null;
            }
        }
        if (isKnown) {
            labels.put(actor, name);
        }
        return name;
    }

    /** Handles all messages, first come first served; nothing of the world happens meanwhile. */
    void settle() {
        for (var ready = system.ready(); !ready.isEmpty() && !over; ready = system.ready()) {
            deliver(ready.getFirst());
        }
    }

    // ---- events of the world ----

    private String unique(String name) {
        int count = names.merge(name, 1, Integer::sum);
        return count == 1 ? name : name + " #" + count;
    }

    private void at(long delayNs, String name, Consumer<String> body) {
        var event = new Event(name, system.nowNs() + delayNs, ++numbers, body);
        if (schedule == null || quiet || ending) {
            events.add(event);
        } else {
            held.put(name, event);
        }
    }

    private void fire(Event event) {
        happen(event.name, event.body);
    }

    private void happen(String name, Consumer<String> body) {
        steps++;
        worldEvents++;
        fold(name.hashCode(), 1);
        int place = recorded.size();
        int worldPlace = recordedWorld.size();
        eventName = name;
        if (records) {
            recorded.add(name);
            recordedWorld.add(system.ready().isEmpty() ? name : AT_ONCE + name);
        }
        if (tells) {
            teller.event(asked(name), isAsked || schedule == null);
        }
        long before = host.power.changes();
        body.accept(name);
        if (host.power.isOff() && !over) {
            if (records) {
                var crash = CRASH_AFTER + (host.power.changes() - before) + CHANGES_IN + name;
                recorded.set(place, crash);
                recordedWorld.set(worldPlace,
                        recordedWorld.get(worldPlace).startsWith(AT_ONCE)
                                ? AT_ONCE + crash
                                : crash);
            }
            count(Situation.CRASH_IN_STORE_WRITES);
            crash();
        } else if (schedule == null && !quiet && worldEvents == knobs.crashAt() && !over) {
            if (knobs.crashInWrites() < 0) {
                happen("crash", _ -> crash());
            } else {
                host.power.failAfter(knobs.crashInWrites());
            }
        }
        system.advance(knobs.stepNs());
    }

    /** The name of an event without a word on what else is waiting. */
    static String plainWorld(String name) {
        return name.startsWith(AT_ONCE) ? name.substring(AT_ONCE.length()) : name;
    }

    private void submitted(DiskIo.Operation operation, Consumer<IoStatus> done) {
        if (over || ending) {
            at(0, "end", _ -> done.accept(IoStatus.ERROR));
            return;
        }
        int slash = operation.disk().indexOf('/');
        var vm = vms.get(slash < 0 ? operation.disk() : operation.disk().substring(0, slash));
        var what = switch (operation.kind()) {
            case READ -> "read ";
            case WRITE -> operation.fault() ? "copy " : "write ";
            case SYNC -> "sync ";
        };
        var name = unique(operation.disk() + " " + what
                + (vm == null ? "io-" + operation.ioId() : vm.requestLabel(operation.ioId()))
                + (operation.group() < 0 ? "" : " group " + operation.group()));
        var one = new Submitted(name, operation, done);
        if (schedule != null && !quiet) {
            operations.put(name, one);
            return;
        }
        long fate = Dice.of(knobs.seed(), name, 0);
        var end = End.FINISH;
        if (!quiet) {
            if (Dice.hits(fate, knobs.hangPerMille())) {
                end = End.HANG;
            } else if (Dice.hits(Dice.mix(fate), knobs.errorPerMille())) {
                end = (fate & 1) == 0 ? End.FAIL : End.FAIL_LATE;
            }
        }
        long range = knobs.latencyMaxNs() - knobs.latencyMinNs() + 1;
        long latency = knobs.latencyMinNs()
                + Long.remainderUnsigned(Dice.of(knobs.seed(), name, 1), range);
        if (!quiet && Dice.hits(Dice.of(knobs.seed(), name, 2), knobs.slowPerMille())) {
            latency *= 100;
        }
        if (!quiet && operation.kind() == DiskIo.Operation.Kind.READ && Dice
                .hits(Dice.of(knobs.seed(), name, 3), 10 * knobs.slowReadPercent())) {
            latency += 20 * (knobs.taskMaxNs() + knobs.gapNs());
        }
        var ends = end;
        at(end == End.HANG ? 1 : latency, end.verb + name, _ -> end(one, ends));
    }

    private void end(Submitted one, End how) {
        switch (how) {
            case FINISH -> one.done().accept(perform(one));
            case FAIL -> {
                count(Situation.OPERATION_FAILS);
                one.done().accept(IoStatus.ERROR);
            }
            case FAIL_LATE -> {
                count(Situation.OPERATION_FAILS);
                var _ = perform(one);
                one.done().accept(IoStatus.ERROR);
            }
            case HANG -> {
                if (ending) {
                    one.done().accept(IoStatus.ERROR);
                } else {
                    count(Situation.OPERATION_NEVER_ENDS);
                    hung.add(one);
                    var request = requestOf(one.operation());
                    if (request != null) {
                        request.hung = true;
                    }
                }
            }
        }
    }

    private SimulatedVm.@Nullable Request requestOf(DiskIo.Operation operation) {
        int slash = operation.disk().indexOf('/');
        var vm = slash < 0 ? null : vms.get(operation.disk().substring(0, slash));
        return vm == null ? null : vm.flights.get(operation.ioId());
    }

    /** What the engine's own checks refuse is a violation, whichever rule let it get there. */
    private IoStatus perform(Submitted one) {
        try {
            return one.operation().body().perform();
        } catch (RuntimeException refused) {
            if (!over && !ending) {
                violated(null, one.operation().disk(), one.name(),
                        "an operation that the engine allows", refused.toString());
            }
            return IoStatus.ERROR;
        }
    }

    private void task(String verb, Runnable task) {
        var actor = system.runningActor();
        // What no actor wants done an operator does: named after that, as a shrunk run has others.
        named(verb + (actor.isEmpty() ? eventName : label(actor)), task);
    }

    private void load(Runnable task) {
        for (var one : host.host.restoring()) {
            if (one.touchedPages() > 0 && one.unloadedPages() > 0) {
                count(Situation.FAULT_WHILE_LOADING);
            }
        }
        task.run();
    }

    private void named(String what, Runnable task) {
        if (over || ending) {
            at(0, "task", _ -> task.run());
            return;
        }
        var name = unique(what);
        long latency = 1 + Long.remainderUnsigned(Dice.of(knobs.seed(), name, 0),
                quiet ? 1_000 : knobs.taskMaxNs());
        at(latency, name, _ -> task.run());
    }

    // ---- what guests and operators do ----

    private void act(Action action) {
        if (action instanceof Action.Crash) {
            crash();
        } else {
            operator.act(action);
        }
    }

    private void crash() {
        isAsked = false;
        over = true;
        for (var vm : vms.values()) {
            vm.muted = true;
        }
        over = false;
        for (var vm : vms.values()) {
            for (var one : vm.taken.values()) {
                if (one.isDeleting) {
                    count(Situation.CRASH_IN_REMOVAL);
                }
                if (one.isOpen()) {
                    count(Situation.CRASH_WITH_SNAPSHOT);
                } else if (!one.isOver() && !one.isSnapshot) {
                    count(switch (one.stage) {
                        case PREPARING, PUT_OFF -> Situation.CRASH_PREPARING;
                        case STUNNED, HELD -> Situation.CRASH_STUNNED;
                        case DRAINING -> Situation.CRASH_DRAINING;
                        case SAVING -> Situation.CRASH_SAVING;
                    });
                } else if (one.isStored()) {
                    count(Situation.CRASH_AFTER_SEAL);
                }
                if (vm.isClone && !one.clones.isEmpty()) {
                    count(Situation.CRASH_WITH_CLONES);
                }
            }
            if (vm.isRollingBack()) {
                count(Situation.CRASH_DURING_ROLLBACK);
            }
            if (vm.isDestroying && !vm.isDestroyed) {
                count(Situation.CRASH_IN_DESTROY);
            }
            if (vm.wasRolledBack) {
                count(Situation.CRASH_AFTER_ROLLBACK);
            }
        }
        var power = new Power(between());
        long seed = Dice.of(knobs.seed(), "crash", 0);
        var files = host.files.crashed(power, seed);
        if (power.between() > 0) {
            count(Situation.CRASH_IN_BETWEEN);
        }
        // Its own dice: how much of the journal is lost must not change what else is drawn.
        var journal = host.journal.crashed(
                bound -> Math.floorMod(Dice.of(knobs.seed(), "journal", 0), bound));
        host.power.turnOff();
        stopAll();
        try {
            operator.inspection().recover(files, journal);
        } finally {
            over = true;
        }
    }

    /** Not where a schedule says when the power fails, nor when nothing fails any more. */
    boolean mayCrashInGc() {
        return knobs.crashInGc() >= 0 && schedule == null && !quiet;
    }

    private int between() {
        return knobs.mayCrash() ? knobs.betweenPercent() : 0;
    }

    SimulatedHost restart(SimulatedStoreFiles files, MemoryJournal journal)
            throws StoreException {
        quiet = true;
        ending = false;
        host = new SimulatedHost(machine, knobs, "host-2", files, journal, new Disks(), blocking,
                saving, loading);
        return host;
    }

    // ---- a free run ----

    private void runFreely() {
        while (!over) {
            var ready = system.ready();
            long dueNs = nextNs();
            if (!ready.isEmpty() && dueNs > system.nowNs()) {
                deliver(picker.pick(ready));
            } else if (dueNs < Long.MAX_VALUE && !events.isEmpty()) {
                checkStuns(ready.isEmpty());
                fireNext(dueNs);
            } else {
                // Only timers are left, or messages: for the quiet phase.
                return;
            }
        }
    }

    private long nextNs() {
        var event = events.peek();
        return Math.min(event == null ? Long.MAX_VALUE : event.atNs, system.nextTimerNs());
    }

    private void fireNext(long dueNs) {
        if (dueNs > system.nowNs()) {
            system.advance(dueNs - system.nowNs());
        }
        var event = events.peek();
        if (event != null && event.atNs <= system.nextTimerNs()) {
            events.poll();
            fire(event);
        } else {
            var owner = system.nextTimerOwner();
            happen(unique(TIMER + label(owner == null ? "" : owner)), _ -> system.fireTimer());
        }
    }

    /** R2: with nothing to handle and a guest that stands still, the stun waits for storage. */
    private void checkStuns(boolean isIdle) {
        if (!isIdle || (knobs.reissueFromDisk() && knobs.delayResume())) {
            return;
        }
        for (var vm : vms.values()) {
            var one = vm.stunned;
            if (one != null) {
                vm.stunned = null;
                violated(Rule.R2, vm.name, "the stun of " + one.label, "a guest that runs again",
                        "one that waits for storage, " + one.pending + " requests in flight");
            }
        }
    }

    // ---- a run by schedule ----

    private void runBy(Schedule by) {
        isAsked = true;
        int index = 0;
        int settledBy = -1; // an event that was not possible, before which messages were handled all the same
        for (var name : by.events()) {
            if (over) {
                return;
            }
            var plain = by.settles() ? plainWorld(name) : name;
            long before = steps;
            if (by.settles() && plain.equals(name)) {
                settle();
                checkStuns(true);
            } else if (!name.startsWith(DELIVER)) {
                checkStuns(system.ready().isEmpty());
            }
            boolean isAtOnce = by.settles() && !plain.equals(name);
            if (steps > before) {
                settledBy = index;
            }
            // Where nothing waits, as after an event that was not possible, at once means nothing.
            askedName = by.settles() && system.ready().isEmpty() ? plain : name;
            if (perform(plain)) {
                done.set(index);
                if (isAtOnce && settledBy >= 0) {
                    done.set(settledBy);
                }
                settledBy = -1;
            } else if (unfitting < 0) {
                unfitting = index;
            }
            askedName = null;
            index++;
        }
        if (by.settles()) {
            settle();
            checkStuns(true);
        }
        waiting = new HashSet<>(held.keySet());
        for (var name : operations.keySet()) {
            for (var end : End.values()) {
                waiting.add(end.verb + name);
            }
        }
    }

    /** Whether an event of that name is possible only while it waits to be asked for: a task, or the end of an operation. */
    static boolean waits(String name) {
        return !name.startsWith(DELIVER) && !name.startsWith(CRASH_AFTER)
                && !name.startsWith(TIMER) && Action.parse(name) == null;
    }

    private boolean perform(String name) {
        if (name.startsWith(DELIVER)) {
            var wanted = plain(name);
            for (var one : system.ready()) {
                if (deliverName(one.actor(), one.message()).equals(wanted)) {
                    deliver(one);
                    return true;
                }
            }
            return false;
        }
        var action = Action.parse(name);
        if (action != null) {
            happen(name, _ -> act(action));
            return true;
        }
        if (name.startsWith(CRASH_AFTER)) {
            int in = name.indexOf(CHANGES_IN);
            host.power.failAfter(Long.parseLong(name.substring(CRASH_AFTER.length(), in)));
            boolean did = perform(name.substring(in + CHANGES_IN.length()));
            if (!over) {
                host.power.stay();
            }
            return did;
        }
        if (name.startsWith(TIMER)) {
            var wanted = plain(name.substring(TIMER.length()));
            for (var owner : system.timerOwners()) {
                if (label(owner).equals(wanted)) {
                    happen(name, _ -> system.fireTimerOf(owner));
                    return true;
                }
            }
            return false;
        }
        var event = held.remove(name);
        if (event != null) {
            fire(event);
            return true;
        }
        for (var end : End.values()) {
            if (name.startsWith(end.verb)) {
                var one = operations.remove(name.substring(end.verb.length()));
                if (one != null) {
                    happen(name, _ -> end(one, end));
                    return true;
                }
            }
        }
        return false;
    }

    /** A name without the number that makes it unique. */
    private static String plain(String name) {
        int number = name.lastIndexOf(" #");
        return number < 0 ? name : name.substring(0, number);
    }

    // ---- the quiet phase ----

    private void quiet() {
        quiet = true;
        isAsked = false;
        host.power.stay();
        host.power.limit(Long.MAX_VALUE);
        held.values().forEach(events::add);
        held.clear();
        for (var one : operations.values()) {
            at(knobs.latencyMinNs(), End.FINISH.verb + one.name(), _ -> end(one, End.FINISH));
        }
        operations.clear();
        for (var vm : vms.values()) {
            if (vm.isStarted() && !vm.isDead()) {
                vm.tell(new Action.Bell(vm.name, "quiet", true));
            }
        }
        // A guest may poll for memory as long as a hung operation keeps it: that is no circle.
        boolean clonesHold = vms.values().stream().anyMatch(liveness::isHeldByClones);
        goOn(clonesHold || !hung.isEmpty() ? steps + POLLING_STEPS : Long.MAX_VALUE);
        if (over || !violations.isEmpty()) {
            return;
        }
        liveness.check();
        for (var one : List.copyOf(hung)) {
            happen(unique("fail hung " + one.name()), _ -> one.done().accept(IoStatus.ERROR));
        }
        hung.clear();
        goOn(clonesHold ? steps + POLLING_STEPS : Long.MAX_VALUE);
        vms.values().stream().filter(liveness::isHeldByClones).forEach(vm -> vm.vm().pause());
        for (var vm : vms.values()) {
            if (!over && violations.isEmpty() && vm.isStarted() && !vm.isDead()
                    && vm.openCount() > 0 && !liveness.isHeldByClones(vm)) {
                violated(Rule.R11, vm.name, "requests", "each completed once",
                        vm.openCount() + " never");
            }
        }
    }

    /** Whatever is possible happens, first come first served, until nothing is. */
    void goOn() {
        goOn(Long.MAX_VALUE);
    }

    private void goOn(long lastStep) {
        while (!over && steps < lastStep) {
            var ready = system.ready();
            if (!ready.isEmpty()) {
                deliver(ready.getFirst());
                continue;
            }
            long dueNs = nextNs();
            if (dueNs > system.nowNs() + FOREVER_NS) {
                return;
            }
            checkStuns(true);
            fireNext(dueNs);
        }
    }

    // ---- the end ----

    /** Everything under way fails and every VM stops: the machine is gone, or the run is over. */
    void stopAll() {
        ending = true;
        held.values().forEach(events::add);
        held.clear();
        for (var one : operations.values()) {
            at(0, "end", _ -> one.done().accept(IoStatus.ERROR));
        }
        operations.clear();
        for (var one : hung) {
            at(0, "end", _ -> one.done().accept(IoStatus.ERROR));
        }
        hung.clear();
        int limit = STEPS_MAX;
        var told = new HashSet<String>();
        while (limit-- > 0) {
            var ready = system.ready();
            if (!ready.isEmpty()) {
                system.run(ready.getFirst());
                continue;
            }
            var event = events.poll();
            if (event != null) {
                // What guests and operators were still to do they do not.
                if (Action.parse(event.name) == null) {
                    event.body.accept(event.name);
                }
                continue;
            }
            // Also those that were only about to start.
            if (stopOthers(told)) {
                continue;
            }
            if (system.nextTimerNs() > system.nowNs() + FOREVER_NS || !anyAlive()) {
                break;
            }
            system.fireTimer();
        }
        host.stop();
        system.clearTimers();
        events.clear();
    }

    private boolean stopOthers(Set<String> told) {
        boolean any = false;
        for (var vm : vms.values()) {
            vm.muted = true;
            if (vm.isStarted() && !vm.isDead() && told.add(vm.name)) {
                var _ = vm.vm().stop();
                any = true;
            }
        }
        return any;
    }

    private boolean anyAlive() {
        for (var vm : vms.values()) {
            if (vm.isStarted() && !vm.isDead()) {
                return true;
            }
        }
        return false;
    }

    private void tearDown() {
        over = true;
        stopAll();
        long left = machine.pool(knobs.heldFrames()).framesInUse();
        if (left != 0) {
            machine.discardPool();
            if (violations.isEmpty()) {
                violated(null, "", "memory", "all frames given back",
                        left + " frames are still in use");
            }
        }
    }

    /** Runs an answer to its end: handles messages and events until it is there. */
    <T> @Nullable T await(CompletableFuture<T> answer) {
        goOn();
        return answer.isDone() && !answer.isCompletedExceptionally() ? answer.join() : null;
    }
}
