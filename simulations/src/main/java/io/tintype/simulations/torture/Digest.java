package io.tintype.simulations.torture;

import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.store.StoredCheckpoint;
import io.tintype.vm.DeviceState;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/**
 * A checkpoint in a few numbers, to see that it did not change since an oracle found it right: of its device state, of each page's place and
 * content, and of all of each disk.
 */
record Digest(List<Long> sums) {
    private static final int READ_BYTES = 1 << 20;

    Digest {
        sums = List.copyOf(sums);
    }

    /** Reads all of the checkpoint. */
    static Digest of(Path store, StoredCheckpoint stored) throws IOException {
        var sums = new ArrayList<Long>();
        var crc = new CRC32C();
        crc.update(stored.segment(DeviceState.SEGMENT));
        sums.add(crc.getValue());
        var manifest = stored.manifest();
        for (int region = 0; region < manifest.regions().size(); region++) {
            sums.add(ofMemory(stored, region));
        }
        for (var disk : manifest.disks()) {
            var images = new FileImageDirectory(store.resolve(disk.images()));
            try (var chain = DiskChain.openReadOnly(images, disk.view())) {
                sums.add(ofDisk(chain, disk.view(), disk.sizeBytes()));
            }
        }
        return new Digest(sums);
    }

    /** A sum over pages that does not depend on their order. */
    private static long ofMemory(StoredCheckpoint stored, int region) throws IOException {
        var sum = new long[1];
        stored.forEachPage(region, (page, data, offset) -> {
            var crc = new CRC32C();
            crc.update(data.asSlice(offset, 4096).asByteBuffer());
            sum[0] += crc.getValue() * (2L * page + 1) * 0x9e37_79b9_7f4a_7c15L;
        });
        return sum[0];
    }

    private static long ofDisk(DiskChain chain, int view, long sizeBytes) throws IOException {
        var crc = new CRC32C();
        try (var arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(READ_BYTES);
            for (long at = 0; at < sizeBytes; at += READ_BYTES) {
                long count = Math.min(READ_BYTES, sizeBytes - at);
                chain.read(view, at, buffer, 0, count);
                crc.update(buffer.asSlice(0, count).asByteBuffer());
            }
        }
        return crc.getValue();
    }
}
