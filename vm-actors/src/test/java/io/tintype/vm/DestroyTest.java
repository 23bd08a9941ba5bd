package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.VmId;
import io.tintype.store.StoreException;
import io.tintype.store.StoreFiles;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What comes to stand on the disks of a VM between the first look of a destroy and the end of the VM keeps them. */
class DestroyTest {
    private static final long MIB = 1 << 20;
    private static final Duration SOON = Duration.ofSeconds(30);

    @TempDir
    private Path directory;

    /** Hears of the key of each disk before it is made, and of each place that a directory is renamed to before it is. */
    private Consumer<String> hook = _ -> {};

    private final AtomicReference<CompletableFuture<?>> destroyed = new AtomicReference<>();

    private TintypeHost start() throws Exception {
        var options = HostOptions.defaults(directory.resolve("store"))
                .withMemory(128 * MIB, 64 * MIB);
        var ports = HostPorts.of(options);
        return TintypeHost.start(options, new HostPorts(ports.rules(), ports.diskIo(), key -> {
            hook.accept(key);
            return ports.images().apply(key);
        }, watched(ports.storeFiles()), ports.blocking(), ports.saving(),
                ports.orderedDisks(), ports.groupBytes(), ports.world(), ports.catalogue()));
    }

    private StoreFiles watched(StoreFiles files) {
        return (StoreFiles) Proxy.newProxyInstance(StoreFiles.class.getClassLoader(),
                new Class<?>[] {StoreFiles.class}, (_, method, arguments) -> {
                    if (method.getName().equals("rename")) {
                        hook.accept(directory.resolve("store").relativize((Path) arguments[1])
                                .toString());
                    }
                    try {
                        return method.invoke(files, arguments);
                    } catch (InvocationTargetException failure) {
                        throw Objects.requireNonNull(failure.getCause());
                    }
                });
    }

    private static GuestFactory guest() {
        return Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(4 * MIB), GuestRecorder.NONE);
    }

    private static Vm create(TintypeHost host) throws IOException {
        var vm = host.create(
                new VmSpec(new VmId("vm"), List.of(16 * MIB), List.of(4 * MIB), guest()));
        vm.start();
        return vm;
    }

    /** Asks for it, once, when {@code place} comes to be. */
    private void destroyAt(String place, TintypeHost host, Vm vm) {
        hook = heard -> {
            if (heard.equals(place) && destroyed.get() == null) {
                try {
                    destroyed.set(host.destroyLater(vm));
                } catch (IOException refused) {
                    throw new UncheckedIOException(refused);
                }
            }
        };
    }

    private Throwable refusal() {
        var gone = Objects.requireNonNull(destroyed.get());
        await().atMost(SOON).until(gone::isDone);
        return Objects.requireNonNull(
                assertThrows(CompletionException.class, gone::join).getCause());
    }

    @Test
    void shouldKeepTheDisksForACheckpointThatIsSealedWhileTheVmStops() throws Exception {
        try (var host = start()) {
            var vm = create(host);
            destroyAt("checkpoints/vm/1", host, vm);

            // Whoever asked may hear that the VM has ended first.
            var asked = vm.checkpoint();
            await().atMost(SOON).until(() -> asked.isDone() && destroyed.get() != null);

            assertEquals("vm has 1 checkpoints, which need its disks; delete them first",
                    assertInstanceOf(IllegalStateException.class, refusal()).getMessage());
            var sealed = host.store().list().getFirst();
            assertEquals("vm/1", sealed.toString());
            var again = host.restore(sealed, "again", guest(), VmProbe.NONE);
            again.start();
            assertTrue(again.checkpoint().join().sealed());
        }
    }

    @Test
    void shouldKeepTheDisksForACloneThatIsMadeWhileTheVmStops() throws Exception {
        try (var host = start()) {
            var vm = create(host);
            var snapshot = vm.snapshot().join();
            destroyAt("images/twin/disk-0", host, vm);

            var twin = host.clone(snapshot, "twin", guest(), VmProbe.NONE).join();
            twin.start();
            // The VM ends after those that share its memory. The clone's disk stays, and stands on its disk.
            assertTrue(twin.checkpoint().join().sealed());
            twin.stop().toCompletableFuture().join();

            assertEquals(
                    "the disk images/twin/disk-0 starts from one of VM vm; destroy its VM first, "
                            + "or make the disk flat",
                    assertInstanceOf(StoreException.class, refusal()).getMessage());
            assertTrue(Files.exists(directory.resolve("store/images/vm/disk-0/chain")));
        }
    }

    // The second one found the disks of the first, could not be made, and took them away with what it had made itself.
    @Test
    void shouldLeaveTheDisksAloneWhenAnotherVmOfThatNameIsBeingMade() throws Exception {
        try (var host = start()) {
            var refused = new AtomicReference<Throwable>();
            hook = heard -> {
                hook = _ -> {};
                refused.set(assertThrows(IllegalArgumentException.class, () -> create(host)));
            };

            var vm = create(host);

            assertEquals("a VM named vm is being made on this host; choose another name",
                    Objects.requireNonNull(refused.get()).getMessage());
            assertTrue(vm.checkpoint().join().sealed());
        }
    }
}
