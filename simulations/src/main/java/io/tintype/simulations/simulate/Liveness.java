package io.tintype.simulations.simulate;

import io.tintype.scheduler.Rule;
import java.util.List;

/** Says who waits for ever, once nothing can happen any more but operations that never end. */
final class Liveness {
    private final Simulation simulation;

    Liveness(Simulation simulation) {
        this.simulation = simulation;
    }

    /** Whether frames of it are held as long as other VMs run, which may be all that it could get. */
    boolean isHeldByClones(SimulatedVm vm) {
        for (var one : vm.taken.values()) {
            for (var name : one.isSnapshot ? one.clones : List.<String>of()) {
                var clone = simulation.vms().get(name);
                if (clone != null && clone.isStarted() && !clone.isDead()) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Whoever waits now waits for an operation that never ends, or for ever. */
    void check() {
        for (var vm : simulation.vms().values()) {
            if (!vm.isStarted() || vm.isDead()) {
                continue;
            }
            for (var one : vm.taken.values()) {
                if (!one.isOver()) {
                    simulation.violated(Rule.R15, vm.name, "checkpoint " + one.label,
                            "an end, be it at its deadline", "none");
                }
            }
            checkHostages(vm);
        }
    }

    /** R15: where no checkpoint needs a layer unchanged, no write waits for a hung one below. */
    private void checkHostages(SimulatedVm vm) {
        if (simulation.knobs.ordered() || vm.taken.values().stream()
                .anyMatch(Taken::isUsable)) {
            return;
        }
        for (var request : vm.flights.values()) {
            for (long group : request.delayedGroups) {
                if (!request.landed && isHeldHostage(vm, request, group)) {
                    simulation.violated(Rule.R15, vm.name, "write " + request.label,
                            "to go on without the checkpoint",
                            "it waits for one that never ends");
                }
            }
        }
    }

    /** Whether all that it waits for is below its own layer; in it, it would have to wait anyway. */
    private boolean isHeldHostage(SimulatedVm vm, SimulatedVm.Request request, long group) {
        boolean below = false;
        for (var one : simulation.hung()) {
            var operation = one.operation();
            var other = vm.flights.get(operation.ioId());
            if (!operation.disk().equals(vm.name + "/disk-" + request.disk)
                    || (other != null && isOfAnother(other, request))) {
                continue;
            }
            // Behind a copy that never ends it would wait without any checkpoint, too.
            if (vm.requestLabel(operation.ioId()).equals(request.label)
                    || operation.layer() >= request.layer
                    || (operation.fault() && operation.group() == group)) {
                return false;
            }
            below |= operation.group() == group;
        }
        return below;
    }

    /** Whether they are on different disks of that name, since the VM was rolled back between them. */
    @SuppressWarnings("ReferenceEquality") // which one is the question
    private static boolean isOfAnother(SimulatedVm.Request one, SimulatedVm.Request other) {
        return one.life != other.life;
    }
}
