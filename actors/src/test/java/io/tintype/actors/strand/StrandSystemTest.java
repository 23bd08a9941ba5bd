package io.tintype.actors.strand;

import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Function;
import org.apache.pekko.actor.testkit.typed.javadsl.TestProbe;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.SupervisorStrategy;
import org.apache.pekko.actor.typed.Terminated;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Strands under Pekko's actors. */
@Timeout(120)
class StrandSystemTest {
    /** What the actors of these tests do is what they are told to. */
    private sealed interface Command {}

    private record Do(Consumer<ActorContext<Command>> what) implements Command {}

    private record DoAtOnce(Consumer<ActorContext<Command>> what) implements Command, Urgent {}

    private record Asked(String question, ActorRef<String> replyTo) implements Command {}

    private record Hurry(String word) implements Urgent {}

    private final ActorSystem<Command> system = StrandSystem.create("strands-test", obedient(),
            StrandOptions.defaults().withThreadCount(4));

    @AfterEach
    void terminate() throws Exception {
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    @Test
    void shouldPutAllActorsBelowARootOnItsStrand() {
        var vm = spawn(system, "vm-1", Strands.root());
        var disk = spawn(vm, "disk", Props.empty());
        var request = spawn(disk, "request", Props.empty());

        var strand = Objects.requireNonNull(Strands.of(vm));
        assertEquals("vm-1", strand.name());
        assertTrue(strand.isRoot());
        assertSame(strand, Strands.of(disk));
        assertSame(strand, Strands.of(request));
        assertSame(strand, ask(request, _ -> Strands.current()));
    }

    @Test
    void shouldPutOtherActorsOnStrandsOfTheirOwn() {
        var vm = spawn(system, "vm-1", Strands.root());
        var store = spawn(system, "store", Props.empty());
        var writer = spawn(store, "writer", Props.empty());
        var nested = spawn(vm, "nested", Strands.root());

        var strands = List.of(vm, store, writer, nested, system).stream().map(Strands::of).toList();

        assertEquals(5, strands.stream().distinct().count());
        assertFalse(Objects.requireNonNull(Strands.of(writer)).isRoot());
    }

    @Test
    void shouldRunBlockingActorsBesideTheirStrand() throws Exception {
        var vm = spawn(system, "vm-1", Strands.root());
        var saver = spawn(vm, "saver", Strands.blocking());
        var helper = spawn(saver, "helper", Props.empty());
        var saving = new CountDownLatch(1);
        var saved = new CountDownLatch(1);

        saver.tell(new Do(_ -> {
            assertNull(Strands.current());
            saving.countDown();
            awaitUnchecked(saved);
        }));
        assertTrue(saving.await(30, TimeUnit.SECONDS));
        var whileSaving = ask(vm, _ -> Strands.current());
        saved.countDown();

        assertSame(Strands.of(vm), whileSaving);
        assertSame(Strands.of(vm), ask(helper, _ -> Strands.current()));
    }

    @Test
    void shouldNeverRunTwoActorsOfAVmAtOnceNorLoseAMessage() throws Exception {
        int vms = 3;
        int actorsEach = 5;
        int senders = 4;
        int messagesEach = 20_000;
        var overlaps = new AtomicInteger();
        var left = new CountDownLatch(senders * messagesEach * 2);
        var inside = new AtomicInteger[vms];
        var counts = new long[vms * 16];
        List<List<ActorRef<Command>>> all = new ArrayList<>();
        for (int vm = 0; vm < vms; vm++) {
            inside[vm] = new AtomicInteger();
            var root = spawn(system, "vm-" + vm, Strands.root());
            List<ActorRef<Command>> actors = new ArrayList<>(List.of(root));
            for (int i = 1; i < actorsEach; i++) {
                actors.add(spawn(root, "child-" + i, Props.empty()));
            }
            all.add(actors);
        }

        var sending = new Thread[senders];
        for (int sender = 0; sender < senders; sender++) {
            int first = sender;
            sending[sender] = new Thread(() -> {
                for (int i = 0; i < messagesEach; i++) {
                    int vm = (first + i) % vms;
                    var actors = all.get(vm);
                    Consumer<ActorContext<Command>> work = _ -> {
                        if (inside[vm].getAndIncrement() != 0) {
                            overlaps.incrementAndGet();
                        }
                        counts[vm * 16]++;
                        inside[vm].decrementAndGet();
                        left.countDown();
                    };
                    var next = actors.get((i * 7 + 3) % actorsEach);
                    Consumer<ActorContext<Command>> workAndPassOn = context -> {
                        work.accept(context);
                        next.tell(new Do(work));
                    };
                    var to = actors.get(i % actorsEach);
                    to.tell(i % 5 == 0 ? new DoAtOnce(workAndPassOn) : new Do(workAndPassOn));
                }
            });
            sending[sender].start();
        }
        for (var thread : sending) {
            thread.join();
        }

        assertTrue(left.await(60, TimeUnit.SECONDS), left::toString);
        assertEquals(0, overlaps.get());
        assertEquals(2L * senders * messagesEach, counts[0] + counts[16] + counts[32]);
    }

    @Test
    void shouldLetUrgentMessagesOvertakeInTheirMailbox() {
        var vm = spawn(system, "vm-1", Strands.root());
        var order = new ConcurrentLinkedQueue<String>();
        var release = block(vm);

        vm.tell(new Do(_ -> order.add("ordinary 1")));
        vm.tell(new Do(_ -> order.add("ordinary 2")));
        vm.tell(new DoAtOnce(_ -> order.add("urgent 1")));
        vm.tell(new DoAtOnce(_ -> order.add("urgent 2")));
        release.countDown();

        await().until(() -> order.size() == 4);
        assertEquals(List.of("urgent 1", "urgent 2", "ordinary 1", "ordinary 2"),
                List.copyOf(order));
    }

    @Test
    void shouldLetAMailboxWithUrgentMessagesOvertakeInItsStrand() {
        var vm = spawn(system, "vm-1", Strands.root());
        var disk = spawn(vm, "disk", Props.empty());
        var memory = spawn(vm, "memory", Props.empty());
        var order = new ConcurrentLinkedQueue<String>();
        var release = block(vm);

        disk.tell(new Do(_ -> order.add("disk")));
        memory.tell(new Do(_ -> order.add("memory 1")));
        memory.tell(new DoAtOnce(_ -> order.add("memory, urgent")));
        release.countDown();

        await().until(() -> order.size() == 3);
        assertEquals(List.of("memory, urgent", "disk", "memory 1"), List.copyOf(order));
    }

    @Test
    void shouldLetUrgentMessagesOvertakeAlsoWhenTheStrandTellsItself() {
        var vm = spawn(system, "vm-1", Strands.root());
        var disk = spawn(vm, "disk", Props.empty());
        var memory = spawn(vm, "memory", Props.empty());
        var order = new ConcurrentLinkedQueue<String>();

        vm.tell(new Do(_ -> {
            disk.tell(new Do(_ -> order.add("disk")));
            memory.tell(new Do(_ -> order.add("memory 1")));
            memory.tell(new DoAtOnce(_ -> order.add("memory, urgent")));
        }));

        await().until(() -> order.size() == 3);
        assertEquals(List.of("memory, urgent", "disk", "memory 1"), List.copyOf(order));
    }

    @Test
    void shouldTakeAMessageForUrgentThatAnAdapterPassesOn() {
        var vm = spawn(system, "vm-1", Strands.root());
        var order = new ConcurrentLinkedQueue<String>();
        ActorRef<Hurry> adapter = ask(vm, context -> context.messageAdapter(Hurry.class,
                hurry -> new Do(_ -> order.add(hurry.word()))));
        var release = block(vm);

        vm.tell(new Do(_ -> order.add("ordinary")));
        adapter.tell(new Hurry("urgent"));
        release.countDown();

        await().until(() -> order.size() == 2);
        assertEquals(List.of("urgent", "ordinary"), List.copyOf(order));
    }

    @Test
    void shouldAnswerAsksAndTimersAsUsual() {
        var vm = spawn(system, "vm-1", Strands.root());
        var disk = spawn(vm, "disk", Props.empty());
        var probe = TestProbe.<String>create(system);

        vm.tell(new Do(context -> context.ask(String.class, disk, Duration.ofSeconds(30),
                (ActorRef<String> replyTo) -> new Asked("how are you", replyTo),
                (answer, _) -> new Do(_ -> probe.ref().tell(answer)))));
        probe.expectMessage(Duration.ofSeconds(30), "how are you?");

        vm.tell(new Do(context -> context.scheduleOnce(Duration.ofMillis(1), probe.ref(), "tick")));
        probe.expectMessage(Duration.ofSeconds(30), "tick");

        vm.tell(new Do(context -> context.pipeToSelf(CompletableFuture.supplyAsync(() -> "done"),
                (done, _) -> new Do(_ -> probe.ref().tell(done)))));
        probe.expectMessage(Duration.ofSeconds(30), "done");
    }

    @Test
    void shouldHoldATurnOnARootedStrandOnly() {
        var vm = spawn(system, "vm-1", Strands.root());
        var disk = spawn(vm, "disk", Props.empty());
        var alone = spawn(system, "alone", Props.empty());

        boolean isHeld = ask(vm, _ -> Strands.holdTurn());
        var queue = ask(disk, _ -> Objects.requireNonNull(Strands.current()).queue());
        boolean wasHeldOnDisk = ask(disk, _ -> queue.isHeld());
        boolean isHeldAfterEnd = ask(disk, _ -> {
            Strands.endHold();
            return queue.isHeld();
        });

        assertTrue(isHeld);
        assertTrue(wasHeldOnDisk);
        assertFalse(isHeldAfterEnd);
        assertThrows(IllegalStateException.class, () -> ask(alone, _ -> Strands.holdTurn()));
        assertFalse(Strands.holdTurn());
    }

    @Test
    void shouldGoOnAfterAnActorFailed() throws Exception {
        var vm = spawn(system, "vm-1", Strands.root());
        Behavior<Command> restarting = Behaviors.supervise(obedient())
                .onFailure(SupervisorStrategy.restart().withLoggingEnabled(false));
        ActorRef<Command> disk = ask(vm, context -> context.spawn(restarting, "disk"));

        disk.tell(new Do(_ -> {
            throw new IllegalStateException("injected");
        }));

        assertEquals("still here", ask(disk, _ -> "still here"));
        assertSame(Strands.of(vm), ask(disk, _ -> Strands.current()));
    }

    @Test
    void shouldForgetEveryStrandOfTenThousandVmsThatStopped() throws Exception {
        int vms = 10_000;
        List<WeakReference<Strand>> strands = new ArrayList<>(vms);
        var stopped = new CountDownLatch(vms);
        // Each VM has one child, stops when told to, and its parent hears of it.
        Behavior<Command> host = Behaviors.setup(context -> Behaviors.receive(Command.class)
                .onMessage(Do.class, command -> {
                    command.what().accept(context);
                    return Behaviors.same();
                })
                .onSignal(Terminated.class, _ -> {
                    stopped.countDown();
                    return Behaviors.same();
                })
                .build());
        ActorRef<Command> parent = ask(system, context -> context.spawn(host, "host"));
        List<ActorRef<Command>> refs = ask(parent, context -> {
            List<ActorRef<Command>> spawned = new ArrayList<>();
            for (int i = 0; i < vms; i++) {
                var vm = context.spawn(obedient(), "vm-" + i, Strands.root());
                context.watch(vm);
                vm.tell(new Do(inVm -> inVm.spawn(obedient(), "disk").tell(new Do(_ -> {}))));
                spawned.add(vm);
            }
            return spawned;
        });
        for (var ref : refs) {
            strands.add(new WeakReference<>(Objects.requireNonNull(Strands.of(ref))));
        }

        ask(parent, context -> {
            refs.forEach(context::stop);
            return "stopping";
        });

        assertTrue(stopped.await(60, TimeUnit.SECONDS), stopped::toString);
        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> {
            System.gc();
            assertEquals(0, strands.stream().filter(strand -> strand.get() != null).count());
        });
        assertNull(Strands.of(refs.getFirst()));
    }

