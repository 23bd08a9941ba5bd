package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.simulate.SmallSchedules.Ended;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class SmallSchedulesTest {
    private static List<Ended> run(@Nullable Rule broken, long firstSeed, long count) {
        var ended = new ArrayList<Ended>();
        try (var machine = new SimulatedMachine();
                var schedules = new SmallSchedules(machine, broken)) {
            schedules.run(firstSeed, count, ended::add);
        }
        return ended;
    }

    @Test
    void shouldFindNothingWrongWhereEveryRuleHolds() {
        for (var each : run(null, 1, 3_000)) {
            assertTrue(each.violations().isEmpty(), () -> "seed " + each.seed() + ": "
                    + each.violations().getFirst());
        }
    }

    @Test
    void shouldNotDependOnTheSchedulesBefore() {
        var inOrder = run(null, 1, 300);
        var backwards = new ArrayList<Ended>();

        try (var machine = new SimulatedMachine();
                var schedules = new SmallSchedules(machine, null)) {
            // One that fails leaves nothing behind either.
            try (var failing = new SmallSchedules(machine, Rule.R5)) {
                failing.run(1, 100, ended -> ended.violations().isEmpty());
            }
            for (long seed = 300; seed >= 1; seed--) {
                schedules.run(seed, 1, backwards::add);
            }
        }

        assertEquals(inOrder, backwards.reversed());
    }

    @Test
    void shouldTakeAnotherOrderForEachSeed() {
        var hashes = new HashSet<Long>();

        run(null, 1, 300).forEach(ended -> hashes.add(ended.traceHash()));

        assertEquals(300, hashes.size());
    }

    @ParameterizedTest
    @EnumSource(value = Rule.class, names = {"R3", "R4", "R5", "R6", "R8", "R10"})
    void shouldNoticeARuleThatIsSwitchedOff(Rule broken) {
        var failed = new ArrayList<Ended>();

        try (var machine = new SimulatedMachine();
                var schedules = new SmallSchedules(machine, broken)) {
            schedules.run(1, 5_000, ended -> {
                if (!ended.violations().isEmpty()) {
                    failed.add(ended);
                }
                return failed.size() < 2;
            });
        }

        assertEquals(2, failed.size(), "of 5000 schedules without " + broken);
        assertNotEquals(failed.get(0).seed(), failed.get(1).seed());
    }

    @Test
    void shouldCutThroughRequestsInFlight() {
        var ended = run(null, 1, 300);

        long cut = ended.stream().filter(each -> each.pending() > 0).count();

        assertTrue(cut > 100, cut + " of 300 checkpoints had requests in flight at T");
    }
}
