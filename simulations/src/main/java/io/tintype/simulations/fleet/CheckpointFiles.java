package io.tintype.simulations.fleet;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskCopy;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.PendingEntry;
import io.tintype.store.CheckpointStore;
import io.tintype.vm.DeviceState;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Function;

/**
 * A sealed checkpoint as its files show it, for the oracle: nothing of it comes from the engine's memory. Used by one thread at a time, not always the same.
 */
public final class CheckpointFiles implements AutoCloseable {
    private static final long PAGE_BYTES = 4096;

    private final List<DiskChain> disks = new ArrayList<>();
    private final CheckpointImage image;

    /**
     * Reads memory and device state, and opens the disks, all through their checksums.
     *
     * @param memory as large as the VM's; the checkpoint's pages lie there until it is used again
     */
    CheckpointFiles(CheckpointStore store, CheckpointRef ref, MemorySegment memory)
            throws IOException {
        this(store, ref, memory, key -> new FileImageDirectory(store.directory().resolve(key)));
    }

    /** The same with images that are elsewhere: {@code images} finds a disk's by their path relative to the store. */
    public CheckpointFiles(CheckpointStore store, CheckpointRef ref, MemorySegment memory,
            Function<String, ImageDirectory> images) throws IOException {
        boolean opened = false;
        try {
            var stored = store.open(ref);
            var manifest = stored.manifest();
            var devices = DeviceState.of(stored);
            int pageCount = manifest.regions().stream().mapToInt(region -> region.pages()).sum();
            var present = new BitSet(pageCount);
            int first = 0;
            for (int region = 0; region < manifest.regions().size(); region++) {
                int base = first;
                stored.forEachPage(region, (page, data, offset) -> {
                    MemorySegment.copy(data, offset, memory, (base + page) * PAGE_BYTES,
                            PAGE_BYTES);
                    present.set(base + page);
                });
                first += manifest.regions().get(region).pages();
            }
            for (var disk : manifest.disks()) {
                var copy = disk.copy();
                disks.add(copy == null
                        ? DiskChain.openReadOnly(images.apply(disk.images()), disk.view())
                        : DiskCopy.open(
                                images.apply("checkpoints/" + ref.vm() + "/" + ref.id()), copy));
            }
            var pending = devices.pending().stream()
                    .map(entry -> new PendingEntry(entry.ioId(), entry.tag(), entry.disk(),
                            entry.kind(),
                            entry.sector(), entry.sectorCount(), entry.status()))
                    .toList();
            image = new CheckpointImage(ref.id().value(), devices.registers(), devices.queues(),
                    pending,
                    (page, destination) -> {
                        if (present.get(page)) {
                            MemorySegment.copy(memory, page * PAGE_BYTES, destination, 0,
                                    PAGE_BYTES);
                        }
                        return present.get(page);
                    },
                    (disk, sector, destination) -> disks.get(disk).read(disks.get(disk).top(),
                            sector * 512,
                            destination));
            opened = true;
        } finally {
            if (!opened) {
                close();
            }
        }
    }

    /** What the checkpoint claims; valid until this is closed. */
    public CheckpointImage image() {
        return image;
    }

    @Override
    public void close() {
        disks.forEach(DiskChain::close);
    }
}
