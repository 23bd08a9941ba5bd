package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.cow.disk.MemoryImageDirectory;
import io.tintype.scheduler.Rules;
import io.tintype.store.StoreException;
import io.tintype.store.StoreFiles;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Outcome;
import io.tintype.vm.guest.VmIdentity;
import java.io.RandomAccessFile;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.function.UnaryOperator;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Scheduler;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** VMs whose memory is read while they run, and clones that share it; what is loaded ahead is up to each test. */
class LazyRestoreTest {
    private static final long MIB = 1 << 20;
    private static final ValueLayout.OfLong LONG =
            ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final int PAGES = 2048;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    // What would be loaded ahead, for tests that do it themselves or not at all.
    private final ConcurrentLinkedQueue<Runnable> ahead = new ConcurrentLinkedQueue<>();

    /** The live one, but for loading ahead. */
    private record World(HostWorld live, Executor loading) implements HostWorld {
        @Override
        public io.tintype.actors.Clock clock() {
            return live.clock();
        }

        @Override
        public java.time.InstantSource wall() {
            return live.wall();
        }

        @Override
        public LongSupplier random() {
            return live.random();
        }

        @Override
        public io.tintype.cow.memory.FramePool frames() {
            return live.frames();
        }

        @Override
        public ActorRef<HostActor.Command> host() {
            return live.host();
        }

        @Override
        public Scheduler scheduler() {
            return live.scheduler();
        }

        @Override
        public Executor answers() {
            return live.answers();
        }

        @Override
        public void end() {
            live.end();
        }
    }

    private TintypeHost start() throws StoreException {
        var options = HostOptions.defaults(directory.resolve("store"))
                .withMemory(256 * MIB, 64 * MIB).withDisksInMemory();
        var images = new MemoryImageDirectory();
        return TintypeHost.start(options,
                new HostPorts(Rules.ALL_ON, DiskIo.inline(), images::child, StoreFiles.onDisk(),
                        UnaryOperator.identity(), UnaryOperator.identity(), false,
                        io.tintype.cow.disk.DiskGeometry.GROUP_BYTES_DEFAULT,
                        () -> new World(new LiveWorld(options), ahead::add)));
    }

    /** Stores its step number into one page after another when it is told to, and remembers who it is. */
    private static final class Stepper implements Guest {
        final AtomicReference<VmIdentity> identity = new AtomicReference<>();
        volatile int wanted;
        volatile int done;
        int[] pages = new int[0];

        @Override
        public Outcome run(GuestContext context) {
            identity.set(context.identity());
            for (int step = done; step < wanted; step++) {
                context.memory().putLong(pages[step] * 4096L + 8, 1000 + step);
                done = step + 1;
            }
            return Outcome.WAIT_FOR_INTERRUPT;
        }

        GuestFactory factory() {
            return new GuestFactory() {
                @Override
                public Guest create(GuestMemory memory) {
                    return Stepper.this;
                }

                @Override
                public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                    return Stepper.this;
                }
            };
        }

        void store(Vm vm, int... into) {
            pages = into;
            done = 0;
            wanted = into.length;
            vm.interrupt();
            await().atMost(SOON).until(() -> done == wanted);
        }

        @Override
        public String kind() {
            return "stepper";
        }

        @Override
        public byte[] saveRegisters() {
            return new byte[64];
        }

        @Override
        public long steps() {
            return done;
        }

