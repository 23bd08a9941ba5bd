package io.tintype.vm;

import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.MemoryRegion;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.jspecify.annotations.Nullable;

/** A machine with the actors of its regions and disks; the strand of its VM owns it. */
final class Machine {
    final MachineState state;
    final int incarnation;
    final List<ActorRef<MemoryRegionActor.Command>> regionActors;
    final List<ActorRef<DiskActor.Command>> diskActors;
    // The layer that new requests of each disk are bound to.
    final int[] tops;
    final boolean[] doorbells;
    // The last request of each disk, 0 for none.
    final long[] lastIssued;
    // Requests and checkpoints that still use the frames.
    int users;
    // Whose actors have not ended.
    int disksLeft;
    // The newest instant of this machine that is sealed, or the one it was made of.
    private @Nullable MemoryLine line;

    private final long[] regionEnds;

    Machine(
            MachineState state,
            int incarnation,
            List<ActorRef<MemoryRegionActor.Command>> regionActors,
            List<ActorRef<DiskActor.Command>> diskActors) {
        this.state = state;
        this.incarnation = incarnation;
        this.regionActors = regionActors;
        this.diskActors = diskActors;
        tops = new int[state.chains().size()];
        for (int i = 0; i < tops.length; i++) {
            tops[i] = state.chains().get(i).top();
        }
        doorbells = new boolean[tops.length];
        lastIssued = new long[tops.length];
        disksLeft = tops.length;
        regionEnds = new long[state.regions().size()];
        line = state.line();
        long end = 0;
        for (int i = 0; i < regionEnds.length; i++) {
            end += state.regions().get(i).sizeBytes();
            regionEnds[i] = end;
        }
    }

    MemoryRegion region(int index) {
        return state.regions().get(index);
    }

    /** Returns the region that holds guest-physical {@code address}, which a queue has checked. */
    int regionOf(long address) {
        int region = 0;
        while (address >= regionEnds[region]) {
            region++;
        }
        return region;
    }

    /** Returns the guest-physical address of the first byte of {@code region}. */
    long base(int region) {
        return region == 0 ? 0 : regionEnds[region - 1];
    }

    /**
     * What a checkpoint that froze {@code frozen} may stand on: the newest sealed instant before it.
     * One that is still being saved is none: it may be aborted, and the pages that reads pending at
     * its instant target are complete only when it is sealed.
     */
    @Nullable
    MemoryLine lineBefore(List<FrozenMemory> frozen) {
        var newest = line;
        return newest != null && newest.isBefore(frozen) ? newest : null;
    }

    /** A checkpoint of this machine is sealed; they may be so in another order than they were taken in. */
    void sealed(MemoryLine sealed) {
        var newest = line;
        if (newest == null || newest.isBefore(sealed)) {
            line = sealed;
        }
    }

    /**
     * Has all frames returned; legal when {@code users} is 0. By the regions' actors, which may still have frozen memory to release:
     * {@code vm} hears of each when it is done.
     *
     * @return how many regions there are
     */
    int close(ActorRef<VmActor.Command> vm) {
        regionActors.forEach(region -> region.tell(new MemoryRegionActor.Close(vm)));
        return regionActors.size();
    }

    /** Nobody uses a machine any more that the VM is not: its disks' actors end, when no checkpoint of it is left. */
    void retireDisks() {
        diskActors.forEach(disk -> disk.tell(DiskActor.Retire.NOW));
    }
}
