package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.CheckpointId;
import io.tintype.actors.CheckpointRef;
import io.tintype.actors.VmId;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which checkpoint the next one stands on, and that it shows what it should. */
class IncrementalCheckpointsTest {
    private static final long MIB = 1 << 20;
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final GuestFactory GUEST = Guests.synthetic(
            SyntheticProfile.DEFAULTS.withIo(0, 0), List.of(), GuestRecorder.NONE);

    /** Keeps back the next saving, when told to. */
    private static final class Gate {
        private final ArrayDeque<Runnable> held = new ArrayDeque<>();
        private boolean closed;
        private @Nullable Executor behind;

        synchronized Executor before(Executor executor) {
            behind = executor;
            return this::execute;
        }

        private synchronized void execute(Runnable task) {
            if (closed) {
                closed = false;
                held.add(task);
            } else {
                executor().execute(task);
            }
        }

        synchronized void holdNext() {
            closed = true;
        }

        synchronized boolean isHolding() {
            return !held.isEmpty();
        }

        synchronized void release() {
            held.forEach(executor()::execute);
            held.clear();
        }

        private Executor executor() {
            if (behind == null) {
                throw new IllegalStateException("no host has begun");
            }
            return behind;
        }
    }

    @TempDir
    private Path directory;

    private final Gate gate = new Gate();
    private TintypeHost host;
    private Vm vm;

    @BeforeEach
    void start() throws Exception {
        var options =
                HostOptions.defaults(directory.resolve("store")).withMemory(128 * MIB, 64 * MIB);
        var usual = HostPorts.of(options);
        host = TintypeHost.start(options,
                new HostPorts(usual.rules(), usual.diskIo(), usual.images(), usual.storeFiles(),
                        usual.blocking(), gate::before, usual.orderedDisks(), usual.groupBytes(),
                        usual.world()));
        vm = host.create(new VmSpec(new VmId("vm-1"), List.of(4 * MIB, 2 * MIB), List.of(), GUEST));
        for (int page = 0; page < 1500; page += 3) {
            put(vm, page, page + 1L);
        }
    }

    @AfterEach
    void close() {
        host.close();
    }

    @Test
    void shouldStandOnTheLastSealedOne() throws Exception {
        var first = sealed(vm.checkpoint());
        byte[] then = memory(vm);
        put(vm, 7, 77);
        put(vm, 1200, 78);
        var second = sealed(vm.checkpoint());

        assertNull(parent(first.ref()));
        assertEquals(first.ref(), parent(second.ref()));
        assertTrue(second.pages() <= 3, second.pages() + " pages");
        assertArrayEquals(memory(vm), stored(second.ref()));
        assertArrayEquals(then, stored(first.ref()));
    }

    @Test
    void shouldNotStandOnOneThatIsStillBeingSaved() throws Exception {
        var first = sealed(vm.checkpoint());
        put(vm, 7, 77);
        gate.holdNext();
        var slow = vm.checkpoint();
        await().atMost(SOON).until(gate::isHolding);
        byte[] slowMemory = memory(vm);
        put(vm, 8, 88);
        var quick = sealed(vm.checkpoint());
        byte[] quickMemory = memory(vm);
        gate.release();
        var late = sealed(slow);
        put(vm, 9, 99);
        var last = sealed(vm.checkpoint());

        assertEquals(first.ref(), parent(late.ref()));
        assertEquals(first.ref(), parent(quick.ref()));
        assertEquals(quick.ref(), parent(last.ref()), "sealed earlier, of a later instant");
        assertArrayEquals(slowMemory, stored(late.ref()));
        assertArrayEquals(quickMemory, stored(quick.ref()));
        assertArrayEquals(memory(vm), stored(last.ref()));
    }

    @Test
    void shouldNotStandOnOneThatWasAborted() throws Exception {
        var first = sealed(vm.checkpoint());
        put(vm, 7, 77);
        gate.holdNext();
        var given = vm.checkpoint();
        await().atMost(SOON).until(gate::isHolding);
        vm.cancel(new CheckpointId(2), "given up");
        gate.release();
        assertFalse(given.get(30, TimeUnit.SECONDS).sealed());
        put(vm, 8, 88);
        var next = sealed(vm.checkpoint());

        assertEquals(first.ref(), parent(next.ref()));
        assertArrayEquals(memory(vm), stored(next.ref()));
    }

