package io.tintype.cow.disk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskChainTest {
    private static final DiskGeometry GEOMETRY = DiskGeometry.of(1 << 20);
    private static final int GROUP_SECTORS = GEOMETRY.groupBytes() / Sectors.BYTES;

    private final SpyDirectory directory = new SpyDirectory(new MemoryImageDirectory());

    @TempDir
    private Path folder;

    @Test
    void shouldNotCreateADiskWhereOneIs() throws Exception {
        DiskChain.create(directory, GEOMETRY);

        assertThrows(FileAlreadyExistsException.class, () -> DiskChain.create(directory, GEOMETRY));
    }

    @Test
    void shouldSayWhereThereIsNoDisk() {
        var e = assertThrows(DamagedImageException.class,
                () -> DiskChain.open(new FileImageDirectory(folder.resolve("none"))));

        assertEquals(folder.resolve("none/chain")
                + ": damaged at byte 0: the file is missing, so there is no disk here",
                e.getMessage());
        assertFalse(Files.exists(folder.resolve("none")), "opening creates nothing");
    }

    @Test
    void shouldRefuseImpossibleGeometries() {
        assertThrows(IllegalArgumentException.class, () -> DiskGeometry.of(0));
        assertThrows(IllegalArgumentException.class, () -> DiskGeometry.of(1000));
        assertThrows(IllegalArgumentException.class, () -> new DiskGeometry(1 << 20, 3 << 12));
        assertThrows(IllegalArgumentException.class, () -> new DiskGeometry(1 << 20, 2 << 20));
        assertThrows(IllegalArgumentException.class,
                () -> new DiskGeometry(Long.MAX_VALUE / 512 * 512, 4096));
    }

    @Test
    void shouldRefuseRequestsThatAreNoSectorsOfOneGroup() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        var sector = Sectors.filled(1, 1);

        assertThrows(IllegalArgumentException.class, () -> chain.read(0, 100, sector));
        assertThrows(IllegalArgumentException.class, () -> chain.read(0, -512, sector));
        assertThrows(IllegalArgumentException.class, () -> chain.read(0, 1 << 20, sector));
        assertThrows(IllegalArgumentException.class, () -> chain.write(0, 512, sector, 0, 100));
        assertThrows(IllegalArgumentException.class,
                () -> chain.write(0, GEOMETRY.groupBytes() - 512, Sectors.filled(1, 2)));
        assertThrows(IllegalArgumentException.class, () -> chain.write(1, 0, sector));
        assertThrows(IllegalArgumentException.class, () -> chain.fault(0, 16, 0, sector));
    }

    @Test
    void shouldHoldEverythingAtTheBottomAndNothingInANewOverlay() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        chain.switchTo(chain.prepareOverlay());

        assertTrue(chain.holds(0, 3));
        assertFalse(chain.holds(1, 3));
        assertThrows(IllegalStateException.class,
                () -> chain.write(1, 3 * 65536, Sectors.filled(1, 1)));

        chain.fault(1, 3, 512, Sectors.filled(7, 1));

        assertTrue(chain.holds(1, 3));
        assertFalse(chain.holds(1, 2));
        assertArrayEquals(new long[] {0, 7, 0}, Sectors.read(chain, 1, 3 * GROUP_SECTORS, 3));
        assertArrayEquals(new long[] {0, 0, 0}, Sectors.read(chain, 0, 3 * GROUP_SECTORS, 3));
    }

    @Test
    void shouldMakeFlatWhatWasAskedForThoughTheTopHasMovedOn() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        Sectors.write(chain, 0, 0, 1, 1);
        chain.switchTo(chain.prepareOverlay());
        chain.fault(1, 0, 512, Sectors.filled(2, 1));
        chain.switchTo(chain.prepareOverlay());
        int view = chain.nextFlatten();
        chain.fault(2, 0, 1024, Sectors.filled(3, 1));
        chain.switchTo(chain.prepareOverlay());
        chain.fault(3, 0, 0, Sectors.filled(4, 1));

        var flatten = chain.flatten(view);
        while (flatten.copyNext(1)) {
            assertEquals(1, flatten.view());
        }
        flatten.finish();

        assertEquals(1, view);
        // A read bound to layer 2 while that was the top sees no more than then.
        assertArrayEquals(new long[] {1, 2, 3}, Sectors.read(chain, 2, 0, 3));
        assertArrayEquals(new long[] {4, 2, 3}, Sectors.read(chain, 3, 0, 3));
        assertThrows(IllegalStateException.class, () -> chain.flatten(view));
    }

    @Test
    void shouldCopyTheRestOfAGroupOnceAndNothingForAWholeGroup() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        Sectors.write(chain, 0, 0, 2 * GROUP_SECTORS, 1);
        chain.switchTo(chain.prepareOverlay());

        chain.fault(1, 0, 0, Sectors.filled(2, GROUP_SECTORS));
        assertEquals(0, chain.stats().faultBytesCopied());
        chain.fault(1, 1, 512, Sectors.filled(3, 1));
        chain.fault(1, 1, 1024, Sectors.filled(4, 1));
        chain.fault(1, 9, 1024, Sectors.filled(5, 1));

        assertEquals(new ChainStats(2, 3, 65536 - 512, 0, chain.bytesOnDisk()), chain.stats());
        assertArrayEquals(new long[] {2, 1, 3, 4, 1}, Sectors.read(chain, 1, GROUP_SECTORS - 1, 5));
    }

    @Test
    void shouldWriteNothingForAGroupOfZeros() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        Sectors.write(chain, 0, 0, GROUP_SECTORS, 1);
        chain.switchTo(chain.prepareOverlay());
        directory.calls();

        chain.writeZeroes(1, 0, 65536, true);

        assertEquals(List.of(), directory.calls());
        assertTrue(chain.holds(1, 0));
        assertArrayEquals(new long[] {0, 0}, Sectors.read(chain, 1, 0, 2));
        assertArrayEquals(new long[] {1, 1}, Sectors.read(chain, 0, 0, 2));
    }

    @Test
    void shouldNotShowOldDataThroughAGroupThatWasZeros() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        Sectors.write(chain, 0, 0, GROUP_SECTORS, 1);
        chain.writeZeroes(0, 0, 65536, false);

        chain.write(0, 512, Sectors.filled(2, 1));

        assertArrayEquals(new long[] {0, 2, 0}, Sectors.read(chain, 0, 0, 3));
    }

    @Test
    void shouldPrepareOneOverlayAtATime() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        var overlay = chain.prepareOverlay();
        assertThrows(IllegalStateException.class, chain::prepareOverlay);
        assertEquals(0, chain.top());

        chain.discardPrepared(overlay);

        assertThrows(IllegalStateException.class, () -> chain.switchTo(overlay));
        assertEquals(List.of("chain", "layer-0.img"), directory.list());
        assertEquals(2, chain.prepareOverlay().layer(), "a number is not used twice");
    }

    @Test
    void shouldSwitchWithoutTouchingAFile() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        var overlay = chain.prepareOverlay();
        directory.calls();

        chain.switchTo(overlay);
        chain.hold(0);

        assertEquals(1, chain.top());
        assertEquals(List.of(), directory.calls());
    }

    @Test
    void shouldFindAPreparedOverlayAfterACrash() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        chain.prepareOverlay();

        var reopened = DiskChain.open(directory);

        assertEquals(1, reopened.top());
    }

    @Test
    void shouldSyncTheDataBeforeTheIndexAndRewritesOnce() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        chain.sync(0);
        directory.calls();

        chain.write(0, 0, Sectors.filled(1, 1));
        chain.sync(0);
        // The slot; the directory's entry; data durable; the index entry; index durable.
        assertEquals(List.of("write layer-0.img", "write layer-0.img", "sync layer-0.img",
                "write layer-0.img", "sync layer-0.img"), directory.calls());
        chain.write(0, 0, Sectors.filled(2, 1));
        chain.sync(0);
        assertEquals(List.of("write layer-0.img", "sync layer-0.img"), directory.calls());
        chain.sync(0);
        assertEquals(List.of(), directory.calls());
    }

    @Test
    void shouldSyncEveryLayerOfAChainOfThreeFromTheBottom() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        for (int layer = 0; layer < 3; layer++) {
            Sectors.write(chain, layer, 0, 1, layer + 1);
            chain.switchTo(chain.prepareOverlay());
        }
        for (int layer = 0; layer < 3; layer++) {
            chain.write(layer, 0, Sectors.filled(layer + 4, 1));
        }
        directory.calls();

        chain.sync(1);
        assertEquals(List.of("sync layer-0.img", "sync layer-1.img"), firstSyncs());
        chain.sync(3);
        assertEquals(List.of("sync layer-2.img"), firstSyncs());
    }

    private List<String> firstSyncs() {
        return directory.calls().stream().filter(call -> call.startsWith("sync")).distinct()
                .toList();
    }

    @Test
    void shouldWaitForASyncThatTookItsWrite() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        chain.write(0, 0, Sectors.filled(1, 1));
        chain.sync(0);
        chain.write(0, 0, Sectors.filled(2, 1));
        var inSync = new CountDownLatch(1);
        var goOn = new CountDownLatch(1);
        var synced = new AtomicBoolean();
        directory.beforeSync(() -> {
            inSync.countDown();
            await(goOn);
            synced.set(true);
        });
        var failures = new ArrayList<Throwable>();
        var first = Thread.ofPlatform().start(() -> sync(chain, failures));
        await(inSync);

        var second = Thread.ofPlatform().start(() -> {
            sync(chain, failures);
            if (!synced.get()) {
                failures.add(new AssertionError(
                        "the second sync returned before its write was durable"));
            }
        });
        Awaitility.await().until(() -> second.getState() == Thread.State.BLOCKED);
        goOn.countDown();
        first.join();
        second.join();

        assertEquals(List.of(), failures);
    }

    private static void sync(DiskChain chain, List<Throwable> failures) {
        try {
            chain.sync(0);
        } catch (IOException e) {
            failures.add(e);
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldNeverSucceedAfterASyncThatFailed() throws Exception {
        var chain = DiskChain.create(directory, GEOMETRY);
        chain.write(0, 0, Sectors.filled(1, 1));
        directory.beforeSync(() -> {
            throw new IOException("no");
        });
        assertThrows(IOException.class, () -> chain.sync(0));
        directory.beforeSync(() -> {});

        var e = assertThrows(IOException.class, () -> chain.sync(0));

        assertEquals("/memory/layer-0.img: an earlier sync failed, what it lost is unknown",
                e.getMessage());
    }

    @Test
    void shouldNotCommitUnderAHeldViewNorOverOne() throws Exception {
        var chain = chainOf(4);

        assertFalse(chain.mayCommit(0), "nothing below");
        assertFalse(chain.mayCommit(3), "the top");
        assertFalse(chain.mayCommit(4), "no such layer");
        chain.hold(1);
        assertTrue(chain.mayCommit(1), "layer 1 is part of view 1");
        assertFalse(chain.mayCommit(2), "view 1 must not see layer 2");
        assertThrows(IllegalStateException.class, () -> chain.commit(2));
        chain.hold(1);
        chain.release(1);
        assertFalse(chain.mayCommit(2), "held once more");
        chain.release(1);
        assertTrue(chain.mayCommit(2));
        assertThrows(IllegalStateException.class, () -> chain.release(1));
    }

    @Test
    void shouldShowTheSameToHigherViewsAndNoLowerViewAfterACommit() throws Exception {
        var chain = chainOf(4);
        chain.hold(2);

        commit(chain, 1);

        assertEquals(3, chain.depth());
        assertEquals(List.of("chain", "layer-0.img", "layer-2.img", "layer-3.img"),
                directory.list());
        assertArrayEquals(new long[] {3, 3, 2, 1}, Sectors.read(chain, 2, 0, 4));
        assertArrayEquals(new long[] {2, 2, 2, 1}, Sectors.read(chain, 1, 0, 4));
        assertThrows(IllegalArgumentException.class, () -> chain.read(0, 0, Sectors.filled(0, 1)));
        assertThrows(IllegalStateException.class, () -> chain.hold(0));
        var e = assertThrows(UnknownViewException.class,
                () -> DiskChain.openReadOnly(directory, 0));
        assertEquals(
                "/memory: has no view 0: layers 0 to 1 were committed into one file, layer-0.img",
                e.getMessage());
        assertThrows(UnknownViewException.class, () -> DiskChain.openReadOnly(directory, 9));
    }

    @Test
    void shouldNotShowALayerThatACommitHasBegunToChange() throws Exception {
        var chain = chainOf(3);

        var commit = chain.commit(1);

        assertThrows(IllegalStateException.class, () -> chain.hold(0));
        assertThrows(UnknownViewException.class, () -> DiskChain.openReadOnly(directory, 0));
        assertFalse(chain.mayCommit(1), "one at a time");
        commit.cancel();
        assertThrows(IllegalStateException.class, () -> chain.hold(0));
        assertThrows(UnknownViewException.class, () -> DiskChain.openReadOnly(directory, 0));
        assertArrayEquals(new long[] {2, 2, 1, 0}, Sectors.read(chain, 1, 0, 4));
        commit(chain, 1);
        assertArrayEquals(new long[] {2, 2, 1, 0}, Sectors.read(chain, 1, 0, 4));
    }

    @Test
    void shouldCommitZerosOfTheLowestOverlayOfACloneSoThatTheParentStaysHidden() throws Exception {
        var root = MemoryImageDirectory.root(Long.MAX_VALUE);
        var parent = DiskChain.create(root.child("parent"), GEOMETRY);
        Sectors.write(parent, 0, 0, GROUP_SECTORS, 1);
        var clone = DiskChain.createOn(root.child("clone"), parent, 0);
        clone.switchTo(clone.prepareOverlay());
        clone.writeZeroes(2, 0, 65536, true);
        clone.switchTo(clone.prepareOverlay());

        commit(clone, 2);

        assertArrayEquals(new long[] {0, 0}, Sectors.read(clone, 3, 0, 2));
        assertFalse(clone.mayCommit(1), "below lies the parent");
    }

    @Test
    void shouldKeepWhatACloneStandsOn() throws Exception {
        var openFiles = new OpenFiles(100);
        var parent = DiskChain.create(new FileImageDirectory(folder.resolve("parent"), openFiles),
                GEOMETRY);
        Sectors.write(parent, 0, 0, 4, 1);
        parent.switchTo(parent.prepareOverlay());
        Sectors.write(parent, 1, 0, 1, 2);
        parent.switchTo(parent.prepareOverlay());
        parent.sync(1);

        var clone = DiskChain.createOn(new FileImageDirectory(folder.resolve("clone"), openFiles),
                parent, 0);
        assertEquals(1, clone.top());
        assertFalse(parent.mayCommit(1), "the clone must not see layer 1");
        parent.close();
        Sectors.write(clone, 1, 1, 1, 3);

        assertArrayEquals(new long[] {1, 3, 1, 1, 0}, Sectors.read(clone, 1, 0, 5));
        clone.close();
        assertEquals(0, openFiles.count());
    }

    @Test
    void shouldFindTheParentOfACloneOfACloneAfterTheTreeWasMoved() throws Exception {
        var tree = folder.resolve("tree");
        try (var base =
                DiskChain.create(new FileImageDirectory(tree.resolve("vm-1/disk-0")), GEOMETRY)) {
            Sectors.write(base, 0, 0, 4, 1);
            base.switchTo(base.prepareOverlay());
            base.sync(0);
            try (var clone = DiskChain.createOn(new FileImageDirectory(tree.resolve("vm-2/disk-0")),
                    base, 0);
                    var second =
                            DiskChain.createOn(new FileImageDirectory(tree.resolve("vm-3/disk-0")),
                                    clone, 0)) {
                Sectors.write(clone, 1, 0, 1, 2);
                clone.sync(1);
                Sectors.write(second, 1, 1, 1, 3);
                second.sync(1);
            }
        }
        Files.move(tree, folder.resolve("moved"));

        try (var second =
                DiskChain.open(new FileImageDirectory(folder.resolve("moved/vm-3/disk-0")))) {
            assertArrayEquals(new long[] {1, 3, 1, 1, 0}, Sectors.read(second, 1, 0, 5));
            assertEquals(2, second.depth(),
                    "its own overlay and the base: the clone had nothing at view 0");
        }
    }

    @Test
    void shouldGoOnReadingAViewWhileAnotherInstanceCommitsBelowIt() throws Exception {
        // One file at a time: each read opens its file again, and finds some deleted.
        var openFiles = new OpenFiles(1);
        var files = new FileImageDirectory(folder, openFiles);
        try (var chain = DiskChain.create(files, GEOMETRY)) {
            for (int layer = 0; layer < 6; layer++) {
                Sectors.write(chain, layer, 4 * layer, 4, layer + 1);
                chain.switchTo(chain.prepareOverlay());
            }
            chain.sync(5);
            chain.hold(5);
            var expected = Sectors.read(chain, 5);
            try (var verifier = DiskChain.openReadOnly(files, 5)) {
                for (int layer = 5; layer > 0; layer--) {
                    assertArrayEquals(expected, Sectors.read(verifier, 5));
                    commit(chain, layer);
                }
                assertArrayEquals(expected, Sectors.read(verifier, 5));
                assertEquals(1, verifier.depth());
            }
        }
    }

    @Test
    void shouldReadFromBelowWhatWasCommittedAwayUnderItsHands() throws Exception {
        var chain = chainOf(3);
        var expected = Sectors.read(chain, 2);

        // The file is found, then deleted, then read.
        directory.beforeRead(() -> commit(chain, 1));
        var read = Sectors.read(chain, 1, 0, 3);

        assertArrayEquals(new long[] {2, 2, 1}, read);
        assertEquals(2, chain.depth());
        assertArrayEquals(expected, Sectors.read(chain, 2));
    }

    @Test
    void shouldNotWriteThroughAReadOnlyChain() throws Exception {
        chainOf(2);
        var chain = DiskChain.openReadOnly(directory, 0);

        assertThrows(IllegalStateException.class, () -> chain.write(0, 0, Sectors.filled(1, 1)));
        assertThrows(IllegalStateException.class, chain::prepareOverlay);
        assertFalse(chain.mayCommit(0));
        chain.sync(0);
    }

    @Test
    void shouldCostWhatIsWrittenOf32GiB() throws Exception {
        var memory = MemoryImageDirectory.root(Long.MAX_VALUE);
        var chain = DiskChain.create(memory, DiskGeometry.of(32L << 30));
        assertTrue(memory.usedBytes() <= 1024, memory.usedBytes() + " bytes for nothing");

        for (long gib = 0; gib < 32; gib++) {
            chain.write(0, gib << 30, Sectors.filled(gib + 1, 1));
        }
        chain.sync(0);

        assertTrue(memory.usedBytes() < 70 * 65536, memory.usedBytes() + " bytes for 32 groups");
        try (var read = DiskChain.openReadOnly(memory, 0)) {
            assertArrayEquals(new long[] {32, 0}, Sectors.read(read, 0, 31 << 21, 2));
        }
    }

    @Test
    void shouldFailAWriteThatDoesNotFitAndGoOnAfterwards() throws Exception {
        var memory = MemoryImageDirectory.root(3 * 65536 + 32768);
        var chain = DiskChain.create(memory, GEOMETRY);
        Sectors.write(chain, 0, 0, GROUP_SECTORS, 1);
        chain.switchTo(chain.prepareOverlay());
        Sectors.write(chain, 1, 0, 1, 2);
        Sectors.write(chain, 1, GROUP_SECTORS, 1, 3);

        assertThrows(IOException.class, () -> Sectors.write(chain, 1, 2 * GROUP_SECTORS, 1, 4));

        assertFalse(chain.holds(1, 2));
        assertArrayEquals(new long[] {2, 1}, Sectors.read(chain, 1, 0, 2));
        assertArrayEquals(new long[] {0, 0}, Sectors.read(chain, 1, 2 * GROUP_SECTORS, 2));
        Sectors.write(chain, 1, 1, 1, 5);
        assertArrayEquals(new long[] {2, 5}, Sectors.read(chain, 1, 0, 2));
    }

    @Test
    void shouldSurviveInterrupts() throws Exception {
        try (var chain = DiskChain.create(new FileImageDirectory(folder), GEOMETRY)) {
            var failure = new AtomicReference<Throwable>();
            Sectors.write(chain, 0, 0, 8, 1);
            var interrupted = Thread.ofPlatform().start(() -> {
                try {
                    Thread.currentThread().interrupt();
                    Sectors.write(chain, 0, 4, 8, 2);
                    assertTrue(Thread.currentThread().isInterrupted());
                    chain.sync(0);
                    assertArrayEquals(new long[] {1, 2}, Sectors.read(chain, 0, 3, 2));
                    assertTrue(Thread.interrupted());
                } catch (Throwable e) {
                    failure.set(e);
                }
            });
            interrupted.join();

            assertEquals(null, failure.get());
            assertArrayEquals(new long[] {1, 2}, Sectors.read(chain, 0, 3, 2));
        }
    }

    /** Layer k has version k + 1 in its group 0: the first sectors down from 4 - k stay what lower layers wrote. */
    private DiskChain chainOf(int layers) throws IOException {
        var chain = DiskChain.create(directory, GEOMETRY);
        for (int layer = 0; layer < layers; layer++) {
            if (layer > 0) {
                chain.switchTo(chain.prepareOverlay());
            }
            Sectors.write(chain, layer, 0, Math.max(1, layers - layer), layer + 1);
        }
        chain.sync(chain.top());
        return chain;
    }

    private static void commit(DiskChain chain, int layer) throws IOException {
        var commit = chain.commit(layer);
        while (commit.copyNext(1)) {
            assertTrue(commit.groupsLeft() > 0);
        }
        commit.finish();
    }
}
