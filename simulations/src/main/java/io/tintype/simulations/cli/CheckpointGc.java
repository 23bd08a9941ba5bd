package io.tintype.simulations.cli;

import io.tintype.simulations.checkpoints.Reclaimer;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.Retention;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
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
            "  0:done, also when Ctrl-C ended it early",
            "  1:a disk is damaged, so that disks were left as they are, or tintype itself failed",
            "  2:the store cannot be used, or a checkpoint is damaged, so that it is not known what is needed"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint gc --dry-run --store checkpoints",
            "  ./tintype checkpoint gc --keep-last 4 --keep-hourly 24 --keep-daily 7 --store checkpoints",
            "  ./tintype checkpoint gc --disks --store checkpoints"})
final class CheckpointGc implements Callable<Integer> {
    private static final int NAMED_MAX = 20;

    @Option(names = "--dry-run", description = "only say what would be done")
    private boolean dryRun;

    @Option(names = "--keep-last", paramLabel = "N", converter = Values.Count.class,
            description = "first delete checkpoints: of each VM all but the N newest, and what the next two keep. Those that build on "
                    + "deleted ones keep what they need")
    private @Nullable Integer keepLast;

    @Option(names = "--keep-hourly", paramLabel = "N", converter = Values.Count.class,
            description = "keep the newest of each of the last N hours (UTC) that have one")
    private @Nullable Integer keepHourly;

    @Option(names = "--keep-daily", paramLabel = "N", converter = Values.Count.class,
            description = "keep the newest of each of the last N days (UTC) that have one")
    private @Nullable Integer keepDaily;

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
            reclaimed = Reclaimer.reclaim(common.store(), retention(), disks, dryRun,
                    isCancelled::get, phase::set);
        }
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(reclaimed, out)) {
            print(reclaimed, out);
        }
        out.flush();
        return reclaimed.diskProblem() == null ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }

    /** Null: every checkpoint is kept. */
    private @Nullable Retention retention() {
        if (keepLast == null && keepHourly == null && keepDaily == null) {
            return null;
        }
        return new Retention(kept("--keep-last", keepLast, 1), kept("--keep-hourly", keepHourly, 0),
                kept("--keep-daily", keepDaily, 0));
    }

    /** The newest one is always kept: a VM is taken up from it. */
    private static int kept(String option, @Nullable Integer count, int min) {
        if (count != null && count < min) {
            throw UserErrorException.of(option, count, "out of range",
                    "choose " + min + " or more");
        }
        return count == null ? min : count;
    }

    private void print(Reclaimer.Reclaimed all, PrintWriter out) {
        if (!all.dropped().isEmpty()) {
            row(out, "deleted", all.dropped().size() + (all.dropped().size() == 1
                    ? " checkpoint"
                    : " checkpoints") + (all.isDryRun() ? " would be" : ""));
            all.dropped().stream().limit(NAMED_MAX)
                    .forEach(ref -> out.println("            " + ref));
            if (all.dropped().size() > NAMED_MAX) {
                out.println("            … and " + (all.dropped().size() - NAMED_MAX) + " more");
            }
        }
        row(out, "left over", all.leftovers().size() + (all.leftovers().size() == 1
                ? " directory"
                : " directories") + " of deleted and unfinished checkpoints, "
                + Units.bytes(all.leftoverBytes()));
        if (all.diskProblem() != null) {
            row(out, "disks", "left as they are: " + all.diskProblem());
        } else {
            printDisks(out, all);
        }
        long bytes = all.leftoverBytes() + all.layerBytes()
                + (all.areDisksKept() ? 0 : all.diskBytes());
        out.println(all.isDryRun()
                ? "dry run: nothing was changed"
                : Units.bytes(bytes) + " given back" + (all.interrupted()
                        ? "; interrupted, running it again goes on"
                        : ""));
    }

    private void printDisks(PrintWriter out, Reclaimer.Reclaimed all) {
        row(out, "overlays", all.layers() + (all.isDryRun()
                ? " could be committed into what lies below them"
                : " committed into what lies below them, " + Units.bytes(all.layerBytes())));
        row(out, "disks", all.disks().isEmpty()
                ? "none that no checkpoint needs"
                : all.disks().size() + " that no checkpoint needs, " + Units.bytes(all.diskBytes())
                        + whatOfDisks(all));
        all.disks().stream().limit(NAMED_MAX).forEach(disk -> out.println("            " + disk));
        if (all.disks().size() > NAMED_MAX) {
            out.println("            … and " + (all.disks().size() - NAMED_MAX) + " more");
        }
    }

    private String whatOfDisks(Reclaimer.Reclaimed all) {
        if (!disks) {
            return "; kept, --disks deletes them";
        }
        return all.isDryRun() ? "; would be deleted" : "";
    }

    private static void row(PrintWriter out, String label, String words) {
        out.println("  %-9s  %s".formatted(label, words));
    }
}
