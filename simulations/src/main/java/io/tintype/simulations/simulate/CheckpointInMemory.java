package io.tintype.simulations.simulate;

import io.tintype.actors.CheckpointRef;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.simulations.oracle.CheckpointImage;
import io.tintype.simulations.oracle.PendingEntry;
import io.tintype.simulations.oracle.WordReader;
import io.tintype.store.CheckpointSink;
import io.tintype.store.Manifest;
import io.tintype.store.Sealed;
import io.tintype.vm.DeviceState;
import io.tintype.vm.MachineState;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Keeps one checkpoint in memory: its pages and what was put, as they came, in no format. It stands in for the store where what is
 * looked at is what the actors bring, not how it is stored. One after another, for one thread.
 */
final class CheckpointInMemory implements CheckpointSink {
    private static final long PAGE_BYTES = 4096;

    private final MemorySegment pages;
    private final BitSet present = new BitSet();
    private @Nullable DeviceState devices;
    private @Nullable Manifest manifest;

    /** @param memoryBytes of the VMs, which have one region */
    CheckpointInMemory(long memoryBytes) {
        this.pages = Arena.ofAuto().allocate(memoryBytes, PAGE_BYTES);
    }

    /** Ready for another VM's. */
    void clear() {
        present.clear();
        devices = null;
        manifest = null;
    }

    boolean isSealed() {
        return manifest != null;
    }

    /**
     * What was sealed.
     *
     * @param machine of the VM that it was taken of, still there: the disks are read as the manifest says, from its chains
     */
    CheckpointImage image(MachineState machine) {
        var state = devices;
        var sealed = manifest;
        if (state == null || sealed == null) {
            throw new IllegalStateException("no checkpoint was sealed");
        }
        var pending = new ArrayList<PendingEntry>(state.pending().size());
        for (var entry : state.pending()) {
            pending.add(new PendingEntry(entry.ioId(), entry.tag(), entry.disk(), entry.kind(),
                    entry.sector(), entry.sectorCount(), entry.status()));
        }
        return new CheckpointImage(sealed.ref().id().value(), state.registers(), state.queues(),
                pending,
                new Words(),
                (disk, sector, destination) -> machine.chains().get(disk)
                        .read(sealed.disks().get(disk).view(), sector * 512, destination));
    }

    private final class Words implements WordReader {
        @Override
        public boolean read(int page, MemorySegment destination) {
            if (present.get(page)) {
                MemorySegment.copy(pages, page * PAGE_BYTES, destination, 0, PAGE_BYTES);
            }
            return present.get(page);
        }

        @Override
        public void read(int page, int word, long[] destination, int index, int count) {
            if (present.get(page)) {
                MemorySegment.copy(pages, ValueLayout.JAVA_LONG,
                        page * PAGE_BYTES + (long) word * Long.BYTES, destination, index, count);
            } else {
                Arrays.fill(destination, index, index + count, 0);
            }
        }
    }

    @Override
    public void claim(CheckpointRef ref) {}

    @Override
    public Draft begin(CheckpointRef ref) {
        clear();
        return new InMemory();
    }

    private final class InMemory implements Draft, PageSink {
        private long pageCount;

        @Override
        public void requireSpace(long bytes) {}

        @Override
        public PageSink memory(int region, int count, @Nullable CheckpointRef parent) {
            return this;
        }

        @Override
        public boolean isIncremental() {
            return false;
        }

        @Override
        public void append(int page, MemorySegment source, long offset) {
            if (present.get(page)) {
                throw new IllegalStateException("page " + page + " was saved before");
            }
            present.set(page);
            pageCount++;
            MemorySegment.copy(source, offset, pages, page * PAGE_BYTES, PAGE_BYTES);
        }

        @Override
        public void sync() {}

        @Override
        public void put(String name, Payload payload) {
            if (payload instanceof DeviceState state) {
                devices = state;
            }
        }

        @Override
        public ImageDirectory images() {
            throw new IllegalStateException("it copies no disks");
        }

        @Override
        public void addDisk(String name, long bytes, int crc) {
            throw new IllegalStateException("it copies no disks");
        }

        @Override
        public Sealed seal(Manifest sealed) {
            manifest = sealed;
            return new Sealed(sealed, pageCount * PAGE_BYTES, pageCount, 0);
        }

        @Override
        public void abort() {
            clear();
        }
    }
}
