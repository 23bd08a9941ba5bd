package io.tintype.vm.guest;

/** What a guest may use of its machine, while a slice runs. Cheap to call; the VM's strand only. */
public interface GuestContext {
    /** The memory. */
    GuestMemory memory();

    /** The guest's only clock, in nanoseconds from any origin; never goes back. It stands still while the guest does. */
    long guestNs();

    /** What tells this VM from every other one, also from the one that it was restored or cloned from. */
    VmIdentity identity();

    /** Whether the slice should end at the next instruction boundary: its time is over, or frames are low. */
    boolean shouldYield();

    /** Tells the device where the queue pair of {@code disk} lies, once, before the first doorbell. */
    void configureDisk(int disk, QueueLayout layout);

    /** Tells the device that entries up to {@code tail} (exclusive, counted from 0 modulo 2^32) are in the submission ring. */
    void doorbell(int disk, int tail);

    /**
     * Resets the device: it forgets all its requests, answers none of them, never touches their buffers again, and counts
     * entries and completions from 0. Where the queue pair lies stays.
     */
    void resetDisk(int disk);
}
