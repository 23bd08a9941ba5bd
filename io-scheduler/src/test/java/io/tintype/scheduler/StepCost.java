package io.tintype.scheduler;

import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.List;
import java.util.Random;

/**
 * What a step costs: nanoseconds of this thread each, at several depths, requests ending in random order. A loop, not a
 * benchmark: it tells a factor of two, not ten per cent. Collecting garbage is not in it: a step at depth 256 leaves up to
 * 4 KiB of it. Run it with {@code java -cp io-scheduler/target/classes:io-scheduler/target/test-classes
 * io.tintype.scheduler.StepCost}.
 */
public final class StepCost {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int ROUNDS = 7;
    private static final int REQUESTS = 400_000;
    /** Every group is in every layer, so that a write never faults. */
    private static final DiskOrder.Holds ALL = (_, _) -> true;
    private static final DiskOrder.Holds NONE = (layer, _) -> layer == 0;

    private StepCost() {}

    private interface Run {
        /** Returns how many steps it took. */
        long run(int depth, Random random);
    }

    /** Prints a table. */
    public static void main(String[] args) {
        System.out.println("ns a step                       depth    1   32  128  256");
        print("DiskOrder, writes in place", (depth, random) -> writes(depth, random, ALL));
        print("DiskOrder, writes that fault", (depth, random) -> writes(depth, random, NONE));
        print("DiskOrder, reads", StepCost::reads);
        print("PendingSet, issue and land", (depth, random) -> pending(depth, random, 1, false));
        print("  with four pages each", (depth, random) -> pending(depth, random, 4, false));
        print("  with a copy and its debt", (depth, random) -> pending(depth, random, 1, true));
        print("PendingSet, stun and end", StepCost::stuns);
    }

    private static void print(String name, Run run) {
        var line = new StringBuilder(String.format("%-38s", name));
        for (int depth : new int[] {1, 32, 128, 256}) {
            double best = Double.MAX_VALUE;
            for (int round = 0; round < ROUNDS; round++) {
                long start = THREADS.getCurrentThreadCpuTime(); // others may be busy meanwhile
                long steps = run.run(depth, new Random(1));
                best = Math.min(best,
                        (double) (THREADS.getCurrentThreadCpuTime() - start) / steps);
            }
            line.append(String.format("%5.0f", best));
        }
        System.out.println(line);
    }

    private static long writes(int depth, Random random, DiskOrder.Holds holds) {
        var order = DiskOrder.of(1, 128, false, Rules.ALL_ON);
        var inFlight = new long[depth];
        long steps = 0;
        for (long ioId = 1; ioId <= REQUESTS; ioId++) {
            int slot = random.nextInt(depth);
            if (inFlight[slot] != 0) {
                long done = inFlight[slot];
                order = order.step(new DiskOrder.Input.PartDone(done, done, IoStatus.OK), holds)
                        .next();
                steps++;
            }
            inFlight[slot] = ioId;
            order = order.step(new DiskOrder.Input.Submit(ioId, IoKind.WRITE, 1, ioId * 128, 8,
                    false), holds).next();
            steps++;
        }
        return steps;
    }

    private static long reads(int depth, Random random) {
        var order = DiskOrder.of(1, 128, false, Rules.ALL_ON);
        var inFlight = new long[depth];
        long steps = 0;
        for (long ioId = 1; ioId <= REQUESTS; ioId++) {
            int slot = random.nextInt(depth);
            if (inFlight[slot] != 0) {
                order = order.step(new DiskOrder.Input.Done(inFlight[slot], IoStatus.OK), ALL)
                        .next();
                steps++;
            }
            inFlight[slot] = ioId;
            order = order.step(
                    new DiskOrder.Input.Submit(ioId, IoKind.READ, 1, ioId * 128, 8, false), ALL)
                    .next();
            steps++;
        }
        return steps;
    }

    private static long pending(int depth, Random random, int pages, boolean copies) {
        var pending = PendingSet.empty(Reissue.LANDED, Rules.ALL_ON);
        var inFlight = new long[depth];
        long steps = 0;
        for (long ioId = 1; ioId <= REQUESTS; ioId++) {
            int slot = random.nextInt(depth);
            if (inFlight[slot] != 0) {
                pending = pending.step(new PendingSet.Input.Landed(inFlight[slot], IoStatus.OK))
                        .next();
                steps++;
            }
            inFlight[slot] = ioId;
            var targets = new Target[pages];
            for (int i = 0; i < pages; i++) {
                int page = (int) ioId * 4 + i;
                targets[i] = new Target(0, page, page, 0, 4096, i * 4096L);
            }
            pending = pending.step(new PendingSet.Input.Issued(new Request(ioId, 0, IoKind.READ, 0,
                    ioId * 8, 8 * pages, List.of(targets)))).next();
            steps++;
            if (copies) {
                int page = (int) ioId * 4;
                pending = pending.step(new PendingSet.Input.Copied(0, page, page, page + 1))
                        .next();
                steps++;
            }
        }
        return steps;
    }

    private static long stuns(int depth, Random random) {
        var pending = PendingSet.empty(Reissue.LANDED, Rules.ALL_ON);
        for (int ioId = 1; ioId <= depth; ioId++) {
            pending = pending.step(new PendingSet.Input.Issued(new Request(ioId, 0, IoKind.READ, 0,
                    ioId, 1, List.of(new Target(0, ioId, ioId, 0, 512, 0))))).next();
        }
        for (int id = 1; id <= REQUESTS; id++) {
            pending = pending.step(new PendingSet.Input.Stunned(id)).next();
            pending = pending.step(new PendingSet.Input.Ended(id)).next();
        }
        return 2 * REQUESTS;
    }
}
