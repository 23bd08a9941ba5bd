package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.cow.memory.MemoryRegion;
import java.util.List;

/**
 * What the next checkpoint of a machine may stand on: a sealed checkpoint, and the epochs of the
 * machine's own regions in which their memory was as it shows. A page whose birth is not above its
 * region's epoch has not changed since.
 *
 * @param epochs by region
 */
record MemoryLine(CheckpointRef sealed, List<Long> epochs) {
    MemoryLine {
        epochs = List.copyOf(epochs);
    }

    /** Of a checkpoint that was taken of the machine. */
    static MemoryLine of(CheckpointRef sealed, List<FrozenMemory> frozen) {
        // No stream: it is asked at each seal, and there is hardly ever more than one.
        var epochs = new Long[frozen.size()];
        for (int i = 0; i < epochs.length; i++) {
            epochs[i] = frozen.get(i).epoch();
        }
        return new MemoryLine(sealed, List.of(epochs));
    }

    /**
     * Of a checkpoint that was just read into {@code regions}: ends their epoch, so that whatever is
     * stored from now on is seen to be newer. Costs no copies, since nothing stays frozen.
     */
    static MemoryLine restored(CheckpointRef sealed, List<MemoryRegion> regions) {
        var frozen = regions.stream().map(MemoryRegion::freeze).toList();
        var line = of(sealed, frozen);
        for (int i = 0; i < frozen.size(); i++) {
            regions.get(i).release(frozen.get(i));
        }
        return line;
    }

    /** Whether it is of an earlier instant than {@code frozen}, of the same machine. */
    boolean isBefore(List<FrozenMemory> frozen) {
        return isBefore(of(sealed, frozen));
    }

    boolean isBefore(MemoryLine other) {
        // All regions of a machine are frozen together.
        return epochs.isEmpty() || epochs.getFirst() < other.epochs.getFirst();
    }
}
