package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.CheckpointDisks;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.Vm;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.HdrHistogram.Histogram;

/**
 * How long one busy VM stands still while its chain is made shorter: in a checkpoint, in the commit of its overlays, while its
 * disk is made flat, and in a checkpoint that copies its disk and commits after it, in turns. The guest has a clock of its own,
 * and its longest gap counts, whatever the host calls it; what else the machine does is in all of them alike.
 */
final class CommitStunBenchmark implements Benchmark {
    private static final double AS_A_CHECKPOINT = 1.0;
    private static final int DEPTH = 16;
    private static final long MEMORY_BYTES = 8 * Rig.MIB;
    private static final long DISK_BYTES = 64 * Rig.MIB;
    private static final int REQUEST_BYTES = 16 * 1024;
    private static final long WRITING_NS = 60_000_000;
    private static final long LOOK_NS = 1_000_000;
    private static final int LAYERS_AT_REST = 2;
    private static final double[] SHOWN = {50, 99};

    /** Gaps of one kind of work: the longest of each round, and all of them. */
    private static final class Kind {
        final List<Long> longestNs = new ArrayList<>();
        final Histogram all = StunProbe.histogram();

        void add(GapGuest.Gaps gaps) {
            var usual = gaps.takeUsual();
            var stuns = gaps.takeStuns();
            if (usual.getTotalCount() + stuns.getTotalCount() > 0) {
                longestNs.add(Math.max(usual.getMaxValue(), stuns.getMaxValue()));
            }
            all.add(usual);
            all.add(stuns);
        }

        double medianMicros() {
            var sorted = new ArrayList<>(longestNs);
            Collections.sort(sorted);
            return sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2) / 1_000.0;
        }
    }

    @Override
    public String name() {
        return "commit-stun";
    }

    @Override
    public String title() {
        return "longest gap of a busy VM in commit and flatten, against that in a checkpoint";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        Rehearsal.play(context);
        int rounds = context.quick() ? 2 : 60;
        int warmups = context.quick() ? 1 : 15;
        var wish = Rig.Wish.diskFiles(MEMORY_BYTES, MEMORY_BYTES);
        try (var rig = Rig.start(context, "store", wish)) {
            var gaps = new GapGuest.Gaps();
            var disks = List.of(DISK_BYTES);
            var load = new LoadProfile(context.seed(), DEPTH, REQUEST_BYTES, 50, Work.STORE_RANDOM,
                    MEMORY_BYTES / 2);
            var vm = rig.create("busy", MEMORY_BYTES, disks,
                    GapGuest.watch(Guests.load(load, disks), gaps), new StunProbe());
            vm.start();
            var checkpoint = new Kind();
            var commit = new Kind();
            var flatten = new Kind();
            var copy = new Kind();
            for (int round = 0; round < warmups + rounds && !context.cancelled(); round++) {
                if (round == warmups) {
                    context.note(rounds + " rounds of checkpoint, commit, flatten and copy");
                }
                play(rig, vm, gaps, checkpoint, commit, flatten, copy);
                if (round < warmups) {
                    List.of(checkpoint, commit, flatten, copy).forEach(kind -> {
                        kind.longestNs.clear();
                        kind.all.reset();
                    });
                }
            }
            return new BenchResult(rows(checkpoint, commit, flatten, copy));
        }
    }

    private static void play(Rig rig, Vm vm, GapGuest.Gaps gaps, Kind checkpoint, Kind commit,
            Kind flatten, Kind copy) throws IOException {
        var first = taken(rig, vm, gaps, checkpoint, CheckpointDisks.POINTER);
        var second = taken(rig, vm, gaps, checkpoint, CheckpointDisks.POINTER);
        settle(gaps);
        rig.host().delete(first.ref());
        rig.host().delete(second.ref());
        awaitShort(rig);
        commit.add(gaps);

        var third = taken(rig, vm, gaps, new Kind(), CheckpointDisks.POINTER);
        settle(gaps);
        var flat = Rig.answer(vm.flatten(0));
        flatten.add(gaps);
        if (!flat.done()) {
            throw new IllegalStateException("the disk was not made flat: " + flat.reason());
        }
        rig.host().delete(third.ref());
        awaitShort(rig);

        var copied = taken(rig, vm, gaps, new Kind(), CheckpointDisks.COPY);
        copy.add(gaps);
        rig.host().delete(copied.ref());
    }

    private static CheckpointOutcome taken(Rig rig, Vm vm, GapGuest.Gaps gaps, Kind kind,
            CheckpointDisks disks) throws IOException {
        rig.pass(WRITING_NS);
        settle(gaps);
        var outcome = Rig.answer(vm.checkpoint(disks));
        if (!outcome.sealed()) {
            throw new IllegalStateException(outcome.ref() + " was aborted: " + outcome.reason());
        }
        if (disks == CheckpointDisks.POINTER) {
            kind.add(gaps);
        } else {
            awaitShort(rig);
        }
        return outcome;
    }

    private static void settle(GapGuest.Gaps gaps) {
        gaps.takeUsual();
        gaps.takeStuns();
    }

    private static void awaitShort(Rig rig) {
        while (rig.host().disks().stream().anyMatch(disk -> disk.layers() > LAYERS_AT_REST)
                && !rig.cancelled()) {
            rig.pass(LOOK_NS);
        }
    }

    private static List<Row> rows(Kind checkpoint, Kind commit, Kind flatten, Kind copy) {
        var rows = new ArrayList<Row>();
        double one = checkpoint.medianMicros();
        if (one == 0) {
            return rows;
        }
        rows.add(Row.shown("longest gap in a checkpoint, median", one, "µs"));
        add(rows, "commit", commit, one);
        add(rows, "flatten", flatten, one);
        add(rows, "copying checkpoint and its commits", copy, one);
        for (double percentile : SHOWN) {
            rows.add(Row.shown("all gaps in checkpoints, p" + (int) percentile,
                    StunProbe.micros(checkpoint.all, percentile), "µs"));
            rows.add(Row.shown("all gaps in commits, p" + (int) percentile,
                    StunProbe.micros(commit.all, percentile), "µs"));
            rows.add(Row.shown("all gaps in flattens, p" + (int) percentile,
                    StunProbe.micros(flatten.all, percentile), "µs"));
        }
        return rows;
    }

    private static void add(List<Row> rows, String what, Kind kind, double one) {
        rows.add(Row.shown("longest gap in a " + what + ", median", kind.medianMicros(), "µs"));
        rows.add(Row.atMost(what + " / checkpoint, longest gaps", AS_A_CHECKPOINT,
                kind.medianMicros() / one, "×"));
    }
}
