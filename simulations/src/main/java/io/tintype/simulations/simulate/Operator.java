package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.simulations.story.StoryEvent.Kind;
import io.tintype.store.Retention;
import io.tintype.vm.CheckpointDisks;
import io.tintype.vm.RestoreMode;
import io.tintype.vm.Snapshot;
import io.tintype.vm.Vm;
import io.tintype.vm.VmActor;
import io.tintype.vm.guest.DrivenGuest;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Whoever runs the host: takes checkpoints and snapshots, makes VMs of them, goes back to them and cleans up. */
final class Operator {
    private final Simulation simulation;
    private final Inspection inspection;

    Operator(Simulation simulation) {
        this.simulation = simulation;
        this.inspection = new Inspection(simulation, this);
    }

    Inspection inspection() {
        return inspection;
    }

    private SimulatedHost host() {
        return simulation.host();
    }

    void act(Action action) {
        if (action instanceof Action.Limit(_, _, var bytes)) {
            host().power.limit(bytes < 0 ? Long.MAX_VALUE : bytes);
            return;
        }
        if (action instanceof Action.Gc) {
            gcBesideAll();
            return;
        }
        var vm = simulation.vms().get(action.vm());
        if (vm == null || !vm.isStarted() || vm.isDead()) {
            return;
        }
        switch (action) {
            case Action.Begin(_, var label, var copies) -> begin(vm, label, copies);
            case Action.Snapshot(_, var label) -> snapshot(vm, label);
            case Action.Close(_, var label) -> close(vm, label);
            case Action.RollBack(_, _, var to) -> rollBack(vm, to);
            case Action.Flatten(_, _, var disk) -> {
                var _ = vm.vm().flatten(disk);
            }
            case Action.StopFlatten(_, _, var disk) -> vm.vm().cancelFlatten(disk);
            case Action.Cancel(_, var label) -> {
                var one = vm.taken.get(label);
                if (one != null) {
                    vm.vm().cancel(one.ref.id(), "no longer wanted");
                }
            }
            case Action.Delete(_, var label) -> delete(vm, label);
            case Action.Retain(_, _, var newest) -> retain(vm, newest);
            case Action.Destroy _ -> destroy(vm);
            case Action.Clone(_, var label, var newVm) -> {
                var one = vm.taken.get(label);
                if (one != null && one.isUsable() && !simulation.vms().containsKey(newVm)) {
                    cloneOf(vm, one, newVm);
                }
            }
            case Action.Submit _,Action.Touch _,Action.Heap _,Action.Bell _,Action.Reset _ ->
                vm.tell(action);
            case Action.Gc _,Action.Limit _,Action.Crash _ ->
                throw new IllegalStateException("done above");
        }
    }

    private void note(Kind kind, String lane, String text) {
        simulation.note(kind, lane, text);
    }

    private void begin(SimulatedVm vm, String label, boolean copies) {
        if (vm.taken.containsKey(label)) {
            return;
        }
        if (vm.openSnapshots() > 0) {
            simulation.count(Situation.CHECKPOINT_BESIDE_SNAPSHOT);
        }
        var one = taken(vm, label, false);
        var kept = copies ? CheckpointDisks.COPY : CheckpointDisks.POINTER;
        var _ = vm.vm().checkpoint(kept).whenComplete((outcome, _) -> {
            if (outcome == null || vm.muted) {
                return;
            }
            one.outcome = outcome;
            if (outcome.sealed()) {
                if (outcome.pendingCount() > 0) {
                    simulation.count(Situation.SEALED_WITH_PENDING);
                }
                if (copies) {
                    simulation.count(Situation.SEALED_WITH_COPIES);
                }
                note(Kind.SEAL, vm.name + "/" + label, "is sealed");
            } else {
                countAbort(one, String.valueOf(outcome.reason()));
                note(Kind.ABORT, vm.name + "/" + label, "is aborted: " + outcome.reason());
            }
        });
    }

    private Taken taken(SimulatedVm vm, String label, boolean isSnapshot) {
        if (vm.inProgress() > 0) {
            simulation.count(Situation.TWO_CHECKPOINTS_AT_ONCE);
        }
        if (isLoading(vm)) {
            simulation.count(Situation.CHECKPOINT_WHILE_RESTORING);
        }
        return vm.begin(label, isSnapshot);
    }

