package io.tintype.simulations.oracle;

import java.io.IOException;
import java.lang.foreign.MemorySegment;

/** Reads the disks of a checkpoint or of a VM. */
@FunctionalInterface
public interface SectorReader {
    /** Fills {@code destination}, native memory of a multiple of 512 bytes, from 512-byte sector {@code sector} on. */
    void read(int disk, long sector, MemorySegment destination) throws IOException;
}