        @Override
        public int pagesBetweenYieldsMax() {
            return 64;
        }
    }

    /** Of a VM with a number in each page but for every fourth, which is zero. */
    private static CheckpointRef checkpoint(TintypeHost host) throws Exception {
        var vm = host.create(new VmSpec(new VmId("first"), List.of(PAGES * 4096L), List.of(),
                new Stepper().factory()));
        vm.visit(machine -> {
            for (int page = 0; page < PAGES; page++) {
                if (page % 4 != 0) {
                    machine.memory().putLong(page * 4096L, page);
                }
            }
        }).get(30, TimeUnit.SECONDS);
        var outcome = vm.checkpoint().get(30, TimeUnit.SECONDS);
        assertNull(outcome.reason());
        vm.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
        return outcome.ref();
    }

    private static void checkFirstWords(Vm vm) throws Exception {
        vm.visit(machine -> {
            for (int page = 0; page < PAGES; page++) {
                assertEquals(page % 4 == 0 ? 0 : page, machine.memory().getLong(page * 4096L),
                        "page " + page);
            }
        }).get(30, TimeUnit.SECONDS);
    }

    private static void checkStored(Vm vm, int... pages) throws Exception {
        vm.visit(machine -> {
            for (int i = 0; i < pages.length; i++) {
                assertEquals(1000 + i, machine.memory().getLong(pages[i] * 4096L + 8));
            }
        }).get(30, TimeUnit.SECONDS);
    }

    @Test
    void shouldRunBeforeItsMemoryIsReadAndBringInWhatItTouches() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            long before = host.frames().framesInUse();
            var guest = new Stepper();

            var vm = host.restore(ref, "second", guest.factory(), VmProbe.NONE);
            vm.start();
            guest.store(vm, 5, 8, 900);

            assertTrue(host.frames().framesInUse() - before < 300);
            checkStored(vm, 5, 8, 900);
            checkFirstWords(vm);
        }
    }

    @Test
    void shouldTakeACompleteCheckpointOfAVmThatIsStillBeingRestored() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            var guest = new Stepper();
            var vm = host.restore(ref, "second", guest.factory(), VmProbe.NONE);
            vm.start();
            guest.store(vm, 1, 2, 4);

            var outcome = vm.checkpoint().get(30, TimeUnit.SECONDS);

            assertNull(outcome.reason());
            guest.store(vm, 100);
            for (var mode : RestoreMode.values()) {
                var third = host.restore(outcome.ref(),
                        mode == RestoreMode.LAZY ? "third" : "fourth", new Stepper().factory(),
                        VmProbe.NONE, mode);
                checkStored(third, 1, 2, 4);
                checkFirstWords(third);
            }
        }
    }

    @Test
    void shouldGoOnReadingACheckpointThatIsDeleted() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            var vm = host.restore(ref, "second", new Stepper().factory(), VmProbe.NONE);

            host.delete(ref);
            host.gc();

            checkFirstWords(vm);
            var outcome = vm.checkpoint().get(30, TimeUnit.SECONDS);
            assertNull(outcome.reason());
            checkFirstWords(host.restore(outcome.ref(), "third", new Stepper().factory(),
                    VmProbe.NONE));
        }
    }

    @Test
    void shouldLoadAheadWhatTheLastRunTouchedFirst() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            var guest = new Stepper();
            var vm = host.restore(ref, "second", guest.factory(), VmProbe.NONE);
            vm.start();
            guest.store(vm, 1999, 3, 1001);
            vm.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
            await().atMost(SOON).until(() -> host.vms().isEmpty());
            runAll();

            var hints = host.store().hints();
            assertEquals(List.of(1999L, 3L, 1001L),
                    java.util.Arrays.stream(hints.read(ref)).boxed().toList());
            var again = host.restore(ref, "third", new Stepper().factory(), VmProbe.NONE);
            runAll();
            assertNull(host.readerOf(ref));
            checkFirstWords(again);

            host.store().delete(ref);
            assertEquals(0, hints.read(ref).length);
            assertEquals(List.of(), host.store().leftovers().removed());
        }
    }

    private void runAll() {
        for (var task = ahead.poll(); task != null; task = ahead.poll()) {
            task.run();
        }
    }

    @Test
    void shouldEndOnlyTheVmWhoseMemoryIsDamaged() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            var file = host.store().directory().resolve("checkpoints").resolve("first")
                    .resolve(ref.id().toString()).resolve("memory-0");
            try (var memory = new RandomAccessFile(file.toFile(), "rw")) {
                // In the data of some page: behind the headers, before the tail.
                memory.seek(memory.length() / 2 / 4096 * 4096 + 99);
                memory.write(77);
            }
            var guest = new Stepper();
            var vm = host.restore(ref, "second", guest.factory(), VmProbe.NONE);
            var other = host.create(new VmSpec(new VmId("other"), List.of(MIB), List.of(),
                    new Stepper().factory()));
            vm.start();
            guest.pages = java.util.stream.IntStream.range(0, PAGES).toArray();
            guest.wanted = PAGES;
            vm.interrupt();

            var ended = assertThrows(java.util.concurrent.ExecutionException.class,
                    () -> vm.ended().toCompletableFuture().get(30, TimeUnit.SECONDS));

            var why = String.valueOf(ended.getMessage());
            assertTrue(why.contains("second ended") && why.contains("memory-0")
                    && why.contains("offset"), why);
            assertTrue(guest.done < PAGES);
            other.visit(_ -> {}).get(30, TimeUnit.SECONDS);
            assertThrows(StoreException.class, () -> host.restore(ref, "third",
                    new Stepper().factory(), VmProbe.NONE, RestoreMode.EAGER));
        }
    }

    @Test
    void shouldShareMemoryAmongClonesAndTellThemApart() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            var guests = new ArrayList<Stepper>();
            var vms = new ArrayList<Vm>();
            for (int i = 0; i < 10; i++) {
                guests.add(new Stepper());
                vms.add(host.clone(ref, "clone-" + i, guests.get(i).factory(), VmProbe.NONE));
                vms.get(i).start();
                guests.get(i).store(vms.get(i), 10 + i);
            }

            for (var vm : vms) {
                checkFirstWords(vm);
            }

            // Once for all, a page of its own for each, and a few at hand.
            assertTrue(host.frames().framesInUse() < PAGES + 10 * 200,
                    () -> host.frames().framesInUse() + " frames");
            for (int i = 0; i < 10; i++) {
                checkStored(vms.get(i), 10 + i);
            }
            var identities = new HashSet<String>();
            guests.forEach(guest -> identities.add(guest.identity.get().generation()));
            assertEquals(10, identities.size());
            assertEquals(10, guests.stream().map(guest -> guest.identity.get().randomSeed())
                    .distinct().count());
        }
    }

    @Test
    void shouldKeepItsIdentityWhenItIsCheckpointedAndGetAnotherWhenRolledBack() throws Exception {
        try (var host = start()) {
            var guest = new Stepper();
            var vm = host.create(new VmSpec(new VmId("first"), List.of(MIB), List.of(),
                    guest.factory()));
            vm.start();
            guest.store(vm, 1);
            var before = guest.identity.get();
            var outcome = vm.checkpoint().get(30, TimeUnit.SECONDS);
            guest.store(vm, 2);
            assertEquals(before, guest.identity.get());
            assertEquals(before.generation(),
                    DeviceState.of(host.store().open(outcome.ref())).generation());

            vm.rollBack(outcome.ref()).get(30, TimeUnit.SECONDS);

            guest.store(vm, 3);
            assertNotEquals(before.generation(), guest.identity.get().generation());
            assertNotEquals(before.randomSeed(), guest.identity.get().randomSeed());
        }
    }

    @Test
    void shouldRollBackToASnapshotAndCloneIt() throws Exception {
        try (var host = start()) {
            var ref = checkpoint(host);
            var guest = new Stepper();
            // Of a VM that is still being restored: what is not loaded belongs to the snapshot, too.
            var vm = host.restore(ref, "second", guest.factory(), VmProbe.NONE);
            vm.start();
            guest.store(vm, 1, 2, 4);
            var snapshot = vm.snapshot().get(30, TimeUnit.SECONDS);
            guest.store(vm, 7, 1, 8);
            var cloned = new Stepper();

            var clone = host.clone(snapshot, "third", cloned.factory(), VmProbe.NONE)
                    .get(30, TimeUnit.SECONDS);
            clone.start();

            cloned.store(clone, 9);
            checkFirstWords(clone);
            checkStored(clone, 9);
            vm.rollBack(snapshot).get(30, TimeUnit.SECONDS);
            checkFirstWords(vm);
            checkStored(vm, 1, 2, 4);
            snapshot.close();
            assertThrows(IllegalStateException.class, () -> vm.rollBack(snapshot));
            checkFirstWords(clone);
            clone.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
            snapshot.gone().toCompletableFuture().get(30, TimeUnit.SECONDS);
            checkStored(vm, 1, 2, 4);
        }
    }

    @Test
    void shouldTellTheMemoryOfASnapshotToWhoeverAsks() throws Exception {
        try (var host = start()) {
            var guest = new Stepper();
            var vm = host.create(new VmSpec(new VmId("first"), List.of(4 * MIB),
                    List.of(16 * MIB), guest.factory()));
            vm.start();
            guest.store(vm, 5);
            var asked = vm.snapshot().get(30, TimeUnit.SECONDS);
            guest.store(vm, 6, 5);
            var page = new byte[4096];

            vm.visit(_ -> asked.readPage(0, 5, MemorySegment.ofArray(page)))
                    .toCompletableFuture().get(30, TimeUnit.SECONDS);
            var memory = asked.memory().toCompletableFuture().get(30, TimeUnit.SECONDS).getFirst();
            guest.store(vm, 7, 7, 5);

            assertEquals(1000, MemorySegment.ofArray(page).get(LONG, 8));
            assertEquals(1000, memory.pool().get(LONG, memory.frame(5) * 4096L + 8));
            assertEquals(0, memory.frame(6));
            asked.close();
            asked.gone().toCompletableFuture().get(30, TimeUnit.SECONDS);
            var closed = vm.snapshot().get(30, TimeUnit.SECONDS);
            closed.close();
            closed.gone().toCompletableFuture().get(30, TimeUnit.SECONDS);
            var late = closed.memory().toCompletableFuture();
            var refused = assertThrows(ExecutionException.class,
                    () -> late.get(30, TimeUnit.SECONDS));
            assertTrue(String.valueOf(refused.getCause()).endsWith(
                    " is closed, or its VM is over"), refused::toString);
        }
    }

    @Test
    void shouldHoldNoMoreThanTheLastOfManySnapshots() throws Exception {
        try (var host = start()) {
            var guest = new Stepper();
            var vm = host.create(new VmSpec(new VmId("first"), List.of(4 * MIB),
                    List.of(16 * MIB), guest.factory()));
            vm.start();
            var last = vm.snapshot().get(30, TimeUnit.SECONDS);
            for (int i = 0; i < 50; i++) {
                guest.store(vm, 1, 2, 3, 100 + i);
                var next = vm.snapshot().get(30, TimeUnit.SECONDS);
                last.close();
                last.gone().toCompletableFuture().get(30, TimeUnit.SECONDS);
                last = next;
            }

            assertTrue(host.frames().framesHeld() <= 64, () -> host.frames().framesHeld() + "");
            // With the last one still open the VM ends, and takes it along.
        }
    }
}
