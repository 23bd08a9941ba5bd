package io.tintype.catalogue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.CatalogueEvent.CheckpointAborted;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleted;
import io.tintype.catalogue.CatalogueEvent.CheckpointKept;
import io.tintype.catalogue.CatalogueEvent.CheckpointSealed;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.OperationStepped;
import io.tintype.catalogue.CatalogueEvent.VmFound;
import io.tintype.catalogue.CatalogueEvent.VmRemoved;
import io.tintype.catalogue.CatalogueEvent.VmStopped;
import io.tintype.cow.disk.DiskChain;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Compares what a journal says with what is in the store, when a host starts. Pure.
 *
 * <p>What holds, and why a process may die at any instant:
 * <ul>
 * <li>a checkpoint is sealed if and only if its manifest is visible; the journal follows, in either direction;
 * <li>what was begun and is not sealed is aborted: its files were in the staging directory, which opening the store cleared;
 * <li>nothing is deleted that could hold a guest's write: disks go only when the journal says that they were being removed, or when
 * they were being made for a new VM, not all of them were, and none was ever flushed, see {@link StoreScan}.
 * </ul>
 *
 * @param events what to write, in this order
 * @param removals VMs whose disks are to be removed; each is followed by the events of {@link #removed}
 * @param notes what is worth a line of log, as it is normal after a crash
 * @param warnings what somebody should look at
 */
public record Reconciliation(List<CatalogueEvent> events, List<VmId> removals, List<String> notes,
        List<String> warnings) {
    private static final String CUT_OFF = "cut off";
    private static final String ENDED = "its process ended";
    private static final String CRASHED = "its process ended before it was sealed";

    /** Copies the lists. */
    public Reconciliation {
        events = List.copyOf(events);
        removals = List.copyOf(removals);
        notes = List.copyOf(notes);
        warnings = List.copyOf(warnings);
    }

    /** Returns which manifests have to be read to write what is missing: of checkpoints that are there and not known as sealed. */
    public static SortedSet<CheckpointRef> unknown(CatalogueState state, StoreContents contents) {
        var unknown = new TreeSet<CheckpointRef>();
        for (var ref : contents.sealed()) {
            var known = state.checkpoint(ref);
            if (known == null || known.isInProgress()) {
                unknown.add(ref);
            }
        }
        return unknown;
    }

    /**
     * Returns what makes the catalogue agree with the store.
     *
     * @param facts of all of {@link #unknown} whose manifests could be read; one that is damaged is left out and stays unknown
     */
    public static Reconciliation of(CatalogueState state, StoreContents contents,
            SortedMap<CheckpointRef, SealedFacts> facts, Instant now) {
        return of(state, contents, facts, new TreeMap<>(), now);
    }

    /**
     * The same where disks are in the store.
     *
     * @param chains what the chains say on which work was under way, by {@link OperationRecord#CHAIN}; those that nobody can read
     *     are left out
     */
    public static Reconciliation of(CatalogueState state, StoreContents contents,
            SortedMap<CheckpointRef, SealedFacts> facts,
            SortedMap<String, DiskChain.Outline> chains, Instant now) {
        var plan = new Draft(state, contents, facts, chains, now);
        plan.checkpoints();
        plan.operations();
        plan.vms();
        return new Reconciliation(plan.events, plan.removals, plan.notes, plan.warnings);
    }

    /** Returns the places of chains that work was under way on: what they say of it has to be read. */
    public static SortedSet<String> interrupted(CatalogueState state) {
        var places = new TreeSet<String>();
        for (var operation : state.operations().values()) {
            var place = operation.detail(OperationRecord.CHAIN);
            if (operation.isOfDisk() && place != null) {
                places.add(place);
            }
        }
        return places;
    }

    /** Returns what to write once the disks of {@code vm} are removed. */
    public static List<CatalogueEvent> removed(CatalogueState state, VmId vm, Instant now) {
        var events = new ArrayList<CatalogueEvent>();
        for (var operation : state.operations().values()) {
            if (operation.vm().equals(vm)) {
                events.add(new OperationEnded(operation.name(), null));
            }
        }
        events.add(new VmRemoved(vm, "its disks were removed", now));
        return events;
    }

    /** Returns whether disks of other VMs may start from those of {@code vm}: one that was half made never ran. */
    static boolean mayHaveClones(CatalogueState state, VmId vm) {
        return state.operations().values().stream().anyMatch(operation -> operation.vm().equals(vm)
                && operation.kind() == OperationRecord.Kind.DESTROY);
    }

    /** Returns what to write once it is known that the disks of {@code vm} have to stay, because of {@code reason}. */
    public static List<CatalogueEvent> kept(CatalogueState state, VmId vm, String reason,
            Instant now) {
        var events = new ArrayList<CatalogueEvent>();
        for (var operation : state.operations().values()) {
            if (operation.vm().equals(vm)) {
                events.add(new OperationEnded(operation.name(), reason));
            }
        }
        if (state.vms().get(vm) == null) {
            events.add(new VmFound(vm, List.of(), List.of(), now));
        }
        return events;
    }

    private static final class Draft {
        private final CatalogueState before;
        private final StoreContents contents;
        private final SortedMap<CheckpointRef, SealedFacts> facts;
        private final SortedMap<String, DiskChain.Outline> chains;
        private final Instant now;
        private final List<CatalogueEvent> events = new ArrayList<>();
        private final List<VmId> removals = new ArrayList<>();
        private final List<String> notes = new ArrayList<>();
        private final List<String> warnings = new ArrayList<>();
        private final List<CheckpointRef> gone = new ArrayList<>();
        private CatalogueState after;

        Draft(CatalogueState before, StoreContents contents,
                SortedMap<CheckpointRef, SealedFacts> facts,
                SortedMap<String, DiskChain.Outline> chains, Instant now) {
            this.chains = chains;
            this.before = before;
            this.contents = contents;
            this.facts = facts;
            this.now = now;
            this.after = before;
        }

        private void write(CatalogueEvent event) {
            events.add(event);
            after = after.apply(event);
        }

        void checkpoints() {
            for (var vm : before.vms().values()) {
                vm.checkpoints().values().forEach(this::known);
            }
            if (!gone.isEmpty()) {
                warnings.add("sealed checkpoints that are gone from the store: " + gone.size()
                        + ", the first " + gone.getFirst()
                        + "; if that was not \"tintype checkpoint rm\", find out who deletes there");
            }
            facts.forEach((ref, of) -> {
                if (before.checkpoint(ref) == null) {
                    if (!before.equals(CatalogueState.EMPTY)) {
                        notes.add("checkpoint " + ref
                                + " is in the store and was not in the catalogue");
                    }
                    found(ref.vm(), of.regionBytes(), of.diskBytes());
                    write(new CheckpointSealed(ref, of));
                }
            });
        }

        private void known(CheckpointRecord checkpoint) {
            var ref = checkpoint.ref();
            boolean visible = contents.sealed().contains(ref);
            switch (checkpoint.phase()) {
                case BEGUN, STUNNED -> {
                    var of = facts.get(ref);
                    if (visible && of != null) {
                        notes.add("checkpoint " + ref + " was sealed when its process ended");
                        write(new CheckpointSealed(ref, of));
                    } else if (!visible) {
                        notes.add("checkpoint " + ref + " was aborted: " + CRASHED);
                        write(new CheckpointAborted(ref, CRASHED));
                    }
                }
                case SEALED -> {
                    if (!visible) {
                        gone.add(ref);
                        write(new CheckpointDeleted(ref, "it is gone from the store"));
                    }
                }
                case DELETING -> {
                    if (visible) {
                        // Whoever asked was not answered, and asks again; deleting it now might surprise them.
                        notes.add("checkpoint " + ref + " was to be deleted and is still whole");
                        write(new CheckpointKept(ref));
                    } else {
                        write(new CheckpointDeleted(ref, "it was being deleted"));
                    }
                }
            }
        }

        void operations() {
            for (var operation : before.operations().values()) {
                if (!operation.isOfDisk()) {
                    ended(operation);
                } else if (contents.disksKnown() && !contents.disks().containsKey(operation.vm())) {
                    write(new OperationEnded(operation.name(), "the disk is gone"));
                } else {
                    cutOff(operation);
                }
            }
        }

        /** Work on a disk that nobody does any more: the chain itself says how far it came. */
        private void cutOff(OperationRecord operation) {
            var name = operation.name();
            var place = operation.detail(OperationRecord.CHAIN);
            var chain = place == null ? null : chains.get(place);
            switch (operation.kind()) {
                case DISK_COPY -> {
                    var of = operation.detail(OperationRecord.CHECKPOINT);
                    boolean isSealed = contents.sealed().stream()
                            .anyMatch(ref -> ref.toString().equals(of));
                    // Opening the store has cleared what was not.
                    abortedUnless(isSealed, name);
                }
                case DISK_COMMIT -> {
                    int layer = number(operation, OperationRecord.LAYER);
                    if (chain != null && chain.unfinishedCommit() == layer) {
                        notes.add(name + " was cut off; it goes on when the disk is opened");
                        if (!operation.step().equals(CUT_OFF)) {
                            write(new OperationStepped(name, CUT_OFF, new TreeMap<>()));
                        }
                    } else {
                        // At its end the file below has the layer, too.
                        int into = number(operation, OperationRecord.INTO);
                        abortedUnless(
                                chain != null && into >= 0 && !chain.lastLayers().contains(into),
                                name);
                    }
                }
                case DISK_FLATTEN -> {
                    int view = number(operation, OperationRecord.VIEW);
                    abortedUnless(chain != null && chain.flat() >= 0 && chain.flat() >= view, name);
                }
                case CREATE, RESTORE, CLONE, ROLL_BACK, DESTROY -> {}
            }
        }

        private void abortedUnless(boolean isDone, String name) {
            if (isDone) {
                notes.add(name + " was done when its process ended");
                write(new OperationEnded(name, null));
            } else {
                notes.add(name + " was given up: " + ENDED);
                write(new OperationEnded(name, ENDED));
            }
        }

        private static int number(OperationRecord operation, String key) {
            var value = operation.detail(key);
            try {
                return value == null ? -1 : Integer.parseInt(value);
            } catch (NumberFormatException _) {
                return -1;
            }
        }

        private void ended(OperationRecord operation) {
            var vm = operation.vm();
            switch (operation.kind()) {
                case DESTROY -> {
                    if (hasSealed(vm)) {
                        write(new OperationEnded(operation.name(), "it has checkpoints"));
                    } else if (contents.disks().containsKey(vm)) {
                        remove(vm, "its disks were being removed");
                    } else {
                        write(new OperationEnded(operation.name(), null));
                    }
                }
                case CREATE, RESTORE, CLONE -> {
                    var made = contents.disks().get(vm);
                    int wanted = diskCount(operation);
                    // Disks of a restored VM have files once its guest has written to them: they may be all there is.
                    if (operation.kind() == OperationRecord.Kind.CREATE && made != null
                            && made.size() < wanted && !hasSealed(vm)
                            && before.vms().get(vm) == null) {
                        remove(vm, "only " + made.size() + " of its " + wanted
                                + " disks were made when its process ended");
                    } else {
                        write(new OperationEnded(operation.name(), ENDED));
                    }
                }
                case ROLL_BACK -> write(
                        new OperationEnded(operation.name(), ENDED));
                case DISK_COPY, DISK_COMMIT, DISK_FLATTEN -> {}
            }
        }

        private static int diskCount(OperationRecord operation) {
            return Math.max(0, number(operation, DISKS));
        }

        private void remove(VmId vm, String why) {
            notes.add("VM " + vm + " is removed: " + why);
            removals.add(vm);
        }

        private boolean hasSealed(VmId vm) {
            return contents.sealed().stream().anyMatch(ref -> ref.vm().equals(vm));
        }

        void vms() {
            for (var vm : contents.disks().keySet()) {
                if (!removals.contains(vm)) {
                    found(vm, List.of(), List.of());
                }
            }
            for (var vm : before.vms().values()) {
                var id = vm.id();
                boolean hasDisks = contents.disks().containsKey(id);
                boolean mayHaveDisks = !contents.disksKnown() || hasDisks;
                if (!mayHaveDisks && !hasSealed(id)) {
                    write(new VmRemoved(id, "the store has nothing of it", now));
                } else if (contents.disksKnown() && !hasDisks && !vm.diskBytes().isEmpty()
                        && vm.status() == VmRecord.Status.RUNNING) {
                    warnings.add("VM " + id + " ran, and its disks are gone from the store");
                    write(new VmStopped(id, "its disks are gone from the store", now));
                }
            }
        }

        private void found(VmId vm, List<Long> regions, List<Long> disks) {
            if (after.vms().get(vm) == null) {
                write(new VmFound(vm, regions, disks, now));
            }
        }
    }

    /** The detail of an operation that makes a VM: how many disks it is to have. */
    public static final String DISKS = "disks";

    /** Returns why a rebuilt catalogue is one, in one line; null when {@code before} knew something. */
    public static @Nullable String rebuilt(CatalogueState before, CatalogueState after) {
        if (!before.equals(CatalogueState.EMPTY)) {
            return null;
        }
        long checkpoints = after.vms().values().stream()
                .mapToLong(vm -> vm.checkpoints().size())
                .sum();
        return "rebuilt from the store: VMs: " + after.vms().size() + ", sealed checkpoints: "
                + checkpoints
                + "; which of them ran, and what was in progress, is not known any more";
    }
}
