package io.tintype.actors.strand;

import com.sun.management.OperatingSystemMXBean;
import com.typesafe.config.ConfigFactory;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import org.apache.pekko.actor.typed.ActorRef;
import org.apache.pekko.actor.typed.ActorSystem;
import org.apache.pekko.actor.typed.Behavior;
import org.apache.pekko.actor.typed.Props;
import org.apache.pekko.actor.typed.javadsl.ActorContext;
import org.apache.pekko.actor.typed.javadsl.Behaviors;

/**
 * What strands cost, as a program: start-up, the handshake of a stun among busy VMs, fairness, an actor for each request,
 * waking, idling, termination. Prints one line each. It shares the machine with whatever else runs, so compare figures of
 * one run only.
 *
 * <p>The handshake is that of a stun without the work: stop, tell two children to freeze, resume when both have answered.
 */
final class StrandBench {
    private static final int VM_COUNT = 64;
    private static final long SLICE_NS = 100_000;
    private static final long SPAWNING_MAX_NS = 60_000_000_000L;

    private StrandBench() {}

    private sealed interface Command {}

    private record Slice() implements Command {}

    private record Stop(CompletableFuture<Long> stunNs) implements Command, Urgent {}

    private record Freeze(ActorRef<Command> replyTo) implements Command {}

    private record Frozen() implements Command {}

    private record Ask(Function<ActorContext<Command>, ActorRef<Command>> what,
            CompletableFuture<ActorRef<Command>> answer) implements Command {}

    private record Request(ActorRef<Command> replyTo) implements Command {}

    private record RequestDone(ActorRef<Command> request) implements Command {}

    private record Ping(CompletableFuture<Long> receivedNs) implements Command {}

    public static void main(String[] arguments) throws Exception {
        startup();
        if (List.of(arguments).contains("startup")) {
            return;
        }
        for (int round = 1; round <= 2; round++) {
            System.out.println("round " + round + (round == 1 ? ", warming up" : ""));
            handshake("handshake, 1 busy VM", 1, 3_000);
            handshake("handshake, " + VM_COUNT + " busy VMs", VM_COUNT, 2_000);
            fairness(TimeUnit.SECONDS.toNanos(round == 1 ? 1 : 5));
            for (int parents : new int[] {1, 4, 16}) {
                spawnRate("strands", start(), Strands.root(), parents, 400_000);
                spawnRate("Pekko's defaults", startPlain(), Props.empty(), parents, 400_000);
            }
            wakeUp();
        }
        idle();
    }

    private static void startup() throws Exception {
        for (int i = 0; i < 3; i++) {
            long startCpuNs = processCpuNs();
            long startNs = System.nanoTime();
            var system = start();
            ask(system, context -> context.spawn(vm(new long[1], 0, 0), "vm-0", Strands.root()));
            long startedNs = System.nanoTime();
            long cpuNs = processCpuNs() - startCpuNs;
            long takenNs = terminate(system);
            System.out.printf(Locale.ROOT,
                    "start-up %s: %.0f ms (%.0f ms of CPU), termination %.0f ms%n",
                    i == 0 ? "cold" : "warm", (startedNs - startNs) / 1e6, cpuNs / 1e6,
                    takenNs / 1e6);
        }
    }

    private static void handshake(String name, int vmCount, int count) throws Exception {
        var system = start();
        var slices = new long[vmCount * 16];
        var vms = busyVms(system, vmCount, slices);
        var stunNs = new long[count];
        for (int i = 0; i < count; i++) {
            var done = new CompletableFuture<Long>();
            vms.get(i % vmCount).tell(new Stop(done));
            stunNs[i] = done.get(30, TimeUnit.SECONDS);
        }
        terminate(system);
        Arrays.sort(stunNs);
        System.out.printf(Locale.ROOT, "%s: p50 %.1f µs, p90 %.1f µs, p99 %.1f µs, max %.0f µs%n",
                name,
                stunNs[count / 2] / 1e3, stunNs[count * 9 / 10] / 1e3,
                stunNs[count * 99 / 100] / 1e3,
                stunNs[count - 1] / 1e3);
    }

    private static void fairness(long forNs) throws Exception {
        var system = start();
        var slices = new long[VM_COUNT * 16];
        var vms = busyVms(system, VM_COUNT, slices);
        var before = counts(slices);
        LockSupport.parkNanos(forNs);
        var after = counts(slices);
        var ran = new long[VM_COUNT];
        for (int vm = 0; vm < VM_COUNT; vm++) {
            ran[vm] = after[vm] - before[vm];
        }
        var stats = vms.stream().map(vm -> Objects.requireNonNull(Strands.of(vm)).stats()).toList();
        terminate(system);
        long least = Arrays.stream(ran).min().orElseThrow();
        long most = Arrays.stream(ran).max().orElseThrow();
        long ranNs = stats.stream().mapToLong(StrandStats::ranNs).sum();
        long turns = stats.stream().mapToLong(StrandStats::turns).sum();
        System.out.printf(Locale.ROOT,
                "fairness, %d busy VMs, %.0f s: %d to %d slices each, %.3f×, a turn lasts %.0f µs%n",
                VM_COUNT, forNs / 1e9, least, most, (double) most / least, ranNs / 1e3 / turns);
    }

