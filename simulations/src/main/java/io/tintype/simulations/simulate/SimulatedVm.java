package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.DiskId;
import io.tintype.actors.VmId;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.story.StoryEvent.Kind;
import io.tintype.vm.CoreProbe;
import io.tintype.vm.IoRequest;
import io.tintype.vm.MachineState;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.DrivenGuest;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.GuestLayout;
import io.tintype.vm.guest.GuestRecorder;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One VM of a simulated host: its guest's program, its oracle, and what an onlooker knows of it. All of it runs on the simulation's
 * thread.
 */
final class SimulatedVm implements VmProbe, GuestRecorder, DrivenGuest.Script {
    /** A request as an onlooker knows it. */
    static final class Request {
        final String label;
        final IoKind kind;
        final int disk;
        final long sector;
        final int sectorCount;
        final int slot;
        final int shape;
        boolean issued;
        boolean landed;
        boolean hung;
        boolean delayed;
        int layer;
        /** In which it was issued. */
        @Nullable
        Life life;
        final Set<Long> delayedGroups = new HashSet<>();
        int cuts;

        Request(String label, IoKind kind, int disk, long sector, int sectorCount, int slot,
                int shape) {
            this.label = label;
            this.kind = kind;
            this.disk = disk;
            this.sector = sector;
            this.sectorCount = sectorCount;
            this.slot = slot;
            this.shape = shape;
        }

        boolean overlaps(IoKind otherKind, int onDisk, long from, int count) {
            return disk == onDisk && sector < from + count && from < sector + sectorCount
                    && (kind != IoKind.READ || otherKind != IoKind.READ);
        }

        @SuppressWarnings("ReferenceEquality") // a slot is used again
        boolean isOpenIn(@Nullable Request[] open) {
            return open[slot] == this;
        }

        /** Whether its buffer begins after the start of its first page and ends before the end of its last one. */
        boolean hasRoomBeside() {
            return (shape & GuestLayout.SHAPE_STRADDLING) != 0 && kind == IoKind.READ
                    && endInBuffer() % 4096 != 0;
        }

        int lastPage() {
            return endInBuffer() / 4096;
        }

        private int endInBuffer() {
            return STRADDLE_BYTES + sectorCount * 512;
        }

        boolean overlapsGroups(Request other) {
            return disk == other.disk
                    && sector / GROUP_SECTORS <= (other.sector + other.sectorCount - 1)
                            / GROUP_SECTORS
                    && other.sector / GROUP_SECTORS <= (sector + sectorCount - 1) / GROUP_SECTORS;
        }

    }

    private static final int STRADDLE_BYTES = 256;
    private static final int GROUP_SECTORS = SimulatedHost.GROUP_BYTES / 512;
    // Pekko numbers children without a name in base 64, the lowest digit first.
    private static final String ANONYMOUS =
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+~";

    final String name;
    final GuestBlueprint blueprint;
    final boolean isClone;
    final Map<String, Taken> taken = new LinkedHashMap<>();
    private final Map<Long, Taken> byNumber = new HashMap<>();
    /** In flight by the guest's account, by slot. */
    final @Nullable Request[] open;
    /** The requests whose actors have not ended, by the engine's numbers. */
    final LinkedHashMap<Long, Request> flights = new LinkedHashMap<>();
    private final Map<String, Request> byLabel = new HashMap<>();
    private final Map<Long, String> labels = new HashMap<>();
    private final List<String> issuedLabels = new ArrayList<>();
    private final ArrayDeque<Action> script = new ArrayDeque<>();
    private final Simulation simulation;
    private @Nullable Life life;
    /** All of them, in their order. */
    private final List<Life> lives = new ArrayList<>();
    /** Rollbacks under way: the lives that begin with them. */
    private final Map<CheckpointRef, ArrayDeque<Life>> nextLives = new HashMap<>();
    private long guestNs;
    private @Nullable Vm vm;
    private @Nullable Action current;
    private String lastReissued = "";
    private long firstCheckpoint = 1;
    boolean muted;
    boolean wasRolledBack;
    /** Somebody asked for its end, and that of its disks. */
    boolean isDestroying;
    /** Its disks are gone. */
    boolean isDestroyed;
    /** Of which VM it is a clone; null for one made anew. */
    @Nullable
    SimulatedVm clonedFrom;
    @Nullable
    Taken stunned;

