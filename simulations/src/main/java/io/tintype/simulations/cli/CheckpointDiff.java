package io.tintype.simulations.cli;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.checkpoints.Difference;
import io.tintype.simulations.checkpoints.DifferencePage;
import io.tintype.simulations.checkpoints.Refs;
import io.tintype.simulations.checkpoints.UnitSet;
import io.tintype.simulations.checkpoints.Vanished;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint diff}: what changed between two checkpoints. */
@Command(
        name = "diff",
        sortOptions = false,
        description = {
            "Shows which pages and which blocks of the disks differ between two checkpoints, as numbers and as a picture.",
            CheckpointCommand.LOOKS_ONLY},
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:they were compared, whether or not anything differs",
            "  1:interrupted before the end",
            "  2:one of them is not there, or damaged, or of another machine"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint diff vm-1/3 vm-1/4 --store checkpoints",
            "  ./tintype checkpoint diff vm-1/3 vm-1 --store checkpoints --report diff.html"})
final class CheckpointDiff implements Callable<Integer> {
    /**
     * Pages or blocks of 4 KiB that differ.
     *
     * @param ranges first and last number of each run of them
     */
    record Part(String name, long units, long changed, long changedGroups,
            List<List<Long>> ranges) {}

    /** What {@code --json} prints. */
    record Result(String a, String b, List<Part> parts) {}

    @Parameters(index = "0", paramLabel = "A", description = "VM/ID, or VM for its newest")
    private String a = "";

    @Parameters(index = "1", paramLabel = "B", description = "the other one")
    private String b = "";

    @Option(names = "--report", paramLabel = "FILE.html",
            description = "write the picture as a page that needs nothing else")
    private @Nullable Path report;

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    CheckpointDiff(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        if (report != null) {
            new OptionChecks(surroundings.machine()).output("--report", report,
                    "choose another place");
        }
        var isCancelled = new AtomicBoolean();
        var reading = new AtomicReference<LongSupplier>(() -> 0);
        CheckpointRef first;
        CheckpointRef second;
        List<Difference.Part> parts;
        try (var line = ProgressLine.start(
                () -> "comparing  " + Units.bytes(reading.get().getAsLong()) + " read",
                spec.commandLine().getErr(), surroundings.terminal());
                var _ = Interrupts.install(() -> isCancelled.set(true),
                        words -> line.say("tintype: " + words), "nothing was changed");
                var store = CheckpointStore.openReadOnly(common.store())) {
            first = Refs.find(store, a);
            second = Refs.find(store, b);
            var difference = new Difference(store, isCancelled::get);
            reading.set(difference::bytesRead);
            var one = first;
            var other = second;
            parts = Vanished.guarded(store, List.of(one, other),
                    () -> difference.between(one, other));
        } catch (CancellationException _) {
            spec.commandLine().getErr().println("tintype: interrupted before the end");
            return Commands.EXIT_FAILED;
        }
        show(first.toString(), second.toString(), parts);
        return Commands.EXIT_FINE;
    }

    private void show(String first, String second, List<Difference.Part> parts)
            throws IOException {
        var out = spec.commandLine().getOut();
        var result = new Result(first, second,
                parts.stream().map(part -> new Part(part.name(), part.units(),
                        part.changedCount(), part.groups(), ranges(part.changed()))).toList());
        if (!common.wasPrinted(result, out)) {
            out.println(first + " and " + second);
            for (var part : parts) {
                var isMemory = part.groups() == 0 && part.name().startsWith("memory");
                out.println();
                out.println("  " + part.name() + ": " + Units.whole(part.changedCount()) + " of "
                        + Units.whole(part.units())
                        + (isMemory ? " pages differ" : " blocks of 4 KiB differ")
                        + (part.groups() == 0
                                ? ""
                                : ", in " + Units.whole(part.groups()) + " block groups")
                        + ", " + Units.bytes(part.changedCount() * part.unitBytes()));
                if (part.changedCount() == 0) {
                    continue;
                }
                out.print(HeatMap.of(part, surroundings.terminal().width(),
                        surroundings.terminal().hasOutputColour()));
            }
            out.println();
            out.println(
                    "  · nothing differs there   ░ ▒ ▓ █ up to a quarter, half, three quarters, all");
        }
        if (report != null) {
            DifferencePage.write(report, first, second, parts);
            spec.commandLine().getErr().println("tintype: the picture is in " + report);
        }
        out.flush();
    }

    private static List<List<Long>> ranges(UnitSet changed) {
        var ranges = new ArrayList<List<Long>>();
        changed.forEachRun((first, last) -> ranges.add(List.of(first, last)));
        return ranges;
    }
}
