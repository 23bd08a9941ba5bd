package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.catalogue.CheckpointRecord;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.catalogue.OperationRecord;
import io.tintype.cow.disk.DiskChain;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.fleet.CheckpointFiles;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.CrashCheck;
import io.tintype.simulations.oracle.EventLog;
import io.tintype.simulations.oracle.Oracle;
import io.tintype.simulations.oracle.OracleOptions;
import io.tintype.simulations.oracle.PendingEntry;
import io.tintype.simulations.oracle.Violation;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import io.tintype.vm.MachineState;
import io.tintype.vm.Snapshot;
import io.tintype.vm.device.DiskQueue;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** Compares what a run left, in the store, on the disks and in the running VMs, with what the guests knew. */
final class Inspection {
    // No checkpoint has such a number.
    private static final long STANDING_STILL = 1L << 40;

    private final Simulation simulation;
    private final Operator operator;

    Inspection(Simulation simulation, Operator operator) {
        this.simulation = simulation;
        this.operator = operator;
    }

    /** Gives a new VM its oracle. On storage that performs one operation after another a block never tears. */
    void watch(SimulatedVm vm) {
        var log = new EventLog();
        vm.lives(new Life(log,
                new Oracle(vm.name, vm.blueprint, log,
                        OracleOptions.COMPLETE.withTearsAreViolations(true),
                        violation -> simulation.violations().add(violation),
                        simulation.machine.oracleScratch()),
                new CrashCheck(vm.blueprint.sectors(), vm.blueprint.layout().slotCount()), null));
    }

    /** The life of a VM that goes on from a checkpoint or a snapshot; null if the storage does not let anybody look at that. */
    @Nullable
    Life nextLife(SimulatedVm vm, Taken from, String name) {
        var log = new EventLog();
        var oracle = new Oracle[1];
        try {
            look(from, image -> oracle[0] = lifeOf(vm, from).oracle.fork(image, name, log,
                    violation -> simulation.violations().add(violation)));
        } catch (IOException e) {
            return null;
        }
        var durable = from.durable;
        return new Life(log, oracle[0], durable == null
                ? new CrashCheck(vm.blueprint.sectors(), vm.blueprint.layout().slotCount())
                : durable.fork(), lifeOf(vm, from));
    }

    /** That of its T; a checkpoint of which nobody heard before the crash is of the one that was under way. */
    private static Life lifeOf(SimulatedVm vm, Taken one) {
        return one.life == null ? vm.life() : one.life;
    }

    private interface Look {
        void at(CheckpointImage image) throws IOException;
    }

    /** Shows what a checkpoint or a snapshot claims. */
    private void look(Taken one, Look look) throws IOException {
        var snapshot = one.snapshot;
        if (snapshot != null) {
            look.at(imageOf(snapshot));
            return;
        }
        var host = simulation.host();
        look(host.host.store(), host.images, one, look);
    }

    private void look(CheckpointStore store, SimulatedImages images, Taken one, Look look)
            throws IOException {
        try (var files = new CheckpointFiles(store, one.ref, simulation.machine.scratch(),
                images::at)) {
            look.at(files.image());
        }
    }

    /** VMs have one region here. Nothing runs meanwhile, so this is the VM's strand as well as any, and what is unsettled stays so. */
    private static CheckpointImage imageOf(Snapshot snapshot) {
        var devices = snapshot.devices();
        var pending = devices.pending().stream()
                .map(entry -> new PendingEntry(entry.ioId(), entry.tag(), entry.disk(),
                        entry.kind(), entry.sector(), entry.sectorCount(), entry.status()))
                .toList();
        return new CheckpointImage(snapshot.ref().id().value(), devices.registers(),
                devices.queues(), pending,
                (page, destination) -> {
                    snapshot.readPage(0, page, destination);
                    return true;
                },
                (disk, sector, destination) -> snapshot.readDisk(disk, sector * 512, destination));
    }

    /** After the quiet phase. */
    void inspect() {
        collectGarbage(simulation.vms(), false);
        for (var vm : List.copyOf(simulation.vms().values())) {
            if (!isFine()) {
                return;
            }
            standingStill(vm);
            for (var one : vm.taken.values()) {
                if (one.isUsable() && isFine()) {
                    verify(vm, one);
                }
            }
        }
        if (isFine() && simulation.knobs.restores()) {
            restoreAll();
        }
        if (isFine()) {
            giveBack();
        }
        if (isFine() && simulation.knobs.rots()) {
            rot();
        } else if (isFine() && simulation.knobs.removes()) {
            remove(List.copyOf(simulation.vms().values()));
        }
    }

