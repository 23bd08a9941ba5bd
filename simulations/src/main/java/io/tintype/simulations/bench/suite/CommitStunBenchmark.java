package io.tintype.simulations.bench.suite;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchResult.Row;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.vm.CheckpointDisks;
import io.tintype.vm.CheckpointOutcome;
import io.tintype.vm.DiskGauge;
import io.tintype.vm.Vm;
import io.tintype.vm.guest.Guests;
import io.tintype.vm.guest.LoadProfile;
import io.tintype.vm.guest.LoadProfile.Work;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.HdrHistogram.Histogram;

/**
 * How long a busy VM stands still because its chain is made shorter, against how long it does in a checkpoint. Two figures:
 *
 * <ul>
 *   <li>What the host does to it: the turns of its strand that are spent on a commit, a flatten or the copy of its disk. The
 *       guest cannot run in them, whatever they wait for: a lock, a core that was taken away. The longest of one commit is
 *       compared with the stun of a checkpoint, and so is their sum.
 *   <li>What the guest sees: the longest gap between two of its slices, by a clock of its own. The longer a span, the longer is
 *       the longest gap in it, and the more so the more is done beside; so it is compared with that of a checkpoint in a span as
 *       long, in which the same work is done on the disk of another VM that stands still.
 * </ul>
 *
 * A gap is mostly that of a guest whose core was taken by another thread, until the next tick of the kernel at the latest: from one
 * span to the next the longest one differs by a factor of ten. So each round has one span of each kind, in an order that changes
 * from round to round, since a process gets faster with age; and medians of many rounds are compared.
 *
 * <p>Says nothing about how long the work itself takes.
 */
final class CommitStunBenchmark implements Benchmark {
    private static final double AS_A_CHECKPOINT = 1.0;
    private static final int DEPTH = 16;
    private static final long MEMORY_BYTES = 8 * Rig.MIB;
    private static final long DISK_BYTES = 64 * Rig.MIB;
    private static final int REQUEST_BYTES = 16 * 1024;
    private static final long WRITING_NS = 60_000_000;
    private static final long LOOK_NS = 500_000;
    private static final int LAYERS_AT_REST = 2;
    private static final int REHEARSALS = 1_000;
    private static final int RESAMPLES = 2_000;

    /** What happens in a span of a round. */
    private enum Span {
        /** The work on the busy VM's disk. */
        WORK,
        /** A checkpoint of the busy VM, and the work on the other's disk. */
        CHECKPOINT_BESIDE_WORK,
        /** A checkpoint of the busy VM, and nothing else. */
        CHECKPOINT,
        /** A copying checkpoint of the busy VM, and a pointing one of the other: as many as there are beside work, only swapped. */
        WORK_BESIDE_CHECKPOINT
    }

    /** What is done to a chain. */
    private enum Upkeep {
        /** Two overlays, after their checkpoints were deleted. */
        COMMIT("commit"),
        /** All below the top, into a new image. */
        FLATTEN("flatten"),
        /** A checkpoint that copies the disk, and the commits after it. */
        COPY("copying checkpoint");

        private final String words;

        Upkeep(String words) {
            this.words = words;
        }

        /** Only a copy is part of a checkpoint itself, so that there are two of them beside each other. */
        List<Span> spans() {
            return this == COPY
                    ? List.of(Span.values())
                    : List.of(Span.WORK, Span.CHECKPOINT_BESIDE_WORK, Span.CHECKPOINT);
        }
    }

    /** A VM and what is seen of it. */
    private record Watched(Vm vm, GapGuest.Gaps gaps, StunProbe probe) {
        static Watched create(BenchContext context, Rig rig, String name) throws IOException {
            var disks = List.of(DISK_BYTES);
            var load = new LoadProfile(context.seed(), DEPTH, REQUEST_BYTES, 50, Work.STORE_RANDOM,
                    MEMORY_BYTES / 2);
            var gaps = new GapGuest.Gaps();
            var probe = new StunProbe();
            return new Watched(rig.create(name, MEMORY_BYTES, disks,
                    GapGuest.watch(Guests.load(load, disks), gaps), probe), gaps, probe);
        }

        void forget() {
            takeLongestGapNs();
            probe.take();
            probe.takeTurns();
        }

        long takeLongestGapNs() {
            return Math.max(gaps.takeUsual().getMaxValue(), gaps.takeStuns().getMaxValue());
        }
    }

