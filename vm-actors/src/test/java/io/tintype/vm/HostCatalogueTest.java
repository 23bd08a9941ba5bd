package io.tintype.vm;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.actors.VmId;
import io.tintype.catalogue.CatalogueEvent;
import io.tintype.catalogue.CatalogueHealth;
import io.tintype.catalogue.Catalogues;
import io.tintype.catalogue.JournalPlace;
import io.tintype.catalogue.MemoryJournal;
import io.tintype.catalogue.OperationRecord;
import io.tintype.catalogue.VmRecord;
import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskGeometry;
import io.tintype.cow.disk.FileImageDirectory;
import io.tintype.scheduler.Rules;
import io.tintype.store.StoreException;
import io.tintype.store.StoreFiles;
import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a host tells its catalogue, and what the next host makes of it. */
class HostCatalogueTest {
    private static final long MIB = 1 << 20;
    private static final Duration SOON = Duration.ofSeconds(30);
    private static final VmId WEB = new VmId("web-1");

    @TempDir
    private Path directory;

    private HostOptions options(String store) {
        return HostOptions.defaults(directory.resolve(store)).withMemory(256 * MIB, 64 * MIB);
    }

    private static GuestFactory guest() {
        return Guests.synthetic(SyntheticProfile.DEFAULTS, List.of(8 * MIB), GuestRecorder.NONE);
    }

    private static VmSpec spec(String id) {
        return VmSpec.of(id, 8 * MIB, 8 * MIB, guest());
    }

    private static CheckpointOutcome checkpoint(Vm vm) throws Exception {
        return vm.checkpoint().get(30, TimeUnit.SECONDS);
    }

    private static void isAlive(Vm vm) {
        long before = vm.counters().ioCompleted();
        await().atMost(SOON).until(() -> vm.counters().ioCompleted() > before + 500);
    }

    private static VmRecord known(TintypeHost host, VmId id) throws Exception {
        host.catalogue().ready().get(30, TimeUnit.SECONDS);
        return Objects.requireNonNull(host.catalogue().state().vms().get(id));
    }

    private static void durable(TintypeHost host) throws Exception {
        // The journal keeps the order, so what was told before is there, too.
        host.catalogue().tell(new CatalogueEvent.OperationEnded("none", null)).durable()
                .get(30, TimeUnit.SECONDS);
    }