    /** When the host is gone, as by somebody who has the store for himself: what the commands for that do, and lose no more. */
    private void remove(List<SimulatedVm> vms) {
        simulation.stopAll();
        new Removal(simulation, simulation.host().files, vms).run((store, files) -> {
            for (var vm : vms) {
                for (var one : vm.taken.values()) {
                    if (one.isStored() && isFine()) {
                        try {
                            look(store, new SimulatedImages(files), one,
                                    image -> simulation.violations().addAll(
                                            lifeOf(vm, one).oracle.verify(image, true)
                                                    .violations()));
                        } catch (IOException | RuntimeException damaged) {
                            unreadable(vm, one, damaged);
                        }
                    }
                }
            }
        });
    }

    /** With nothing in progress and storage that works, nothing is left over, and all that comes after must find what it needs. */
    private void collectGarbage(Map<String, SimulatedVm> vms, boolean crashed) {
        try {
            operator.gc();
            var left = simulation.host().host.store().leftovers();
            if (!left.removed().isEmpty() || !left.unreadable().isEmpty()) {
                simulation.violated(null, "", "the store after a collection of garbage",
                        "nothing left over, all of it readable", left.toString());
            }
            Garbage.check(simulation, vms, simulation.host().files,
                    simulation.host().host.store(), crashed);
            if (crashed) {
                checkGone(vms);
            }
        } catch (IOException e) {
            simulation.violated(null, "", "a collection of garbage", "one that succeeds",
                    String.valueOf(e.getMessage()));
        }
    }

    /** Nothing is listed any more of a VM that the power failed under while it was made, once its disks are collected. */
    private void checkGone(Map<String, SimulatedVm> vms) {
        for (var vm : simulation.host().host.catalogue().state().vms().values()) {
            var known = vms.get(vm.id().value());
            if (known == null || !known.isStarted()) {
                simulation.violated(null, vm.id().value(), "the catalogue after a collection of "
                        + "garbage", "no VM that never began to run", vm.status().toString());
            }
        }
    }

    private boolean isFine() {
        return simulation.violations().isEmpty();
    }

    /** Compares a VM that has nothing in flight. */
    private void standingStill(SimulatedVm vm) {
        if (!vm.isStarted() || vm.isDead() || vm.isDestroying) {
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
        vm.life().log.stunned(STANDING_STILL, registers);
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
            simulation.violations().addAll(vm.life().oracle.verifyOngoing(image).violations());
        } catch (IOException e) {
            simulation.violated(null, vm.name, "its disks", "ones that can be read",
                    String.valueOf(e.getMessage()));
        }
    }

    /** Compares a checkpoint or a snapshot with what its guest knew at T. */
    void verify(SimulatedVm vm, Taken one) {
        try {
            look(one, image -> simulation.violations()
                    .addAll(lifeOf(vm, one).oracle.verify(image, true).violations()));
        } catch (IOException | RuntimeException damaged) {
            unreadable(vm, one, damaged);
        }
    }

    private void unreadable(SimulatedVm vm, Taken one, Exception damaged) {
        simulation.violations().add(new Violation(Rule.R12, vm.name, one.ref.id().value(),
                one.isSnapshot ? "the snapshot" : "the stored checkpoint",
                one.isSnapshot ? "one that can be read" : "files as they were sealed",
                damaged.toString()));
    }

    /** Without snapshots a disk keeps no more layers than checkpoints name. */
    private void giveBack() {
        for (var vm : simulation.vms().values()) {
            vm.taken.values().forEach(one -> {
                if (one.isOpen()) {
                    operator.closed(one);
                }
            });
        }
        simulation.goOn();
        for (var vm : simulation.vms().values()) {
            // A clone keeps the snapshot that it stands on, also when its disks were made flat since.
            if (vm.isStarted() && !vm.isDead() && isFine()
                    && !simulation.liveness().isHeldByClones(vm)) {
                checkHeld(vm);
            }
        }
    }

