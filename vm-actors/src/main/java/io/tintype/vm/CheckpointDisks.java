package io.tintype.vm;

/** What a checkpoint keeps of its VM's disks. */
public enum CheckpointDisks {
    /** The layers themselves, which stay as long as the checkpoint does: nothing is copied, but the chain grows. */
    POINTER,
    /** A copy of each disk, made beside the running VM once the pending writes completed; then the layers are free to go. */
    COPY
}