    /** What was seen of one kind of work, a figure for each round, in nanoseconds. */
    private static final class Seen {
        final List<Long> spans = new ArrayList<>();
        final List<Long> longestTurns = new ArrayList<>();
        final List<Long> sumsOfTurns = new ArrayList<>();
        final Histogram turns = StunProbe.histogram();
        // Of checkpoints that only point, between the others: a process that is older has shorter ones.
        final Histogram stuns = StunProbe.histogram();
        final Histogram stunsOfCopies = StunProbe.histogram();
        final EnumMap<Span, List<Long>> gaps = new EnumMap<>(Span.class);

        void addGap(Span in, long ns) {
            gaps.computeIfAbsent(in, _ -> new ArrayList<>()).add(ns);
        }

        double gapMicros(Span in) {
            return micros(gaps.getOrDefault(in, List.of()));
        }

        void add(Histogram ofOne) {
            long sum = 0;
            for (var value : ofOne.recordedValues()) {
                sum += value.getValueIteratedTo() * value.getCountAddedInThisIterationStep();
            }
            longestTurns.add(ofOne.getTotalCount() == 0 ? 0 : ofOne.getMaxValue());
            sumsOfTurns.add(sum);
            turns.add(ofOne);
        }
    }

    @Override
    public String name() {
        return "commit-stun";
    }

    @Override
    public String title() {
        return "a busy VM standing still for a commit or flatten, against a checkpoint";
    }

    @Override
    public BenchResult run(BenchContext context) throws IOException {
        Rehearsal.play(context);
        rehearse(context);
        int rounds = context.quick() ? 2 : 30;
        int warmups = context.quick() ? 1 : 10;
        var wish = Rig.Wish.diskFiles(2 * MEMORY_BYTES, 2 * MEMORY_BYTES);
        try (var rig = Rig.start(context, "store", wish)) {
            var busy = Watched.create(context, rig, "busy");
            var still = Watched.create(context, rig, "still");
            busy.vm().start();
            var rows = new ArrayList<Row>();
            var seen = new EnumMap<Upkeep, Seen>(Upkeep.class);
            for (var upkeep : Upkeep.values()) {
                context.note(rounds + " rounds of " + upkeep.words + " and checkpoint");
                var of = new Seen();
                long spanNs = 0;
                for (int round = 0; round < warmups + rounds && !context.cancelled(); round++) {
                    boolean counts = round >= warmups;
                    spanNs = play(rig, upkeep, round, busy, still, counts ? of : new Seen(),
                            spanNs);
                }
                seen.put(upkeep, of);
            }
            addStuns(rows, seen.values());
            var random = new SplittableRandom(context.seed());
            seen.forEach((upkeep, of) -> addRows(rows, upkeep, of, random));
            return new BenchResult(rows);
        }
    }

    /** As {@link Rehearsal} does with stuns and commits: flattens and copies run too seldom to be compiled early. */
    private static void rehearse(BenchContext context) throws IOException {
        int rounds = context.quick() ? 2 : REHEARSALS;
        context.note("rehearsing " + rounds + " flattens and copies");
        var wish = Rig.Wish.memoryDisks(2 * MEMORY_BYTES, 2 * MEMORY_BYTES);
        try (var rig = Rig.start(context, "flat-rehearsal", wish)) {
            var load = new LoadProfile(context.seed(), DEPTH, 4096, 50, Work.STORE_RANDOM, Rig.MIB);
            var vm = rig.create("actor", MEMORY_BYTES, List.of(2 * Rig.MIB), load, new StunProbe());
            vm.start();
            for (int round = 0; round < rounds && !context.cancelled(); round++) {
                var pointing = sealed(Rig.answer(vm.checkpoint(CheckpointDisks.POINTER)));
                Rig.answer(vm.flatten(0));
                rig.host().delete(pointing.ref());
                var copied = sealed(Rig.answer(vm.checkpoint(CheckpointDisks.COPY)));
                rig.host().delete(copied.ref());
                awaitShort(rig);
            }
        }
    }

    /** Plays each kind of span once; returns how long the work took in this round. */
    private static long play(Rig rig, Upkeep upkeep, int round, Watched busy, Watched still,
            Seen seen, long spanBeforeNs) throws IOException {
        var order = new ArrayList<>(upkeep.spans());
        Collections.rotate(order, -round);
        long spanNs = spanBeforeNs;
        for (var span : order) {
            switch (span) {
                case WORK -> spanNs = work(rig, upkeep, busy, seen);
                case CHECKPOINT_BESIDE_WORK ->
                    checkpointBesideWork(rig, upkeep, busy, still, seen, spanNs);
                case CHECKPOINT -> checkpoint(rig, busy, seen, spanNs);
                case WORK_BESIDE_CHECKPOINT -> copyBesideCheckpoint(rig, busy, still, seen, spanNs);
            }
            awaitShort(rig);
        }
        return spanNs;
    }