    SimulatedVm(Simulation simulation, String name, GuestBlueprint blueprint, boolean isClone) {
        this.simulation = simulation;
        this.isClone = isClone;
        this.name = name;
        this.blueprint = blueprint;
        this.open = new Request[blueprint.layout().slotCount()];
    }

    @Override
    public @Nullable CoreProbe cores() {
        return simulation.cores();
    }

    void lives(Life newLife) {
        life = newLife;
        lives.add(newLife);
    }

    /** All that it had, the one under way included. */
    List<Life> lives() {
        return lives;
    }

    /** The one under way. */
    Life life() {
        if (life == null) {
            throw new IllegalStateException(name + " has no life");
        }
        return life;
    }

    /** Its clock goes on from there. */
    void clockFrom(Taken one) {
        guestNs = one.guestNs;
    }

    /** A rollback to {@code to} was asked for, with which that life begins. */
    void expect(CheckpointRef to, Life next) {
        nextLives.computeIfAbsent(to, _ -> new ArrayDeque<>()).add(next);
    }

    /** That rollback came to nothing. */
    void expectNot(CheckpointRef to, Life next) {
        var lives = nextLives.get(to);
        if (lives != null) {
            lives.remove(next);
        }
    }

    boolean isRollingBack() {
        return nextLives.values().stream().anyMatch(lives -> !lives.isEmpty());
    }

    void started(Vm newVm, long nextCheckpoint) {
        vm = newVm;
        firstCheckpoint = nextCheckpoint;
        for (int disk = 0; disk < blueprint.layout().diskCount(); disk++) {
            life().images.add("images/" + name + "/disk-" + disk);
        }
    }

    boolean isStarted() {
        return vm != null;
    }

    Vm vm() {
        if (vm == null) {
            throw new IllegalStateException(name + " is not started");
        }
        return vm;
    }

    boolean isDead() {
        return vm().ended().toCompletableFuture().isDone();
    }

    /** The guest's next step, if it was told one. */
    void tell(Action action) {
        script.add(action);
        vm().interrupt();
    }

    Taken begin(String label, boolean isSnapshot) {
        var ref = new CheckpointRef(new VmId(name),
                new CheckpointId(firstCheckpoint + byNumber.size()));
        var one = new Taken(label, ref, isSnapshot);
        taken.put(label, one);
        byNumber.put(ref.id().value(), one);
        return one;
    }

    @Nullable
    Taken numbered(long checkpoint) {
        return byNumber.get(checkpoint);
    }

    int openCount() {
        int count = 0;
        for (var request : open) {
            count += request == null ? 0 : 1;
        }
        return count;
    }

    int inProgress() {
        int count = 0;
        for (var one : taken.values()) {
            count += one.isOver() ? 0 : 1;
        }
        return count;
    }

    /** Snapshots that are open. */
    int openSnapshots() {
        int count = 0;
        for (var one : taken.values()) {
            count += one.isOpen() ? 1 : 0;
        }
        return count;
    }

    /** What people call an actor of this VM, given its name in the engine; null if that is not known yet. */
    @Nullable
    String actorLabel(String actor) {
        if (actor.startsWith("$")) {
            long number = 0;
            for (int i = actor.length() - 1; i > 0; i--) {
                number = number * 64 + ANONYMOUS.indexOf(actor.charAt(i));
            }
            return number < issuedLabels.size() ? "io-" + issuedLabels.get((int) number) : null;
        }
        if (actor.startsWith("checkpoint-") || actor.startsWith("snapshot-")) {
            var one = byNumber.get(Long.parseLong(actor.substring(actor.indexOf('-') + 1)));
            return one == null ? null : one.label;
        }
        return actor;
    }

