package io.tintype.simulations.simulate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.PendingSet;
import io.tintype.vm.CoreProbe;
import io.tintype.vm.CoreProbe.CoreStep;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/**
 * Shell and core agree: what the actors fed their cores in random simulated runs, faults included, is fed to cores that no
 * actor touches, and these must give the same outputs and end in the same states.
 *
 * <p>It verifies that an actor's core changes by its inputs alone, and that a step depends on nothing but state, input and what the
 * chain answered. Whether the outputs are carried out rightly is the oracle's to see.
 */
class ShellAndCoreTest {
    private static final long FIRST_SEED = Long.getLong("seed", 1);
    private static final int SEEDS = Integer.getInteger("seeds", 150);

    private static final class Recording implements CoreProbe {
        // In the order of first steps, so that a failure names the same actor each time.
        private final IdentityHashMap<Object, List<CoreStep>> byActor = new IdentityHashMap<>();
        private final List<List<CoreStep>> all = new ArrayList<>();

        @Override
        public void stepped(Object actor, CoreStep step) {
            byActor.computeIfAbsent(actor, _ -> {
                var steps = new ArrayList<CoreStep>();
                all.add(steps);
                return steps;
            }).add(step);
        }

        void clear() {
            byActor.clear();
            all.clear();
        }
    }

    @Test
    void shouldEndInTheStatesOfThePureCoresAlone() {
        var recording = new Recording();
        var steps = new HashMap<Class<?>, Integer>();
        try (var machine = new SimulatedMachine()) {
            machine.watchCores(recording);
            for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
                recording.clear();
                var knobs = Knobs.draw(seed, Objects.requireNonNull(Scenario.named("swarm")),
                        Strategy.RANDOM, Faults.ALL, null);

                Simulation.free(machine, knobs, false);

                for (var ofOneActor : recording.all) {
                    replay(seed, ofOneActor);
                    steps.merge(ofOneActor.getFirst().getClass(), ofOneActor.size(),
                            Integer::sum);
                }
            }
        }
        assertEquals(3, steps.size(), "all three cores took part: " + steps);
    }

    private static void replay(long seed, List<CoreStep> recorded) {
        var core = recorded.getFirst().before();
        assertTrue(isFresh(core), () -> "-Dseed=" + seed + ": began with " + core);
        var state = core;
        for (var step : recorded) {
            assertEquals(step.before(), state,
                    () -> "-Dseed=" + seed + ": the actor's core changed without an input, before "
                            + step);
            var again = step.again(state);
            assertEquals(step.outputs(), again.outputs(), () -> "-Dseed=" + seed + ": " + step);
            state = again.next();
        }
        assertEquals(recorded.getLast().next(), state, () -> "-Dseed=" + seed);
    }

    /** A core starts with nothing in flight: what a restored VM has in flight is issued to it again. */
    private static boolean isFresh(Object core) {
        return switch (core) {
            case DiskOrder order -> order.pending() == 0;
            case PendingSet pending -> pending.size() == 0;
            case CheckpointPhase phase -> phase instanceof CheckpointPhase.Idle;
            default -> false;
        };
    }
}
