package io.tintype.vm;

import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.device.DiskQueue;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.VmIdentity;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a VM is made of: memory, guest, queues and disks, of one incarnation.
 *
 * <p>Made on any thread, then handed to a {@link VmActor}, whose strand owns it from then on.
 */
public final class MachineState {
    /**
     * A completion that a restored guest still has to see: its request was pending at T (R11).
     *
     * @param disk index of the disk
     * @param tag the guest's name for the request
     * @param status as it was fixed before the checkpoint was sealed
     */
    public record OwedCompletion(int disk, int tag, IoStatus status) {}

    /** Hears of copies of frames that reads in flight target; set by the VM that owns the machine. */
    interface Copied {
        void copied(int region, int page, int fromFrame, int toFrame);
    }

    /** Passes a region's copies on, with the number of the region. */
    private final class Relay implements MemoryRegion.CopyListener {
        private final int region;

        Relay(int region) {
            this.region = region;
        }

        @Override
        public void copied(int page, int fromFrame, int toFrame) {
            var listener = copied;
            if (listener != null) {
                listener.copied(region, page, fromFrame, toFrame);
            }
        }
    }

    private final List<MemoryRegion> regions = new ArrayList<>();
    private final GuestMemory memory;
    private final List<DiskQueue> queues;
    private final List<DiskChain> chains;
    private final List<String> imageKeys;
    private final List<OwedCompletion> owed;
    private final long guestNs;
    private final VmIdentity identity;
    private final AtomicBoolean taken = new AtomicBoolean();
    private @Nullable Guest guest;
    private @Nullable Copied copied;
    private @Nullable MemoryLine line;

    /**
     * Makes a machine without a guest; {@link #guest(Guest)} completes it.
     *
     * @param memories make the memory regions, given who hears of copies
     * @param queues the queue of each disk
     * @param disks the layers of each disk; the machine's owner does not close them
     * @param owed completions to deliver before the guest runs
     * @param guestNs what the guest's clock says at its first instruction
     * @param identity what tells it from every other VM
     */
    MachineState(
            List<Function<MemoryRegion.CopyListener, MemoryRegion>> memories,
            List<DiskQueue> queues,
            List<DiskDirectory.Opened> disks,
            List<OwedCompletion> owed,
            long guestNs,
            VmIdentity identity) {
        for (int i = 0; i < memories.size(); i++) {
            regions.add(memories.get(i).apply(new Relay(i)));
        }
        this.memory = new GuestMemory(regions);
        this.queues = List.copyOf(queues);
        var opened = new DiskChain[disks.size()];
        var keys = new String[disks.size()];
        for (int i = 0; i < opened.length; i++) {
            opened[i] = disks.get(i).chain();
            keys[i] = disks.get(i).key();
        }
        this.chains = List.of(opened);
        this.imageKeys = List.of(keys);
        this.owed = List.copyOf(owed);
        this.guestNs = guestNs;
        this.identity = identity;
    }

    /** Makes it the caller's; false if it is somebody's already. */
    boolean take() {
        return taken.compareAndSet(false, true);
    }

    /** Gives its frames back, unless a VM took it; whether that was so. */
    boolean discard() {
        if (!take()) {
            return false;
        }
        regions.forEach(MemoryRegion::close);
        return true;
    }

    /** Puts {@code guest} into the machine; once. */
    public MachineState guest(Guest newGuest) {
        guest = newGuest;
        return this;
    }

    /** Returns the guest. */
    public Guest guest() {
        if (guest == null) {
            throw new IllegalStateException("the machine has no guest yet");
        }
        return guest;
    }

    /** Returns the regions, in the order of their addresses. */
    public List<MemoryRegion> regions() {
        return regions;
    }

    /** Returns the memory as the guest sees it. */
    public GuestMemory memory() {
        return memory;
    }

    /** Returns the queue of each disk. */
    public List<DiskQueue> queues() {
        return queues;
    }

    /** Returns the layers of each disk. */
    public List<DiskChain> chains() {
        return chains;
    }

    /** Returns where the images of each disk are, relative to the store. */
    List<String> imageKeys() {
        return imageKeys;
    }

    /** Passes where each disk is, and its chain. */
    void forEachDisk(BiConsumer<String, DiskChain> action) {
        for (int i = 0; i < imageKeys.size(); i++) {
            action.accept(imageKeys.get(i), chains.get(i));
        }
    }

    /** Returns what tells this VM from every other one, the one that it was cloned from included. */
    public VmIdentity identity() {
        return identity;
    }

    List<OwedCompletion> owed() {
        return owed;
    }

    long guestNs() {
        return guestNs;
    }

    /** The checkpoint that this was made of; null: none, or one that a child cannot stand on. */
    @Nullable
    MemoryLine line() {
        return line;
    }

    /** The memory now is as that checkpoint shows it. */
    void line(MemoryLine restored) {
        line = restored;
    }

    void onCopied(Copied listener) {
        copied = listener;
    }
}
