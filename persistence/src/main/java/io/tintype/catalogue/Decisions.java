package io.tintype.catalogue;

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
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Whether what somebody tells is news. Pure.
 *
 * <p>The runtime decides what happens to a VM; the catalogue keeps the record. So a fact is hardly ever refused, but what is known
 * is not written again: after a journal was away its facts are told once more, since nobody knows which of them arrived.
 */
public final class Decisions {
    /** What to do with something told. */
    public sealed interface Decision {
        /** It is news. */
        record Write(CatalogueEvent event) implements Decision {}

        /** It is known, or too late to matter. */
        record Known() implements Decision {}

        /** It contradicts what is known: whoever told it must not go on. */
        record Refuse(String reason) implements Decision {}
    }

    private static final Decision KNOWN = new Decision.Known();

    private Decisions() {}

    /** Returns what to do with {@code told} in {@code state}. */
    public static Decision decide(CatalogueState state, CatalogueEvent told) {
        return switch (told) {
            case CheckpointBegun begun -> begin(state, begun);
            case OperationBegun begun -> begin(state, begun);
            case VmCreated(var vm, _, _, _, _) -> ofVm(state, told, vm);
            case VmFound(var vm, _, _, _) -> ofVm(state, told, vm);
            case VmStarted(var vm, _) -> ofVm(state, told, vm);
            case VmStopped(var vm, _, _) -> ofVm(state, told, vm);
            case VmRestored(var vm, _, _) -> ofVm(state, told, vm);
            case VmRemoved(var vm, _, _) -> ofVm(state, told, vm);
            case CheckpointStunned(var ref, _, _) -> ofCheckpoint(state, told, ref);
            // Whatever was known before: the manifest is there, and it is the truth.
            case CheckpointSealed(var ref, _) -> ofCheckpoint(state, told, ref);
            case CheckpointAborted(var ref, _) -> ofCheckpoint(state, told, ref);
            case CheckpointDeleteBegun(var ref) -> ofCheckpoint(state, told, ref);
            case CheckpointKept(var ref) -> ofCheckpoint(state, told, ref);
            case CheckpointDeleted(var ref, _) -> ofCheckpoint(state, told, ref);
            case OperationStepped(var name, _, _) -> ofOperation(state, told, name);
            case OperationEnded(var name, _) -> ofOperation(state, told, name);
        };
    }

    // An event that leaves everything as it is need not be kept, and the event handler itself knows which do. Only what an
    // event can touch is compared, or a decision would cost as much as the whole catalogue is large.

    private static Decision ofVm(CatalogueState state, CatalogueEvent told, VmId vm) {
        return news(told, state.vms().get(vm), state.apply(told).vms().get(vm));
    }

    private static Decision ofCheckpoint(CatalogueState state, CatalogueEvent told,
            CheckpointRef ref) {
        var after = state.apply(told);
        return after.lastId(ref.vm()) == state.lastId(ref.vm())
                ? news(told, state.checkpoint(ref), after.checkpoint(ref))
                : new Decision.Write(told);
    }

    private static Decision ofOperation(CatalogueState state, CatalogueEvent told, String name) {
        return news(told, state.operations().get(name), state.apply(told).operations().get(name));
    }

    private static Decision news(CatalogueEvent told, @Nullable Object before,
            @Nullable Object after) {
        return Objects.equals(before, after) ? KNOWN : new Decision.Write(told);
    }

    private static Decision begin(CatalogueState state, CheckpointBegun begun) {
        var ref = begun.checkpoint();
        var known = state.checkpoint(ref);
        if (known != null && known.isInProgress()) {
            return KNOWN;
        }
        if (ref.id().value() <= state.lastId(ref.vm())) {
            return new Decision.Refuse("checkpoint " + ref + " is not newer than " + ref.vm() + "/"
                    + state.lastId(ref.vm()) + ", and an id is never used again");
        }
        if (!state.vms().has(ref.vm())) {
            return new Decision.Refuse("no VM named " + ref.vm() + " is in the catalogue");
        }
        return new Decision.Write(begun);
    }

    private static Decision begin(CatalogueState state, OperationBegun begun) {
        var known = state.operations().get(begun.name());
        if (known == null) {
            return new Decision.Write(begun);
        }
        return known.equals(state.apply(begun).operations().get(begun.name()))
                ? KNOWN
                : new Decision.Refuse("\"" + begun.name() + "\" was begun at " + known.at()
                        + " and has not ended; let it end, or end it");
    }
}