    /** Spawn an actor, send it a message, get one, while it stops; 32 at a time for each parent. */
    private static void spawnRate(String name, ActorSystem<Command> system, Props props,
            int parentCount,
            int count) throws Exception {
        int depth = 32;
        List<ActorRef<Command>> parents = new ArrayList<>();
        var finished = new CountDownLatch(parentCount);
        for (int i = 0; i < parentCount; i++) {
            String vm = "vm-" + i;
            Behavior<Command> parent = Behaviors.setup(context -> new Parent(context, depth,
                    count / parentCount, finished).behavior());
            parents.add(ask(system, context -> context.spawn(parent, vm, props)));
        }
        long startCpuNs = processCpuNs();
        long startNs = System.nanoTime();
        parents.forEach(parent -> parent.tell(new Slice()));
        if (!finished.await(SPAWNING_MAX_NS, TimeUnit.NANOSECONDS)) {
            throw new IllegalStateException("no end of spawning");
        }
        long takenNs = System.nanoTime() - startNs;
        long cpuNs = processCpuNs() - startCpuNs;
        terminate(system);
        System.out.printf(Locale.ROOT,
                "spawn, message each way, stop, %d parents, %s: %,.0f/s, %.2f µs of CPU each%n",
                parentCount,
                name, count * 1e9 / takenNs, cpuNs / 1e3 / count);
    }

    private static long processCpuNs() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    /** From a tell on a foreign thread to the message's handling, all strands resting and all threads parked. */
    private static void wakeUp() throws Exception {
        var system = start();
        var vm = ask(system,
                context -> context.spawn(vm(new long[1], 0, 0), "vm-0", Strands.root()));
        int count = 500;
        var takenNs = new long[count];
        for (int i = 0; i < count; i++) {
            LockSupport.parkNanos(300_000);
            var received = new CompletableFuture<Long>();
            long sentNs = System.nanoTime();
            vm.tell(new Ping(received));
            takenNs[i] = received.get(30, TimeUnit.SECONDS) - sentNs;
        }
        terminate(system);
        Arrays.sort(takenNs);
        System.out.printf(Locale.ROOT, "wake-up of a parked thread: p50 %.1f µs, p99 %.1f µs%n",
                takenNs[count / 2] / 1e3,
                takenNs[count * 99 / 100] / 1e3);
    }

    private static void idle() throws Exception {
        var system = start();
        for (int i = 0; i < VM_COUNT; i++) {
            String name = "vm-" + i;
            ask(system, context -> context.spawn(vm(new long[1], 0, 0), name, Strands.root()));
        }
        LockSupport.parkNanos(200_000_000);
        var threads = ManagementFactory.getThreadMXBean();
        long forNs = 3_000_000_000L;
        long strandsNs = 0;
        long othersNs = 0;
        for (boolean isEnd : new boolean[] {false, true}) {
            int sign = isEnd ? 1 : -1;
            for (var thread : Thread.getAllStackTraces().keySet()) {
                long cpuNs = threads.getThreadCpuTime(thread.threadId());
                if (thread.getName().startsWith("bench-strands")) {
                    strandsNs += sign * cpuNs;
                } else if (thread.getName().startsWith("bench-")) {
                    othersNs += sign * cpuNs;
                }
            }
            if (!isEnd) {
                LockSupport.parkNanos(forNs);
            }
        }
        terminate(system);
        System.out.printf(Locale.ROOT,
                "idle, %d VMs: strand threads %.2f %% of a core, timer and others %.2f %%%n",
                VM_COUNT, strandsNs * 100.0 / forNs, othersNs * 100.0 / forNs);
    }

    private static final class Parent {
        private final ActorContext<Command> context;
        private final CountDownLatch finished;
        private final int depth;
        private int toSpawn;
        private int toEnd;

        Parent(ActorContext<Command> context, int depth, int count, CountDownLatch finished) {
            this.context = context;
            this.depth = depth;
            this.toSpawn = count;
            this.toEnd = count;
            this.finished = finished;
        }

        Behavior<Command> behavior() {
            return Behaviors.receive(Command.class)
                    .onMessage(Slice.class, _ -> {
                        for (int i = 0; i < depth; i++) {
                            spawn();
                        }
                        return Behaviors.same();
                    })
                    .onMessage(RequestDone.class, _ -> {
                        if (--toEnd == 0) {
                            finished.countDown();
                        }
                        spawn();
                        return Behaviors.same();
                    })
                    .build();
        }