    private boolean isLoading(SimulatedVm vm) {
        return host().host.restoring().stream()
                .anyMatch(restored -> restored.vm().value().equals(vm.name));
    }

    private void countAbort(Taken one, String reason) {
        if (reason.contains("deadline") || reason.contains("in time")) {
            simulation.count(Situation.ABORT_DEADLINE);
        }
        simulation.count(switch (Objects.requireNonNullElse(one.stageAtAbort, one.stage)) {
            case PREPARING -> Situation.ABORT_PREPARING;
            case PUT_OFF -> Situation.ABORT_PUT_OFF;
            case STUNNED, HELD -> Situation.ABORT_RESUME_HELD;
            case DRAINING -> Situation.ABORT_DRAINING;
            case SAVING -> Situation.ABORT_SAVING;
        });
    }

    // ---- snapshots ----

    private void snapshot(SimulatedVm vm, String label) {
        if (vm.taken.containsKey(label)) {
            return;
        }
        var one = taken(vm, label, true);
        var _ = vm.vm().snapshot().whenComplete((snapshot, failure) -> {
            if (snapshot == null) {
                one.refused = true;
                if (!vm.muted) {
                    simulation.count(Situation.SNAPSHOT_GIVEN_UP);
                    note(Kind.ABORT, vm.name + "/" + label,
                            "is given up: " + Simulation.text(failure));
                }
                return;
            }
            kept(vm, one, snapshot);
        });
    }

    private void kept(SimulatedVm vm, Taken one, Snapshot snapshot) {
        if (vm.openSnapshots() > 0) {
            simulation.count(Situation.SNAPSHOTS_AT_ONCE);
        }
        one.snapshot = snapshot;
        if (vm.muted) {
            snapshot.close();
            return;
        }
        if (snapshot.pendingCount() > 0) {
            simulation.count(Situation.SNAPSHOT_WITH_PENDING);
        }
        note(Kind.SEAL, vm.name + "/" + one.label, "is kept in memory");
        inspection.verify(vm, one);
    }

    private void close(SimulatedVm vm, String label) {
        var one = vm.taken.get(label);
        if (one != null && one.isOpen()) {
            // Still what it was at its T, after all that happened since.
            inspection.verify(vm, one);
            closed(one);
        }
    }

    /** Closes it, without a look at it. */
    void closed(Taken one) {
        var snapshot = one.snapshot;
        if (snapshot == null) {
            return;
        }
        for (var clone : one.clones) {
            var made = simulation.vms().get(clone);
            if (made != null && made.isStarted() && !made.isDead()) {
                simulation.count(Situation.SNAPSHOT_CLOSED_UNDER_CLONE);
            }
        }
        one.closed = true;
        snapshot.close();
    }

    // ---- going back ----

    private void rollBack(SimulatedVm vm, String label) {
        var to = vm.taken.get(label);
        if (to == null || !to.isUsable()) {
            return;
        }
        var next = inspection.nextLife(vm, to, vm.name);
        if (next == null) {
            return;
        }
        if (isLoading(vm)) {
            simulation.count(Situation.ROLLBACK_WHILE_LOADING);
        }
        if (vm.isClone) {
            simulation.count(Situation.ROLLBACK_OF_CLONE);
        }
        CompletableFuture<VmActor.Quiet> back;
        var snapshot = to.snapshot;
        try {
            back = snapshot == null
                    ? vm.vm().rollBack(to.ref)
                    : vm.vm().rollBack(snapshot);
        } catch (IllegalStateException closed) {
            // Given up for want of memory, a moment ago.
            return;
        }
        vm.expect(to.ref, next);
        var _ = back.whenComplete((_, failure) -> {
            if (failure == null) {
                return;
            }
            vm.expectNot(to.ref, next);
            if (!vm.muted && !vm.isDead() && !host().power.isOff()) {
                note(Kind.FAULT, vm.name, "could not go back: " + Simulation.text(failure));
                if (!to.deleted && !vm.isDestroying && host().power.refusals() == 0) {
                    simulation.violated(null, vm.name, "a rollback to " + to.label,
                            "one that succeeds", Simulation.text(failure));
                }
            }
        });
    }

