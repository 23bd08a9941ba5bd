package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.DiskId;
import io.tintype.actors.VmId;
import io.tintype.catalogue.Catalogue;
import io.tintype.catalogue.CatalogueEvent;
import io.tintype.catalogue.CatalogueEvent.OperationBegun;
import io.tintype.catalogue.CatalogueEvent.OperationEnded;
import io.tintype.catalogue.CatalogueEvent.OperationStepped;
import io.tintype.catalogue.CatalogueHealth;
import io.tintype.catalogue.CatalogueState;
import io.tintype.catalogue.Catalogues;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.catalogue.OperationRecord.Kind;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.cow.disk.ImageDirectory;
import io.tintype.cow.disk.ImageFile;
import io.tintype.cow.disk.MemoryImageDirectory;
import io.tintype.scheduler.Rules;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import io.tintype.store.StoreFiles;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What takes several steps is in the catalogue from its begin to its end, and can be left at any of them. */
class DiskOperationsTest {
    private static final long MIB = 1 << 20;
    private static final int GROUP_BYTES = 65_536;
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final Executor AT_ONCE = Runnable::run;

    @TempDir
    private Path directory;

    /** Remembers what it is told, in order. */
    private static final class Recording implements Catalogue {
        final List<CatalogueEvent> told = new CopyOnWriteArrayList<>();
        private final Catalogue catalogue;

        Recording(Catalogue catalogue) {
            this.catalogue = catalogue;
        }

        static Recording over(CheckpointStore store) {
            return new Recording(Catalogues.inMemory(new MemoryJournal(), store,
                    InstantSource.system()));
        }

        @Override
        public synchronized Told tell(CatalogueEvent event) {
            told.add(event);
            return catalogue.tell(event);
        }

        @Override
        public CatalogueState state() {
            return catalogue.state();
        }

        @Override
        public CompletableFuture<CatalogueState> ready() {
            return catalogue.ready();
        }

        @Override
        public CatalogueHealth health() {
            return catalogue.health();
        }

        @Override
        public void close() {
            catalogue.close();
        }

        List<OperationBegun> begun() {
            return told.stream().filter(event -> event instanceof OperationBegun)
                    .map(event -> (OperationBegun) event).toList();
        }

        List<OperationEnded> ended() {
            return told.stream().filter(event -> event instanceof OperationEnded)
                    .map(event -> (OperationEnded) event).toList();
        }

        boolean isDone(Kind kind) {
            return begun().stream().anyMatch(begun -> begun.kind() == kind
                    && ended().contains(new OperationEnded(begun.name(), null)));
        }
    }

