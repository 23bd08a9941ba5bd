package io.tintype.simulations.oracle;

import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.SectorPattern;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Memory that an {@link Oracle} compares in: 64 KiB of sectors, as much of words, and 68 KiB of pages. Nothing in it outlives a
 * verification, so oracles that one thread asks one after another may share it; making it costs more than a small verification.
 */
public final class OracleScratch {
    final MemorySegment sectorBytes = Arena.ofAuto()
            .allocate((long) SectorGroup.SECTOR_COUNT * QueueLayout.SECTOR_BYTES, Long.BYTES);
    final long[] words = new long[SectorGroup.SECTOR_COUNT * SectorPattern.WORD_COUNT];
    final MemorySegment wordBytes = MemorySegment.ofArray(words);
    final MemoryImage memoryImage = new MemoryImage();
}
