package io.tintype.simulations.checkpoints;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Manifest;
import io.tintype.store.StoredCheckpoint;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32;
import java.util.zip.CRC32C;

/** Which pages and which blocks differ between two checkpoints of machines of the same size. */
public final class Difference {
    /** 4 KiB, the unit in which disks are compared. */
    public static final int BLOCK_BYTES = 4096;

    /**
     * Pages of one memory region, or blocks of one disk.
     *
     * @param name {@code memory 0}, {@code disk 0}
     * @param unitBytes of a page or a block
     * @param units how many there are
     * @param changed which of them differ
     * @param groups of a disk, how many block groups have a block that differs; 0 of memory
     */
    public record Part(String name, int unitBytes, long units, UnitSet changed, long groups) {
        /** How many differ. */
        public long changedCount() {
            return changed.count();
        }

        /** For a picture of at most {@code cells} cells: how many units of each cell differ. */
        public int[] cells(int cells) {
            int count = (int) Math.max(1, Math.min(cells, units));
            var sums = new int[count];
            changed.forEachRun((first, last) -> {
                for (long unit = first; unit <= last; unit++) {
                    sums[(int) (unit * count / units)]++;
                }
            });
            return sums;
        }

        /** How many units the cell stands for. */
        public int unitsOfCell(int cell, int cellCount) {
            long from = (cell * units + cellCount - 1) / cellCount;
            long to = ((cell + 1) * units + cellCount - 1) / cellCount;
            return (int) Math.max(1, to - from);
        }
    }

    private final CheckpointStore store;
    private final BooleanSupplier isCancelled;
    private final AtomicLong bytes = new AtomicLong();
    private final CRC32C one = new CRC32C();
    private final CRC32 other = new CRC32();

    /** @param isCancelled asked often; once true, {@link #between} fails with a {@code CancellationException} */
    public Difference(CheckpointStore store, BooleanSupplier isCancelled) {
        this.store = store;
        this.isCancelled = isCancelled;
    }

    /** Bytes read so far; any thread. */
    public long bytesRead() {
        return bytes.get();
    }

    /**
     * Compares memory regions and disks one by one.
     *
     * @throws UserErrorException when the machines are not of the same size
     */
    public List<Part> between(CheckpointRef a, CheckpointRef b) throws IOException {
        var storedA = store.open(a);
        var storedB = store.open(b);
        var manifestA = storedA.manifest();
        var manifestB = storedB.manifest();
        if (!manifestA.regions().equals(manifestB.regions())
                || !sizes(manifestA).equals(sizes(manifestB))) {
            throw new UserErrorException("checkpoints " + a + " and " + b
                    + ": their machines have other sizes, " + shape(manifestA) + " and "
                    + shape(manifestB) + "; compare checkpoints of one VM, or of its clones");
        }
        var parts = new ArrayList<Part>();
        for (int region = 0; region < manifestA.regions().size(); region++) {
            parts.add(memory(storedA, storedB, region));
        }
        for (int disk = 0; disk < manifestA.disks().size(); disk++) {
            parts.add(disk(manifestA, manifestB, disk));
        }
        return parts;
    }

    private static List<Long> sizes(Manifest manifest) {
        return manifest.disks().stream().map(Manifest.Disk::sizeBytes).toList();
    }

    private static String shape(Manifest manifest) {
        return manifest.regions().stream().mapToLong(Manifest.Region::pages).sum() + " pages and "
                + manifest.disks().size() + " disks of " + sizes(manifest) + " bytes";
    }

    private Part memory(StoredCheckpoint a, StoredCheckpoint b, int region) throws IOException {
        int pages = a.manifest().regions().get(region).pages();
        var changed = new UnitSet();
        // 8 bytes a page; two sums of 32 bits that fail on different pairs.
        var sums = new long[pages];
        a.forEachPage(region, (page, data, offset) -> sums[page] = sum(data, offset));
        var seen = new BitSet(pages);
        b.forEachPage(region, (page, data, offset) -> {
            seen.set(page);
            if (sums[page] != sum(data, offset)) {
                changed.add(page);
            }
        });
        for (int page = 0; page < pages; page++) {
            if (!seen.get(page) && sums[page] != 0) {
                changed.add(page);
            }
        }
        return new Part("memory " + region, 4096, pages, changed, 0);
    }

    /** Never 0 but for a page of zeros, which is what a page that is not stored is. */
    private long sum(MemorySegment data, long offset) {
        count(4096);
        var page = data.asSlice(offset, 4096);
        long bits = 0;
        for (int i = 0; i < 4096; i += 8) {
            bits |= page.get(ValueLayout.JAVA_LONG_UNALIGNED, i);
        }
        if (bits == 0) {
            return 0;
        }
        one.reset();
        one.update(page.asByteBuffer());
        other.reset();
        other.update(page.asByteBuffer());
        long sum = one.getValue() << 32 | other.getValue();
        return sum == 0 ? 1 : sum;
    }

    private Part disk(Manifest a, Manifest b, int index) throws IOException {
        long sizeBytes = a.disks().get(index).sizeBytes();
        long blocks = (sizeBytes + BLOCK_BYTES - 1) / BLOCK_BYTES;
        var changed = new UnitSet();
        long groups = 0;
        try (var shownA = ShownDisk.open(store, a, index);
                var shownB = ShownDisk.open(store, b, index);
                var arena = Arena.ofConfined()) {
            var chainA = shownA.chain();
            var chainB = shownB.chain();
            int groupBytes = Math.max(chainA.geometry().groupBytes(),
                    chainB.geometry().groupBytes());
            var bufferA = arena.allocate(groupBytes);
            var bufferB = arena.allocate(groupBytes);
            // Of the larger groups, those in which either has data; where neither has any nothing differs.
            var steps = new BitSet();
            for (var shown : List.of(shownA, shownB)) {
                int perStep = groupBytes / shown.chain().geometry().groupBytes();
                shown.chain().groupsWithData(shown.view())
                        .forEach(group -> steps.set(group / perStep));
            }
            for (int step = steps.nextSetBit(0); step >= 0; step = steps.nextSetBit(step + 1)) {
                long at = (long) step * groupBytes;
                long length = Math.min(groupBytes, sizeBytes - at);
                chainA.read(shownA.view(), at, bufferA, 0, length);
                chainB.read(shownB.view(), at, bufferB, 0, length);
                count(2 * length);
                boolean differs = false;
                for (long offset = 0; offset < length; offset += BLOCK_BYTES) {
                    long end = Math.min(length, offset + BLOCK_BYTES);
                    if (MemorySegment.mismatch(bufferA, offset, end, bufferB, offset, end) >= 0) {
                        changed.add((at + offset) / BLOCK_BYTES);
                        differs = true;
                    }
                }
                groups += differs ? 1 : 0;
            }
        }
        return new Part("disk " + index, BLOCK_BYTES, blocks, changed, groups);
    }

    private void count(long count) {
        bytes.addAndGet(count);
        if (isCancelled.getAsBoolean()) {
            throw new CancellationException();
        }
    }
}