    // ---- second VMs ----

    /** Makes a second VM while the first one runs. */
    private void cloneOf(SimulatedVm vm, Taken one, String newName) {
        var clone = restore(vm, one, newName);
        if (clone == null) {
            return;
        }
        var snapshot = one.snapshot;
        if ((one.outcome != null && one.outcome.pendingCount() > 0)
                || (snapshot != null && snapshot.pendingCount() > 0)) {
            simulation.count(Situation.CLONE_WITH_IO_IN_FLIGHT);
        }
        if (snapshot != null) {
            simulation.count(Situation.CLONE_OF_SNAPSHOT);
        }
        if (vm.isClone) {
            simulation.count(Situation.CLONE_OF_CLONE);
        }
    }

    /** Makes a VM that goes on from there; null if the storage does not let it. */
    @Nullable
    SimulatedVm restore(SimulatedVm vm, Taken one, String newName) {
        var clone = new SimulatedVm(simulation, newName, vm.blueprint, true);
        var life = inspection.nextLife(vm, one, newName);
        if (life == null) {
            // Verified elsewhere; here the disk may be full.
            return null;
        }
        clone.lives(life);
        clone.clockFrom(one);
        clone.clonedFrom = vm;
        CompletableFuture<Vm> made;
        try {
            made = make(one, newName, clone);
        } catch (IOException | IllegalStateException e) {
            return null;
        }
        one.clones.add(newName);
        simulation.vms().put(newName, clone);
        var _ = made.thenAccept(started -> {
            clone.started(started, 1);
            simulation.watchEnd(clone);
            started.start();
        });
        return clone;
    }

    private CompletableFuture<Vm> make(Taken one, String newName, SimulatedVm clone)
            throws IOException {
        var guest = DrivenGuest.factory(clone.blueprint, clone, clone);
        var host = host().host;
        var snapshot = one.snapshot;
        if (snapshot != null) {
            return host.clone(snapshot, newName, guest, clone);
        }
        var ref = one.ref;
        // The same for all VMs from one checkpoint, and in a shrunk run.
        var made = switch ((int) Long.remainderUnsigned(
                Dice.of(simulation.knobs.seed(), ref.toString(), 0), 4)) {
            case 0 -> host.restoreLater(ref, newName, guest, clone, RestoreMode.EAGER);
            case 1 -> host.restoreLater(ref, newName, guest, clone, RestoreMode.LAZY);
            default -> host.cloneLater(ref, newName, guest, clone);
        };
        if (host.restoring().stream().filter(each -> each.from().equals(ref)).count() > 1) {
            simulation.count(Situation.CLONES_THAT_SHARE);
        }
        return made;
    }

    // ---- cleaning up ----

    private void delete(SimulatedVm vm, String label) {
        var one = vm.taken.get(label);
        if (one == null || !one.isStored()) {
            return;
        }
        one.deleted = true;
        one.isDeleting = true;
        try {
            host().host.delete(one.ref);
            one.isDeleting = host().power.isOff();
        } catch (IOException e) {
            // A full or failing disk: it may be there still, and nobody may rely on it.
            note(Kind.FAULT, vm.name, "could not delete " + label + ": " + e.getMessage());
        }
    }

    private void retain(SimulatedVm vm, int newest) {
        // Until it is known which ones go, none may be relied on: the power may fail meanwhile.
        var before = new TreeMap<String, Boolean>();
        for (var one : vm.taken.values()) {
            before.put(one.label, one.deleted);
            one.deleted = true;
        }
        List<CheckpointRef> dropped;
        int stored;
        try {
            stored = (int) host().host.store().list().stream()
                    .filter(ref -> ref.vm().value().equals(vm.name)).count();
            dropped = host().host.retain(new VmId(vm.name), Retention.newest(newest));
        } catch (IOException e) {
            note(Kind.FAULT, vm.name, "could not delete what is not retained: " + e.getMessage());
            return;
        }
        if (dropped.size() != Math.max(0, stored - newest)) {
            simulation.violated(null, vm.name, "the checkpoints that are not retained",
                    Math.max(0, stored - newest) + " of " + stored, dropped.toString());
        }
        if (!dropped.isEmpty() && stored > dropped.size()) {
            simulation.count(Situation.RETENTION);
        }
        for (var one : vm.taken.values()) {
            one.deleted = Objects.requireNonNull(before.get(one.label))
                    || dropped.contains(one.ref);
        }
    }