    private void checkHeld(SimulatedVm vm) {
        var seen = new MachineState[1];
        simulation.await(vm.vm().visit(machine -> seen[0] = machine));
        var machine = seen[0];
        if (machine == null || !simulation.knobs.rules().on(Rule.R16)) {
            return;
        }
        try {
            for (var chain : machine.chains()) {
                var named = new TreeSet<Integer>();
                for (var ref : simulation.host().host.store().list()) {
                    for (var disk : simulation.host().host.store().open(ref).manifest().disks()) {
                        if (disk.images().equals(chain.directory().location())
                                && disk.copy() == null) {
                            named.add(disk.view());
                        }
                    }
                }
                var held = new TreeSet<>(chain.heldViews());
                held.removeAll(named);
                if (!held.isEmpty() && !chain.hasClones()) {
                    simulation.violated(Rule.R16, vm.name, chain.directory().location(),
                            "no layers kept but for checkpoints, " + named, held.toString());
                }
            }
        } catch (IOException e) {
            // The oracle's to report, where it matters.
        }
    }

    private void restoreAll() {
        for (var vm : List.copyOf(simulation.vms().values())) {
            for (var one : vm.taken.values()) {
                if (one.isUsable() && isFine()) {
                    restoreAndRun(vm, one, vm.name + "-" + one.label);
                }
            }
        }
    }

    /** A restored VM must be what the checkpoint says, and go on: it gets a store, a read and a write of its own. */
    private void restoreAndRun(SimulatedVm vm, Taken one, String name) {
        var clone = operator.restore(vm, one, name);
        if (clone == null) {
            simulation.violated(Rule.R12, vm.name, one.ref.toString(),
                    "a checkpoint that can be restored", "one that cannot");
            return;
        }
        simulation.goOn();
        if (!clone.isStarted()) {
            simulation.violated(Rule.R12, vm.name, one.ref.toString(),
                    "a checkpoint that a VM starts from", "none that started");
            return;
        }
        if (!clone.isDead() && isFine()) {
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
                verify(vm, one);
            } else {
                simulation.violated(null, vm.name, directory.resolve(name).toString(),
                        "a checksum that fails, since a bit rotted", "none");
            }
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    /** After a power failure: starts the host again on what is left, and compares that. */
    void recover(SimulatedStoreFiles files, MemoryJournal journal) {
        var before = List.copyOf(simulation.vms().values());
        simulation.vms().clear();
        SimulatedHost host;
        try {
            host = simulation.restart(files, journal);
        } catch (StoreException e) {
            simulation.vms().clear();
            simulation.violated(Rule.R12, "", "the store after a crash", "one that opens",
                    String.valueOf(e.getMessage()));
            return;
        }
        var listed = new HashSet<>(host.host.store().list());
        checkCatalogue(host, listed);
        var known = new TreeMap<String, SimulatedVm>();
        before.forEach(vm -> known.put(vm.name, vm));
        collectGarbage(known, true);
        for (var vm : before) {
            checkListed(vm, listed);
            checkFlushed(vm, host);
        }
        if (isFine() && simulation.knobs.restores()) {
            for (var vm : before) {
                for (var one : vm.taken.values()) {
                    if (one.isStored() && isFine()) {
                        restoreAndRun(vm, one, vm.name + "-" + one.label);
                    }
                }
            }
        }
        if (isFine() && simulation.knobs.removes()) {
            remove(before);
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
        // A commit that was cut off goes on when its disk is opened, and the chain says so itself.
        if (state.operations().values().stream()
                .anyMatch(operation -> operation.kind() != OperationRecord.Kind.DISK_COMMIT)) {
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
                verify(vm, one);
            }
        }
    }

    private void checkFlushed(SimulatedVm vm, SimulatedHost host) {
        if (!vm.isStarted() || vm.isDestroying) {
            return;
        }
        var life = vm.life();
        var check = life.crashCheck;
        if (check.durableCount() == 0 || !isFine()) {
            return;
        }
        // Only disks with something durable need open at all.
        var chains = new HashMap<Integer, DiskChain>();
        try {
            simulation.violations().addAll(check.check(vm.name, (disk, sector, destination) -> {
                var chain = chains.get(disk);
                if (chain == null) {
                    chain = DiskChain.open(host.images.at(life.images.get(disk)));
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