    @Test
    void shouldTakeUpAVmOnceHoweverOftenItIsAskedFor() throws Exception {
        try (var host = TintypeHost.start(options("store"))) {
            checkpoint(host.create(spec("web-1"))).orThrow();
        }

        try (var host = TintypeHost.start(options("store"))) {
            var guest = guest();
            var asksAgain = new GuestFactory() {
                @Override
                public Guest create(GuestMemory memory) {
                    return guest.create(memory);
                }

                @Override
                public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                    assertThrows(IllegalArgumentException.class,
                            () -> host.resume(WEB, guest, VmProbe.NONE));
                    return guest.restore(kind, registers, memory);
                }
            };

            var vm = host.resume(WEB, asksAgain, VmProbe.NONE);

            vm.start();
            isAlive(vm);
        }
    }

    @Test
    void shouldTakeUpWhatRanWithItsLastCheckpoint() throws Exception {
        CheckpointOutcome last;
        try (var host = TintypeHost.start(options("store"))) {
            var vm = host.create(spec("web-1"));
            var stopped = host.create(spec("web-2"));
            var young = host.create(spec("web-3"));
            for (var one : List.of(vm, stopped, young)) {
                one.start();
            }
            isAlive(vm);
            assertTrue(checkpoint(vm).sealed());
            last = checkpoint(vm).orThrow();
            checkpoint(stopped).orThrow();
            stopped.stop().toCompletableFuture().get(30, TimeUnit.SECONDS);
        }

        try (var host = TintypeHost.start(options("store"))) {
            var web = known(host, WEB);
            assertEquals(VmRecord.Status.RUNNING, web.status());
            assertEquals(last.ref(), Objects.requireNonNull(web.lastSealed()).ref());
            assertEquals(last.stunNs(), web.lastSealed().stunNs());
            assertEquals(List.of(8 * MIB), web.regionBytes());
            assertEquals(VmRecord.Status.STOPPED, known(host, new VmId("web-2")).status());

            var resumed = host.resume(_ -> guest());

            assertEquals(List.of("web-1", "web-3"),
                    resumed.stream().map(one -> one.id().value()).toList());
            var vm = Objects.requireNonNull(resumed.getFirst().vm());
            assertEquals("VM web-3 has no sealed checkpoint to go on from; create it anew under "
                    + "another name", resumed.getLast().reason());
            vm.start();
            isAlive(vm);
            var next = checkpoint(vm).orThrow();
            assertTrue(next.ref().compareTo(last.ref()) > 0);
            vm.rollBack(next.ref()).get(30, TimeUnit.SECONDS);
            isAlive(vm);
            durable(host);
            assertEquals(next.ref(), known(host, WEB).origin());
        }

        // Again, from the checkpoint of the second life.
        try (var host = TintypeHost.start(options("store"))) {
            var vm = host.resume(WEB, guest(), VmProbe.NONE);
            vm.start();
            isAlive(vm);
            checkpoint(vm).orThrow();
        }
    }

    /** Makes a disk as a host that a crash cut off while it made a VM left it. */
    private DiskChain halfMade(String vm, int disk) throws IOException {
        return DiskChain.create(
                new FileImageDirectory(directory.resolve("store/images/" + vm + "/disk-" + disk)),
                new DiskGeometry(8 * MIB, 64 << 10));
    }

    @Test
    void shouldCollectTheDisksOfAVmThatACrashCutOffWhileItWasMade() throws Exception {
        try (var host = TintypeHost.start(options("store"))) {
            var ran = host.create(spec("web-3"));
            ran.start();
            durable(host);
        }
        halfMade("web-1", 0).close();
        halfMade("web-1", 1).close();
        halfMade("web-2", 0).close();
        try (var flushed = halfMade("web-2", 1)) {
            flushed.sync(flushed.top());
        }

        try (var host = TintypeHost.start(options("store"))) {
            assertEquals(VmRecord.Status.FOUND, known(host, WEB).status());
            var removed = host.gc().removed();

            assertTrue(removed.contains(directory.resolve("store/images/web-1")),
                    removed::toString);
            durable(host);
            assertEquals(List.of("web-2", "web-3"), host.catalogue().state().vms().values().stream()
                    .map(vm -> vm.id().value()).toList());
            for (var kept : List.of("web-2/disk-0", "web-2/disk-1", "web-3/disk-0")) {
                assertTrue(Files.exists(directory.resolve("store/images/" + kept + "/chain")),
                        kept);
            }
            // The name is free again.
            host.create(spec("web-1"));
        }
    }

    @Test
    void shouldSayWhyAVmCannotBeTakenUp() throws Exception {
        try (var host = TintypeHost.start(options("store"))) {
            var unknown = assertThrows(StoreException.class,
                    () -> host.resume(new VmId("nobody"), guest(), VmProbe.NONE));
            assertTrue(String.valueOf(unknown.getMessage()).contains("has no VM named nobody"));

            var vm = host.create(spec("web-1"));
            assertThrows(IllegalArgumentException.class,
                    () -> host.resume(vm.id(), guest(), VmProbe.NONE));
        }
    }

    @Test
    void shouldForgetWhatIsDeletedAndDestroyed() throws Exception {
        try (var host = TintypeHost.start(options("store"))) {
            var vm = host.create(spec("web-1"));
            vm.start();
            var outcome = checkpoint(vm).orThrow();
            var twin = host.restore(outcome.ref(), "web-2");
            durable(host);
            assertEquals(outcome.ref(), known(host, twin.id()).origin());

            host.delete(outcome.ref());
            durable(host);
            assertNull(host.catalogue().state().checkpoint(outcome.ref()));
            host.destroy(twin);
            durable(host);
            assertFalse(host.catalogue().state().vms().has(twin.id()));
            // The VM that is left may be committing a layer that nobody needs any more.
            await().atMost(SOON)
                    .until(() -> host.catalogue().state().operations().size() == 0);
        }

        try (var host = TintypeHost.start(options("store"))) {
            assertNotNull(known(host, WEB));
            assertFalse(host.catalogue().state().vms().has(new VmId("web-2")));
        }
    }

    @Test
    void shouldNotDestroyWhatACloneStandsOn() throws Exception {
        CheckpointOutcome ofTwin;
        try (var host = TintypeHost.start(options("store"))) {
            var vm = host.create(spec("web-1"));
            vm.start();
            isAlive(vm);
            var outcome = checkpoint(vm).orThrow();
            var twin = host.clone(outcome.ref(), "web-2", guest(), VmProbe.NONE);
            twin.start();
            host.delete(outcome.ref());

            var refused = assertThrows(StoreException.class, () -> host.destroy(vm));

            assertEquals("the disk images/web-2/disk-0 starts from one of VM web-1; "
                    + "destroy its VM first, or make the disk flat", refused.getMessage());
            isAlive(vm);
            isAlive(twin);
            ofTwin = checkpoint(twin).orThrow();
        }

        // Nobody has the clone's disk open now.
        try (var host = TintypeHost.start(options("store"))) {
            var vm = host.create(spec("web-3"));
            var twin = host.resume(new VmId("web-2"), guest(), VmProbe.NONE);
            assertThrows(StoreException.class,
                    () -> host.store().requireNoDisksFrom(new VmId("web-1")));
            twin.start();
            isAlive(twin);
            host.delete(ofTwin.ref());
            host.destroy(twin);
            host.store().requireNoDisksFrom(new VmId("web-1"));
            host.destroy(vm);
        }
    }

    @Test
    void shouldRemoveWhatWasHalfMadeAndKeepWhatMayHaveRun() throws Exception {
        try (var host = TintypeHost.start(options("store"))) {
            for (var vm : List.of("half", "flushed", "whole")) {
                host.catalogue().tell(new CatalogueEvent.OperationBegun("make " + vm,
                        OperationRecord.Kind.CREATE, new VmId(vm), -1,
                        new TreeMap<>(Map.of("disks", vm.equals("whole") ? "1" : "2")),
                        Instant.EPOCH)).durable().get(30, TimeUnit.SECONDS);
            }
            host.create(spec("web-1"));
            var images = directory.resolve("store/images");
            for (var vm : List.of("half", "flushed", "whole")) {
                try (var chain = DiskChain.create(
                        new FileImageDirectory(images.resolve(vm).resolve("disk-0")),
                        new DiskGeometry(1 << 20, 1 << 16))) {
                    if (vm.equals("flushed")) {
                        chain.sync(chain.top());
                    }
                }
            }
        }

        try (var host = TintypeHost.start(options("store"))) {
            assertEquals(VmRecord.Status.FOUND, known(host, new VmId("whole")).status());
            assertFalse(host.catalogue().state().vms().has(new VmId("half")));
            assertFalse(Files.exists(directory.resolve("store/images/half")));
            // Its other disk was there, too, until the power failed: it had nothing to be lost.
            assertEquals(VmRecord.Status.FOUND, known(host, new VmId("flushed")).status());
            assertTrue(Files.exists(directory.resolve("store/images/flushed/disk-0/chain")));
            assertTrue(Files.exists(directory.resolve("store/images/whole")));
            assertEquals(0, host.catalogue().state().operations().size());
        }
    }

    @Test
    void shouldRefuseASecondHostOnAStore() throws Exception {
        try (var host = TintypeHost.start(options("store"))) {
            var refused = assertThrows(IOException.class,
                    () -> TintypeHost.start(options("store")));

            assertTrue(
                    String.valueOf(refused.getMessage()).contains("is in use by another process"),
                    refused.getMessage());
            assertEquals(CatalogueHealth.Status.WORKING, await().atMost(SOON)
                    .until(() -> host.catalogue().health().status(),
                            status -> status == CatalogueHealth.Status.WORKING));
        }
    }

    @Test
    void shouldRefuseADatabaseThatCannotBeUsedAndLeaveTheStoreFree() throws Exception {
        var nowhere = options("store").withCatalogue(
                JournalPlace.parse("jdbc:postgresql://127.0.0.1:1/none?password=secret"));

        var refused = assertThrows(StoreException.class, () -> TintypeHost.start(nowhere));

        var message = String.valueOf(refused.getMessage());
        assertEquals(1, message.lines().count());
        assertTrue(message.startsWith("cannot use the database jdbc:postgresql://127.0.0.1:1/none"),
                message);
        TintypeHost.start(options("store")).close();
    }

    @Test
    void shouldAbortCheckpointsAndRunOnWhileTheJournalIsBroken() throws Exception {
        var journal = new MemoryJournal();
        var store = directory.resolve("store");
        var ports = new HostPorts(Rules.ALL_ON, new PooledDiskIo(2),
                key -> new FileImageDirectory(store.resolve(key)), StoreFiles.onDisk(),
                UnaryOperator.identity(), UnaryOperator.identity(), false, 65_536,
                () -> new LiveWorld(options("store")),
                opened -> Catalogues.inMemory(journal, opened, InstantSource.system()));
        try (var host = TintypeHost.start(options("store"), ports)) {
            var vm = host.create(spec("web-1"));
            vm.start();
            var before = checkpoint(vm).orThrow();
            journal.breakDown("no space left on device");

            var aborted = checkpoint(vm);

            assertFalse(aborted.sealed());
            assertEquals("the catalogue cannot record it: no space left on device",
                    aborted.reason());
            assertEquals(CatalogueHealth.Status.FAILED, host.catalogue().health().status());
            isAlive(vm);
            // What frees space does not need a journal that has none.
            host.delete(before.ref());
            assertEquals(List.of(), host.store().list());

            journal.breakDown("");
            var after = checkpoint(vm).orThrow();
            assertEquals(List.of(after.ref()), host.store().list());
            assertNull(host.catalogue().state().checkpoint(before.ref()));
            assertNotNull(host.catalogue().state().checkpoint(after.ref()));
        }
    }
}
