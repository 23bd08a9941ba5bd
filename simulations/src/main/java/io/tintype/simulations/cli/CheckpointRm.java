package io.tintype.simulations.cli;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.checkpoints.Refs;
import io.tintype.simulations.checkpoints.Remover;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint rm}: deletes checkpoints. */
@Command(
        name = "rm",
        sortOptions = false,
        description = "Deletes checkpoints. One that others build on stays, unless they go with it. Disks are left as they are: gc gives back "
                + "what is not needed any more.",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:all of them are deleted", "  1:interrupted: some are deleted, the others whole",
            "  2:what was asked for cannot be done; nothing was changed"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint rm vm-1/3 --store checkpoints",
            "  ./tintype checkpoint rm vm-1/3 --cascade --store checkpoints",
            "      with all that build on it, the youngest first"})
final class CheckpointRm implements Callable<Integer> {
    /** What {@code --json} prints. */
    record Removed(List<String> removed, boolean interrupted) {}

    @Parameters(paramLabel = "REF", arity = "1..*", description = "VM/ID, or VM for its newest")
    private List<String> names = List.of();

    @Option(names = "--cascade", description = "also delete those that build on them")
    private boolean cascade;

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    CheckpointRm(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        var removed = new ArrayList<String>();
        boolean interrupted;
        var isCancelled = new AtomicBoolean();
        var planned = new AtomicInteger();
        try (var line = ProgressLine.start(
                () -> planned.get() == 0
                        ? "opening the store"
                        : "deleting  " + removed.size() + " of " + planned.get(),
                spec.commandLine().getErr(), surroundings.terminal());
                var _ = Interrupts.install(() -> isCancelled.set(true),
                        words -> line.say("tintype: " + words),
                        "each checkpoint is whole, or gone");
                var store = CheckpointStore.open(common.store())) {
            var asked = new ArrayList<CheckpointRef>();
            for (var name : names) {
                var ref = Refs.find(store, name);
                if (!asked.contains(ref)) {
                    asked.add(ref);
                }
            }
            var ordered = Remover.plan(store, asked, cascade);
            planned.set(ordered.size());
            interrupted = Remover.remove(store, ordered, isCancelled::get,
                    ref -> removed.add(ref.toString())) < ordered.size();
        }
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(new Removed(removed, interrupted), out)) {
            removed.forEach(ref -> out.println(ref + "  deleted"));
            if (interrupted) {
                out.println("interrupted; the others are still there");
            }
            out.flush();
        }
        return interrupted ? Commands.EXIT_FAILED : Commands.EXIT_FINE;
    }
}
