package io.tintype.actors.strand;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.junit.jupiter.api.Test;

/** A system in which nothing happens by itself. */
class SimulatedSystemTest {
    private final List<String> heard = new ArrayList<>();
    private final List<ActorRef<String>> actors = new ArrayList<>();

    private Behavior<String> root(String... names) {
        return Behaviors.setup(context -> {
            for (var name : names) {
                actors.add(context.spawn(listener(name), name));
            }
            return listener("root");
        });
    }

    private Behavior<String> listener(String name) {
        return Behaviors.receiveMessage(message -> {
            heard.add(name + " " + message);
            return Behaviors.same();
        });
    }

    @Test
    void shouldHandleAMessageOnlyWhenItIsRun() {
        try (var system = SimulatedSystem.create("test", root("a", "b"))) {
            actors.get(0).tell("one");
            actors.get(1).tell("two");
            assertEquals(List.of(), heard);

            system.stepping(() -> system.run(system.ready().get(1)));

            assertEquals(List.of("b two"), heard);
            assertEquals("/user/a", system.ready().getFirst().actor());
            assertEquals("one", system.ready().getFirst().message());
        }
    }

    @Test
    void shouldLetTimersGoOffInTheOrderOfTheirTimeThenOfTheirSetting() {
        var timed = Behaviors.<String>withTimers(timers -> {
            timers.startSingleTimer("x", "late", Duration.ofMillis(2));
            timers.startSingleTimer("y", "first", Duration.ofMillis(1));
            timers.startSingleTimer("z", "second", Duration.ofMillis(1));
            return listener("root");
        });
        try (var system = SimulatedSystem.create("test", timed)) {
            long start = system.nowNs();

            while (system.nextTimerNs() < Long.MAX_VALUE) {
                system.fireTimer();
                system.stepping(system::drain);
            }

            assertEquals(List.of("root first", "root second", "root late"), heard);
            assertEquals(2_000_000, system.nowNs() - start);
        }
    }

    @Test
    void shouldFailWhenAForeignThreadSendsAMessage() throws InterruptedException {
        try (var system = SimulatedSystem.create("test", root("a"))) {
            system.checkThreads();

            var thread = Thread.ofPlatform().name("stranger").start(() -> actors.get(0).tell("hi"));
            thread.join();

            var failure = assertThrows(IllegalStateException.class, system::checkThreads);
            assertTrue(String.valueOf(failure.getMessage()).contains("stranger"));
        }
    }

    @Test
    void shouldListOnlyUrgentMessagesOfAStrandThatHasSome() {
        record Hurry() implements Urgent {}
        var below = new ArrayList<ActorRef<Object>>();
        var rooted = Behaviors.<Object>setup(context -> {
            for (var name : List.of("a", "b")) {
                below.add(context.spawn(Behaviors.<Object>receiveMessage(message -> {
                    heard.add(name + " " + message.getClass().getSimpleName());
                    return Behaviors.same();
                }), name));
            }
            return Behaviors.receiveMessage(_ -> Behaviors.same());
        });
        var root = Behaviors.<String>setup(context -> {
            var _ = context.spawn(rooted, "vm", Strands.root());
            return listener("root");
        });
        try (var system = SimulatedSystem.create("test", root)) {
            below.get(0).tell("ordinary");
            below.get(1).tell(new Hurry());

            assertEquals(1, system.ready().size());
            system.stepping(system::drain);

            assertEquals(List.of("b Hurry", "a String"), heard);
        }
    }

    // They hear of it in the order of a hash of random numbers, once there are more than four.
    @Test
    void shouldEndTheActorsOfAStrandInTheOrderOfTheirNames() {
        var names = List.of("c", "a", "f", "d", "b", "e");
        var rooted = Behaviors.<Object>setup(context -> {
            for (var name : names) {
                context.watch(context.spawn(Behaviors.<Object>receiveMessage(
                        _ -> Behaviors.same()), name));
            }
            return Behaviors.receiveMessage(_ -> Behaviors.stopped());
        });
        var vms = new ArrayList<ActorRef<Object>>();
        var root = Behaviors.<String>setup(context -> {
            for (int i = 0; i < 5; i++) {
                vms.add(context.spawn(rooted, "vm-" + i, Strands.root()));
            }
            return listener("root");
        });
        try (var system = SimulatedSystem.create("test", root)) {
            for (var vm : vms) {
                vm.tell("end");

                system.stepping(() -> system.run(system.ready().getFirst()));

                var next = system.ready().stream().map(Ready::actor)
                        .map(path -> path.substring(path.lastIndexOf('/') + 1)).toList();
                assertEquals(List.of("a", "b", "c", "d", "e", "f"), next);
                system.stepping(system::drain);
            }
        }
    }
}