    /** What people call a request, given its number in the engine. */
    String requestLabel(long ioId) {
        var request = flights.get(ioId);
        return request == null ? lastReissued + " again" : request.label;
    }

    @Nullable
    Request request(String label) {
        return byLabel.get(label);
    }

    // ---- the guest's program ----

    @Override
    public boolean step(DrivenGuest.Cpu cpu) {
        var action = script.poll();
        if (action == null) {
            return false;
        }
        current = action;
        if (cpu.guestNs() < guestNs && !muted) {
            simulation.violated(Rule.R3, name, "the guest's clock", guestNs + " ns or later",
                    cpu.guestNs() + " ns");
        }
        guestNs = cpu.guestNs();
        switch (action) {
            case Action.Submit submit -> {
                if (cpu.maySubmit()) {
                    cpu.submit(submit.kind(), submit.disk(), submit.sector(),
                            submit.sectorCount(), submit.fua(), submit.shape());
                }
            }
            case Action.Touch touch -> {
                var request = byLabel.get(touch.of());
                if (request != null && request.isOpenIn(open) && request.hasRoomBeside()) {
                    int page = touch.page() == 0 ? 0 : request.lastPage();
                    cpu.touch(request.slot, page);
                    note(Kind.STORE, name, "stores into page " + page + " of the buffer of "
                            + touch.of());
                }
            }
            case Action.Heap _ -> {
                cpu.storeIntoHeap();
                note(Kind.STORE, name, "stores into its heap");
            }
            case Action.Bell(_, _, var on) -> cpu.ringing(on);
            case Action.Reset(_, _, var disk) -> {
                if (Arrays.stream(open).anyMatch(one -> one != null && one.disk == disk)) {
                    simulation.count(Situation.RESET_IN_FLIGHT);
                }
                cpu.reset(disk);
                note(Kind.DELIVER, name, "resets disk " + disk);
            }
            case Action.Begin _,Action.Snapshot _,Action.Close _,Action.RollBack _,Action.Cancel _,Action.Delete _,Action.Destroy _,Action.Clone _,Action.Flatten _,Action.StopFlatten _,Action.Retain _,Action.Gc _,Action.Limit _,Action.Crash _ ->
                throw new IllegalStateException("no guest does " + action.name());
        }
        return true;
    }

    private void note(Kind kind, String lane, String text) {
        simulation.note(kind, lane, text);
    }

    private static String range(IoKind kind, int disk, long sector, int sectorCount) {
        return switch (kind) {
            case READ -> "a read of ";
            case WRITE -> "a write to ";
            case FLUSH -> "a flush of ";
            case DISCARD -> "a discard of ";
            case WRITE_ZEROES -> "zeros to ";
        } + (sectorCount == 0
                ? "disk " + disk
                : "sectors " + sector + " to " + (sector + sectorCount - 1) + " of disk " + disk);
    }

    // ---- what the guest saw ----

    @Override
    public void submitted(long event, int slot, IoKind kind, int disk, long sector,
            int sectorCount, boolean fua, int version, int shape) {
        if (muted) {
            return;
        }
        for (var other : open) {
            if (other != null && other.overlaps(kind, disk, sector, sectorCount)) {
                simulation.count(Situation.OVERLAPPING_REQUESTS);
            }
        }
        var label = current instanceof Action.Submit submit ? submit.label() : "?" + event;
        var request = new Request(label, kind, disk, sector, sectorCount, slot, shape);
        open[slot] = request;
        byLabel.put(label, request);
        life().log.submitted(event, slot, kind, disk, sector, sectorCount, fua, version, shape);
        life().crashCheck.submitted(event, slot, kind, disk, sector, sectorCount, fua, version,
                shape);
    }

