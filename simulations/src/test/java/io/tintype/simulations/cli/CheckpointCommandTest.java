package io.tintype.simulations.cli;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.simulations.checkpoints.Reclaimer;
import io.tintype.simulations.checkpoints.Restorer;
import io.tintype.simulations.checkpoints.Verifier;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.store.CheckpointStore;
import io.tintype.store.Retention;
import io.tintype.store.StoreException;
import io.tintype.vm.CheckpointDisks;
import io.tintype.vm.HostOptions;
import io.tintype.vm.TintypeHost;
import io.tintype.vm.VmSpec;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointCommandTest {
    private static final int CHECKPOINTS = 3;

    @TempDir
    private static Path made;

    @TempDir
    private Path folder;

    private Path store = Path.of("");
    private StringWriter out = new StringWriter();
    private StringWriter err = new StringWriter();

    @BeforeAll
    static void makeStore() throws IOException {
        try (var host = TintypeHost.start(HostOptions.defaults(made.resolve("store"))
                .withMemory(64 << 20, 32 << 20))) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 4 << 20));
            // No guest uses page 0: it is of the first checkpoint for good, however long the next one takes.
            vm.visit(machine -> machine.regions().getFirst().putLong(8, 1)).toCompletableFuture()
                    .join();
            vm.start();
            for (int i = 0; i < CHECKPOINTS; i++) {
                vm.checkpoint().join().orThrow();
            }
        }
    }

    @AfterAll
    static void forget() throws IOException {
        delete(made.resolve("store"));
    }

    @BeforeEach
    void copyStore() throws IOException {
        store = folder.resolve("store");
        try (var all = Files.walk(made.resolve("store"))) {
            for (var path : all.toList()) {
                Files.copy(path, store.resolve(made.resolve("store").relativize(path).toString()));
            }
        }
    }

    private static void delete(Path tree) throws IOException {
        try (var all = Files.walk(tree)) {
            for (var path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }

    private int tintype(String words) {
        return execute("checkpoint " + words + " --store " + store);
    }

    private int execute(String words) {
        out = new StringWriter();
        err = new StringWriter();
        return Commands
                .on(new FakeRunner.Root(), new FakeRunner(), List.of(),
                        new Surroundings(() -> 1L << 40, Terminal.none(), folder))
                .setOut(new PrintWriter(out, true))
                .setErr(new PrintWriter(err, true))
                .execute(words.split(" "));
    }

    private JsonNode json(String words) throws IOException {
        assertEquals(0, tintype(words + " --json"), () -> err.toString() + out);
        return new ObjectMapper().readTree(out.toString());
    }

    @Test
    void shouldKeepWhatTheRetentionSays() throws IOException {
        assertEquals(2, json("gc --keep-last 1 --dry-run").get("dropped").size());
        assertRefused("gc --keep-last 0", "--keep-last 0: out of range; choose 1 or more");
        assertRefused("gc --keep-daily -1", "--keep-daily -1: out of range; choose 0 or more");

        var dropped = json("gc --keep-last 1").get("dropped");

        assertEquals("vm-1/1", dropped.get(0).asText());
        assertEquals("vm-1/2", dropped.get(1).asText());
        assertEquals(0, tintype("verify --all"), () -> err.toString() + out);
        assertEquals(0, json("gc --keep-last 1 --keep-hourly 2").get("dropped").size());
        assertEquals(0, tintype("ls"), "what retention deleted is no damage");
        assertEquals(0, execute("disk info " + store), () -> err.toString());
        assertEquals("", err.toString());
        assertTrue(out.toString().contains("vm-1/3"), out.toString());
    }

    /** Every file of the store and how long it is; the lock is there or not, and says nothing. */
    private Map<String, Long> snapshot() throws IOException {
        var files = new TreeMap<String, Long>();
        try (var all = Files.walk(store)) {
            for (var path : all.filter(Files::isRegularFile).toList()) {
                files.put(store.relativize(path).toString(), Files.size(path));
            }
        }
        files.remove("lock");
        return files;
    }

    private void assertRefused(String words, String because) throws IOException {
        var before = snapshot();

        assertEquals(2, tintype(words), () -> err.toString() + out);

        assertTrue(err.toString().contains(because), err.toString());
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertEquals(before, snapshot(), "something was changed");
    }

    private Path manifest(int id) {
        return store.resolve("checkpoints/vm-1/" + id + "/manifest");
    }

    private static void flip(Path file, long offset) throws IOException {
        try (var bytes = new RandomAccessFile(file.toFile(), "rw")) {
            bytes.seek(offset);
            int old = bytes.read();
            bytes.seek(offset);
            bytes.write(old ^ 0x10);
        }
    }

    @Test
    void shouldListTheCheckpointsOfEachVm() throws IOException {
        var listed = json("ls");

        assertEquals(1, listed.size());
        assertEquals("vm-1", listed.get(0).get("name").asText());
        assertEquals(CHECKPOINTS, listed.get(0).get("checkpoints").size());
        var first = listed.get(0).get("checkpoints").get(0);
        assertEquals("vm-1/1", first.get("ref").asText());
        assertTrue(first.get("bytes").asLong() > 4096);

        assertEquals(0, tintype("ls"));
        assertTrue(out.toString().contains("3 checkpoints of 1 VM"), out.toString());
        assertTrue(out.toString().contains("in flight"), out.toString());
    }

    @Test
    void shouldListTheOthersWhenOneIsDamaged() throws IOException {
        flip(manifest(2), 40);

        assertEquals(1, tintype("ls"));

        assertTrue(out.toString().contains("is damaged at offset"), out.toString());
        assertTrue(out.toString().contains("3 checkpoints"), out.toString());
    }

    @Test
    void shouldShowWhatACheckpointConsistsOf() throws IOException {
        var inspected = json("inspect vm-1");

        assertEquals("vm-1/" + CHECKPOINTS, inspected.get("ref").asText());
        assertEquals("synthetic", inspected.get("guestKind").asText());
        assertEquals(512, inspected.get("regionPages").get(0).asInt());
        assertTrue(inspected.get("registers").get("events").asLong() > 0);

        assertEquals(0, tintype("inspect vm-1/1"));
        assertTrue(out.toString().contains("segments"), out.toString());
        assertTrue(out.toString().contains("memory-0"), out.toString());
    }

    @Test
    void shouldWorkBesideAProcessThatUsesTheStore() throws IOException {
        try (var held = CheckpointStore.open(store)) {
            assertEquals(CHECKPOINTS, held.list().size());

            for (var words : List.of("ls", "inspect vm-1", "verify --all", "diff vm-1/1 vm-1/2")) {
                assertEquals(0, tintype(words), () -> words + ": " + err);
            }

            for (var words : List.of("rm vm-1/1", "gc", "restore vm-1 --as other",
                    "clone vm-1 --as other")) {
                assertRefused(words, "is in use by another process (pid "
                        + ProcessHandle.current().pid() + ")");
            }
        }
    }

    @Test
    void shouldVerifyTheOthersWhenOneIsDamagedAndNameFileAndOffset() throws IOException {
        assertEquals(0, tintype("verify --all"), () -> out.toString());
        assertTrue(out.toString().contains("3 of 3 whole"), out.toString());
        var memory = store.resolve("checkpoints/vm-1/3/memory-0");
        flip(memory, Files.size(memory) / 2);

        assertEquals(1, tintype("verify --all"));

        assertTrue(out.toString().contains("vm-1/3  DAMAGED: " + memory), out.toString());
        assertTrue(out.toString().contains("at offset"), out.toString());
        assertTrue(out.toString().contains("2 of 3 whole, 1 damaged"), out.toString());
        assertEquals(0, tintype("verify vm-1/1 vm-1/2"));
    }

    @Test
    void shouldVerifyDisks() throws IOException {
        var chain = store.resolve("images/vm-1/disk-0/chain");
        flip(chain, 30);

        assertEquals(1, tintype("verify vm-1/1"));

        assertTrue(out.toString().contains(chain + ": damaged at byte"), out.toString());
    }

    @Test
    void shouldTellWhatDiffersAsNumbersAndAsAPicture() throws IOException {
        var same = json("diff vm-1/1 vm-1/1");
        assertEquals(0, same.get("parts").get(0).get("changed").asLong());
        assertEquals(0, same.get("parts").get(1).get("changed").asLong());

        var differing = json("diff vm-1/1 vm-1/3");
        assertEquals("memory 0", differing.get("parts").get(0).get("name").asText());
        assertTrue(differing.get("parts").get(0).get("changed").asLong() > 0);
        long pages = 0;
        for (var range : differing.get("parts").get(0).get("ranges")) {
            pages += range.get(1).asLong() - range.get(0).asLong() + 1;
        }
        assertEquals(differing.get("parts").get(0).get("changed").asLong(), pages);

        var page = folder.resolve("diff.html");
        assertEquals(0, tintype("diff vm-1/1 vm-1/3 --report " + page));
        assertTrue(out.toString().contains("pages differ"), out.toString());
        var html = Files.readString(page);
        assertTrue(html.contains("\"name\":\"memory 0\""), "the data is missing");
        assertFalse(html.contains("{{"), "a mark was left");
        assertTrue(html.contains("series.heatmap"), "the chart library cannot draw the picture");
    }

    /** It has more blocks than an int can count, nearly all of them never written. */
    @Test
    void shouldCompareAndVerifyTheLargestDisk() throws IOException {
        store = folder.resolve("large");
        long sizeBytes = 64L << 40;
        try (var host = TintypeHost.start(HostOptions.defaults(store)
                .withMemory(64 << 20, 32 << 20))) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, sizeBytes));
            vm.start();
            vm.checkpoint().join().orThrow();
            long before = vm.counters().ioCompleted();
            await().until(() -> vm.counters().ioCompleted() > before + 50);
            vm.checkpoint().join().orThrow();
        }

        var disk = json("diff vm-1/1 vm-1/2").get("parts").get(1);

        assertEquals(sizeBytes / 4096, disk.get("units").asLong());
        assertTrue(disk.get("changed").asLong() > 0, disk.toString());
        long blocks = 0;
        for (var range : disk.get("ranges")) {
            blocks += range.get(1).asLong() - range.get(0).asLong() + 1;
        }
        assertEquals(disk.get("changed").asLong(), blocks);
        assertEquals(0, tintype("diff vm-1/1 vm-1/2 --report " + folder.resolve("large.html")));
        assertEquals(0, tintype("verify --all"), () -> out.toString());
    }

    @Test
    void shouldRestoreRunAndLeaveACheckpoint() throws IOException {
        var restored = json("restore vm-1/2 --as again --for 200ms");

        assertEquals("again", restored.get("vm").asText());
        assertEquals("ITS_OWN", restored.get("guest").asText());
        assertTrue(restored.get("steps").asLong() > 0, restored.toString());
        assertEquals(restored.get("pending").asInt(), restored.get("delivered").asInt());
        assertEquals("again/1", restored.get("left").asText());
        assertEquals("vm-1/2", json("ls again").get(0).get("from").asText());
        assertEquals(0, tintype("verify again"), () -> out.toString());
        assertRefused("restore vm-1/1 --as again", "there is a VM of that name");
    }

    @Test
    void shouldCloneSeveral() throws IOException {
        // More than are under way at once.
        var clones = json("clone vm-1 -n 18");

        assertEquals(18, clones.size());
        for (int i = 0; i < clones.size(); i++) {
            assertEquals("vm-1-clone-" + (i + 1), clones.get(i).get("vm").asText());
        }
        var differing = json("diff vm-1 vm-1-clone-2");
        for (var part : differing.get("parts")) {
            // Completions of what was in flight lie in the clone's rings and records.
            assertTrue(part.get("changed").asLong() <= 8, part.toString());
        }
        assertEquals(0, tintype("verify --all"), () -> out.toString());
        assertRefused("clone vm-1 --as vm-1-clone-2", "there is a VM of that name");
    }

    @Test
    void shouldLeaveNoCloneWhenItIsInterrupted() throws Exception {
        var before = snapshot().keySet();
        var names = IntStream.rangeClosed(1, 30).mapToObj(i -> "copy-" + i).toList();
        var asked = new AtomicInteger();
        var made = new ArrayList<String>();

        // Asked before each of them: some are sealed by then, and more under way.
        try (var restorer = Restorer.open(store, "vm-1", _ -> names,
                () -> asked.incrementAndGet() > 20)) {
            assertFalse(restorer.cloneAll(clone -> made.add(clone.vm())));
        }

        assertFalse(made.isEmpty());
        var left = new TreeSet<>(snapshot().keySet());
        left.removeAll(before);
        assertEquals(List.of(), left.stream().filter(file -> file.contains("copy-")).toList());
    }

    @Test
    void shouldDeleteAndGiveBack() throws IOException {
        assertEquals(0, tintype("rm vm-1/1 vm-1/2 --cascade"), () -> err.toString());
        assertEquals(0, tintype("gc --dry-run"), () -> err.toString());
        assertTrue(out.toString().contains("nothing was changed"), out.toString());
        var before = snapshot();
        var collected = json("gc");

        assertTrue(collected.get("layers").asInt() > 0, collected.toString());
        assertTrue(snapshot().size() < before.size());
        if (!json("ls").isEmpty()) {
            assertEquals(0, tintype("verify --all"), () -> out.toString());
        }
        assertEquals(0, json("gc").get("layers").asInt());
    }

    @Test
    void shouldDeleteDisksThatNoCheckpointNeedsOnlyWhenAsked() throws IOException {
        assertEquals(0, tintype("rm vm-1/1 --cascade vm-1/2 vm-1/3"), () -> err.toString());
        assertEquals(1, json("gc").get("disks").size());
        assertTrue(Files.exists(store.resolve("images/vm-1/disk-0/chain")));

        assertFalse(Files.exists(store.resolve("checkpoints/vm-1")), "nothing is in it");
        assertEquals(1, json("gc --disks").get("disks").size());

        assertFalse(Files.exists(store.resolve("images/vm-1")));
        assertEquals(0, json("gc --disks").get("disks").size());
    }

    @Test
    void shouldCountBeforehandTheOverlaysThatCanBeCommittedOnceDisksAndCheckpointsAreGone()
            throws IOException {
        json("restore vm-1/1 --as again --for 200ms");
        json("restore vm-1/2 --as third --for 200ms");
        assertEquals(0, tintype("rm again/1 third/1"), () -> err.toString());

        // First the disks keep the layers that the checkpoints do not need any more.
        for (var words : List.of("gc --keep-last 1", "gc --disks")) {
            int withoutThem = json("gc --dry-run").get("layers").asInt();
            var expected = json(words + " --dry-run");
            var collected = json(words);

            assertEquals(expected.get("disks"), collected.get("disks"));
            assertEquals(expected.get("layers"), collected.get("layers"));
            int more = collected.get("layers").asInt() - withoutThem;
            assertTrue(words.contains("--disks") ? more > 0 : more >= 0, collected.toString());
        }
    }

    @Test
    void shouldEndAVmInOneLineWhenItsMemoryTurnsOutToBeDamaged() throws IOException {
        var memory = store.resolve("checkpoints/vm-1/1/memory-0");
        for (long at = 200; at < Files.size(memory) - 200; at += 300) {
            flip(memory, at);
        }

        for (var how : List.of("--for 10s", "--eager")) {
            assertEquals(2, tintype("restore vm-1/1 --as again " + how), () -> out.toString());

            assertTrue(err.toString().contains(memory + " is damaged at offset"), err.toString());
            assertEquals(1, err.toString().lines().count(), err.toString());
            assertFalse(Files.exists(store.resolve("images/again")), "its disks were left");
        }
    }

    @Test
    void shouldOpenNoJournalForAVmThatEndsWithTheCommand() throws IOException {
        delete(store.resolve("catalogue"));

        json("restore vm-1 --as again --for 100ms");
        json("clone again --as third");

        assertFalse(Files.exists(store.resolve("catalogue/journal")));
        try (var host = TintypeHost
                .start(HostOptions.defaults(store).withMemory(64 << 20, 32 << 20))) {
            var known = host.catalogue().ready().join().vms().asMap().keySet();
            assertEquals(Set.of("again", "third", "vm-1"),
                    known.stream().map(VmId::value).collect(Collectors.toSet()));
        }
    }

    /** A store whose only VM has two checkpoints with copies of its disk; what was copied is committed since. */
    private void makeStoreWithCopies() throws IOException {
        delete(store);
        try (var host = TintypeHost
                .start(HostOptions.defaults(store).withMemory(64 << 20, 32 << 20))) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 4 << 20));
            vm.start();
            vm.checkpoint(CheckpointDisks.COPY).join().orThrow();
            vm.checkpoint(CheckpointDisks.COPY).join().orThrow();
            vm.pause();
            await().until(() -> host.disks().stream().allMatch(disk -> disk.layers() <= 2));
        }
    }

    @Test
    void shouldReadTheCopiesOfCheckpointsThatHaveThem() throws IOException {
        makeStoreWithCopies();
        var disk = store.resolve("checkpoints/vm-1/1/disk-0");

        assertEquals(0, tintype("verify --all"), () -> err.toString() + out);
        assertEquals(0, tintype("diff vm-1/1 vm-1/2"), () -> err.toString());
        assertEquals(0, json("diff vm-1/1 vm-1/1").get("parts").get(1).get("changed").asLong());
        assertEquals(0, tintype("gc --dry-run"), () -> err.toString());
        assertEquals(0, tintype("gc --disks"), () -> err.toString());
        assertEquals(0, tintype("verify --all"), () -> err.toString() + out);
        assertEquals(0, tintype("ls"), () -> err.toString());
        assertTrue(out.toString().contains("in files of their own"), out.toString());

        flip(disk, Files.size(disk) / 2);
        assertEquals(1, tintype("verify --all"));
        assertEquals(1, out.toString().lines()
                .filter(line -> line.startsWith("vm-1/1  DAMAGED: " + disk)).count(),
                out.toString());
        assertTrue(out.toString().contains("1 of 2 whole, 1 damaged"), out.toString());
    }

    @Test
    void shouldNotDeleteACopyThatAnotherVmStandsOn() throws IOException {
        makeStoreWithCopies();
        json("restore vm-1/2 --as again --for 200ms");
        json("clone again --as third");

        assertRefused("rm vm-1/2", "again/1, third/1 build on it");
        try (var opened = CheckpointStore.open(store)) {
            var refused = assertThrows(StoreException.class, () -> opened.drop(
                    new CheckpointRef(new VmId("vm-1"), new CheckpointId(2))));
            assertTrue(String.valueOf(refused.getMessage()).contains("images/again/disk-0"),
                    refused::getMessage);
        }

        assertEquals(0, tintype("rm vm-1/2 --cascade"), () -> err.toString());
        // The disks of both are there without what they stand on: that is no damage, since nothing needs them.
        assertEquals(0, tintype("gc --dry-run"), () -> err.toString());
        assertEquals(0, tintype("gc"), () -> err.toString());
        // That of vm-1, too: its checkpoints have copies.
        assertEquals(3, json("gc --disks").get("disks").size());
        assertEquals(0, tintype("verify --all"), () -> out.toString());
    }

    @Test
    void shouldNameTheCheckpointThatARestoredVmHasItsDisksFrom() throws IOException {
        makeStoreWithCopies();
        json("restore vm-1/2 --as again --for 200ms");

        assertEquals("vm-1/2", json("ls again").get(0).get("from").asText());
    }

    @Test
    void shouldGiveBackWhatIsLeftOverThoughADiskIsDamaged() throws IOException {
        var leftover = Files.createDirectories(store.resolve("staging/vm-1.9"));
        Files.write(leftover.resolve("memory-0"), new byte[5000]);
        var chain = store.resolve("images/vm-1/disk-0/chain");
        flip(chain, 30);
        assertRefused("gc --disks", chain + ": damaged at byte");
        // Not after the checkpoints that the retention does not keep were deleted.
        assertRefused("gc --disks --keep-last 1", chain + ": damaged at byte");
        assertEquals(1, tintype("gc --dry-run"));
        assertTrue(Files.exists(leftover), "a dry run");

        assertEquals(1, tintype("gc"), () -> err.toString());

        assertFalse(Files.exists(leftover));
        assertTrue(out.toString().contains("left as they are: "), out.toString());
        assertTrue(out.toString().contains(chain + ": damaged at byte"), out.toString());
    }

    /** Somebody deleted a directory by hand: nothing can be made of those that need it, and there is a way out. */
    @Test
    void shouldNameAMissingParentAndDeleteThoseThatNeedItWhenTold() throws IOException {
        delete(store.resolve("checkpoints/vm-1/1"));
        var because = "needs pages of checkpoint vm-1/1, and there is no "
                + store.resolve("checkpoints/vm-1/1");
        for (var words : List.of("inspect vm-1/3", "restore vm-1/3 --as other",
                "clone vm-1/3 --as other", "diff vm-1/2 vm-1/3")) {
            assertRefused(words, because);
        }
        assertEquals(1, tintype("ls"));
        assertEquals(1, tintype("verify --all"));
        assertTrue(out.toString().contains("CANNOT BE READ: checkpoint vm-1/2 " + because),
                out.toString());

        assertEquals(0, tintype("gc"), () -> err.toString());
        assertEquals(0, tintype("rm vm-1/2 --cascade"), () -> err.toString());

        assertEquals(0, json("ls").size());
    }

    @Test
    void shouldTellANewerFormatFromDamage() throws IOException {
        makeNewer(manifest(2));

        assertRefused("restore vm-1/2 --as other", "knows no version after 1; use a newer Tintype");
        assertEquals(1, tintype("verify vm-1/2"));
        assertTrue(out.toString().contains("vm-1/2  CANNOT BE READ: " + manifest(2)),
                out.toString());
        assertRefused("gc", "its manifest cannot be read");
    }

    private static void makeNewer(Path file) throws IOException {
        var newer = Files.readAllBytes(file);
        newer[8]++;
        var crc = new CRC32C();
        crc.update(newer, 0, newer.length - 4);
        ByteBuffer.wrap(newer).order(ByteOrder.LITTLE_ENDIAN).putInt(newer.length - 4,
                (int) crc.getValue());
        Files.write(file, newer);
    }

    @Test
    void shouldTellOnceWhatIsWrongWithTheStoreOfDisks() throws IOException {
        var marker = store.resolve("tintype-store");
        var whole = Files.readAllBytes(marker);
        makeNewer(marker);
        for (var words : List.of("disk info ", "disk check ")) {
            assertEquals(2, execute(words + store), () -> err.toString() + out);
            assertTrue(err.toString().contains("use a newer Tintype"), err.toString());
            assertEquals(1, err.toString().lines().count(), err.toString());
        }
        assertRefused("ls", "use a newer Tintype");

        Files.write(marker, Arrays.copyOf(whole, 3));
        assertEquals(1, execute("disk info " + store), () -> err.toString() + out);
        assertEquals(1, err.toString().lines().count(), err.toString());
        assertTrue(
                err.toString().contains(marker + ", which marks a store, is damaged at offset 3"),
                err.toString());
        assertTrue(out.toString().contains("layer-0.img"), out.toString());
        assertEquals(0, execute("disk check " + store), () -> err.toString() + out);
    }

    @Test
    void shouldRefuseBadInputInOneLineAndChangeNothing() throws IOException {
        assertRefused("inspect vm-7", "there is no checkpoint of a VM vm-7");
        assertRefused("inspect vm-1/9", "of vm-1 there are 1 to 3");
        assertRefused("inspect Vm/1", "not a checkpoint's name");
        assertRefused("rm vm-1/1 vm-1/9", "there is no such checkpoint");
        assertRefused("restore vm-1 --as Other", "not a VM's name");
        assertRefused("verify", "--all");
        assertRefused("clone vm-1", "--as VM");
        assertRefused("inspect", "no REF is given");
        assertRefused("diff vm-1/1", "no B is given");
        assertRefused("diff vm-1/1 vm-1/2 --report " + manifest(1),
                manifest(1) + ": would lie in the store " + store);
        flip(manifest(3), 40);
        assertRefused("restore vm-1/3 --as other", "manifest is damaged at offset");
        assertRefused("inspect vm-1/3", "manifest is damaged at offset");
        Files.write(store.resolve("tintype-store"), new byte[] {1, 2, 3});
        assertRefused("ls", "is damaged at offset");
        Files.delete(store.resolve("tintype-store"));
        assertRefused("ls", "not a Tintype store");
    }

    @Test
    void shouldNameAFileThatIsWhereADirectoryMustBe() throws IOException {
        var checkpoints = store.resolve("checkpoints");
        delete(checkpoints);
        Files.writeString(checkpoints, "mine");

        for (var words : List.of("ls", "verify --all", "gc")) {
            assertRefused(words, "cannot read " + checkpoints + ": Not a directory; choose");
        }
        assertRefused("rm vm-1", "needs a directory at " + checkpoints + " and there is a file");
    }

    @Test
    void shouldNotTakeWhatAnotherProcessDeletedForDamaged() throws IOException {
        try (var look = CheckpointStore.openReadOnly(store);
                var held = CheckpointStore.open(store)) {
            var ref = look.list().getLast();
            assertNotNull(held.open(ref));
            held.delete(ref);

            var verdict = new Verifier(look, () -> false)
                    .verify(ref);

            assertNotNull(verdict);
            assertTrue(verdict.vanished());
            assertEquals(List.of(), verdict.damages());
        }
        assertEquals(CHECKPOINTS - 1, json("ls").get(0).get("checkpoints").size());
    }

    /** Its files stay where they are, but the overlays that it ended at are committed. */
    @Test
    void shouldNotTakeWhatAnotherProcessRetiredForDamaged() throws IOException {
        try (var look = CheckpointStore.openReadOnly(store)) {
            var ref = look.list().getFirst();
            assertEquals(0, tintype("gc --keep-last 1"), () -> err.toString());
            assertTrue(Files.exists(store.resolve("retired/" + ref.vm().value() + ".1")));

            var verdict = new Verifier(look, () -> false).verify(ref);

            assertNotNull(verdict);
            assertTrue(verdict.vanished(), () -> verdict.toString());
            assertEquals(List.of(), verdict.damages());
        }
    }

    @Test
    void shouldSayInADryRunWhatWouldGoOnlyIfAskedFor() throws IOException {
        assertEquals(0, tintype("rm vm-1/1 --cascade"), () -> err.toString());

        assertEquals(0, tintype("gc --dry-run"), () -> err.toString());
        assertTrue(out.toString().contains("; kept, --disks deletes them"), out.toString());

        assertEquals(0, tintype("gc --dry-run --disks"), () -> err.toString());
        assertTrue(out.toString().contains("; would be deleted"), out.toString());
        assertFalse(out.toString().contains("kept"), out.toString());
    }

    /** A commit that is cancelled leaves what it copied there twice; that is no space given back, and none taken for good. */
    @Test
    void shouldNotGiveBackLessThanNothingWhenInterrupted() throws IOException {
        store = folder.resolve("wide");
        try (var host = TintypeHost.start(HostOptions.defaults(store)
                .withMemory(64 << 20, 32 << 20))) {
            var vm = host.create(VmSpec.synthetic("vm-1", 2 << 20, 64 << 20));
            vm.start();
            for (int i = 1; i <= 3; i++) {
                vm.checkpoint().join().orThrow();
                long before = vm.counters().ioCompleted();
                await().until(() -> vm.counters().ioCompleted() > before + 500);
            }
        }

        for (int n = 1; n <= 20; n++) {
            var asked = new AtomicInteger(n);
            var reclaimed = Reclaimer.reclaim(store, new Retention(1, 0, 0), false, false,
                    () -> asked.getAndDecrement() <= 0, _ -> {});

            assertTrue(reclaimed.layerBytes() >= 0, reclaimed.toString());
        }
    }

    @Test
    void shouldUnderstandHelpOfEachCommand() {
        for (var command : List.of("ls", "inspect", "verify", "diff", "restore", "clone", "rm",
                "gc")) {
            assertEquals(0, tintype(command + " --help"), command);
            assertTrue(out.toString().contains("--store"), out.toString());
        }
    }

    /** So that a reader sees what a checkpoint's name is made of. */
    @Test
    void shouldNameCheckpointsAsTheStoreDoes() throws IOException {
        try (var look = CheckpointStore.openReadOnly(store)) {
            assertEquals(List.of("vm-1/1", "vm-1/2", "vm-1/3"),
                    look.list().stream().map(CheckpointRef::toString).toList());
        }
    }
}