    @Test
    void shouldStandOnWhatItWasRolledBackTo() throws Exception {
        var first = sealed(vm.checkpoint());
        put(vm, 7, 77);
        var second = sealed(vm.checkpoint());
        put(vm, 8, 88);
        vm.rollBack(first.ref()).get(30, TimeUnit.SECONDS);
        put(vm, 9, 99);
        var third = sealed(vm.checkpoint());

        assertEquals(first.ref(), parent(second.ref()));
        assertEquals(first.ref(), parent(third.ref()));
        assertTrue(third.pages() <= 2, third.pages() + " pages");
        assertArrayEquals(memory(vm), stored(third.ref()));
    }

    @Test
    void shouldStandOnWhatItWasRestoredFrom() throws Exception {
        var first = sealed(vm.checkpoint());
        put(vm, 7, 77);
        var second = sealed(vm.checkpoint());
        var twin = host.restore(second.ref(), "twin");
        put(twin, 8, 88);
        var of = sealed(twin.checkpoint());
        // The one that it stands on, and that one's parent, are no longer wanted.
        host.delete(second.ref());
        host.delete(first.ref());
        host.gc();

        assertEquals(second.ref(), parent(of.ref()));
        assertTrue(of.pages() <= 2, of.pages() + " pages");
        assertEquals(List.of(of.ref()), host.store().list());
        assertArrayEquals(memory(twin), stored(of.ref()));
        put(vm, 9, 99);
        var full = sealed(vm.checkpoint());
        assertNull(parent(full.ref()));
        assertArrayEquals(memory(vm), stored(full.ref()));
    }

    @Test
    void shouldReclaimImagesThatNobodyNeeds() throws Exception {
        var guest = Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(16 * MIB),
                GuestRecorder.NONE);
        var disky = host.create(VmSpec.of("disky", 16 * MIB, 16 * MIB, guest));
        var taken = sealed(disky.checkpoint());
        var twin = host.restore(taken.ref(), "twin");
        var twins = sealed(twin.checkpoint());
        Path left = directory.resolve("store/images/gone/disk-0");
        Files.createDirectories(left);
        Files.write(left.resolve("layer-0.img"), new byte[512]);

        var report = host.gc();

        assertTrue(report.removed().contains(left), report.toString());
        assertFalse(Files.exists(left.getParent()));
        for (var ref : List.of(taken.ref(), twins.ref())) {
            host.restore(ref, "again-" + ref.vm()).start();
        }
        // Without its checkpoint the first VM's images are still what the others start from.
        host.delete(taken.ref());
        disky.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
        host.gc();
        assertTrue(Files.exists(directory.resolve("store/images/disky/disk-0/chain")));
    }

    private static CheckpointOutcome sealed(CompletableFuture<CheckpointOutcome> checkpoint)
            throws Exception {
        var outcome = checkpoint.get(30, TimeUnit.SECONDS);
        assertNull(outcome.reason());
        return outcome;
    }

    private @Nullable CheckpointRef parent(CheckpointRef ref) throws IOException {
        return host.store().open(ref).manifest().parent();
    }

    private static void put(Vm vm, int page, long value) throws Exception {
        vm.visit(machine -> machine.memory().putLong(page * 4096L, value)).get(30,
                TimeUnit.SECONDS);
    }

    private static byte[] memory(Vm vm) throws Exception {
        var bytes = new byte[6 << 20];
        vm.visit(machine -> machine.memory().read(0, MemorySegment.ofArray(bytes), 0,
                bytes.length)).get(30, TimeUnit.SECONDS);
        return bytes;
    }

    private byte[] stored(CheckpointRef ref) throws IOException {
        var bytes = MemorySegment.ofArray(new byte[6 << 20]);
        var stored = host.store().open(ref);
        long start = 0;
        for (int region = 0; region < stored.manifest().regions().size(); region++) {
            long first = start;
            stored.forEachPage(region, (page, data, offset) -> MemorySegment.copy(data, offset,
                    bytes, first + page * 4096L, 4096));
            start += stored.manifest().regions().get(region).pages() * 4096L;
        }
        return bytes.toArray(ValueLayout.JAVA_BYTE);
    }
}