        private void spawn() {
            if (toSpawn-- > 0) {
                var request = context.spawnAnonymous(REQUEST);
                request.tell(new Request(context.getSelf()));
            }
        }
    }

    private static final Behavior<Command> REQUEST = Behaviors.receive((context, command) -> {
        if (command instanceof Request(var replyTo)) {
            replyTo.tell(new RequestDone(context.getSelf()));
        }
        return Behaviors.stopped();
    });

    private static List<ActorRef<Command>> busyVms(ActorSystem<Command> system, int count,
            long[] slices)
            throws Exception {
        List<ActorRef<Command>> vms = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int index = i;
            vms.add(ask(system,
                    context -> context.spawn(vm(slices, index * 16, SLICE_NS), "vm-" + index,
                            Strands.root())));
        }
        vms.forEach(vm -> vm.tell(new Slice()));
        LockSupport.parkNanos(200_000_000);
        return vms;
    }

    private static long[] counts(long[] slices) {
        var counts = new long[slices.length / 16];
        for (int i = 0; i < counts.length; i++) {
            counts[i] = slices[i * 16];
        }
        return counts;
    }

    /** A VM with two children; {@code slices[at]} counts its slices. */
    private static Behavior<Command> vm(long[] slices, int at, long sliceNs) {
        return Behaviors.setup(context -> {
            var region = context.spawn(CHILD, "region");
            var disk = context.spawn(CHILD, "disk");
            return Behaviors.receive(
                    new VmMessages(context, region, disk, slices, at, sliceNs)::onMessage,
                    (_, _) -> Behaviors.same());
        });
    }

    private static final Behavior<Command> CHILD = Behaviors.receiveMessage(command -> {
        if (command instanceof Freeze(var replyTo)) {
            replyTo.tell(new Frozen());
        }
        return Behaviors.same();
    });

    private static final class VmMessages {
        private final ActorContext<Command> context;
        private final ActorRef<Command> region;
        private final ActorRef<Command> disk;
        private final long[] slices;
        private final int at;
        private final long sliceNs;
        private CompletableFuture<Long> stun = new CompletableFuture<>();
        private int answersMissing;
        private long stoppedNs;

        VmMessages(ActorContext<Command> context, ActorRef<Command> region, ActorRef<Command> disk,
                long[] slices, int at, long sliceNs) {
            this.context = context;
            this.region = region;
            this.disk = disk;
            this.slices = slices;
            this.at = at;
            this.sliceNs = sliceNs;
        }

        Behavior<Command> onMessage(ActorContext<Command> unused, Command command) {
            switch (command) {
                case Slice slice -> {
                    if (answersMissing == 0) {
                        long endNs = System.nanoTime() + sliceNs;
                        while (System.nanoTime() - endNs < 0) {
                            Thread.onSpinWait();
                        }
                        slices[at]++;
                        context.getSelf().tell(slice);
                    }
                }
                case Stop(var done) -> {
                    stoppedNs = System.nanoTime();
                    Strands.holdTurn();
                    stun = done;
                    answersMissing = 2;
                    region.tell(new Freeze(context.getSelf()));
                    disk.tell(new Freeze(context.getSelf()));
                }
                case Frozen _ -> {
                    if (--answersMissing == 0) {
                        Strands.endHold();
                        long ns = System.nanoTime() - stoppedNs;
                        context.getSelf().tell(new Slice());
                        stun.complete(ns);
                    }
                }
                case Ping(var received) -> received.complete(System.nanoTime());
                case Freeze _,Ask _,Request _,RequestDone _ ->
                    throw new IllegalStateException("a VM got " + command);
            }
            return Behaviors.same();
        }
    }

    private static final Behavior<Command> HOST = Behaviors.receive((context, command) -> {
        if (command instanceof Ask(var what, var answer)) {
            answer.complete(what.apply(context));
        }
        return Behaviors.same();
    });

    private static ActorSystem<Command> start() {
        return StrandSystem.create("bench", HOST, StrandOptions.defaults());
    }

    private static ActorSystem<Command> startPlain() {
        return ActorSystem.create(HOST, "plain", ConfigFactory.defaultReference());
    }

    private static long terminate(ActorSystem<Command> system) throws Exception {
        long startNs = System.nanoTime();
        system.terminate();
        system.getWhenTerminated().toCompletableFuture().get(30, TimeUnit.SECONDS);
        return System.nanoTime() - startNs;
    }

    private static ActorRef<Command> ask(ActorRef<Command> host,
            Function<ActorContext<Command>, ActorRef<Command>> what) throws Exception {
        var answer = new CompletableFuture<ActorRef<Command>>();
        host.tell(new Ask(what, answer));
        return answer.get(30, TimeUnit.SECONDS);
    }
}
