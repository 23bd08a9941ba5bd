package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.catalogue.CheckpointRecord;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.cow.disk.DiskChain;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.fleet.CheckpointFiles;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.OracleOptions;
import io.tintype.simulations.oracle.Violation;
import io.tintype.store.StoreException;
import io.tintype.vm.MachineState;
import io.tintype.vm.RestoreMode;
import io.tintype.vm.Vm;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.guest.DrivenGuest;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/** Compares what a run left, in the store, on the disks and in the running VMs, with what the guests knew. */
final class Inspection {
    // No checkpoint has such a number.
    private static final long STANDING_STILL = 1L << 40;

    private final Simulation simulation;

    Inspection(Simulation simulation) {
        this.simulation = simulation;
    }

    /** Gives a new VM its oracle. On storage that performs one operation after another a block never tears. */
    static void watch(Simulation simulation, SimulatedVm vm) {
        vm.watchedBy(new Oracle(vm.name, vm.blueprint, vm.log,
                OracleOptions.COMPLETE.withTearsAreViolations(true),
                violation -> simulation.violations().add(violation),
                simulation.machine.oracleScratch()));
    }

    /** After the quiet phase. */
    void inspect() {
        collectGarbage();
        for (var vm : List.copyOf(simulation.vms().values())) {
            if (!isFine()) {
                return;
            }
            standingStill(vm);
            for (var one : vm.taken.values()) {
                if (one.isStored() && isFine()) {
                    verify(vm, one.ref);
                }
            }
        }
        if (isFine() && simulation.knobs.restores()) {
            restoreAll();
        }
        if (isFine() && simulation.knobs.rots()) {
            rot();
        }
    }

    /** With nothing in progress and storage that works, nothing is left over, and all that comes after must find what it needs. */
    private void collectGarbage() {
        try {
            simulation.gc();
            var left = simulation.host().host.store().leftovers();
            if (!left.removed().isEmpty() || !left.unreadable().isEmpty()) {
                simulation.violated(null, "", "the store after a collection of garbage",
                        "nothing left over, all of it readable", left.toString());
            }
        } catch (IOException e) {
            simulation.violated(null, "", "a collection of garbage", "one that succeeds",
                    String.valueOf(e.getMessage()));
        }
    }

    private boolean isFine() {
        return simulation.violations().isEmpty();
    }

    /** Compares a VM that has nothing in flight. */
    private void standingStill(SimulatedVm vm) {
        if (!vm.isStarted() || vm.isDead()) {
            return;
        }
        if (simulation.await(vm.vm().quiesce()) == null) {
            simulation.violated(Rule.R11, vm.name, "the VM", "nothing in flight at last",
                    "requests that never end");
            return;
        }
        var seen = new MachineState[1];
        var visited = vm.vm().visit(machine -> seen[0] = machine);
        simulation.await(visited);
        var machine = seen[0];
        if (machine == null) {
            return;
        }
        var registers = machine.guest().saveRegisters();
        vm.log.stunned(STANDING_STILL, registers);
        var image = new CheckpointImage(STANDING_STILL, registers,
                machine.queues().stream().map(DiskQueue::save).toList(), List.of(),
                (page, destination) -> {
                    machine.memory().read(page * 4096L, destination, 0, 4096);
                    return true;
                },
                (disk, sector, destination) -> {
                    var chain = machine.chains().get(disk);
                    chain.read(chain.top(), sector * 512, destination);
                });
        try {
            simulation.violations().addAll(vm.oracle().verifyOngoing(image).violations());
        } catch (IOException e) {
            simulation.violated(null, vm.name, "its disks", "ones that can be read",
                    String.valueOf(e.getMessage()));
        }
    }

    private CheckpointFiles open(CheckpointRef ref) throws IOException {
        var host = simulation.host();
        return new CheckpointFiles(host.host.store(), ref, simulation.machine.scratch(),
                host.images::at);
    }

    private void verify(SimulatedVm vm, CheckpointRef ref) {
        try (var files = open(ref)) {
            simulation.violations().addAll(vm.oracle().verify(files.image(), true).violations());
        } catch (IOException | RuntimeException damaged) {
            simulation.violations().add(new Violation(Rule.R12, vm.name, ref.id().value(),
                    "the stored checkpoint", "files as they were sealed", damaged.toString()));
        }
    }

