package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.VmId;
import io.tintype.cow.disk.DamagedImageException;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The whole path through the library: host, VM, checkpoint, restore, clone, rollback. */
class TintypeHostTest {
    private static final long MIB = 1 << 20;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    private HostOptions options(boolean inMemory) {
        var options =
                HostOptions.defaults(directory.resolve("store")).withMemory(512 * MIB, 128 * MIB);
        return inMemory ? options.withDisksInMemory() : options;
    }

    private static VmSpec spec(String id) {
        var guest =
                Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(16 * MIB), GuestRecorder.NONE);
        return VmSpec.of(id, 16 * MIB, 16 * MIB, guest);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldSealACheckpointOfARunningVmAndRunARestoredOne(boolean inMemory) throws Exception {
        try (var host = TintypeHost.start(options(inMemory))) {
            var vm = host.create(spec("web-1"));
            vm.start();
            await().atMost(SOON).until(() -> vm.counters().ioCompleted() > 1_000);

            var outcome = vm.checkpoint().toCompletableFuture().get(30, TimeUnit.SECONDS);

            assertNull(outcome.reason());
            assertTrue(outcome.sealed());
            assertEquals(List.of(outcome.ref()), host.store().list());
            var twin = host.restore(outcome.ref(), "web-2");
            twin.start();
            await().atMost(SOON).until(() -> twin.counters().ioCompleted() > 1_000);
            long before = vm.counters().ioCompleted();
            await().atMost(SOON).until(() -> vm.counters().ioCompleted() > before + 1_000);
        }
    }

    // Its folder, made only to be removed, was left in the way of the one above it.
    @Test
    void shouldDestroyAVmWithoutDisks() throws Exception {
        try (var host = TintypeHost.start(options(false))) {
            var guest = Guests.synthetic(SyntheticProfile.DEFAULTS.withIo(0, 0), List.of(),
                    GuestRecorder.NONE);
            var vm = host.create(
                    new VmSpec(new VmId("bare"), List.of(16 * MIB), List.of(), guest));
            vm.start();

            host.destroy(vm);

            assertEquals(List.of(), host.vms());
            assertFalse(Files.exists(directory.resolve("store/images/bare")));
        }
    }

    // All disks had the same name in their files, none, so that one passed for another.
    @Test
    void shouldFindALayerOfAnotherVmsDisk() throws Exception {
        try (var host = TintypeHost.start(options(false))) {
            host.create(spec("web-1"));
            host.create(spec("web-2"));
        }
        var images = directory.resolve("store/images");
        var disk = images.resolve("web-1/disk-0");
        var strayed = disk.resolve("layer-0.img");
        Files.copy(images.resolve("web-2/disk-0/layer-0.img"), strayed,
                StandardCopyOption.REPLACE_EXISTING);

        var found = assertThrows(DamagedImageException.class, () -> DiskChain
                .openReadOnly(new FileImageDirectory(disk)).close());

        assertTrue(found.toString().contains(strayed.toString()), found::toString);
    }

    @Test
    void shouldTakeManyCheckpointsAndCommitTheLayersOfDeletedOnes() throws Exception {
        try (var host = TintypeHost.start(options(true))) {
            var vm = host.create(spec("web-1"));
            vm.start();
            for (int i = 0; i < 20; i++) {
                var outcome = vm.checkpoint().toCompletableFuture().get(30, TimeUnit.SECONDS);
                assertNull(outcome.reason());
                host.delete(outcome.ref());
            }

            await().atMost(SOON).until(() -> depth(vm) <= 3);
        }
    }

    @Test
    void shouldRollBackAndClone() throws Exception {
        try (var host = TintypeHost.start(options(true))) {
            var vm = host.create(spec("web-1"));
            vm.start();
            await().atMost(SOON).until(() -> vm.counters().ioCompleted() > 1_000);
            var outcome = vm.checkpoint().toCompletableFuture().get(30, TimeUnit.SECONDS);

            vm.rollBack(outcome.ref()).toCompletableFuture().get(30, TimeUnit.SECONDS);
            var clone = host.clone(vm, "web-2").toCompletableFuture().get(30, TimeUnit.SECONDS);
            clone.start();

            await().atMost(SOON).until(() -> clone.counters().ioCompleted() > 1_000);
            long before = vm.counters().ioCompleted();
            await().atMost(SOON).until(() -> vm.counters().ioCompleted() > before + 1_000);
        }
    }

    private static int depth(Vm vm) throws Exception {
        var depth = new int[1];
        vm.visit(machine -> depth[0] = machine.chains().getFirst().depth())
                .toCompletableFuture()
                .get(30, TimeUnit.SECONDS);
        return depth[0];
    }
}
