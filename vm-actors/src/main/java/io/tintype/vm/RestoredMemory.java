package io.tintype.vm;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.memory.FramePool;
import io.tintype.cow.memory.LazyMemory;
import io.tintype.cow.memory.MemoryRegion;
import io.tintype.store.StoreException;
import io.tintype.store.StoredCheckpoint;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * The memory of one stored checkpoint, not read yet, for one VM that has it for itself or for clones that share its frames.
 *
 * <p>Who opens it closes it when its VMs are made. From then on it lives as long as one of them; the files stay open as long
 * as something is left to read. Safe on any thread.
 */
final class RestoredMemory implements AutoCloseable {
    final CheckpointRef ref;
    final StoredCheckpoint stored;
    final DeviceState devices;
    final List<LazyMemory> memories;

    private RestoredMemory(StoredCheckpoint stored, DeviceState devices,
            List<LazyMemory> memories) {
        this.ref = stored.manifest().ref();
        this.stored = stored;
        this.devices = devices;
        this.memories = memories;
    }

    /** Reads manifest and device state, and no memory. */
    static RestoredMemory open(StoredCheckpoint stored, FramePool pool) throws StoreException {
        var devices = DeviceState.of(stored);
        var memories = new ArrayList<LazyMemory>();
        boolean complete = false;
        try {
            for (int region = 0; region < stored.manifest().regions().size(); region++) {
                memories.add(new LazyMemory(pool, new StoredPages(stored, region)));
            }
            complete = true;
        } finally {
            if (!complete) {
                memories.forEach(LazyMemory::close);
            }
        }
        return new RestoredMemory(stored, devices, List.copyOf(memories));
    }

    /** Regions for the only VM on it. */
    List<Function<MemoryRegion.CopyListener, MemoryRegion>> own() {
        var makers = new ArrayList<Function<MemoryRegion.CopyListener, MemoryRegion>>();
        for (var memory : memories) {
            makers.add(listener -> new MemoryRegion(memory, listener));
        }
        return makers;
    }

    /** Regions for one of several. */
    List<Function<MemoryRegion.CopyListener, MemoryRegion>> shared() {
        var makers = new ArrayList<Function<MemoryRegion.CopyListener, MemoryRegion>>();
        for (var memory : memories) {
            makers.add(listener -> new MemoryRegion(memory.memory(), listener));
        }
        return makers;
    }

    /** Keeps it from going away until {@link #unuse}; false if it went. */
    boolean use() {
        for (int i = 0; i < memories.size(); i++) {
            if (!memories.get(i).use()) {
                memories.subList(0, i).forEach(LazyMemory::unuse);
                return false;
            }
        }
        return true;
    }

    void unuse() {
        memories.forEach(LazyMemory::unuse);
    }

    /** Whether nobody uses it any more. */
    boolean isGone() {
        if (use()) {
            unuse();
            return false;
        }
        return true;
    }

    /** Pages that may still be asked for: 0 once everything is loaded, or nobody is left to want it. */
    long unloadedPages() {
        return memories.stream().mapToLong(LazyMemory::wantedPages).sum();
    }

    /** In which order regions touched their pages. */
    PageOrder touches() {
        return PageOrder.of(memories.stream().map(LazyMemory::touches).toList());
    }

    @Override
    public void close() {
        memories.forEach(LazyMemory::close);
    }
}
