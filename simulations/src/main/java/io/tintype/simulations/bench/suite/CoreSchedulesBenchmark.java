package io.tintype.simulations.bench.suite;

import io.tintype.scheduler.CheckpointPhase;
import io.tintype.scheduler.DiskOrder;
import io.tintype.scheduler.IoIds;
import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.PendingSet;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import java.util.List;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Small schedules on the pure cores: a VM with one disk issues reads and writes, a checkpoint is taken meanwhile, what is in
 * flight lands in an order that the seed chooses; about 50 inputs each.
 */
final class CoreSchedulesBenchmark implements Benchmark {
    private static final double SCHEDULES_A_SECOND_MIN = 300_000;
    private static final int GROUP_SECTORS = 128;
    private static final int REQUESTS = 9;
    private static final int REQUESTS_BEFORE_STUN = 6;

    private long inputs;

    @Override
    public String name() {
        return "core-schedules";
    }

    @Override
    public String title() {
        return "small schedules on the pure cores, one VM, one checkpoint";
    }

    @Override
    public BenchResult run(BenchContext context) {
        int warmups = context.quick() ? 1_000 : 300_000;
        int runs = context.quick() ? 1_000 : 1_000_000;
        var random = new SplittableRandom(context.seed());
        for (int i = 0; i < warmups; i++) {
            schedule(random);
        }
        inputs = 0;
        long start = System.nanoTime();
        int done = 0;
        while (done < runs && !context.cancelled()) {
            schedule(random);
            done++;
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        return done == 0
                ? new BenchResult(List.of())
                : new BenchResult(List.of(
                        Row.atLeast("schedules", SCHEDULES_A_SECOND_MIN, done / seconds, "/s"),
                        Row.shown("inputs of a schedule", (double) inputs / done, "inputs")));
    }

    private static final CheckpointPhase IDLE = CheckpointPhase.idle(new CheckpointPhase.Plan(
            new TreeSet<>(List.of(0)), PendingSet.Conflict.PUT_OFF, Rules.ALL_ON));

    /** The guest issues the same requests each time: what is measured are the steps, not the making of their inputs. */
    private static final List<PendingSet.Input.Issued> ISSUES =
            IntStream.range(0, REQUESTS).mapToObj(CoreSchedulesBenchmark::issue).toList();

    private static final List<DiskOrder.Input.Submit> SUBMITS =
            IntStream.range(0, REQUESTS).mapToObj(CoreSchedulesBenchmark::submit).toList();

    private static IoKind kind(int io) {
        return (io & 1) == 0 ? IoKind.READ : IoKind.WRITE;
    }

    private static PendingSet.Input.Issued issue(int io) {
        List<Target> targets = kind(io) == IoKind.READ
                ? List.of(new Target(0, io, io, 0, 4_096, 0))
                : List.of();
        return new PendingSet.Input.Issued(new Request(io, 0, kind(io), 0,
                (long) io * GROUP_SECTORS, 8, targets));
    }

    private static DiskOrder.Input.Submit submit(int io) {
        return new DiskOrder.Input.Submit(io, kind(io), io < REQUESTS_BEFORE_STUN ? 0 : 1,
                (long) io * GROUP_SECTORS, 8, false);
    }

    private void schedule(SplittableRandom random) {
        var pending = PendingSet.empty(PendingSet.Reissue.LANDED, Rules.ALL_ON);
        var disk = DiskOrder.of(0, GROUP_SECTORS, false, Rules.ALL_ON);
        var phase = IDLE;
        phase = told(phase, new CheckpointPhase.Input.Begin());
        phase = told(phase, new CheckpointPhase.Input.OverlayReady(0));
        var inFlight = new int[REQUESTS];
        int count = 0;
        int issued = 0;
        boolean isStunned = false;
        while (issued < REQUESTS || count > 0) {
            if (issued == REQUESTS_BEFORE_STUN && !isStunned) {
                isStunned = true;
                pending = told(pending, new PendingSet.Input.Stunned(1));
                disk = told(disk, new DiskOrder.Input.Switched(1));
                phase = told(phase,
                        new CheckpointPhase.Input.Resumed(1_000, pending.pendingOf(1)));
                pending = told(pending, new PendingSet.Input.Copied(0, 0, 0, 100));
            }
            if (issued < REQUESTS && (count == 0 || random.nextInt(3) > 0)) {
                int io = issued++;
                pending = told(pending, ISSUES.get(io));
                disk = told(disk, SUBMITS.get(io));
                inFlight[count++] = io;
                continue;
            }
            int at = random.nextInt(count);
            int io = inFlight[at];
            inFlight[at] = inFlight[--count];
            disk = told(disk, (io & 1) == 0
                    ? new DiskOrder.Input.Done(io, IoStatus.OK)
                    : new DiskOrder.Input.PartDone(io, io, IoStatus.OK));
            pending = told(pending, new PendingSet.Input.Landed(io, IoStatus.OK));
            if (isStunned && io < REQUESTS_BEFORE_STUN) {
                phase = told(phase, new CheckpointPhase.Input.IoSettled(io, IoStatus.OK));
            }
        }
        phase = told(phase, new CheckpointPhase.Input.PagesSaved());
        phase = told(phase, new CheckpointPhase.Input.LatePagesSaved());
        phase = told(phase, new CheckpointPhase.Input.ChainSynced());
        phase = told(phase, new CheckpointPhase.Input.ManifestWritten());
        if (!(phase instanceof CheckpointPhase.Sealed) || pending.size() != 0
                || !pending.pendingOf(1).equals(IoIds.NONE) || disk.pending() != 0) {
            throw new IllegalStateException("the schedule did not end: " + phase);
        }
    }

    private CheckpointPhase told(CheckpointPhase phase, CheckpointPhase.Input input) {
        inputs++;
        return CheckpointPhase.step(phase, input).next();
    }

    private PendingSet told(PendingSet pending, PendingSet.Input input) {
        inputs++;
        return pending.step(input).next();
    }

    private DiskOrder told(DiskOrder disk, DiskOrder.Input input) {
        inputs++;
        // New layers hold nothing: each write to one is a fault.
        return disk.step(input, (layer, _) -> layer == 0).next();
    }
}
