package io.tintype.simulations.run;

import io.tintype.catalogue.JournalPlace;
import io.tintype.simulations.run.CutStory.DelayedWrite;
import io.tintype.simulations.run.CutStory.Request;
import io.tintype.simulations.run.RunResult.ChainFigures;
import io.tintype.simulations.run.RunResult.Checkpoint;
import io.tintype.simulations.run.RunResult.Checkpoints;
import io.tintype.simulations.run.RunResult.Ended;
import io.tintype.simulations.run.RunResult.Faults;
import io.tintype.simulations.run.RunResult.GuestSpeed;
import io.tintype.simulations.run.RunResult.Io;
import io.tintype.simulations.run.RunResult.MemoryFigures;
import io.tintype.simulations.run.RunResult.Options;
import io.tintype.simulations.run.RunResult.PendingAtStun;
import io.tintype.simulations.run.RunResult.Reads;
import io.tintype.simulations.run.RunResult.SpaceFigures;
import io.tintype.simulations.run.RunResult.State;
import io.tintype.simulations.run.RunResult.StoreFigures;
import io.tintype.simulations.run.RunResult.Versions;
import io.tintype.simulations.run.RunResult.Violation;
import io.tintype.simulations.run.RunResult.Writes;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Results without a run, all from one seed, for tests of what shows them. */
public final class MadeUpRun {
    private static final long SECOND_NS = 1_000_000_000L;
    private static final Versions VERSIONS =
            new Versions("0.1.0-SNAPSHOT", "25.0.3", "Linux 6.12 amd64", 2, 24L << 30);

    private MadeUpRun() {}

    /** The options that {@code tintype run --seed 42 --store checkpoints} stands for. */
    public static RunOptions options() {
        return new RunOptions(64, 64L << 20, 1, 256L << 20, 16, 20_000, GuestKind.SYNTHETIC, null,
                1,
                Duration.ofSeconds(1), Duration.ofSeconds(20), ReissuePolicy.LANDED,
                ConflictPolicy.PUT_OFF,
                Path.of("checkpoints"), false, 2, 42, DiskPolicy.POINTER,
                new JournalPlace.Embedded());
    }

