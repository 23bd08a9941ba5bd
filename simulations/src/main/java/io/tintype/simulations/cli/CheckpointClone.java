package io.tintype.simulations.cli;

import io.tintype.simulations.checkpoints.Restorer;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint clone}: new VMs that begin as a checkpoint. */
@Command(
        name = "clone",
        sortOptions = false,
        description = "Makes new VMs that begin as a checkpoint, each with disks of its own that share what was not changed, and with a first "
                + "checkpoint to run it from. They do not run here: restore does that.",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:all of them are there",
            "  1:interrupted, or tintype itself failed; none of them is there",
            "  2:what was asked for cannot be done; nothing was changed"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint clone vm-1/3 --as copy --store checkpoints",
            "  ./tintype checkpoint clone vm-1 -n 10 --store checkpoints",
            "      vm-1-clone-1 to vm-1-clone-10"})
final class CheckpointClone implements Callable<Integer> {
    private static final int CLONES_MAX = 1_000;

    @Parameters(paramLabel = "REF", description = "VM/ID, or VM for its newest")
    private String name = "";

    @Option(names = "--as", paramLabel = "VM",
            description = "name of the new VM; with -n, what the names begin with (VM-clone)")
    private @Nullable String as;

    @Option(names = "-n", paramLabel = "N", converter = Values.Count.class,
            description = "so many, numbered from 1 (one, not numbered)")
    private @Nullable Integer count;

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    CheckpointClone(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (as == null && count == null) {
            throw new UserErrorException(
                    "no name is given; name the new VM with --as VM, or ask for some with -n N");
        }
        int wanted = count == null ? 1 : count;
        if (wanted < 1 || wanted > CLONES_MAX) {
            throw UserErrorException.of("-n", wanted, "out of range", "choose 1 to " + CLONES_MAX);
        }
        var isCancelled = new AtomicBoolean();
        var done = new AtomicInteger();
        var clones = new ArrayList<Restorer.Restored>();
        long beginNs = System.nanoTime();
        try (var line = ProgressLine.start(
                () -> "cloning  " + done.get() + " of " + wanted,
                spec.commandLine().getErr(), surroundings.terminal());
                var _ = Interrupts.install(() -> isCancelled.set(true),
                        words -> line.say("tintype: " + words),
                        "the clones that are made stay in the store");
                var restorer = Restorer.open(common.store(), name,
                        ref -> names(ref.vm().value(), wanted), isCancelled::get)) {
            boolean isComplete = restorer.cloneAll(clone -> {
                clones.add(clone);
                done.incrementAndGet();
            });
            if (!isComplete) {
                line.say("tintype: interrupted; none of the clones is there");
                return Commands.EXIT_FAILED;
            }
        }
        show(clones, (System.nanoTime() - beginNs) / 1e3);
        return Commands.EXIT_FINE;
    }

    private List<String> names(String vm, int wanted) {
        var stem = as == null ? vm + "-clone" : as;
        if (count == null) {
            return List.of(stem);
        }
        var names = new ArrayList<String>();
        for (int i = 1; i <= wanted; i++) {
            names.add(stem + "-" + i);
        }
        return names;
    }

    private void show(List<Restorer.Restored> clones, double micros) {
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(clones, out)) {
            for (var clone : clones) {
                out.println(clone.vm() + " cloned from " + clone.from() + ": checkpoint "
                        + clone.left() + ", " + Units.bytes(clone.leftBytes()) + "; disks "
                        + clone.disks());
            }
            out.println(clones.size() + (clones.size() == 1 ? " clone in " : " clones in ")
                    + Units.micros(micros));
        }
        out.flush();
    }
}
