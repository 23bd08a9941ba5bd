package io.tintype.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.oracle.Violation;
import io.tintype.vm.Rig.Setup;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Each ordering rule in turn is switched off in the running engine, and the oracle must cry out; the same scenario with all
 * rules on must leave it silent. So each test shows both that the rule is kept and that it would be noticed if it were not.
 */
class BrokenRuleTest {
    /** What guest, storage and savers do; the same with the rule and without. */
    @FunctionalInterface
    private interface Scenario {
        void play(Rig rig) throws Exception;
    }

    @TempDir
    private Path directory;

    private final AtomicInteger runs = new AtomicInteger();

    private List<Violation> run(Rules rules, UnaryOperator<Setup> change, Scenario scenario)
            throws Exception {
        var store = directory.resolve("store-" + runs.incrementAndGet());
        try (var rig = new Rig(change.apply(Setup.of(store, rules)))) {
            scenario.play(rig);
            return rig.finish();
        }
    }

    private void check(Rule rule, Scenario scenario) throws Exception {
        check(rule, rule, UnaryOperator.identity(), scenario);
    }

    /** @param named the rule that the oracle names; null if it only can tell that something is wrong */
    private void check(Rule rule, @Nullable Rule named, UnaryOperator<Setup> change,
            Scenario scenario)
            throws Exception {
        assertEquals(List.of(), run(Rules.ALL_ON, change, scenario), "with all rules on");

        var found = run(Rules.without(rule), change, scenario);

        assertTrue(
                found.stream().anyMatch(violation -> named == null || violation.rule() == named),
                () -> rule + " was off, and the oracle said " + found);
    }

    // Durability is what is lost, and that is how it is reported: from outside it looks like a broken flush.
    @Test
    void shouldNoticeAnOverlayThatIsNotDurablyInTheChain() throws Exception {
        check(Rule.R1, Rule.R13, UnaryOperator.identity(), rig -> {
            rig.fill(1);
            rig.sealed();
            rig.checkpoint();
            rig.write(0, 8).done();
            rig.flush().done();

            rig.verifyCrash(CrashableDisks.NONE);
        });
    }

