package io.tintype.vm.guest;

import java.util.ArrayList;
import java.util.List;

/**
 * How a guest uses its machine, which with its registers and events tells what its memory and disks must hold.
 *
 * @param layout what lies where in memory
 * @param heap what is stored into the heap
 * @param sectors what is written to the disks
 * @param diskSectors sectors of each disk
 */
public record GuestBlueprint(GuestLayout layout, HeapPattern heap, SectorPattern sectors,
        List<Long> diskSectors) {
    static GuestBlueprint of(long seed, long memoryBytes, List<Long> diskBytes, int ioDepth,
            int requestSectorsMax,
            int hotHeapPercent, int hotStorePercent, boolean sharedBuffers) {
        var layout = new GuestLayout(memoryBytes, diskBytes.size(), ioDepth,
                requestSectorsMax * QueueLayout.SECTOR_BYTES, sharedBuffers);
        var pages = layout.heapPageCount();
        var heap =
                new HeapPattern(Mix.at(seed, 1), pages, (int) ((long) pages * hotHeapPercent / 100),
                        hotStorePercent);
        var diskSectors = new ArrayList<Long>();
        for (long bytes : diskBytes) {
            diskSectors.add(bytes / QueueLayout.SECTOR_BYTES);
        }
        return new GuestBlueprint(layout, heap, new SectorPattern(Mix.at(seed, 2)),
                List.copyOf(diskSectors));
    }
}