    @Test
    void shouldGiveAVmAFreshStrandWhenItsNameIsUsedAgain() throws Exception {
        var first = spawn(system, "vm-1", Strands.root());
        var before = Objects.requireNonNull(Strands.of(first));
        var probe = TestProbe.<String>create(system);

        ask(system, context -> {
            context.stop(first);
            return "stopping";
        });
        probe.expectTerminated(first, Duration.ofSeconds(30));
        var second = spawn(system, "vm-1", Strands.root());

        assertNotSame(before, Strands.of(second));
        assertEquals("alive", ask(second, _ -> "alive"));
    }

    @Test
    void shouldLeaveNoThreadBehindAfterTermination() throws Exception {
        for (int i = 0; i < 5; i++) {
            ActorSystem<Command> brief =
                    StrandSystem.create("brief-" + i, obedient(), StrandOptions.defaults());
            var vm = spawn(brief, "vm-1", Strands.root());
            ask(spawn(vm, "saver", Strands.blocking()), _ -> "saved");

            brief.terminate();
            brief.getWhenTerminated().toCompletableFuture().get(30, TimeUnit.SECONDS);
        }

        await().atMost(Duration.ofSeconds(30)).untilAsserted(() -> assertEquals(List.of(),
                Thread.getAllStackTraces().keySet().stream()
                        .map(Thread::getName)
                        .filter(name -> name.startsWith("brief-"))
                        .toList()));
    }

