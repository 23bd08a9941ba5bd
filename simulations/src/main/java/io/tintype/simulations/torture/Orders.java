package io.tintype.simulations.torture;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a victim is to do, told in one line of JSON.
 *
 * @param store the store that it opens
 * @param tapes the directory of its tapes, which is there
 * @param seed of when it takes and deletes checkpoints
 * @param members the VMs that it hosts
 * @param doomed checkpoints that it deletes before it starts the VMs, as {@code vm/id}
 * @param defect what is broken on purpose
 */
record Orders(String store, String tapes, long seed, List<Member> members, List<Doomed> doomed,
        Defect defect) {
    /**
     * One VM.
     *
     * @param name which no VM of the store ever had
     * @param seed of its lineage
     * @param life its number in the lineage
     * @param fromVm the VM whose checkpoint it is restored from; null: it is new
     * @param fromId that checkpoint's id
     */
    record Member(String name, long seed, int life, @Nullable String fromVm, long fromId) {}

    /** A checkpoint to be deleted. On the tape of fates it is number {@link #DOOMED} and its place in the list. */
    record Doomed(String vm, long id) {}

    static final int DOOMED = 0x8000;

    Orders {
        members = List.copyOf(members);
        doomed = List.copyOf(doomed);
    }
}
