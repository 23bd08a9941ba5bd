package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.memory.FrozenMemory;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint that stays in memory: its VM can be rolled back to it and clones begin on it, as long as it is not {@linkplain
 * #close closed} and its VM lives. It costs the frames that its VM has changed since, and the layers of the disks below their
 * present tops; it does not outlive the process.
 *
 * <p>When held memory is at its bound and the VM has waited for a frame as long as it may, its oldest snapshot is given up as a
 * checkpoint in progress would be; {@link #gone} tells. Safe on any thread.
 */
public final class Snapshot implements AutoCloseable {
    private final CheckpointRef ref;
    private final DeviceState devices;
    private final List<FrozenMemory> memory;
    private final List<StoredMachine.DiskView> disks;
    private final List<DiskChain> chains;
    private final long stunNs;
    private final ActorRef<CheckpointActor.Command> keeper;
    private final CompletableFuture<@Nullable Void> gone = new CompletableFuture<>();
    // Completed by the keeper, with the memory as anybody may read it.
    private final CompletableFuture<List<FrozenMemory>> readable = new CompletableFuture<>();
    private final AtomicBoolean isAsked = new AtomicBoolean();
    // Clones on it, and one for being open: at 0 the keeper may release it. Under the lock.
    private int users = 1;
    private boolean closed;

    Snapshot(
            CheckpointRef ref,
            DeviceState devices,
            List<FrozenMemory> memory,
            List<StoredMachine.DiskView> disks,
            List<DiskChain> chains,
            long stunNs,
            ActorRef<CheckpointActor.Command> keeper) {
        this.ref = ref;
        this.devices = devices;
        this.memory = List.copyOf(memory);
        this.disks = List.copyOf(disks);
        this.chains = List.copyOf(chains);
        this.stunNs = stunNs;
        this.keeper = keeper;
    }

    /** Its VM, and a number that no checkpoint of that VM in the store has. */
    public CheckpointRef ref() {
        return ref;
    }

    /** How long the guest stood still, in nanoseconds. */
    public long stunNs() {
        return stunNs;
    }

    /** Requests that were in flight. */
    public int pendingCount() {
        return devices.pending().size();
    }

    /** Completes when nothing of it is held any more: after {@link #close} and the end of its clones, or given up for want of memory. */
    public CompletionStage<@Nullable Void> gone() {
        return gone.copy();
    }

    /** Whether nothing new can be made of it: it was closed, or given up for want of memory. */
    public synchronized boolean isClosed() {
        return closed;
    }

    /** Gives it up; frames and layers go back when no clone needs them. Closing twice does nothing. */
    @Override
    public void close() {
        synchronized (this) {
            if (closed) {
                return;
            }
            closed = true;
        }
        unuse();
    }

    /** Keeps it for one more; false if it is being given up. */
    synchronized boolean use() {
        if (closed || users == 0) {
            return false;
        }
        users++;
        return true;
    }

    void unuse() {
        boolean isLast;
        synchronized (this) {
            users--;
            isLast = users == 0;
        }
        if (isLast) {
            keeper.tell(SnapshotActor.unused());
        }
    }

    void released() {
        gone.complete(null);
    }

    /** Registers, queues and what was in flight. */
    public DeviceState devices() {
        return devices;
    }

    /**
     * The memory of each region, to be read by any thread while this is open. Asks the VM's strand to {@linkplain
     * FrozenMemory#settle settle} it: until somebody asks, the guest keeps its frames and the copies come here. Fails if this is
     * closed or the VM over by then.
     */
    public CompletionStage<List<FrozenMemory>> memory() {
        if (isAsked.compareAndSet(false, true)) {
            keeper.tell(CheckpointActor.Settle.MEMORY);
        }
        return readable.copy();
    }

    /**
     * Reads a page of memory, while this is open. For those on the VM's strand, as in {@link Vm#visit}: it leaves the memory as
     * unsettled as it is.
     *
     * @param target 4096 bytes
     */
    public void readPage(int region, int page, MemorySegment target) {
        memory.get(region).readPage(page, target, 0);
    }

    /** From the keeper: the frames stay as they are. */
    void settled() {
        readable.complete(memory);
    }

    /** From the keeper, which ends. */
    void lost() {
        readable.completeExceptionally(
                new IllegalStateException("snapshot " + ref + " is closed, or its VM is over"));
    }

    /**
     * Reads from a disk as it was, while this is open.
     *
     * @param position in bytes, as the size of {@code target} a multiple of 512
     * @throws IOException if it cannot be read
     */
    public void readDisk(int disk, long position, MemorySegment target) throws IOException {
        chains.get(disk).read(disks.get(disk).view(), position, target);
    }

    List<StoredMachine.DiskView> disks() {
        return disks;
    }

    List<Long> regionBytes() {
        return memory.stream().map(region -> region.pageCount() * 4096L).toList();
    }
}
