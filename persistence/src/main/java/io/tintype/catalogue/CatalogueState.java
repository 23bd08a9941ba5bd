package io.tintype.catalogue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.catalogue.CatalogueEvent.CheckpointAborted;
import io.tintype.catalogue.CatalogueEvent.CheckpointBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleteBegun;
import io.tintype.catalogue.CatalogueEvent.CheckpointDeleted;
import io.tintype.catalogue.CatalogueEvent.CheckpointKept;
import io.tintype.catalogue.CatalogueEvent.CheckpointSealed;
import io.tintype.catalogue.CatalogueEvent.CheckpointStunned;
import io.tintype.catalogue.CatalogueEvent.OperationBegun;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.OperationStepped;
import io.tintype.catalogue.CatalogueEvent.VmCreated;
import io.tintype.catalogue.CatalogueEvent.VmFound;
import io.tintype.catalogue.CatalogueEvent.VmRemoved;
import io.tintype.catalogue.CatalogueEvent.VmRestored;
import io.tintype.catalogue.CatalogueEvent.VmStarted;
import io.tintype.catalogue.CatalogueEvent.VmStopped;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * What the events so far come to. Immutable; {@link #apply} is total: an event that does not fit, which a journal of another
 * version may hold, changes nothing and never fails, since a journal that cannot be replayed is worth nothing.
 *
 * @param vms by name
 * @param operations begun and not ended, by name
 */
public record CatalogueState(Sorted<VmId, VmRecord> vms,
        Sorted<String, OperationRecord> operations) {
    /** Nothing is known. */
    public static final CatalogueState EMPTY =
            new CatalogueState(Sorted.empty(), Sorted.empty());

    /** Returns the checkpoint if it is in progress or sealed; else null. */
    public @Nullable CheckpointRecord checkpoint(CheckpointRef ref) {
        var vm = vms.get(ref.vm());
        return vm == null ? null : vm.checkpoints().get(ref.id());
    }

    /** Returns the highest id that a checkpoint of {@code vm} ever had, as far as is known; 0 for none. */
    public long lastId(VmId vm) {
        var known = vms.get(vm);
        return known == null ? 0 : known.lastId();
    }

    /** Returns what there is after {@code event}. */
    public CatalogueState apply(CatalogueEvent event) {
        return switch (event) {
            case VmCreated(var vm, var regions, var disks, var origin, var at) ->
                with(made(vm, VmRecord.Status.CREATED, regions, disks, origin, at));
            case VmFound(var vm, var regions, var disks, var at) ->
                with(made(vm, VmRecord.Status.FOUND, regions, disks, null, at));
            case VmStarted(var vm, var at) ->
                change(vm, known -> known.status() == VmRecord.Status.RUNNING
                        ? known
                        : known.with(VmRecord.Status.RUNNING, null, at));
            case VmStopped(var vm, var failure, var at) ->
                change(vm, known -> known.with(
                        failure == null ? VmRecord.Status.STOPPED : VmRecord.Status.FAILED,
                        failure, at));
            case VmRestored(var vm, var from, _) -> change(vm, known -> known.restored(from));
            case VmRemoved(var vm, _, _) -> new CatalogueState(vms.without(vm), operations);
            case CheckpointBegun(var ref, var at) ->
                checkpoint(ref, _ -> new CheckpointRecord(ref, CheckpointRecord.Phase.BEGUN, at, -1,
                        0, null));
            case CheckpointStunned(var ref, var stunNs, var pending) ->
                checkpoint(ref,
                        known -> known == null || known.phase() != CheckpointRecord.Phase.BEGUN
                                ? null
                                : new CheckpointRecord(ref, CheckpointRecord.Phase.STUNNED,
                                        known.at(),
                                        stunNs, pending, null));
            case CheckpointSealed(var ref, var facts) -> sealed(ref, facts);
            case CheckpointAborted(var ref, var reason) ->
                change(ref.vm(), vm -> vm.without(ref.id()).withReason("checkpoint " + ref
                        + " was aborted: " + reason));
            case CheckpointDeleteBegun(var ref) ->
                checkpoint(ref, known -> known == null || known.isInProgress()
                        ? null
                        : known.in(CheckpointRecord.Phase.DELETING));
            case CheckpointKept(var ref) ->
                checkpoint(ref, known -> known == null || known.isInProgress()
                        ? null
                        : known.in(CheckpointRecord.Phase.SEALED));
            case CheckpointDeleted(var ref, _) ->
                change(ref.vm(), vm -> vm.without(ref.id()));
            case OperationBegun(var name, var kind, var vm, var disk, var details, var at) ->
                new CatalogueState(vms, operations.with(name,
                        new OperationRecord(name, kind, vm, disk, "", details, at)));
            case OperationStepped stepped -> stepped(stepped);
            case OperationEnded(var name, _) ->
                new CatalogueState(vms, operations.without(name));
        };
    }

    /** Returns what there is after all of {@code events}, in their order. */
    public CatalogueState applyAll(Iterable<? extends CatalogueEvent> events) {
        var state = this;
        for (var event : events) {
            state = state.apply(event);
        }
        return state;
    }

    private CatalogueState sealed(CheckpointRef ref, SealedFacts facts) {
        // What is sealed exists, whether or not anybody told of the VM before.
        var known = vms.get(ref.vm());
        var vm = known != null
                ? known
                : made(ref.vm(), VmRecord.Status.FOUND, List.of(), List.of(), null, facts.at());
        var sized = vm.regionBytes().isEmpty()
                ? vm.sized(facts.regionBytes(), facts.diskBytes())
                : vm;
        // It says what is wrong, and a checkpoint that is sealed says that nothing is.
        var fine = vm.status() == VmRecord.Status.FAILED ? sized : sized.withReason(null);
        return with(fine.with(new CheckpointRecord(ref, CheckpointRecord.Phase.SEALED, facts.at(),
                facts.stunNs(), facts.pendingCount(), facts)));
    }

    private CatalogueState stepped(OperationStepped event) {
        var known = operations.get(event.name());
        return known == null
                ? this
                : new CatalogueState(vms,
                        operations.with(event.name(),
                                known.stepped(event.step(), event.details())));
    }

    /** A VM of that name: what is known of checkpoints stays, since they are in the store. */
    private VmRecord made(VmId vm, VmRecord.Status status, List<Long> regions, List<Long> disks,
            @Nullable CheckpointRef origin, Instant at) {
        var known = vms.get(vm);
        return new VmRecord(vm, status, null, regions, disks, origin, at,
                known == null ? 0 : known.lastId(),
                known == null
                        ? Sorted.<CheckpointId, CheckpointRecord>empty()
                        : known.checkpoints());
    }

    private CatalogueState with(VmRecord vm) {
        return new CatalogueState(vms.with(vm.id(), vm), operations);
    }

    private CatalogueState change(VmId vm, UnaryOperator<VmRecord> change) {
        var known = vms.get(vm);
        return known == null ? this : with(change.apply(known));
    }

    private interface Change {
        @Nullable
        CheckpointRecord of(@Nullable CheckpointRecord known);
    }

    private CatalogueState checkpoint(CheckpointRef ref, Change change) {
        return change(ref.vm(), vm -> {
            var changed = change.of(vm.checkpoints().get(ref.id()));
            return changed == null ? vm : vm.with(changed);
        });
    }
}
