package io.tintype.simulations.oracle;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.cow.memory.FramePool;
import io.tintype.simulations.oracle.SimulatedVm.Checkpoint;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.SyntheticProfile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A simulated VM that does everything right must never be accused, and one that makes a mistake must be, with the rule that
 * the mistake breaks.
 */
class OracleTest {
    private static final FramePool POOL = new FramePool(64 << 20, 64 << 20);
    /** Of each kind, within 400 histories. */
    private static final int MISTAKES_NOTICED = 8;
    private static final List<Long> REGIONS = List.of(160L * 1024, 160L * 1024);
    private static final List<Long> DISKS = List.of(512L * 1024, 192L * 1024);

    @AfterAll
    static void close() {
        POOL.close();
    }

    /** One VM, its checkpoints and what is restored from them, all choices from one seed. */
    private static final class History {
        final Random random;
        final SyntheticProfile profile;
        final OracleOptions options;
        final List<Violation> violations = new ArrayList<>();
        int restored;
        int verified;
        int mistakesMade;

        History(long seed, @Nullable Mistake mistake) {
            random = new Random(seed);
            var tears = mistake == Mistake.PENDING_READ_TORN_BY_A_WRITE
                    || (mistake == null && random.nextBoolean());
            options = OracleOptions.COMPLETE.withTearsAreViolations(tears);
            var crowded = mistake == Mistake.PENDING_READ_TORN_BY_A_WRITE;
            profile = SyntheticProfile.DEFAULTS
                    .withSeed(random.nextLong())
                    .withIo(1 + random.nextInt(12), SyntheticProfile.UNLIMITED)
                    .withDirtyRate(random.nextBoolean() ? 50_000 : SyntheticProfile.UNLIMITED)
                    .withRequests(1 + random.nextInt(16), crowded ? 100 : random.nextInt(100),
                            crowded ? 32 : 256)
                    .withWeights(4, 4, 1, 1, 1)
                    .withOverlapping(crowded || isNormal(mistake, 2))
                    .withResetEvery(isReset(mistake) || isNormal(mistake, 3) ? 40 : 0);
        }

        private boolean isNormal(@Nullable Mistake mistake, int bound) {
            return mistake == null && random.nextInt(bound) == 0;
        }

        private static boolean isReset(@Nullable Mistake mistake) {
            return mistake == Mistake.COMPLETION_AFTER_A_RESET
                    || mistake == Mistake.READ_LANDS_AFTER_A_RESET;
        }

        void run(@Nullable Mistake mistake) throws IOException {
            var log = new EventLog();
            var blueprint = profile.blueprint(320 * 1024, DISKS);
            var oracle = new Oracle("vm-1", blueprint, log, options, violations::add);
            var failures = mistake == null ? random.nextInt(3) * 0.05 : 0;
            try (var vm = new SimulatedVm(random, POOL, Guests.synthetic(profile, DISKS, log),
                    REGIONS, DISKS,
                    failures)) {
                vm.mistake = mistake;
                run(vm, oracle, log, 40 + random.nextInt(80), 4, true);
                mistakesMade += vm.mistakesMade;
            }
        }

        private void run(SimulatedVm vm, Oracle oracle, EventLog log, int turns, int checkpoints,
                boolean mayRestore)
                throws IOException {
            var open = new ArrayList<Checkpoint>();
            long lastId = 0;
            for (int i = 0; i < turns; i++) {
                vm.turn();
                if (random.nextInt(10) == 0) {
                    oracle.drain(random.nextInt(50));
                }
                if (lastId < checkpoints && random.nextInt(10) == 0) {
                    log.stunned(++lastId, vm.guest.saveRegisters());
                    open.add(vm.stun(lastId));
                }
                if (!open.isEmpty() && random.nextInt(12) == 0) {
                    finish(vm, oracle, open.remove(random.nextInt(open.size())), mayRestore);
                }
            }
            for (var checkpoint : open) {
                finish(vm, oracle, checkpoint, mayRestore);
            }
            vm.quiesce();
            log.stunned(99, vm.guest.saveRegisters());
            violations.addAll(oracle.verifyOngoing(vm.image(vm.stun(99))).violations());
            assertEquals(0, oracle.cutCount());
        }

        private void finish(SimulatedVm vm, Oracle oracle, Checkpoint checkpoint,
                boolean mayRestore)
                throws IOException {
            if (random.nextInt(8) == 0) {
                oracle.release(checkpoint.id); // as if aborted
                return;
            }
            vm.seal(checkpoint);
            var image = vm.image(checkpoint);
            var report = oracle.verify(image, random.nextInt(3) == 0);
            verified++;
            violations.addAll(report.violations());
            if (random.nextBoolean()) {
                for (int i = 0; i < 5; i++) {
                    vm.turn();
                }
                if (vm.isMistake(Mistake.CHECKPOINT_CHANGED_AFTERWARDS)) {
                    checkpoint.disks.get(0).replaceAll((_, _) -> new byte[512]);
                }
                violations.addAll(oracle.verify(image, true).violations());
            }
            if (mayRestore && random.nextBoolean()) {
                restore(vm, oracle, checkpoint, image);
            }
            oracle.release(checkpoint.id);
        }

        private void restore(SimulatedVm vm, Oracle oracle, Checkpoint checkpoint,
                CheckpointImage image)
                throws IOException {
            var log = new EventLog();
            var forked = oracle.fork(image, "vm-2", log, violations::add);
            try (var other =
                    new SimulatedVm(vm, checkpoint, Guests.synthetic(profile, DISKS, log))) {
                run(other, forked, log, 20, 1, false);
                mistakesMade += other.mistakesMade;
            }
            restored++;
        }
    }

    @Test
    void shouldNeverAccuseAVmThatDoesEverythingRight() throws IOException {
        assertNobodyIsAccused(0, 600);
    }

    @Test
    @Tag("simulation")
    void shouldNeverAccuseAVmThatDoesEverythingRightInManyHistories() throws IOException {
        assertNobodyIsAccused(Long.getLong("seed", 1_000_000), 30_000);
    }

    private static void assertNobodyIsAccused(long firstSeed, int count) throws IOException {
        int restored = 0;
        int verified = 0;
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            var history = new History(seed, null);

            history.run(null);

            assertTrue(history.violations.isEmpty(),
                    "rerun with -Dseed=" + seed + ": " + history.violations);
            restored += history.restored;
            verified += history.verified;
        }
        assertTrue(restored > count / 2 && verified > count,
                restored + " restored, " + verified + " verified");
    }

    @ParameterizedTest
    @EnumSource
    void shouldNameTheRuleThatAMistakeBreaks(Mistake mistake) throws IOException {
        int made = 0;
        int noticed = 0;
        for (int seed = 0; seed < 400 && noticed < MISTAKES_NOTICED; seed++) {
            var history = new History(seed, mistake);

            history.run(mistake);

            made += history.mistakesMade;
            var rules = new HashSet<@Nullable Object>();
            history.violations.forEach(violation -> rules.add(violation.rule()));
            if (rules.contains(mistake.rule) || rules.contains(mistake.alternative)) {
                noticed++;
            }
            if (history.mistakesMade == 0) {
                assertEquals(List.of(), history.violations, "seed " + seed);
            }
        }
        assertEquals(MISTAKES_NOTICED, noticed, "of " + made + " mistakes");
    }
}
