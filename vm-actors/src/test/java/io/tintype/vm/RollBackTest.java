package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.VmId;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A running VM that goes back, while what takes time is done when the test says so. */
class RollBackTest {
    private static final long MIB = 1 << 20;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    /** What the host wants done on threads that may block. */
    private final LinkedBlockingDeque<Runnable> tasks = new LinkedBlockingDeque<>();

    private TintypeHost start() throws Exception {
        return start(UnaryOperator.identity());
    }

    private TintypeHost start(UnaryOperator<DiskIo> diskIo) throws Exception {
        var options = HostOptions.defaults(directory.resolve("store"))
                .withMemory(128 * MIB, 64 * MIB);
        var ports = HostPorts.of(options);
        return TintypeHost.start(options, new HostPorts(ports.rules(),
                diskIo.apply(ports.diskIo()),
                ports.images(), ports.storeFiles(), _ -> tasks::add, ports.saving(),
                ports.orderedDisks(), ports.groupBytes(), ports.world(), ports.catalogue()));
    }

    private Runnable next() throws Exception {
        var task = tasks.poll(SOON.toSeconds(), TimeUnit.SECONDS);
        if (task == null) {
            throw new AssertionError("the host wants nothing done");
        }
        return task;
    }

    private <R> R answer(java.util.concurrent.CompletableFuture<R> future) {
        await().atMost(SOON).until(() -> {
            for (var task = tasks.poll(); task != null; task = tasks.poll()) {
                task.run();
            }
            return future.isDone();
        });
        return future.join();
    }