    /** Makes a second VM while the first one runs. */
    void cloneOf(SimulatedVm vm, Taken one, String newName) {
        var clone = restore(vm, one.ref, newName);
        if (clone != null && one.outcome != null && one.outcome.pendingCount() > 0) {
            simulation.count(Situation.CLONE_WITH_IO_IN_FLIGHT);
        }
    }

    @org.jspecify.annotations.Nullable
    private SimulatedVm restore(SimulatedVm vm, CheckpointRef ref, String newName) {
        var clone = new SimulatedVm(simulation, newName, vm.blueprint, false);
        try (var files = open(ref)) {
            clone.watchedBy(vm.oracle().fork(files.image(), newName, clone.log,
                    violation -> simulation.violations().add(violation)));
        } catch (IOException e) {
            // Verified elsewhere; here the disk may be full.
            return null;
        }
        java.util.concurrent.CompletableFuture<Vm> made;
        try {
            var guest = DrivenGuest.factory(vm.blueprint, clone, clone);
            var host = simulation.host().host;
            // The same for all VMs from one checkpoint, and in a shrunk run.
            made = switch ((int) Long.remainderUnsigned(
                    Dice.of(simulation.knobs.seed(), ref.toString(), 0), 4)) {
                case 0 -> host.restoreLater(ref, newName, guest, clone, RestoreMode.EAGER);
                case 1 -> host.restoreLater(ref, newName, guest, clone, RestoreMode.LAZY);
                default -> host.cloneLater(ref, newName, guest, clone);
            };
            if (host.restoring().stream().filter(one -> one.from().equals(ref)).count() > 1) {
                simulation.count(Situation.CLONES_THAT_SHARE);
            }
        } catch (IOException e) {
            return null;
        }
        simulation.vms().put(newName, clone);
        var _ = made.thenAccept(started -> {
            clone.started(started, 1);
            simulation.watchEnd(clone);
            started.start();
        });
        return clone;
    }

    private void restoreAll() {
        for (var vm : List.copyOf(simulation.vms().values())) {
            for (var one : vm.taken.values()) {
                if (one.isStored() && isFine()) {
                    restoreAndRun(vm, one.ref, vm.name + "-" + one.label);
                }
            }
        }
    }

    /** A restored VM must be what the checkpoint says, and go on: it gets a store, a read and a write of its own. */
    private void restoreAndRun(SimulatedVm vm, CheckpointRef ref, String name) {
        var clone = restore(vm, ref, name);
        if (clone == null) {
            simulation.violated(Rule.R12, vm.name, ref.toString(),
                    "a checkpoint that can be restored", "one that cannot");
            return;
        }
        simulation.goOn();
        if (clone.isStarted() && !clone.isDead() && isFine()) {
            var bell = new Action.Bell(name, "b", true);
            clone.tell(bell);
            clone.tell(new Action.Heap(name, "h"));
            clone.tell(new Action.Submit(name, "w", io.tintype.scheduler.IoKind.WRITE, 0, 0, 8, 0,
                    false));
            clone.tell(new Action.Submit(name, "r", io.tintype.scheduler.IoKind.READ, 0, 0, 8, 1,
                    false));
            simulation.goOn();
            standingStill(clone);
        }
    }

    /** One bit of a stored checkpoint turns over: whoever reads it must notice. */
    private void rot() {
        for (var vm : simulation.vms().values()) {
            for (var one : vm.taken.values()) {
                if (one.isStored()) {
                    rot(vm, one);
                    return;
                }
            }
        }
    }