    @Override
    public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
            int versionCount) {
        if (muted) {
            return;
        }
        var request = open[slot];
        open[slot] = null;
        life().log.completed(event, slot, disk, status, versions, versionCount);
        life().crashCheck.completed(event, slot, disk, status, versions, versionCount);
        if (request != null) {
            note(Kind.COMPLETE, name, "sees " + request.label + " complete"
                    + (status == IoStatus.OK ? "" : " with " + status));
        }
    }

    @Override
    public void unexpected(long event, int disk, int tag, int status) {
        if (!muted) {
            life().log.unexpected(event, disk, tag, status);
        }
    }

    @Override
    public void reset(long event, int disk) {
        if (muted) {
            return;
        }
        for (int slot = 0; slot < open.length; slot++) {
            var request = open[slot];
            if (request != null && request.disk == disk) {
                open[slot] = null;
            }
        }
        life().log.reset(event, disk);
    }

    @Override
    public void overwritten(long event, int slot, int disk) {
        if (!muted) {
            life().log.overwritten(event, slot, disk);
        }
    }

    // ---- what the engine tells ----

    @SuppressWarnings("ReferenceEquality") // which one is the question
    private boolean isOfThis(Request request) {
        return request.life == life;
    }

    @Override
    public void rolledBack(CheckpointRef to, MachineState machine) {
        if (muted) {
            return;
        }
        var lives = nextLives.get(to);
        var next = lives == null ? null : lives.poll();
        if (next == null) {
            simulation.violated(Rule.R17, name, "a rollback to " + to, "one that was asked for",
                    "another one");
            return;
        }
        countRollBack(numbered(to.id().value()));
        lives(next);
        wasRolledBack = true;
        machine.chains().forEach(chain -> next.images.add(chain.directory().location()));
        Arrays.fill(open, null);
        var one = numbered(to.id().value());
        guestNs = one == null ? 0 : one.guestNs;
        note(Kind.RESUME, name, "is what it was at " + (one == null ? to : one.label));
    }

    private void countRollBack(@Nullable Taken to) {
        simulation.count(to != null && to.isSnapshot
                ? Situation.ROLLBACK_TO_SNAPSHOT
                : Situation.ROLLBACK);
        for (var request : flights.values()) {
            if (request.landed || !isOfThis(request)) {
                continue;
            }
            simulation.count(Situation.ROLLBACK_IN_FLIGHT);
            if (request.hung) {
                simulation.count(Situation.ROLLBACK_WITH_HUNG_OPERATION);
            }
            if (request.kind == IoKind.READ && request.cuts > 0) {
                simulation.count(Situation.ROLLBACK_READ_ACROSS_CHECKPOINT);
            }
        }
        for (var one : taken.values()) {
            if (!one.isOver()) {
                simulation.count(one.life == null
                        ? Situation.ROLLBACK_BEFORE_CHECKPOINT
                        : Situation.ROLLBACK_DURING_CHECKPOINT);
            }
        }
    }

    @Override
    public void stunned(long checkpoint, Guest guest) {
        if (muted) {
            return;
        }
        life().log.stunned(checkpoint, guest.saveRegisters());
        var one = byNumber.get(checkpoint);
        stunned = one;
        if (one == null) {
            return;
        }
        one.life = life;
        one.guestNs = guestNs;
        if (simulation.knobs.forksCrashChecks()) {
            one.durable = life().crashCheck.fork();
        }
        one.stage = Taken.Stage.STUNNED;
        for (var request : flights.values()) {
            if (!request.landed && isOfThis(request)) {
                one.pending++;
                if (request.kind == IoKind.READ && ++request.cuts == 2) {
                    simulation.count(Situation.READ_ACROSS_TWO_CHECKPOINTS);
                }
            }
        }
        note(Kind.STUN, name, "is stunned: this is T of " + one.label + ", with "
                + flights.size() + " requests in flight");
    }

    @Override
    public void resumed(long checkpoint, long stunNs) {
        if (muted) {
            return;
        }
        stunned = null;
        var one = byNumber.get(checkpoint);
        if (one != null) {
            one.stage = one.pending > 0 ? Taken.Stage.DRAINING : Taken.Stage.SAVING;
            note(Kind.RESUME, name, "runs again after " + one.label);
        }
    }

    @Override
    public void issued(IoRequest request) {
        if (muted) {
            return;
        }
        var one = open[request.tag()];
        if (one == null) {
            one = new Request("?" + request.ioId(), request.kind(), request.disk(),
                    request.sector(), request.sectorCount(), request.tag(), 0);
        }
        one.issued = true;
        one.life = life;
        one.layer = request.layer();
        flights.put(request.ioId(), one);
        labels.put(request.ioId(), one.label);
        issuedLabels.add(one.label);
        note(Kind.ISSUE, name, "issues " + one.label + ", "
                + range(one.kind, one.disk, one.sector, one.sectorCount) + ", bound to layer "
                + request.layer());
    }

    @Override
    public void started(DiskId disk, long ioId, int layer, long group, boolean fault) {
        if (muted) {
            return;
        }
        var request = flights.get(ioId);
        if (request != null) {
            // It waits there no more.
            request.delayedGroups.remove(group);
        }
        if (fault) {
            note(Kind.COPY, name + "/disk-" + disk.index(), requestLabel(ioId)
                    + " faults on block group " + group + ", which is copied to layer " + layer);
        }
    }

    @Override
    public void delayed(DiskId disk, long ioId, long group) {
        if (muted) {
            return;
        }
        simulation.count(Situation.WRITE_DELAYED);
        var request = flights.get(ioId);
        if (request != null) {
            request.delayed = true;
            request.delayedGroups.add(group);
        }
        note(Kind.DELIVER, name + "/disk-" + disk.index(), requestLabel(ioId)
                + " waits for an earlier write to block group " + group);
    }

    @Override
    public void landed(long ioId, IoStatus status) {
        if (muted) {
            return;
        }
        var request = flights.remove(ioId);
        if (request == null) {
            return;
        }
        request.landed = true;
        for (var one : byNumber.values()) {
            if (!one.isOver() && one.pending > 0 && --one.pending == 0
                    && one.stage == Taken.Stage.DRAINING) {
                one.stage = Taken.Stage.SAVING;
            }
        }
        if (status != IoStatus.OK && request.kind.writes()) {
            for (var other : flights.values()) {
                if (other.delayed && other.overlapsGroups(request)) {
                    simulation.count(Situation.DELAYED_WRITE_PREDECESSOR_FAILS);
                }
            }
        }
        note(Kind.LAND, name, request.label + " has landed"
                + (status == IoStatus.OK ? "" : " with " + status));
    }

    @Override
    public void reissued(long ioId, int page, int bytes) {
        if (muted) {
            return;
        }
        simulation.count(Situation.COPY_WHILE_READING);
        lastReissued = labels.getOrDefault(ioId, "read");
        note(Kind.REISSUE, name, bytes + " bytes of a read go to the copy of page " + page);
    }

    @Override
    public void committed(DiskId disk, int layer) {
        if (muted) {
            return;
        }
        simulation.count(Situation.COMMIT);
        if (inProgress() > 0) {
            simulation.count(Situation.COMMIT_DURING_CHECKPOINT);
        }
        note(Kind.COMMIT, name + "/disk-" + disk.index(), "layer " + layer
                + " is committed into its parent");
    }

    @Override
    public void flattened(DiskId disk, int depth) {
        if (muted) {
            return;
        }
        simulation.count(Situation.FLATTEN);
        if (inProgress() > 0) {
            simulation.count(Situation.FLATTEN_DURING_CHECKPOINT);
        }
        note(Kind.COMMIT, name + "/disk-" + disk.index(), "is flat below its top");
    }
}
