package io.tintype.simulations.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.cow.memory.FramePool;
import io.tintype.scheduler.IoKind;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class OracleServiceTest {
    private static final List<Long> DISKS = List.of(1L << 20);
    private static final SyntheticProfile PROFILE =
            SyntheticProfile.DEFAULTS.withRequests(8, 50, 256);

    private final EventLog log = new EventLog();
    private final Queue<Violation> violations = new ConcurrentLinkedQueue<>();
    private final Oracle oracle =
            new Oracle("vm-1", PROFILE.blueprint(1 << 20, DISKS), log, OracleOptions.DEFAULTS,
                    violations::add);

    @Test
    void shouldFollowTheEventsByItself() {
        try (var service = new OracleService()) {
            service.add(oracle);

            log.submitted(1, 0, IoKind.FLUSH, 0, 0, 0, false, 0, 0);
            log.unexpected(2, 0, 5, 0);

            Awaitility.await().until(() -> violations.size() == 1);
            assertEquals(
                    "R11 violated: vm-1, disk 0 tag 5: expected each completion once, found one with status 0 for "
                            + "nothing in flight, at event 2",
                    violations.element().toString());
        }
    }

    @Test
    void shouldVerifyACheckpointAndGoOnWithItsFork() throws Exception {
        try (var pool = new FramePool(16 << 20, 16 << 20);
                var service = new OracleService();
                var vm = new SimulatedVm(new Random(1), pool, Guests.synthetic(PROFILE, DISKS, log),
                        List.of(1L << 20),
                        DISKS, 0)) {
            service.add(oracle);
            for (int i = 0; i < 50; i++) {
                vm.turn();
            }
            log.stunned(1, vm.guest.saveRegisters());
            var checkpoint = vm.stun(1);
            vm.seal(checkpoint);

            var report = service.verify(oracle, vm.image(checkpoint), true).get();
            var restoredLog = new EventLog();
            var fork = service.ask(
                    () -> oracle.fork(vm.image(checkpoint), "vm-2", restoredLog, violations::add))
                    .get();

            assertTrue(report.isRight(), report.violations().toString());
            assertTrue(report.pending() >= checkpoint.pending.size());
            assertEquals("vm-2", fork.vm());
        }
    }

    @Test
    void shouldTellWhyACheckpointCannotBeVerified() {
        var image = new CheckpointImage(1, new byte[0], List.of(), List.of(), (_, _) -> false,
                (_, _, _) -> {});
        try (var service = new OracleService()) {
            var error = assertThrows(ExecutionException.class,
                    () -> service.verify(oracle, image, false).get());
            assertInstanceOf(IllegalArgumentException.class, error.getCause());

            var unreadable = service.ask(() -> {
                throw new IOException("checksum");
            });
            assertInstanceOf(IOException.class,
                    assertThrows(ExecutionException.class, unreadable::get).getCause());
        }
    }

    @Test
    void shouldFailWhatIsAskedAfterItsEnd() {
        var service = new OracleService();
        service.close();

        assertTrue(service.ask(() -> 1).isCompletedExceptionally());
    }

    @Test
    void shouldLeaveWhatABoundForbidsToTheNextVerification() throws Exception {
        var bounded = new Oracle("vm-1", PROFILE.blueprint(1 << 20, DISKS), log,
                new OracleOptions(false, 64, 4),
                violations::add);
        try (var pool = new FramePool(16 << 20, 16 << 20);
                var vm = new SimulatedVm(new Random(1), pool, Guests.synthetic(PROFILE, DISKS, log),
                        List.of(1L << 20),
                        DISKS, 0)) {
            for (int i = 0; i < 200; i++) {
                vm.turn();
            }
            log.stunned(1, vm.guest.saveRegisters());
            var first = vm.stun(1);
            vm.seal(first);
            var report = bounded.verify(vm.image(first), false);
            bounded.release(1);
            log.stunned(2, vm.guest.saveRegisters());
            var second = vm.stun(2);
            vm.seal(second);
            var next = bounded.verify(vm.image(second), true);

            assertTrue(report.sectorsLeft() > 0 && report.pagesLeft() > 0, report.toString());
            assertEquals(0, next.sectorsLeft() + next.pagesLeft(), next.toString());
            assertTrue(report.isRight() && next.isRight());
        }
    }
}
