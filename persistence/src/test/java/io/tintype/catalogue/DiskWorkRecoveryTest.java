package io.tintype.catalogue;

import static io.tintype.catalogue.Facts.NOW;
import static io.tintype.catalogue.Facts.after;
import static io.tintype.catalogue.Facts.created;
import static io.tintype.catalogue.Facts.known;
import static io.tintype.catalogue.Facts.operation;
import static io.tintype.catalogue.Facts.ref;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.OperationStepped;
import io.tintype.catalogue.OperationRecord.Kind;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process ends between any two steps of work on a disk; the next one finds out from the chain how far it came. */
class DiskWorkRecoveryTest {
    private static final String ENDED = "its process ended";
    private static final String PLACE = "web-1/disk-0";
    private static final int GROUP_BYTES = 65_536;
    private static final int GROUPS = 8;

    @TempDir
    private Path directory;
    private final Arena arena = Arena.ofShared();
    @SuppressWarnings("NullAway.Init") // before each test
    private DiskChain chain;
    private int restarts;

    private Path running() {
        return directory.resolve("running");
    }

    @BeforeEach
    void makeThreeLayers() throws IOException {
        chain = DiskChain.create(new FileImageDirectory(running()),
                new DiskGeometry((long) GROUPS * GROUP_BYTES, GROUP_BYTES));
        fill(0, 6);
        chain.switchTo(chain.prepareOverlay());
        fill(1, 4);
        chain.switchTo(chain.prepareOverlay());
        fill(2, 2);
        chain.sync(2);
    }

    @AfterEach
    void close() {
        chain.close();
        arena.close();
    }

    private void fill(int layer, int groups) throws IOException {
        MemorySegment content = arena.allocate(GROUP_BYTES);
        content.fill((byte) (layer + 1));
        for (int group = 0; group < groups; group++) {
            chain.fault(layer, group, 0, content);
        }
    }

    /** What the next process writes down, with the files as they are now. */
    private List<CatalogueEvent> restarted(CatalogueEvent told, CheckpointRef... sealed)
            throws IOException {
        restarts++;
        Path store = directory.resolve("store-" + restarts);
        CheckpointStore.open(store).close();
        Path disk = store.resolve("images").resolve(PLACE);
        Files.createDirectories(disk);
        try (var files = Files.newDirectoryStream(running())) {
            for (Path file : files) {
                Files.copy(file, disk.resolve(Objects.requireNonNull(file.getFileName())));
            }
        }
        try (var opened = CheckpointStore.open(store)) {
            var scan = StoreScan.of(opened, true);
            var state = after(created(), told);
            var contents = new StoreContents(new TreeSet<>(List.of(sealed)),
                    new TreeMap<>(Map.of(Facts.WEB, List.of(0))), true);
            return Reconciliation.of(state, contents, known(),
                    scan.outlines(Reconciliation.interrupted(state)), NOW)
                    .events().stream()
                    .filter(event -> event instanceof OperationEnded
                            || event instanceof OperationStepped)
                    .toList();
        }
    }

    private List<String> imagesLeft() throws IOException {
        var disk = directory.resolve("store-" + restarts).resolve("images").resolve(PLACE);
        return new FileImageDirectory(disk).list();
    }

    private static CatalogueEvent told(String name, Kind kind, String key, String value) {
        return operation(name, kind,
                Map.of(OperationRecord.CHAIN, PLACE, key, value, OperationRecord.INTO, "0"));
    }

    @Test
    void shouldEndACommitThatNeverBegan() throws IOException {
        var told = told("commit", Kind.DISK_COMMIT, OperationRecord.LAYER, "1");

        assertEquals(List.of(new OperationEnded("commit", ENDED)), restarted(told));
    }

    @Test
    void shouldKeepACommitOpenThatTheChainGoesOnWith() throws IOException {
        var told = told("commit", Kind.DISK_COMMIT, OperationRecord.LAYER, "1");
        var cutOff = List.of(new OperationStepped("commit", "cut off", new TreeMap<>()));

        var commit = chain.commit(1);
        assertEquals(cutOff, restarted(told));
        while (commit.copyNext(1)) {
            assertEquals(cutOff, restarted(told));
        }
        assertEquals(cutOff, restarted(told));
        try (var left = DiskChain.open(new FileImageDirectory(
                directory.resolve("store-" + restarts).resolve("images").resolve(PLACE)))) {
            assertEquals(1, left.unfinishedCommit());
        }
        commit.finish();

        assertEquals(List.of(new OperationEnded("commit", null)), restarted(told));
    }

    @Test
    void shouldGiveUpAFlattenAndItsSpaceUnlessItWasDone() throws IOException {
        var told = told("flatten", Kind.DISK_FLATTEN, OperationRecord.VIEW, "1");
        var givenUp = List.of(new OperationEnded("flatten", ENDED));

        assertEquals(givenUp, restarted(told));
        var flatten = chain.flatten(1);
        boolean more = true;
        while (more) {
            more = flatten.copyNext(1);
            assertTrue(chain.directory().list().stream().anyMatch(name -> name.contains("flat")));
            assertEquals(givenUp, restarted(told));
            assertTrue(imagesLeft().stream().noneMatch(name -> name.contains("flat")),
                    imagesLeft()::toString);
        }
        flatten.finish();

        assertEquals(List.of(new OperationEnded("flatten", null)), restarted(told));
        assertTrue(imagesLeft().stream().anyMatch(name -> name.contains("flat")),
                imagesLeft()::toString);
    }

    @Test
    void shouldEndACopyAsItsCheckpointEnded() throws IOException {
        var told = operation("copy", Kind.DISK_COPY,
                Map.of(OperationRecord.CHECKPOINT, ref(3).toString()));

        assertEquals(List.of(new OperationEnded("copy", ENDED)), restarted(told, ref(2)));
        assertEquals(List.of(new OperationEnded("copy", null)), restarted(told, ref(2), ref(3)));
    }

    @Test
    void shouldEndWorkOnAChainThatCannotBeRead() throws IOException {
        Files.writeString(running().resolve("chain"), "x");
        var told = told("flatten", Kind.DISK_FLATTEN, OperationRecord.VIEW, "1");

        assertEquals(List.of(new OperationEnded("flatten", ENDED)), restarted(told));
    }
}