    private static GuestFactory guest() {
        return Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(8 * MIB), GuestRecorder.NONE);
    }

    private TintypeHost host(CompletableFuture<Recording> catalogue) throws StoreException {
        var store = directory.resolve("store");
        var options = HostOptions.defaults(store).withMemory(256 * MIB, 64 * MIB);
        var ports = new HostPorts(Rules.ALL_ON, new PooledDiskIo(2),
                key -> new FileImageDirectory(store.resolve(key)), StoreFiles.onDisk(),
                UnaryOperator.identity(), UnaryOperator.identity(), false, GROUP_BYTES,
                () -> new LiveWorld(options),
                opened -> {
                    var recording = Recording.over(opened);
                    catalogue.complete(recording);
                    return recording;
                });
        return TintypeHost.start(options, ports);
    }

    private static void isAlive(Vm vm) {
        long before = vm.counters().ioCompleted();
        await().atMost(SOON).until(() -> vm.counters().ioCompleted() > before + 200);
    }

    private static CheckpointOutcome checkpoint(Vm vm, CheckpointDisks disks) throws Exception {
        isAlive(vm);
        return vm.checkpoint(disks).get(30, TimeUnit.SECONDS).orThrow();
    }

    @Test
    void shouldTellOfAllThatTakesSeveralSteps() throws Exception {
        var told = new CompletableFuture<Recording>();
        try (var host = host(told)) {
            var catalogue = told.join();
            var vm = host.create(VmSpec.of("web-1", 8 * MIB, 8 * MIB, guest()));
            vm.start();
            var first = checkpoint(vm, CheckpointDisks.POINTER);
            var second = checkpoint(vm, CheckpointDisks.POINTER);
            host.delete(first.ref());
            host.delete(second.ref());
            await().atMost(SOON).until(() -> catalogue.isDone(Kind.DISK_COMMIT));
            var third = checkpoint(vm, CheckpointDisks.POINTER);
            // Two that stay: otherwise all below the top is one file already.
            checkpoint(vm, CheckpointDisks.POINTER);
            assertTrue(vm.flatten(0).get(30, TimeUnit.SECONDS).done());
            checkpoint(vm, CheckpointDisks.COPY);
            host.clone(vm, "web-2").get(30, TimeUnit.SECONDS);
            vm.rollBack(third.ref()).get(30, TimeUnit.SECONDS);
            try (var snapshot = vm.snapshot().get(30, TimeUnit.SECONDS)) {
                vm.rollBack(snapshot).get(30, TimeUnit.SECONDS);
            }
            isAlive(vm);
        }

        var catalogue = told.join();
        for (var kind : EnumSet.of(Kind.CREATE, Kind.RESTORE, Kind.CLONE, Kind.ROLL_BACK,
                Kind.DISK_COPY, Kind.DISK_COMMIT, Kind.DISK_FLATTEN)) {
            assertTrue(catalogue.isDone(kind), kind + " in " + catalogue.told);
        }
        var open = new HashSet<String>();
        for (var event : catalogue.told) {
            if (event instanceof OperationBegun begun) {
                assertTrue(open.add(begun.name()), begun.name() + " was begun twice");
            } else if (event instanceof OperationEnded ended) {
                assertTrue(open.remove(ended.name()), ended.name() + " was not begun");
            }
        }
        assertEquals(new HashSet<String>(), open);
    }

    // The store looked at all disks by walking a tree whose files come and go while VMs run, and the walk fails then.
    @Test
    void shouldDeleteACopiedCheckpointWhileOtherDisksChange() throws Exception {
        var told = new CompletableFuture<Recording>();
        try (var host = host(told)) {
            var vm = host.create(VmSpec.of("web-1", 8 * MIB, 8 * MIB, guest()));
            vm.start();
            var copied = checkpoint(vm, CheckpointDisks.COPY);
            var other = Files.createDirectories(
                    directory.resolve("store/images/other/disk-0")).resolve("chain.tmp");
            var over = new AtomicBoolean();
            var changing = CompletableFuture.runAsync(() -> {
                try {
                    while (!over.get()) {
                        Files.writeString(other, "");
                        Files.delete(other);
                    }
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });

            for (int i = 0; i < 500; i++) {
                host.store().requireNoDiskOn(copied.ref());
            }
            over.set(true);
            changing.get(30, TimeUnit.SECONDS);
            Files.delete(other.resolveSibling(""));
            host.delete(copied.ref());

            assertEquals(List.of(), host.store().list());
        }
    }

    // ---- The work itself, step by step ----

    /** Fails to write while it is told so. */
    private static final class Flaky implements ImageDirectory {
        final MemoryImageDirectory real = new MemoryImageDirectory();
        volatile boolean fails;

        @Override
        public String location() {
            return "web-1/disk-0";
        }

        @Override
        public List<String> list() {
            return real.list();
        }

        @Override
        public ImageFile create(String name) throws IOException {
            return new FlakyFile(real.create(name), this);
        }

        @Override
        public ImageFile open(String name, boolean writable) throws IOException {
            return new FlakyFile(real.open(name, writable), this);
        }

        @Override
        public void delete(String name) throws IOException {
            real.delete(name);
        }

        @Override
        public byte[] read(String name) throws IOException {
            return real.read(name);
        }

        @Override
        public void replace(String name, byte[] content) throws IOException {
            real.replace(name, content);
        }

        @Override
        public void sync() {
            real.sync();
        }

        @Override
        public String locate(ImageDirectory other) {
            return real.locate(other);
        }

        @Override
        public ImageDirectory resolve(String locator) {
            return real.resolve(locator);
        }
    }

    private record FlakyFile(ImageFile real, Flaky directory) implements ImageFile {
        @Override
        public void read(long position, MemorySegment target, long targetOffset, int bytes)
                throws IOException {
            real.read(position, target, targetOffset, bytes);
        }

        @Override
        public void write(long position, MemorySegment source, long sourceOffset, int bytes)
                throws IOException {
            if (directory.fails) {
                throw new IOException("no space left on device");
            }
            real.write(position, source, sourceOffset, bytes);
        }

        @Override
        public void sync() throws IOException {
            real.sync();
        }

        @Override
        public long size() throws IOException {
            return real.size();
        }

        @Override
        public void setSize(long bytes) throws IOException {
            real.setSize(bytes);
        }

        @Override
        public void close() {
            real.close();
        }
    }

    /** Three layers; the middle one has four groups. */
    private static DiskChain threeLayers(ImageDirectory images, Arena arena) throws IOException {
        var chain = DiskChain.create(images, new DiskGeometry(8L * GROUP_BYTES, GROUP_BYTES));
        var content = arena.allocate(GROUP_BYTES);
        for (int layer = 0; layer < 3; layer++) {
            if (layer > 0) {
                chain.switchTo(chain.prepareOverlay());
            }
            content.fill((byte) (layer + 1));
            for (int group = 0; group < 6 - 2 * layer; group++) {
                chain.fault(layer, group, 0, content);
            }
        }
        return chain;
    }

    private static ChainWork work(DiskChain chain, Executor copying, Recording catalogue) {
        return new ChainWork(new DiskId(new VmId("web-1"), 0), chain, AT_ONCE, AT_ONCE, copying,
                () -> 0,
                new Operations(catalogue, InstantSource.system()));
    }

    private static byte firstByte(DiskChain chain, int group) throws IOException {
        try (var arena = Arena.ofConfined()) {
            var sector = arena.allocate(512);
            chain.read(chain.top(), (long) group * GROUP_BYTES, sector);
            return sector.get(java.lang.foreign.ValueLayout.JAVA_BYTE, 0);
        }
    }

    private static DiskChain.Candidate next(DiskChain chain) {
        return Objects.requireNonNull(chain.nextCommit());
    }

    private Recording recording() throws StoreException {
        try (var store = CheckpointStore.open(directory.resolve("store"))) {
            return Recording.over(store);
        }
    }

    // A commit that failed went on holding the chain, so that none could ever begin again.
    @Test
    void shouldTryACommitAgainThatFailed() throws Exception {
        var images = new Flaky();
        var catalogue = recording();
        try (var arena = Arena.ofShared(); var chain = threeLayers(images, arena)) {
            var work = work(chain, AT_ONCE, catalogue);
            images.fails = true;
            var failed = work.commit(next(chain));
            assertTrue(failed.isCompletedExceptionally());
            images.fails = false;

            var again = work.commit(next(chain));

            assertEquals(4, again.join().groups());
            assertEquals(List.of("no space left on device", ""), catalogue.ended().stream()
                    .map(ended -> ended.failure() == null ? "" : ended.failure()).toList());
            assertEquals(List.of((byte) 3, (byte) 2, (byte) 1), List.of(firstByte(chain, 1),
                    firstByte(chain, 3), firstByte(chain, 5)));
        }
    }

    @Test
    void shouldLeaveACommitToTheNextOpeningWhenItsVmEnds() throws Exception {
        var catalogue = recording();
        var steps = new ArrayDeque<Runnable>();
        try (var arena = Arena.ofShared(); var chain = threeLayers(new Flaky(), arena)) {
            var work = work(chain, steps::add, catalogue);
            var cut = work.commit(next(chain));
            assertEquals(1, steps.size());
            work.stop("its VM ended");
            while (!steps.isEmpty()) {
                steps.remove().run();
            }
            assertTrue(cut.isCompletedExceptionally());
            assertEquals(1, chain.unfinishedCommit());
            assertEquals(List.of(new OperationEnded("commit web-1/disk-0 layer 1", "its VM ended")),
                    catalogue.ended());

            var resumed = new ChainWork(null, chain, AT_ONCE, AT_ONCE, AT_ONCE, () -> 0,
                    new Operations(catalogue, InstantSource.system())).resume(1);

            assertEquals(4, resumed.join().groups());
            assertEquals(-1, chain.unfinishedCommit());
            assertTrue(catalogue.told.contains(new OperationStepped("commit web-1/disk-0 layer 1",
                    "resumed", new TreeMap<>())));
            assertNull(catalogue.ended().getLast().failure());
        }
    }

    // The parent had been closed before the commit went on, which then failed.
    @Test
    void shouldEndTheCommitOfADiskThatOnlyACloneNeedsThoughTheCloneGoes() throws Exception {
        var catalogue = recording();
        var steps = new ArrayDeque<Runnable>();
        var images = new MemoryImageDirectory();
        var key = "images/web-1/disk-0";
        int top;
        try (var arena = Arena.ofShared(); var chain = threeLayers(images.child(key), arena)) {
            top = chain.top();
            var work = work(chain, steps::add, catalogue);
            var _ = work.commit(next(chain));
            work.stop("its VM ended");
            steps.remove().run();
        }
        try (var store = CheckpointStore.open(directory.resolve("disks"));
                var disks = new DiskDirectory(store, false, images::child, Rules.ALL_ON,
                        GROUP_BYTES, chain -> new ChainWork(null, chain, steps::add, steps::add,
                                steps::add, () -> 0,
                                new Operations(catalogue, InstantSource.system())),
                        () -> 7)) {
            disks.cloneOf(key, top, new VmId("web-2"), 0, 0);
            assertEquals(1, steps.size());

            disks.remove(new VmId("web-2"));
            while (!steps.isEmpty()) {
                steps.remove().run();
            }

            assertNull(catalogue.ended().getLast().failure());
            assertEquals(List.of(), disks.gauges());
        }
        try (var chain = DiskChain.open(images.child(key))) {
            assertEquals(-1, chain.unfinishedCommit());
            assertEquals(2, chain.depth());
        }
    }

    @Test
    void shouldGiveBackTheRoomOfAFlattenThatIsNoLongerWanted() throws Exception {
        var images = new Flaky();
        var catalogue = recording();
        var steps = new ArrayDeque<Runnable>();
        try (var arena = Arena.ofShared(); var chain = threeLayers(images, arena)) {
            var work = work(chain, steps::add, catalogue);
            var flat = work.flatten(1);
            assertTrue(images.list().stream().anyMatch(name -> name.startsWith("flat")));
            work.cancelFlatten();
            while (!steps.isEmpty()) {
                steps.remove().run();
            }
            assertTrue(flat.isCompletedExceptionally());
            assertTrue(images.list().stream().noneMatch(name -> name.startsWith("flat")));
            assertNotNull(catalogue.ended().getLast().failure());

            assertEquals(1, work(chain, AT_ONCE, catalogue).flatten(1).join());
            assertEquals(List.of((byte) 3, (byte) 2, (byte) 1), List.of(firstByte(chain, 1),
                    firstByte(chain, 3), firstByte(chain, 5)));
        }
    }
}