    // Its stun came to the machine that the VM went back to, whose disks had no overlay for it, and the VM ended.
    @Test
    void shouldAbortACheckpointWhoseInstantIsLostToARollback() throws Exception {
        try (var host = start()) {
            var guest = Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(4 * MIB),
                    GuestRecorder.NONE);
            var vm = host.create(
                    new VmSpec(new VmId("vm"), List.of(16 * MIB), List.of(4 * MIB), guest));
            vm.start();
            var first = answer(vm.checkpoint());
            assertNull(first.reason());
            var lost = vm.checkpoint();
            next().run(); // its staging directory
            var overlay = next();

            var back = vm.rollBack(first.ref());
            next().run();
            await().atMost(SOON).until(back::isDone);
            overlay.run();

            var outcome = answer(lost);
            assertEquals("the VM was rolled back before its instant", outcome.reason());
            assertNull(answer(vm.checkpoint()).reason());
            var stopped = vm.stop().toCompletableFuture();
            answer(stopped.thenApply(_ -> "stopped"));
            assertTrue(host.frames().framesInUse() == 0, () -> host.frames().framesInUse() + "");
        }
    }

    private Vm create(TintypeHost host) throws Exception {
        var guest = Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(4 * MIB),
                GuestRecorder.NONE);
        var vm = host.create(
                new VmSpec(new VmId("vm"), List.of(16 * MIB), List.of(4 * MIB), guest));
        vm.start();
        return vm;
    }

    private List<String> open(TintypeHost host) {
        return host.disks().stream().map(DiskGauge::images).toList();
    }

    private void awaitOpen(TintypeHost host, String... disks) {
        await().atMost(SOON).untilAsserted(() -> {
            for (var task = tasks.poll(); task != null; task = tasks.poll()) {
                task.run();
            }
            assertEquals(List.of(disks), open(host));
        });
    }

    private void stop(Vm vm) {
        answer(vm.stop().toCompletableFuture().thenApply(_ -> "stopped"));
    }

    private boolean isThere(String disk) {
        return Files.exists(directory.resolve("store").resolve(disk));
    }

    @Test
    void shouldCloseAndCollectTheDiskOfALifeThatIsOverWhileTheVmRuns() throws Exception {
        try (var host = start()) {
            var vm = create(host);
            var first = answer(vm.checkpoint());
            answer(vm.rollBack(first.ref()));
            var second = answer(vm.checkpoint());

            answer(vm.rollBack(first.ref()));

            // The second checkpoint is of the life in between.
            awaitOpen(host, "images/vm/disk-0", "images/vm/disk-0-life-1",
                    "images/vm/disk-0-life-2");
            host.gc();
            assertTrue(isThere("images/vm/disk-0-life-1"));

            host.delete(second.ref());

            awaitOpen(host, "images/vm/disk-0", "images/vm/disk-0-life-2");
            assertTrue(isThere("images/vm/disk-0-life-1"));
            host.gc();
            assertFalse(isThere("images/vm/disk-0-life-1"));
            assertTrue(isThere("images/vm/disk-0"), "the running life stands on it");
            assertNull(answer(vm.checkpoint()).reason());
            stop(vm);
        }
    }

    @Test
    void shouldKeepTheDiskOfALifeThatIsOverForASnapshotAndForAClone() throws Exception {
        try (var host = start()) {
            var vm = create(host);
            var first = answer(vm.checkpoint());
            answer(vm.rollBack(first.ref()));
            var second = answer(vm.checkpoint());
            var snapshot = answer(vm.snapshot());
            var guest = Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(4 * MIB),
                    GuestRecorder.NONE);
            var clone = host.clone(second.ref(), "clone", guest, VmProbe.NONE);
            answer(vm.rollBack(first.ref()));
            host.delete(second.ref());

            awaitOpen(host, "images/vm/disk-0", "images/vm/disk-0-life-1",
                    "images/clone/disk-0", "images/vm/disk-0-life-2");
            snapshot.close();
            answer(snapshot.gone().toCompletableFuture().thenApply(_ -> "gone"));
            host.gc();
            assertTrue(isThere("images/vm/disk-0-life-1"), "the clone stands on it");

            answer(CompletableFuture.supplyAsync(() -> destroy(host, clone)));

            awaitOpen(host, "images/vm/disk-0", "images/vm/disk-0-life-2");
            host.gc();
            assertFalse(isThere("images/vm/disk-0-life-1"));
            stop(vm);
        }
    }

    private static String destroy(TintypeHost host, Vm vm) {
        try {
            host.destroy(vm);
            return "destroyed";
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
    }

    // The disk of the new VM was closed under it, by the name that it has in common with that of the life that was over.
    @Test
    void shouldLeaveTheDiskOfANewVmOfTheSameNameAlone() throws Exception {
        try (var host = start()) {
            var vm = create(host);
            var first = answer(vm.checkpoint());
            answer(vm.rollBack(first.ref()));
            answer(vm.flatten(0));
            host.delete(first.ref());
            next().run(); // its view is let go of
            var late = next();

            answer(CompletableFuture.supplyAsync(() -> destroy(host, vm)));
            var again = create(host);
            late.run();

            assertEquals(List.of("images/vm/disk-0"), open(host));
            assertNull(answer(again.checkpoint()).reason());
            stop(again);
        }
    }

    @Test
    void shouldCloseTheDiskOfALifeWhenItsLastRequestEnds() throws Exception {
        var hung = new LinkedBlockingDeque<Consumer<IoStatus>>();
        var hangs = new AtomicBoolean();
        try (var host = start(inner -> new DiskIo() {
            @Override
            public @Nullable IoStatus submit(DiskIo.Operation operation, Consumer<IoStatus> done) {
                if (hangs.get() && operation.kind() != DiskIo.Operation.Kind.SYNC) {
                    hung.add(done);
                    return null;
                }
                return inner.submit(operation, done);
            }

            @Override
            public void close() {
                inner.close();
            }
        })) {
            var vm = create(host);
            var first = answer(vm.checkpoint());
            answer(vm.rollBack(first.ref()));
            hangs.set(true);
            await().atMost(SOON).until(() -> !hung.isEmpty());

            answer(vm.rollBack(first.ref()));
            hangs.set(false);

            answer(vm.visit(_ -> {}).thenApply(_ -> "visited"));
            assertTrue(open(host).contains("images/vm/disk-0-life-1"));
            vm.pause();
            for (var one = hung.poll(); one != null; one = hung.poll()) {
                one.accept(IoStatus.ERROR);
            }

            awaitOpen(host, "images/vm/disk-0", "images/vm/disk-0-life-2");
            stop(vm);
        }
    }
}
