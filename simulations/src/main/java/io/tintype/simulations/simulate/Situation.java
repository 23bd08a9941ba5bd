package io.tintype.simulations.simulate;

/** What happens rarely and must happen: each run counts it, and a simulator that never gets there proves little. */
public enum Situation {
    READ_ACROSS_TWO_CHECKPOINTS("a read pending across two checkpoints"),
    DELAYED_WRITE_PREDECESSOR_FAILS("a delayed write whose predecessor fails"),
    WRITE_DELAYED("a write that waits for an earlier one of its block group"),
    ABORT_PREPARING("an abort while overlays are prepared"),
    ABORT_PUT_OFF("an abort while T is put off"),
    ABORT_RESUME_HELD("an abort while the resume is held"),
    ABORT_DRAINING("an abort while requests of P are in flight"),
    ABORT_SAVING("an abort after P, while saving"),
    ABORT_DEADLINE("an abort by the deadline"),
    COPY_WHILE_READING("a COW fault between issue and landing of a read"),
    OVERLAPPING_REQUESTS("overlapping requests in flight"),
    COMMIT_DURING_CHECKPOINT("a commit during a checkpoint"),
    COMMIT("a commit"),
    TWO_CHECKPOINTS_AT_ONCE("two checkpoints of a VM in progress"),
    CRASH_PREPARING("a crash while a checkpoint is prepared"),
    CRASH_STUNNED("a crash within a stun"),
    CRASH_DRAINING("a crash while requests of P are in flight"),
    CRASH_SAVING("a crash after P, while saving"),
    CRASH_IN_STORE_WRITES("a crash between two writes of the storage"),
    CRASH_AFTER_SEAL("a crash with a sealed checkpoint in the store"),
    CLONE_WITH_IO_IN_FLIGHT("a clone of a VM with I/O in flight"),
    CHECKPOINT_WHILE_RESTORING("a checkpoint of a VM still being restored"),
    FAULT_WHILE_LOADING("a fault while the rest of the memory is loaded"),
    CLONES_THAT_SHARE("two VMs that share restored memory"),
    RESET_IN_FLIGHT("a reset with requests in flight"),
    OPERATION_NEVER_ENDS("an operation that never completes"),
    OPERATION_FAILS("an operation that fails"),
    DISK_FULL("a full disk"),
    BIT_ROT_CAUGHT("a rotten bit, caught by a checksum"),
    GUEST_WAITS_FOR_MEMORY("a guest that waits for memory held by checkpoints"),
    SEALED_WITH_PENDING("a sealed checkpoint with requests pending at T"),
    SEALED_WITH_COPIES("a sealed checkpoint with copies of its disks"),
    FLATTEN("a chain that was made flat"),
    FLATTEN_DURING_CHECKPOINT("a chain that was made flat during a checkpoint"),
    GC_DURING_CHECKPOINT("a collection of garbage during a checkpoint"),
    GC_RECLAIMS("a collection of garbage that reclaims something"),
    GC_BESIDE_CLONE("a collection of garbage while a clone runs"),
    GC_RECLAIMS_DISKS("a collection of garbage that removes images of disks"),
    CRASH_IN_GC("a crash within a collection of garbage, between two deletes"),
    DESTROY("a VM that was destroyed"),
    DESTROY_DURING_CHECKPOINT("a VM asked to be destroyed during a checkpoint of it"),
    DESTROY_REFUSED_FOR_CLONES("a destroy refused, as clones stand on the disks"),
    DESTROY_REFUSED_FOR_CHECKPOINTS("a destroy refused, as checkpoints need the disks"),
    CRASH_IN_DESTROY("a crash while a VM is destroyed"),
    REMOVAL_REFUSED("a removal of a checkpoint refused, as others stand on it"),
    REMOVAL_CASCADES("a removal of a checkpoint with all that stand on it"),
    CRASH_IN_REMOVAL("a crash within the removal of checkpoints"),
    RETENTION("old checkpoints that go while newer ones stay"),
    ROLLBACK("a rollback to a checkpoint"),
    ROLLBACK_TO_SNAPSHOT("a rollback to a snapshot"),
    ROLLBACK_IN_FLIGHT("a rollback with requests in flight"),
    ROLLBACK_READ_ACROSS_CHECKPOINT("a rollback with a read pending across a checkpoint"),
    ROLLBACK_WITH_HUNG_OPERATION("a rollback with a request that never completes"),
    ROLLBACK_BEFORE_CHECKPOINT("a rollback while a checkpoint is prepared"),
    ROLLBACK_DURING_CHECKPOINT("a rollback between a checkpoint's T and its seal"),
    ROLLBACK_WHILE_LOADING("a rollback while a restored VM still loads"),
    ROLLBACK_OF_CLONE("a rollback of a clone to a checkpoint of its own"),
    CRASH_DURING_ROLLBACK("a crash after a rollback was asked for, before the VM went back"),
    CRASH_AFTER_ROLLBACK("a crash of a VM that was rolled back"),
    SNAPSHOT_WITH_PENDING("a snapshot with requests pending at T"),
    SNAPSHOTS_AT_ONCE("two snapshots of a VM open"),
    SNAPSHOT_GIVEN_UP("a snapshot that was given up before it was there"),
    SNAPSHOT_LOST("a snapshot that was closed for want of memory"),
    SNAPSHOT_CLOSED_UNDER_CLONE("a snapshot closed while a clone of it runs"),
    CHECKPOINT_BESIDE_SNAPSHOT("a checkpoint while a snapshot is open"),
    CRASH_WITH_SNAPSHOT("a crash with a snapshot open"),
    CLONE_OF_SNAPSHOT("a clone of a snapshot"),
    CLONE_OF_CLONE("a clone of a clone"),
    CRASH_WITH_CLONES("a crash with clones of clones"),
    CRASH_IN_BETWEEN("a sector with a content after a crash that is neither the newest nor synced");

    private final String words;

    Situation(String words) {
        this.words = words;
    }

    /** Its place among all of them. */
    @SuppressWarnings("EnumOrdinal") // never leaves the process
    public int index() {
        return ordinal();
    }

    /** For people. */
    public String words() {
        return words;
    }

    /** For programs: the constant in kebab case. */
    public String key() {
        return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
}