    // Nothing stored shows how long a stun was: the check is that the guest is running again while storage stands still.
    @Test
    void shouldNoticeAStunThatWaitsForPendingRequests() throws Exception {
        check(Rule.R2, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.ALL);
            rig.write(0, 8);
            rig.read(64, 8);
            var taken = rig.checkpoint();
            rig.fence();
            if (!rig.isResumed(taken)) {
                rig.violated(Rule.R2, "the stun", "a guest that runs",
                        "one that waits for 2 requests");
            }
        });
    }

    @Test
    void shouldNoticeRegistersCapturedAfterTheGuestRanOn() throws Exception {
        check(Rule.R3, rig -> {
            rig.fill(1);
            rig.writeAfterStun(0, 8);
            rig.checkpoint();
        });
    }

    @Test
    void shouldNoticeAPendingWriteThatGoesToTheTop() throws Exception {
        check(Rule.R4, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.WRITE));
            var pending = rig.write(0, 8);
            rig.checkpoint();
            rig.io.release(HeldIo.of(pending.ioId()));
        });
    }

    @Test
    void shouldNoticeANewWriteInTheCheckpoint() throws Exception {
        check(Rule.R5, rig -> {
            rig.fill(1);
            rig.checkpoint();
            rig.write(0, 8).done();
        });
    }

    @Test
    void shouldNoticeAReadThatMissesACopiedPage() throws Exception {
        check(Rule.R6, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.READ));
            var pending = rig.read(0, 8);
            rig.checkpoint();
            rig.touch(pending, 0);
            rig.io.release(HeldIo.of(pending.ioId()));
            pending.done();
        });
    }

    @Test
    void shouldNoticeANewReadIntoAFrozenFrame() throws Exception {
        check(Rule.R7, rig -> {
            rig.fill(1);
            // In the ring at T, but not fetched: memory, not P.
            rig.step(cpu -> cpu.ringing(false));
            var later = Rig.get(rig.submitLater(IoKind.READ, 0, 8, false));
            rig.saving.hold();
            rig.checkpoint();
            rig.step(cpu -> cpu.ringing(true));
            later.done();
            rig.saving.release();
        });
    }

    @Test
    void shouldNoticeAFaultThatCopiesAGroupBeforeAPendingWrite() throws Exception {
        check(Rule.R8, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.WRITE));
            var pending = rig.write(0, 8);
            rig.checkpoint();
            var later = rig.write(64, 8);
            rig.fence();
            rig.io.release(HeldIo.of(later.ioId()));
            rig.io.release(HeldIo.of(pending.ioId()));
        });
    }

    @Test
    void shouldNoticeAReissueThatSeesALaterWriteOfTheSameBlock() throws Exception {
        check(Rule.R9, Rule.R9, setup -> setup.withDiskReissue(PendingSet.Conflict.DELAY_RESUME),
                rig -> {
                    rig.fill(1);
                    rig.io.hold(HeldIo.ALL);
                    // Seven sectors lie in page 0 of the buffer, half of the eighth in page 1.
                    var read = rig.read(0, 8);
                    var write = rig.write(0, 8);
                    var taken = rig.checkpoint();
                    rig.fence();
                    rig.steps.add(cpu -> cpu.touch(read.slot, 1));
                    if (rig.isResumed(taken)) {
                        Rig.until("the store", rig.steps::isEmpty);
                    }
                    rig.io.release(HeldIo.of(DiskIo.Operation.Kind.READ));
                    rig.fence();
                    rig.io.release(HeldIo.of(write.ioId()));
                    rig.fence();
                    rig.io.release(HeldIo.ALL);
                    read.done();
                });
    }

    @Test
    void shouldNoticeAPageSavedBeforeItsReadLanded() throws Exception {
        check(Rule.R10, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.READ));
            var pending = rig.read(0, 8);
            int before = rig.saving.finishedCount();
            rig.checkpoint();
            Rig.until("the pages that need not wait", () -> rig.saving.finishedCount() > before);
            rig.io.release(HeldIo.of(pending.ioId()));
        });
    }

    @Test
    void shouldNoticeACompletionDeliveredTwice() throws Exception {
        check(Rule.R11, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.READ));
            var pending = rig.read(0, 8);
            rig.checkpoint();
            rig.touch(pending, 0);
            rig.io.release(HeldIo.of(pending.ioId()));
            pending.done();
        });
    }

    @Test
    void shouldNoticeACheckpointSealedBeforeItsRequestsAreDone() throws Exception {
        check(Rule.R12, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.WRITE));
            var pending = rig.write(0, 8);
            int before = rig.saving.submittedCount();
            int finishedBefore = rig.saving.finishedCount();
            var taken = rig.checkpoint();
            Rig.until("the pages that need not wait",
                    () -> rig.saving.finishedCount() > finishedBefore);
            rig.fence();
            // The other pages are saved only when it thinks that all is done.
            if (rig.saving.submittedCount() > before + 1) {
                taken.ended();
            }
            rig.io.release(HeldIo.of(pending.ioId()));
        });
    }

    // The stored checkpoint is whole until the power fails; afterwards its disk is not what it was.
    @Test
    void shouldNoticeACheckpointSealedBeforeItsChainIsSynced() throws Exception {
        check(Rule.R12, null, UnaryOperator.identity(), rig -> {
            rig.fill(2);
            rig.sealed();
            rig.write(0, 8).done();
            var taken = rig.sealed();

            rig.verify(taken, rig.disks.crash(CrashableDisks.NONE));
        });
    }

    @Test
    void shouldNoticeAFlushThatMissesALowerLayer() throws Exception {
        check(Rule.R13, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.READ));
            // Keeps the checkpoint from syncing the chain itself.
            rig.read(64, 8);
            rig.checkpoint();
            rig.write(0, 8).done();
            rig.checkpoint();
            rig.flush().done();

            rig.verifyCrash(CrashableDisks.NONE);
        });
    }

    // The second checkpoint's copy of the page is forgotten once a third is there: from outside a page saved too early, R10.
    @Test
    void shouldNoticeACheckpointThatForgetsAnother() throws Exception {
        check(Rule.R14, null, UnaryOperator.identity(), rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.READ));
            var pending = rig.read(0, 8);
            for (int i = 0; i < 3; i++) {
                rig.checkpoint();
                rig.touch(pending, 0);
            }
            rig.io.release(HeldIo.of(pending.ioId()));
        });
    }

    // Storage keeps one write for ever: the check is that, once the checkpoint is given up, a later write goes on without it.
    @Test
    void shouldNoticeAWriteHeldHostageByAnAbortedCheckpoint() throws Exception {
        check(Rule.R15, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.WRITE));
            var hung = rig.write(0, 8);
            rig.io.hold(HeldIo.NOTHING);
            var taken = rig.checkpoint();
            rig.mayAbort(taken);
            var later = rig.write(64, 8);
            Rig.until("the wait", () -> rig.delayed.contains(later.ioId()));
            rig.vm.cancel(taken.ref().id(), "no longer wanted");
            taken.ended();
            // What the checkpoint held is let go of on another thread, which the fence does not wait for.
            if (!Rig.becomes(() -> rig.started.contains(later.ioId()))) {
                rig.violated(Rule.R15, "write " + later.ioId(), "to go on without the checkpoint",
                        "it waits for write " + hung.ioId());
            }
        });
    }

    @Test
    void shouldNoticeACommitIntoALayerThatACheckpointNames() throws Exception {
        check(Rule.R16, rig -> {
            rig.fill(1);
            var first = rig.sealed();
            rig.verify(first);
            rig.write(0, 8).done();
            rig.sealed();
            rig.write(64, 8).done();
            rig.fence();
            if (!rig.rules.on(Rule.R16)) {
                // Other threads look for it and do it, which the fence does not wait for.
                Rig.until("the commit", () -> !rig.committed.isEmpty());
            }
        });
    }

    @Test
    void shouldNoticeAReadThatLandsAfterAReset() throws Exception {
        check(Rule.R17, rig -> {
            rig.fill(1);
            rig.io.hold(HeldIo.of(DiskIo.Operation.Kind.READ));
            var pending = rig.read(0, 8);
            rig.step(cpu -> cpu.reset(0));
            rig.io.release(HeldIo.of(pending.ioId()));
            rig.fence();
        });
    }
}