    /** {@code checkpoints} of them over 20 seconds; every 97th was aborted. */
    public static RunResult of(int checkpoints, boolean isViolated, boolean isInterrupted) {
        var random = new Random(7);
        var stuns = new StunStats();
        var list = new ArrayList<Checkpoint>();
        long pendingSum = 0;
        int pendingMax = 0;
        for (int i = 0; i < checkpoints; i++) {
            var isAborted = i % 97 == 96;
            var hasInstant = !isAborted || i % 2 == 0;
            var stunNs = (long) (18_000 * Math.exp(random.nextGaussian() * 0.35)
                    * (random.nextInt(60) == 0 ? 6 : 1) * (random.nextInt(400) == 0 ? 20 : 1));
            var pending = 8 + random.nextInt(9);
            if (hasInstant) {
                stuns.record(stunNs);
                pendingSum += pending;
                pendingMax = Math.max(pendingMax, pending);
            }
            var isBad = isViolated && i == 5;
            list.add(new Checkpoint(
                    "vm-" + i % 64,
                    i / 64 + 1L,
                    20.0 * i / checkpoints,
                    isAborted ? State.ABORTED : State.SEALED,
                    isAborted
                            ? hasInstant
                                    ? "deadline of 10 s: request 4711 of disk 0 never completed"
                                    : "no space left on device: overlay of disk 0"
                            : null,
                    hasInstant ? stunNs / 1e3 : null,
                    isAborted ? null : 0.05 + random.nextDouble() * 0.3,
                    0,
                    hasInstant ? pending : 0,
                    random.nextInt(4),
                    random.nextInt(3),
                    isAborted ? 0 : (20L + random.nextInt(20)) << 20,
                    isAborted ? 0 : (20L + random.nextInt(20)) << 20,
                    !isAborted,
                    isBad ? 2 : 0));
        }
        long aborted = list.stream().filter(each -> each.state() == State.ABORTED).count();
        var sampler =
                new SeriesSampler(0, new SeriesSampler.Counters(0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                        new SeriesSampler.Gauges(90L << 30, 0, 0)));
        long io = 0;
        long events = 0;
        long faults = 0;
        long disk = 0;
        long reissued = 0;
        long delayed = 0;
        long bytes = 0;
        for (int i = 1; i <= 200 && checkpoints > 0; i++) {
            var wave = 1 + 0.1 * Math.sin(i / 9.0) + random.nextGaussian() * 0.04;
            io += (long) (20_400 * wave);
            events += (long) (141_000 * wave);
            faults += (long) (30_000 * wave * (1.2 + Math.sin(i / 3.0)));
            disk += (long) (900 * (1.1 + Math.sin(i / 5.0)));
            reissued += random.nextInt(12);
            delayed += random.nextInt(5);
            bytes += (long) (61e6 * wave);
            sampler.read(i * SECOND_NS / 10, new SeriesSampler.Counters(
                    io, events, faults, disk, reissued, delayed, bytes, 1_000_000 + i * 10L,
                    (long) (60_000 * (1.3 + Math.sin(i / 4.0))), 3,
                    new SeriesSampler.Gauges((90L << 30) - bytes, bytes / 3, 2 + i % 5)));
        }
        var violations = isViolated
                ? List.of(
                        new Violation("R5", "vm-5", 1L, "disk 0 sector 20,480",
                                "version 12 of the block",
                                "version 13, written 1.2 ms after the instant"),
                        new Violation("R11", "vm-5", null, "request 812", "one completion",
                                "two completions"))
                : List.<Violation>of();
        var mean = stuns.count() == 0 ? null : pendingSum / (double) stuns.count();
        return new RunResult(
                RunResult.FORMAT,
                VERSIONS,
                "2025-11-21T01:50:00Z",
                Options.of(options()),
                64,
                isInterrupted ? 7.25 : 20.0,
                isInterrupted ? Ended.INTERRUPTED : Ended.FINISHED,
                new Checkpoints(checkpoints, checkpoints - aborted, aborted, checkpoints - aborted,
                        violations.size()),
                stuns.summary(),
                new PendingAtStun(mean, pendingMax),
                new Faults(faults, disk),
                new Reads(reissued),
                new Writes(delayed),
                new Io(io, io / 20.0),
                new GuestSpeed(checkpoints == 0 ? null : (Double) 0.967),
                new StoreFigures(bytes, bytes == 0 ? null : (Double) 612.4),
                new MemoryFigures(bytes == 0 ? 0 : 137_000, 1_137_000, 262_144, 2_097_152),
                new SpaceFigures(100L << 30, (90L << 30) - bytes, 1L << 30, bytes / 2, bytes / 3),
                new ChainFigures(bytes == 0 ? 0 : 6, 64),
                violations,
                list,
                sampler.samples(),
                stuns.percentiles(),
                checkpoints == 0 ? null : isViolated ? story(80, 60) : story(16, 1));
    }

    /** One with every kind of request, reissues, an error and writes that wait; the disk is {@code slowness} times as slow as usual. */
    public static CutStory story(int requests, int slowness) {
        var random = new Random(11);
        long at = 3_412_000_000L;
        var all = new ArrayList<Request>();
        for (int i = 0; i < requests; i++) {
            var kind = switch (i % 16) {
                case 5 -> "flush";
                case 9 -> "discard";
                case 13 -> "write-zeroes";
                default -> i % 2 == 0 ? "read" : "write";
            };
            var issued = at - 20_000 - random.nextInt(330_000);
            var landed = at + (i == 2 ? 4_000 : 30_000 + (long) slowness * random.nextInt(900_000));
            var delivered = landed + 8_000 + random.nextInt(60_000);
            var pages = kind.equals("read") && i % 4 == 0
                    ? List.of(17 + i, 18 + i)
                    : List.<Integer>of();
            var isFailed = i == 7;
            var isFlush = kind.equals("flush");
            all.add(new Request(4_700 + i, kind, 0, isFlush ? 0 : 8L * random.nextInt(60_000),
                    isFlush ? 0 : 8 << i % 4,
                    issued, landed, delivered, isFailed ? "error" : "ok",
                    switch (kind) {
                        case "read" -> CutStory.readFate(1 << i % 3, pages);
                        case "flush" -> "made layers 0 to 3 durable, for both sides";
                        default -> CutStory.writeFate(3, 4);
                    },
                    pages));
        }
        all.sort((one, other) -> Long.compare(one.issuedNs(), other.issuedNs()));
        @Nullable
        Long never = null;
        return new CutStory("vm-12", 4, at, 21_400, all, List.of(
                new DelayedWrite(4_731, "write", 0, 20_488, 8, 160, 4_703, at + 90_000,
                        at + 610_000),
                new DelayedWrite(4_740, "write", 0, 8_200, 16, 64, 4_711, at + 240_000,
                        at + 700_000),
                new DelayedWrite(4_745, "discard", 0, 8_192, 128, 64, 4_711, at + 300_000, never)));
    }
}
