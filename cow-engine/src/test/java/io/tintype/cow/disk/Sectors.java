package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Sectors that are recognised by the version they were filled with; version 0 is zeros. */
final class Sectors {
    static final int BYTES = DiskGeometry.SECTOR_BYTES;

    private Sectors() {}

    static MemorySegment filled(long version, int count) {
        var buffer = Arena.ofAuto().allocate((long) count * BYTES, 8);
        for (int at = 0; at < buffer.byteSize(); at += Long.BYTES) {
            buffer.set(ValueLayout.JAVA_LONG, at, version);
        }
        return buffer;
    }

    /** The version of the sector at {@code offset}; fails if it is made of several. */
    static long version(MemorySegment buffer, long offset) {
        long version = buffer.get(ValueLayout.JAVA_LONG, offset);
        for (int at = Long.BYTES; at < BYTES; at += Long.BYTES) {
            assertEquals(version, buffer.get(ValueLayout.JAVA_LONG, offset + at),
                    "a sector in one piece");
        }
        return version;
    }

    /** All versions on the disk as of {@code view}. */
    static long[] read(DiskChain chain, int view) throws IOException {
        return read(chain, view, 0, (int) (chain.geometry().sizeBytes() / BYTES));
    }

    static long[] read(DiskChain chain, int view, int firstSector, int count) throws IOException {
        var buffer = Arena.ofAuto().allocate((long) count * BYTES, 8);
        buffer.fill((byte) -1);
        chain.read(view, (long) firstSector * BYTES, buffer);
        var versions = new long[count];
        for (int i = 0; i < count; i++) {
            versions[i] = version(buffer, (long) i * BYTES);
        }
        return versions;
    }

    /** As the scheduler does it: group by group, a fault where the layer does not hold it. */
    static void write(DiskChain chain, int layer, int firstSector, int count, long version)
            throws IOException {
        int groupSectors = chain.geometry().groupBytes() / BYTES;
        for (int sector = firstSector; sector < firstSector + count;) {
            int group = sector / groupSectors;
            int part = Math.min(firstSector + count, (group + 1) * groupSectors) - sector;
            var source = filled(version, part);
            if (chain.holds(layer, group)) {
                chain.write(layer, (long) sector * BYTES, source);
            } else {
                chain.fault(layer, group, (long) (sector - group * groupSectors) * BYTES, source);
            }
            sector += part;
        }
    }
}