    @Test
    void shouldTerminateWhileVmsAreBusy() throws Exception {
        ActorSystem<Command> busy =
                StrandSystem.create("busy", obedient(), StrandOptions.defaults());
        for (int i = 0; i < 16; i++) {
            var vm = spawn(busy, "vm-" + i, Strands.root());
            vm.tell(new Do(StrandSystemTest::goOnForEver));
        }

        busy.terminate();

        assertNotNull(busy.getWhenTerminated().toCompletableFuture().get(30, TimeUnit.SECONDS));
    }

    @Test
    void shouldRefuseOptionsThatCannotWork() {
        var refused = assertThrows(IllegalArgumentException.class,
                () -> StrandOptions.defaults().withThreadCount(0));

        assertEquals("threadCount must be at least 1, got 0", refused.getMessage());
        assertThrows(IllegalArgumentException.class,
                () -> StrandOptions.defaults().withBudgetNs(-1));
        assertThrows(IllegalArgumentException.class,
                () -> StrandOptions.defaults().withBlockingThreadCount(0));
    }

    private static void goOnForEver(ActorContext<Command> context) {
        context.getSelf().tell(new Do(StrandSystemTest::goOnForEver));
    }

    private static Behavior<Command> obedient() {
        return Behaviors.receive((context, command) -> {
            switch (command) {
                case Do(var what) -> what.accept(context);
                case DoAtOnce(var what) -> what.accept(context);
                case Asked(var question, var replyTo) -> replyTo.tell(question + "?");
            }
            return Behaviors.same();
        });
    }

    /** Lets the actor's strand wait in the middle of a message until the answer is counted down. */
    private static CountDownLatch block(ActorRef<Command> actor) {
        var blocked = new CountDownLatch(1);
        var release = new CountDownLatch(1);
        actor.tell(new Do(_ -> {
            blocked.countDown();
            awaitUnchecked(release);
        }));
        awaitUnchecked(blocked);
        return release;
    }

    private static ActorRef<Command> spawn(ActorRef<Command> parent, String name, Props props) {
        return ask(parent, context -> context.spawn(obedient(), name, props));
    }

    /** What {@code question} answers within the actor; what it throws is thrown, the actor goes on. */
    private static <T extends @Nullable Object> T ask(ActorRef<Command> actor,
            Function<ActorContext<Command>, T> question) {
        var answer = new CompletableFuture<T>();
        actor.tell(new Do(context -> {
            try {
                answer.complete(question.apply(context));
            } catch (RuntimeException e) {
                answer.completeExceptionally(e);
            }
        }));
        try {
            return answer.get(60, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException thrown
                    ? thrown
                    : new IllegalStateException(e);
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private static void awaitUnchecked(CountDownLatch latch) {
        try {
            assertTrue(latch.await(30, TimeUnit.SECONDS));
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
