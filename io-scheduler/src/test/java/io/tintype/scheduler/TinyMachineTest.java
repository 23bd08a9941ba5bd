package io.tintype.scheduler;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.PendingSet.Conflict;
import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.TinyMachine.Config;
import io.tintype.scheduler.TinyMachine.Violation;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The cores against first principles: whole machines driven by seeds, see {@link TinyMachine} for what is verified. */
class TinyMachineTest {
    private static final int STEPS = 600;
    /** More for a long night: -Dseeds=100000. */
    private static final int SEEDS = Integer.getInteger("seeds", 50);
    private static final long FIRST_SEED = Long.getLong("seed", 1);

    private static List<Config> configs(Rules rules) {
        var configs = new ArrayList<Config>();
        for (var reissue : Reissue.values()) {
            for (var conflict : Conflict.values()) {
                for (int flags = 0; flags < 4; flags++) {
                    if (reissue == Reissue.DISK || conflict == Conflict.PUT_OFF) {
                        configs.add(new Config(reissue, conflict, (flags & 1) != 0,
                                (flags & 2) != 0, rules));
                    }
                }
            }
        }
        return configs;
    }

    @Test
    void shouldNeverShowTheGuestOrACheckpointWhatMustNotBe() {
        var counts = new TreeMap<String, Integer>();
        for (var config : configs(Rules.ALL_ON)) {
            for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
                var machine = new TinyMachine(config, seed);
                try {
                    machine.run(STEPS);
                } catch (RuntimeException e) {
                    throw new AssertionError(
                            "rerun with -Dseed=" + seed + " -Dseeds=1, " + config, e);
                }
                machine.counts.forEach((what, count) -> counts.merge(what, count, Integer::sum));
            }
        }

        for (var what : List.of("sealed with reads in flight", "paid", "reissued", "delayed",
                "commit", "put off", "resume delayed", "forgiven", "target copied",
                "bound lower", "deadline")) {
            assertTrue(counts.containsKey(what), what + " never happened: " + counts);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"R4", "R5", "R6", "R7", "R8", "R9", "R10", "R11", "R12", "R13", "R14",
        "R15", "R16", "R17"})
    void shouldNoticeThatARuleIsBroken(Rule rule) {
        var violation = firstViolation(rule);

        assertNotNull(violation, rule + " off went unnoticed");
    }

    private static @Nullable String firstViolation(Rule rule) {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            for (var config : configs(Rules.without(rule))) {
                try {
                    new TinyMachine(config, seed).run(STEPS);
                } catch (Violation e) {
                    return "seed " + seed + ", " + config + ": " + e.getMessage();
                }
            }
        }
        return null;
    }
}
