package io.tintype.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A store that is nearly full leaves the rest to the VMs that run. */
class SpaceTest {
    private static final long MIB = 1 << 20;

    @TempDir
    private Path directory;

    /** A disk of any size. */
    private static final class Disk extends FaultyFiles {
        private final long total;
        private long usable;

        Disk(long total) {
            super(StoreFiles.onDisk());
            this.total = total;
            this.usable = total;
        }

        @Override
        public long usableSpace(Path directory) {
            return usable;
        }

        @Override
        public long totalSpace(Path directory) {
            return total;
        }
    }

    @Test
    void shouldRefuseACheckpointBeforeTheLastFiftiethIsTaken() throws StoreException {
        var disk = new Disk(1000 * MIB);
        try (var store = CheckpointStore.open(directory, disk)) {
            disk.usable = 20 * MIB;
            store.begin(Fixture.ref("vm-1", 1)).abort();
            assertFalse(store.space().isNearlyFull());
            disk.usable = 20 * MIB - 1;

            var refused = assertThrows(StoreException.class,
                    () -> store.begin(Fixture.ref("vm-1", 2)));

            assertEquals("the store " + directory + " is full: 20971519 bytes are free and 20971520"
                    + " are needed; free some space there or choose another store directory",
                    refused.getMessage());
            assertTrue(store.space().isNearlyFull());
        }
    }

    @Test
    void shouldKnowBeforeTheFirstPageWhetherTheyFit() throws StoreException {
        var disk = new Disk(1000 * MIB);
        try (var store = CheckpointStore.open(directory, disk);
                var staged = store.begin(Fixture.ref("vm-1", 1))) {
            disk.usable = 120 * MIB;
            staged.requireSpace(100 * MIB);

            assertThrows(StoreException.class, () -> staged.requireSpace(100 * MIB + 1));
        }
    }

    @Test
    void shouldReserveMoreOfALargeDiskAndLessOfASmallOneWithinLimits() throws StoreException {
        var disks = List.of(new Disk(64 * MIB), new Disk(0), new Disk(1 << 30),
                new Disk(100L << 30));
        var reserved = List.of(4 * MIB, 4 * MIB, (1L << 30) / 50, 1L << 30);
        for (int i = 0; i < disks.size(); i++) {
            disks.get(i).usable = 1L << 40;
            try (var store = CheckpointStore.open(directory.resolve("store-" + i), disks.get(i))) {
                assertEquals(reserved.get(i), store.reservedSpace());
                assertEquals(new StoreSpace(disks.get(i).total, 1L << 40, reserved.get(i), 0, 0,
                        0), store.space());
            }
        }
    }
}