    private void destroy(SimulatedVm vm) {
        if (vm.isDestroying) {
            return;
        }
        boolean isBusy = vm.inProgress() > 0;
        CompletableFuture<?> gone;
        try {
            gone = host().host.destroyLater(vm.vm());
        } catch (IllegalStateException refused) {
            simulation.count(Situation.DESTROY_REFUSED_FOR_CHECKPOINTS);
            if (!hasStored(vm)) {
                simulation.violated(null, vm.name, "a destroy", "one that is done, since no "
                        + "checkpoint of it is there", String.valueOf(refused.getMessage()));
            }
            return;
        } catch (IOException refused) {
            refused(vm, refused);
            return;
        }
        vm.isDestroying = true;
        if (isBusy) {
            simulation.count(Situation.DESTROY_DURING_CHECKPOINT);
        }
        note(Kind.FAULT, vm.name, "is to end, and its disks with it");
        var _ = gone.whenComplete((_, failure) -> {
            if (vm.muted) {
                return;
            }
            if (failure == null) {
                simulation.count(Situation.DESTROY);
                vm.isDestroyed = true;
                note(Kind.FAULT, vm.name, "is destroyed");
            } else if (host().power.refusals() == 0 && !host().power.isOff()
                    && !hasStored(vm) && !hasClones(vm)) {
                simulation.violated(null, vm.name, "a destroy", "one that is done",
                        Simulation.text(failure));
            }
        });
    }

    private void refused(SimulatedVm vm, IOException refusal) {
        if (hasClones(vm)) {
            simulation.count(Situation.DESTROY_REFUSED_FOR_CLONES);
            note(Kind.FAULT, vm.name, "is not destroyed: " + refusal.getMessage());
        } else if (!host().power.isOff()) {
            simulation.violated(null, vm.name, "a destroy",
                    "one that is done, since no clone stands on its disks",
                    String.valueOf(refusal.getMessage()));
        }
    }

    private boolean hasStored(SimulatedVm vm) {
        return host().host.store().list().stream()
                .anyMatch(ref -> ref.vm().value().equals(vm.name));
    }

    /** Whether disks of VMs that were cloned of it may be there. */
    private boolean hasClones(SimulatedVm vm) {
        return simulation.vms().values().stream()
                .anyMatch(other -> isCloneOf(other, vm) && !other.isDestroyed);
    }

    @SuppressWarnings("ReferenceEquality") // which one is the question
    private static boolean isCloneOf(SimulatedVm vm, SimulatedVm of) {
        return vm.clonedFrom == of;
    }

    /** While anything may go on, and perhaps with a failure of power in it. */
    private void gcBesideAll() {
        var power = host().power;
        long before = power.changes();
        if (simulation.mayCrashInGc()) {
            power.failAfter(simulation.knobs.crashInGc());
        }
        try {
            gc();
            Garbage.checkNeeded(simulation, host().host.store());
        } catch (IOException e) {
            note(Kind.FAULT, "storage", "could not collect garbage: " + e.getMessage());
        }
        if (power.isOff() && power.changes() > before) {
            simulation.count(Situation.CRASH_IN_GC);
        } else if (simulation.mayCrashInGc()) {
            power.stay();
        }
    }

    void gc() throws IOException {
        if (simulation.vms().values().stream()
                .anyMatch(vm -> vm.isClone && vm.isStarted() && !vm.isDead())) {
            simulation.count(Situation.GC_BESIDE_CLONE);
        }
        if (simulation.vms().values().stream()
                .anyMatch(vm -> vm.isStarted() && vm.inProgress() > 0)) {
            simulation.count(Situation.GC_DURING_CHECKPOINT);
        }
        var removed = host().host.gc().removed();
        if (!removed.isEmpty()) {
            simulation.count(Situation.GC_RECLAIMS);
        }
        if (removed.stream().anyMatch(Garbage::isOfDisk)) {
            simulation.count(Situation.GC_RECLAIMS_DISKS);
        }
    }
}
