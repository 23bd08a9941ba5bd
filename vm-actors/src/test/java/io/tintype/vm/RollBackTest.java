package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.VmId;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.TimeUnit;
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
        var options = HostOptions.defaults(directory.resolve("store"))
                .withMemory(128 * MIB, 64 * MIB);
        var ports = HostPorts.of(options);
        return TintypeHost.start(options, new HostPorts(ports.rules(), ports.diskIo(),
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
}
