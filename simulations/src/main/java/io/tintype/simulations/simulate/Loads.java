package io.tintype.simulations.simulate;

import io.tintype.actors.strand.SimulatedSystem;
import io.tintype.actors.strand.Strands;
import io.tintype.scheduler.Rule;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/** What the benchmarks of the simulator measure. Each call does the work once, on the calling thread. */
public final class Loads {
    /**
     * A failing run that was shrunk.
     *
     * @param recorded events that it had
     * @param events what is left
     * @param tries runs that it took
     * @param ns real time
     */
    public record Shrunk(int recorded, int events, int tries, long ns) {}

    private record Pass(int hops) {}

    private static final int ACTORS = 8;
    private static final int TOKENS = 4;
    private static final int BARE_ACTORS = 5;
    private static final int BARE_MESSAGES = 50;
    private static final int EVENTS_MIN = 1_000;
    private static final long SEEDS_MAX = 2_000;

    private Loads() {}

    /** Passes messages between a few actors, the next one chosen by seed; returns messages a second of CPU time. */
    public static double messagesPerSecond(long seed, int messages) {
        var actors = new ArrayList<ActorRef<Pass>>();
        try (var system = SimulatedSystem.create("messages", passing(actors))) {
            var picker = new Strategy.Picker(Strategy.RANDOM, new Dice(seed));
            for (int i = 0; i < TOKENS; i++) {
                actors.get(i).tell(new Pass(messages / TOKENS));
            }
            var cpu = ManagementFactory.getThreadMXBean();
            long start = cpu.getCurrentThreadCpuTime();
            long before = system.runs();
            system.stepping(() -> {
                for (var ready = system.ready(); !ready.isEmpty(); ready = system.ready()) {
                    system.run(picker.pick(ready));
                    system.advance(100);
                }
            });
            long ns = cpu.getCurrentThreadCpuTime() - start;
            return (system.runs() - before) * 1e9 / ns;
        }
    }

    private static Behavior<Void> passing(List<ActorRef<Pass>> actors) {
        return Behaviors.setup(context -> {
            for (int i = 0; i < ACTORS; i++) {
                int next = (i + 1) % ACTORS;
                actors.add(context.spawn(Behaviors.receiveMessage(pass -> {
                    if (pass.hops() > 1) {
                        actors.get(next).tell(new Pass(pass.hops() - 1));
                    }
                    return Behaviors.same();
                }), "a-" + i, Strands.root()));
            }
            return Behaviors.empty();
        });
    }

    /** Runs small schedules on one host, the oracle looking at each; returns how many messages they took. */
    public static long smallSchedules(SimulatedMachine machine, long firstSeed, int count) {
        var messages = new long[1];
        try (var schedules = new SmallSchedules(machine, null)) {
            schedules.run(firstSeed, count, ended -> {
                if (!ended.violations().isEmpty()) {
                    throw new IllegalStateException(
                            "seed " + ended.seed() + ": " + ended.violations().getFirst());
                }
                messages[0] += ended.messages();
                return true;
            });
        }
        return messages[0];
    }

    /** Runs small schedules with all that belongs to a run of the simulator; returns how many messages they took. */
    public static long wholeRuns(SimulatedMachine machine, long firstSeed, int count) {
        long before = machine.messages();
        for (long seed = firstSeed; seed < firstSeed + count; seed++) {
            var run = Simulation.free(machine,
                    Knobs.draw(seed, Scenario.SMALL, Strategy.RANDOM, Faults.NONE, null), false);
            if (!run.violations().isEmpty()) {
                throw new IllegalStateException(
                        "seed " + seed + ": " + run.violations().getFirst());
            }
        }
        return machine.messages() - before;
    }

    /**
     * Spawns five actors in a running system, passes fifty messages between them in an order drawn from the seed, and stops them;
     * returns such schedules a second of real time. What the actor system alone costs of a run.
     */
    public static double bareSchedules(long seed, int count) {
        var started = new ArrayList<ActorRef<Pass>>();
        try (var system = SimulatedSystem.create("bare", spawning(started))) {
            long startNs = System.nanoTime();
            system.stepping(() -> {
                for (int i = 0; i < count; i++) {
                    var picker = new Strategy.Picker(Strategy.RANDOM, new Dice(seed + i));
                    system.system().tell(i);
                    for (var ready = system.ready(); !ready.isEmpty(); ready = system.ready()) {
                        system.run(picker.pick(ready));
                        system.advance(100);
                    }
                }
            });
            return count * 1e9 / (System.nanoTime() - startNs);
        }
    }

    private static Behavior<Integer> spawning(List<ActorRef<Pass>> actors) {
        return Behaviors.setup(context -> Behaviors.receiveMessage(number -> {
            actors.clear();
            var _ = context.spawn(Behaviors.<Pass>setup(parent -> {
                for (int i = 0; i < BARE_ACTORS; i++) {
                    int next = (i + 1) % BARE_ACTORS;
                    actors.add(parent.spawn(Behaviors.receiveMessage(pass -> {
                        if (pass.hops() > 1) {
                            actors.get(next).tell(new Pass(pass.hops() - 1));
                        } else {
                            parent.getSelf().tell(pass);
                        }
                        return Behaviors.same();
                    }), "a-" + i));
                }
                actors.get(0).tell(new Pass(BARE_MESSAGES / 2));
                actors.get(1).tell(new Pass(BARE_MESSAGES / 2));
                var ended = new int[1];
                return Behaviors.receiveMessage(
                        _ -> ++ended[0] == 2 ? Behaviors.stopped() : Behaviors.same());
            }), "run-" + number, Strands.root());
            return Behaviors.same();
        }));
    }

    /** Lets an actor that wakes up a hundred times a second idle for so long; returns virtual by real time. */
    public static double idleSpeed(Duration virtual) {
        try (var system = SimulatedSystem.create("idle", waking())) {
            long startNs = System.nanoTime();
            long endNs = system.nowNs() + virtual.toNanos();
            system.stepping(() -> {
                while (system.nowNs() < endNs) {
                    system.fireTimer();
                    system.drain();
                }
            });
            return (double) virtual.toNanos() / (System.nanoTime() - startNs);
        }
    }

    private static Behavior<Integer> waking() {
        return Behaviors.withTimers(timers -> {
            timers.startTimerWithFixedDelay(1, Duration.ofMillis(10));
            return Behaviors.receiveMessage(_ -> Behaviors.same());
        });
    }

    /** Finds a run of a thousand events that fails with R10 switched off, and shrinks it. */
    public static Shrunk shrink(SimulatedMachine machine, long firstSeed) {
        for (long seed = firstSeed; seed < firstSeed + SEEDS_MAX; seed++) {
            var large = new Scenario("large", "", (draw, dice) -> draw.put("vms", 2)
                    .put("actions", 250).put("checkpoints", dice.between(3, 5))
                    .put("resetWeight", 0).put("crashAt", -1));
            var knobs = Knobs.draw(seed, large, Strategy.RANDOM, Faults.NONE, Rule.R10);
            var run = Simulation.free(machine, knobs, true);
            if (!run.violations().isEmpty() && run.events().size() >= EVENTS_MIN) {
                long start = System.nanoTime();
                var finding = Finding.of(machine, knobs, run.violations().getFirst());
                return new Shrunk(finding.recorded(), finding.events(), finding.tries(),
                        System.nanoTime() - start);
            }
        }
        throw new IllegalStateException("no run of " + EVENTS_MIN + " events fails");
    }
}