    private static long work(Rig rig, Upkeep upkeep, Watched busy, Seen seen) throws IOException {
        var first = prepare(rig, upkeep, busy);
        busy.forget();
        long startNs = System.nanoTime();
        perform(rig, upkeep, busy, first);
        long spanNs = System.nanoTime() - startNs;
        seen.addGap(Span.WORK, busy.takeLongestGapNs());
        seen.add(busy.probe().takeTurns());
        seen.stunsOfCopies.add(busy.probe().take());
        seen.spans.add(spanNs);
        return spanNs;
    }

    private static void checkpointBesideWork(Rig rig, Upkeep upkeep, Watched busy, Watched still,
            Seen seen, long spanNs) throws IOException {
        still.vm().start();
        var ofOther = prepare(rig, upkeep, still);
        Rig.answer(still.vm().quiesce());
        busy.forget();
        long startNs = System.nanoTime();
        var other = CompletableFuture.runAsync(() -> {
            try {
                perform(rig, upkeep, still, ofOther);
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        });
        var taken = busy.vm().checkpoint(CheckpointDisks.POINTER);
        rig.pass(spanNs - (System.nanoTime() - startNs));
        seen.addGap(Span.CHECKPOINT_BESIDE_WORK, busy.takeLongestGapNs());
        Rig.answer(other);
        end(rig, busy, seen, taken);
    }

    private static void checkpoint(Rig rig, Watched busy, Seen seen, long spanNs)
            throws IOException {
        rig.pass(WRITING_NS);
        busy.forget();
        long startNs = System.nanoTime();
        var taken = busy.vm().checkpoint(CheckpointDisks.POINTER);
        rig.pass(spanNs - (System.nanoTime() - startNs));
        seen.addGap(Span.CHECKPOINT, busy.takeLongestGapNs());
        end(rig, busy, seen, taken);
    }

    private static void end(Rig rig, Watched busy, Seen seen,
            CompletionStage<CheckpointOutcome> taken) throws IOException {
        var outcome = sealed(Rig.answer(taken));
        seen.stuns.add(busy.probe().take());
        rig.host().delete(outcome.ref());
    }

    private static void copyBesideCheckpoint(Rig rig, Watched busy, Watched still, Seen seen,
            long spanNs) throws IOException {
        still.vm().start();
        rig.pass(WRITING_NS);
        Rig.answer(still.vm().quiesce());
        busy.forget();
        long startNs = System.nanoTime();
        // Deleted as soon as it is there: the copy is over when all chains are short again.
        var other = still.vm().checkpoint(CheckpointDisks.POINTER).thenAcceptAsync(outcome -> {
            try {
                rig.host().delete(sealed(outcome).ref());
            } catch (IOException failure) {
                throw new UncheckedIOException(failure);
            }
        });
        perform(rig, Upkeep.COPY, busy, List.of());
        rig.pass(spanNs - (System.nanoTime() - startNs));
        seen.addGap(Span.WORK_BESIDE_CHECKPOINT, busy.takeLongestGapNs());
        Rig.answer(other);
    }

    /** Lets the VM write until there is something to do; returns the checkpoints that keep it from being done. */
    private static List<CheckpointOutcome> prepare(Rig rig, Upkeep upkeep, Watched of)
            throws IOException {
        rig.pass(WRITING_NS);
        if (upkeep == Upkeep.COPY) {
            return List.of();
        }
        var first = sealed(Rig.answer(of.vm().checkpoint(CheckpointDisks.POINTER)));
        rig.pass(WRITING_NS);
        return upkeep == Upkeep.FLATTEN
                ? List.of(first)
                : List.of(first,
                        sealed(Rig.answer(of.vm().checkpoint(CheckpointDisks.POINTER))));
    }

    private static void perform(Rig rig, Upkeep upkeep, Watched of, List<CheckpointOutcome> first)
            throws IOException {
        if (upkeep == Upkeep.FLATTEN) {
            var flat = Rig.answer(of.vm().flatten(0));
            if (!flat.done()) {
                throw new IllegalStateException("it was not made flat: " + flat.reason());
            }
        }
        for (var outcome : first) {
            rig.host().delete(outcome.ref());
        }
        if (upkeep == Upkeep.COPY) {
            var copied = sealed(Rig.answer(of.vm().checkpoint(CheckpointDisks.COPY)));
            rig.host().delete(copied.ref());
        }
        awaitShort(rig);
    }

    private static CheckpointOutcome sealed(CheckpointOutcome outcome) {
        if (!outcome.sealed()) {
            throw new IllegalStateException(outcome.ref() + " was aborted: " + outcome.reason());
        }
        return outcome;
    }

    private static void awaitShort(Rig rig) {
        while (rig.host().disks().stream().mapToInt(DiskGauge::layers).max().orElse(0)
                > LAYERS_AT_REST && !rig.cancelled()) {
            rig.pass(LOOK_NS);
        }
    }

    private static void addStuns(List<Row> rows, Collection<Seen> seen) {
        var stuns = StunProbe.histogram();
        seen.forEach(of -> stuns.add(of.stuns));
        rows.add(Row.shown("stun of a checkpoint, median", StunProbe.micros(stuns, 50), "µs"));
        rows.add(Row.shown("stun of a checkpoint, p99", StunProbe.micros(stuns, 99), "µs"));
    }

    private static void addRows(List<Row> rows, Upkeep upkeep, Seen seen,
            SplittableRandom random) {
        var words = upkeep.words;
        double stun = StunProbe.micros(seen.stuns, 50);
        if (seen.spans.isEmpty() || stun == 0) {
            return;
        }
        rows.add(Row.shown(words + ": takes, median", micros(seen.spans) / 1_000, "ms"));
        rows.add(Row.shown(words + ": turns of the strand",
                (double) seen.turns.getTotalCount() / seen.spans.size(), ""));
        rows.add(Row.shown(words + ": longest turn of one, median", micros(seen.longestTurns),
                "µs"));
        rows.add(Row.shown(words + ": all turns, p99", StunProbe.micros(seen.turns, 99), "µs"));
        rows.add(Row.shown(words + ": stun of a checkpoint between them, median", stun, "µs"));
        rows.add(Row.atMost(words + ": longest turn / stun of a checkpoint", AS_A_CHECKPOINT,
                micros(seen.longestTurns) / stun, "×"));
        rows.add(Row.shown(words + ": sum of its turns / stun of a checkpoint",
                micros(seen.sumsOfTurns) / stun, "×"));
        if (upkeep == Upkeep.COPY) {
            rows.add(Row.shown(words + ": its own stun / stun of a checkpoint",
                    StunProbe.micros(seen.stunsOfCopies, 50) / stun, "×"));
        }
        double gap = seen.gapMicros(Span.WORK);
        double beside = seen.gapMicros(Span.CHECKPOINT_BESIDE_WORK);
        rows.add(Row.shown(words + ": longest gap, median", gap, "µs"));
        rows.add(Row.shown(words + ": the same in a checkpoint beside as much work", beside, "µs"));
        rows.add(Row.atMost(words + ": longest gap / that of a checkpoint", AS_A_CHECKPOINT,
                gap / beside, "×"));
        var mayBe = ratios(seen, random);
        rows.add(Row.shown(words + ": in 90 of 100 such runs that is at least",
                mayBe[RESAMPLES / 20], "×"));
        rows.add(Row.shown(words + ": and at most", mayBe[RESAMPLES - 1 - RESAMPLES / 20], "×"));
        rows.add(Row.shown(words + ": the same in a checkpoint with nothing beside",
                seen.gapMicros(Span.CHECKPOINT), "µs"));
        if (upkeep == Upkeep.COPY) {
            double swapped = seen.gapMicros(Span.WORK_BESIDE_CHECKPOINT);
            rows.add(Row.shown(words + ": longest gap beside a checkpoint of another VM", swapped,
                    "µs"));
        }
    }

    /** What the ratio of the gaps would be in other runs, ascending: of rounds that are drawn from those that were, with repetition. */
    private static double[] ratios(Seen seen, SplittableRandom random) {
        var work = seen.gaps.getOrDefault(Span.WORK, List.of());
        var checkpoints = seen.gaps.getOrDefault(Span.CHECKPOINT_BESIDE_WORK, List.of());
        var ratios = new double[RESAMPLES];
        for (int i = 0; i < RESAMPLES && !work.isEmpty() && !checkpoints.isEmpty(); i++) {
            ratios[i] = micros(drawn(work, random)) / micros(drawn(checkpoints, random));
        }
        Arrays.sort(ratios);
        return ratios;
    }

    private static List<Long> drawn(List<Long> from, SplittableRandom random) {
        return random.ints(from.size(), 0, from.size()).mapToObj(from::get).toList();
    }

    private static double micros(List<Long> figures) {
        var sorted = new ArrayList<>(figures);
        Collections.sort(sorted);
        return sorted.isEmpty() ? 0 : sorted.get(sorted.size() / 2) / 1_000.0;
    }
}