    private void rot(SimulatedVm vm, Taken one) {
        var host = simulation.host();
        var directory = host.host.store().directory().resolve("checkpoints").resolve(vm.name)
                .resolve(one.ref.id().toString());
        long choice = Dice.of(simulation.knobs.seed(), "rot", 0);
        try {
            var names = host.files.list(directory);
            var name = names.get((int) Long.remainderUnsigned(choice, names.size()));
            if (!host.files.rot(directory.resolve(name), Dice.mix(choice))) {
                return;
            }
            boolean caught = false;
            try {
                host.host.store().open(one.ref).verify();
            } catch (StoreException _) {
                caught = true;
            }
            if (caught) {
                simulation.count(Situation.BIT_ROT_CAUGHT);
            } else if (name.startsWith("memory-")) {
                // The checksums are those of pages, not of what they are compressed to, where a bit may mean nothing.
                verify(vm, one.ref);
            } else {
                simulation.violated(null, vm.name, directory.resolve(name).toString(),
                        "a checksum that fails, since a bit rotted", "none");
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** After a power failure: starts the host again on what is left, and compares that. */
    void recover(Power power, SimulatedImages images, SimulatedStoreFiles files,
            MemoryJournal journal) {
        var before = List.copyOf(simulation.vms().values());
        simulation.vms().clear();
        SimulatedHost host;
        try {
            host = simulation.restart(power, images, files, journal);
        } catch (StoreException e) {
            simulation.vms().clear();
            simulation.violated(Rule.R12, "", "the store after a crash", "one that opens",
                    String.valueOf(e.getMessage()));
            return;
        }
        var listed = new HashSet<>(host.host.store().list());
        checkCatalogue(host, listed);
        collectGarbage();
        for (var vm : before) {
            checkListed(vm, listed);
            checkFlushed(vm, host);
        }
        if (isFine() && simulation.knobs.restores()) {
            for (var vm : before) {
                for (var one : vm.taken.values()) {
                    if (one.isStored() && isFine()) {
                        restoreAndRun(vm, one.ref, vm.name + "-" + one.label);
                    }
                }
            }
        }
    }

    /** Whatever its journal lost, the catalogue lists what is in the store, and nothing is in progress. */
    private void checkCatalogue(SimulatedHost host, Set<CheckpointRef> listed) {
        var state = host.host.catalogue().state();
        var catalogued = new HashSet<CheckpointRef>();
        for (var vm : state.vms().values()) {
            for (var checkpoint : vm.checkpoints().values()) {
                if (checkpoint.phase() != CheckpointRecord.Phase.SEALED) {
                    simulation.violated(Rule.R12, vm.id().value(),
                            "checkpoint " + checkpoint.ref() + " in the catalogue after a crash",
                            "sealed, or not there", checkpoint.phase().toString());
                }
                catalogued.add(checkpoint.ref());
            }
        }
        if (!catalogued.equals(listed)) {
            simulation.violated(Rule.R12, "", "the catalogue after a crash",
                    new TreeSet<>(listed).toString(), new TreeSet<>(catalogued).toString());
        }
        if (state.operations().size() > 0) {
            simulation.violated(Rule.R12, "", "the catalogue after a crash",
                    "nothing in progress", state.operations().toString());
        }
    }

    private void checkListed(SimulatedVm vm, Set<CheckpointRef> listed) {
        var known = new HashMap<CheckpointRef, Taken>();
        for (var one : vm.taken.values()) {
            known.put(one.ref, one);
            var outcome = one.outcome;
            boolean isThere = listed.contains(one.ref);
            if (one.isStored() && !isThere) {
                simulation.violated(Rule.R12, vm.name, "checkpoint " + one.label
                        + " after a crash", "one that is there, since it was sealed", "none");
            } else if (outcome != null && !outcome.sealed() && isThere) {
                simulation.violated(Rule.R12, vm.name, "checkpoint " + one.label
                        + " after a crash", "none, since it was aborted", "one");
            }
        }
        // What was about to be sealed may be there or not; if it is, it is right.
        for (var ref : listed) {
            var one = known.get(ref);
            if (one != null && !one.deleted && isFine()) {
                verify(vm, ref);
            }
        }
    }

    private void checkFlushed(SimulatedVm vm, SimulatedHost host) {
        var check = vm.crashCheck;
        if (check == null || check.durableCount() == 0 || !isFine()) {
            return;
        }
        // Only disks with something durable need open at all.
        var chains = new HashMap<Integer, DiskChain>();
        try {
            simulation.violations().addAll(check.check(vm.name, (disk, sector, destination) -> {
                var chain = chains.get(disk);
                if (chain == null) {
                    chain = DiskChain.open(
                            host.images.at("images/" + vm.name + "/disk-" + disk));
                    chains.put(disk, chain);
                }
                chain.read(chain.top(), sector * 512, destination);
            }));
        } catch (IOException e) {
            simulation.violated(Rule.R1, vm.name, "its disk after a crash", "a chain that opens",
                    String.valueOf(e.getMessage()));
        } finally {
            chains.values().forEach(DiskChain::close);
        }
    }
}
