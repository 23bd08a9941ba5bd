package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.util.List;

/** Names of checkpoints as people write them: {@code vm/id}, or {@code vm} for the newest of that VM. */
public final class Refs {
    private Refs() {}

    /**
     * The checkpoint that is meant.
     *
     * @throws UserErrorException if there is none of that name
     */
    public static CheckpointRef find(CheckpointStore store, String name) {
        var slash = name.indexOf('/');
        var vm = slash < 0 ? name : name.substring(0, slash);
        if (!VmId.isValid(vm)) {
            throw UserErrorException.of("checkpoint", name, "not a checkpoint's name",
                    "write VM/ID, such as vm-1/3, or VM for its newest");
        }
        var ofVm = store.list().stream().filter(ref -> ref.vm().value().equals(vm)).toList();
        if (ofVm.isEmpty()) {
            throw UserErrorException.of("checkpoint", name,
                    "there is no checkpoint of a VM " + vm + " in " + store.directory(),
                    "'./tintype checkpoint ls --store " + store.directory()
                            + "' shows those that are there");
        }
        return slash < 0
                ? ofVm.getLast()
                : find(store, ofVm, vm, name.substring(slash + 1), name);
    }

    private static CheckpointRef find(CheckpointStore store, List<CheckpointRef> ofVm, String vm,
            String id, String name) {
        try {
            var ref = new CheckpointRef(new VmId(vm), new CheckpointId(Long.parseLong(id)));
            if (ofVm.contains(ref)) {
                return ref;
            }
        } catch (IllegalArgumentException _) {
            throw UserErrorException.of("checkpoint", name, "not a checkpoint's name",
                    "write VM/ID, such as vm-1/3, or VM for its newest");
        }
        throw UserErrorException.of("checkpoint", name,
                "there is no such checkpoint in " + store.directory(),
                "of " + vm + " there are " + ofVm.getFirst().id()
                        + (ofVm.size() == 1 ? "" : " to " + ofVm.getLast().id()));
    }
}
