package io.tintype.simulations.cli;

import io.tintype.simulations.checkpoints.Reclaimer;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint gc}: gives back room that nothing needs. */
@Command(
        name = "gc",
        sortOptions = false,
        description = "Gives back what nothing needs: what is left of deleted and unfinished checkpoints, and overlays of disks that no "
                + "checkpoint and no clone ends at. Can be interrupted and repeated.",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:done, also when Ctrl-C ended it early", "  1:tintype itself failed",
            "  2:the store cannot be used, or a checkpoint is damaged, so that it is not known what is needed"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint gc --dry-run --store checkpoints",
            "  ./tintype checkpoint gc --disks --store checkpoints"})
final class CheckpointGc implements Callable<Integer> {
    private static final int NAMED_MAX = 20;

    @Option(names = "--dry-run", description = "only say what would be done")
    private boolean dryRun;

    @Option(names = "--disks",
            description = "also delete disks that no checkpoint needs, with all that their VMs wrote to them")
    private boolean disks;

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    CheckpointGc(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        var isCancelled = new AtomicBoolean();
        var phase = new AtomicReference<String>("opening the store");
        Reclaimer.Reclaimed reclaimed;
        try (var line = ProgressLine.start(phase::get, spec.commandLine().getErr(),
                surroundings.terminal());
                var _ = Interrupts.install(() -> isCancelled.set(true),
                        words -> line.say("tintype: " + words), "running it again goes on")) {
            reclaimed = Reclaimer.reclaim(common.store(), disks, dryRun, isCancelled::get,
                    phase::set);
        }
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(reclaimed, out)) {
            print(reclaimed, out);
        }
        out.flush();
        return Commands.EXIT_FINE;
    }

    private static void print(Reclaimer.Reclaimed all, PrintWriter out) {
        row(out, "left over", all.leftovers().size() + (all.leftovers().size() == 1
                ? " directory"
                : " directories") + " of deleted and unfinished checkpoints, "
                + Units.bytes(all.leftoverBytes()));
        row(out, "overlays", all.layers() + (all.isDryRun()
                ? " could be committed into what lies below them"
                : " committed into what lies below them, " + Units.bytes(all.layerBytes())));
        row(out, "disks", all.disks().isEmpty()
                ? "none that no checkpoint needs"
                : all.disks().size() + " that no checkpoint needs, " + Units.bytes(all.diskBytes())
                        + (all.areDisksKept() ? "; kept, --disks deletes them" : ""));
        all.disks().stream().limit(NAMED_MAX).forEach(disk -> out.println("            " + disk));
        if (all.disks().size() > NAMED_MAX) {
            out.println("            … and " + (all.disks().size() - NAMED_MAX) + " more");
        }
        long bytes = all.leftoverBytes() + all.layerBytes()
                + (all.areDisksKept() ? 0 : all.diskBytes());
        out.println(all.isDryRun()
                ? "dry run: nothing was changed"
                : Units.bytes(bytes) + " given back" + (all.interrupted()
                        ? "; interrupted, running it again goes on"
                        : ""));
    }

    private static void row(PrintWriter out, String label, String words) {
        out.println("  %-9s  %s".formatted(label, words));
    }
}
