package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.scheduler.Rule;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Removes a checkpoint from a store that no host has open, and then all garbage with the disks that no checkpoint needs; the power may
 * fail in the middle, and then it is done again. What is not removed must be there and right.
 */
final class Removal {
    /** Compares what is left with what the guests knew. */
    interface Verification {
        void of(CheckpointStore store, SimulatedStoreFiles files);
    }

    private final Simulation simulation;
    private final List<SimulatedVm> vms;
    private final Dice dice;
    private SimulatedStoreFiles files;

    Removal(Simulation simulation, SimulatedStoreFiles files, List<SimulatedVm> vms) {
        this.simulation = simulation;
        this.files = files;
        this.vms = vms;
        this.dice = new Dice(Dice.of(simulation.knobs.seed(), "removal", 0));
    }

    void run(Verification verification) {
        try {
            Set<CheckpointRef> doomed;
            try (var store = CheckpointStore.open(SimulatedHost.STORE, files)) {
                refuse(store);
                doomed = choose(store);
            }
            forget(doomed);
            boolean mayCrash = simulation.knobs.mayCrash() && dice.percent(60);
            if (mayCrash) {
                files.power().failAfter(dice.spread(1, 40));
            }
            try (var store = CheckpointStore.open(SimulatedHost.STORE, files)) {
                remove(store, doomed);
            } catch (IOException failure) {
                if (!files.power().isOff()) {
                    throw failure;
                }
                simulation.count(Situation.CRASH_IN_REMOVAL);
                files = files.crashed(new Power(simulation.knobs.betweenPercent()),
                        Dice.of(simulation.knobs.seed(), "crash in removal", 0));
            }
            files.power().stay();
            try (var store = CheckpointStore.open(SimulatedHost.STORE, files)) {
                remove(store, doomed);
                checkListed(store, doomed);
                Garbage.check(simulation, Map.of(), files, store, false);
                verification.of(store, files);
            }
        } catch (IOException failure) {
            simulation.violated(Rule.R16, "", "the removal of checkpoints", "one that succeeds",
                    failure.toString());
        }
    }

    /** Nobody orphans children without being told to. */
    private void refuse(CheckpointStore store) throws IOException {
        for (var ref : store.list()) {
            var children = store.children(ref);
            if (children.isEmpty()) {
                continue;
            }
            var before = store.list();
            try {
                store.delete(ref);
                simulation.violated(Rule.R16, ref.vm().value(), "the removal of " + ref,
                        "a refusal, because of " + children, "none");
            } catch (StoreException _) {
                simulation.count(Situation.REMOVAL_REFUSED);
            }
            if (!store.list().equals(before)) {
                simulation.violated(Rule.R16, ref.vm().value(), "the refused removal of " + ref,
                        before.toString(), store.list().toString());
            }
            return;
        }
    }

    /** One with all its descendants; not one with copies that disks may stand on, which the command looks for itself. */
    private Set<CheckpointRef> choose(CheckpointStore store) throws IOException {
        var listed = store.list();
        var doomed = new ArrayList<CheckpointRef>();
        if (!listed.isEmpty()) {
            doomed.add(listed.get(dice.below(listed.size())));
        }
        for (int i = 0; i < doomed.size(); i++) {
            if (store.manifest(doomed.get(i)).disks().stream()
                    .anyMatch(disk -> disk.copy() != null)) {
                return Set.of();
            }
            for (var child : store.children(doomed.get(i))) {
                if (!doomed.contains(child)) {
                    doomed.add(child);
                }
            }
        }
        return new HashSet<>(doomed);
    }

    private void forget(Set<CheckpointRef> doomed) {
        for (var vm : vms) {
            for (var one : vm.taken.values()) {
                one.deleted |= doomed.contains(one.ref);
            }
        }
    }

    private void remove(CheckpointStore store, Set<CheckpointRef> doomed) throws IOException {
        for (var ref : store.list()) {
            // The oldest that is still there takes all others along.
            if (doomed.contains(ref) && store.list().contains(ref)
                    && store.deleteWithDescendants(ref).size() > 1) {
                simulation.count(Situation.REMOVAL_CASCADES);
            }
        }
        store.gc();
        if (!store.gcImages(List.of()).removed().isEmpty()) {
            simulation.count(Situation.GC_RECLAIMS_DISKS);
        }
    }

    /** What was sealed and not removed is there, and nothing of what was. */
    private void checkListed(CheckpointStore store, Set<CheckpointRef> gone) {
        var listed = new HashSet<>(store.list());
        for (var vm : vms) {
            for (var one : vm.taken.values()) {
                if (one.isStored() && !listed.contains(one.ref)) {
                    simulation.violated(Rule.R16, vm.name, "checkpoint " + one.label,
                            "one that is there, since it was sealed and not removed", "none");
                }
            }
        }
        listed.retainAll(gone);
        if (!listed.isEmpty()) {
            simulation.violated(null, "", "the store after a removal",
                    "none of what was removed", listed.toString());
        }
    }
}
