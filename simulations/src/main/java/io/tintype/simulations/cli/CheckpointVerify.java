package io.tintype.simulations.cli;

import io.tintype.actors.CheckpointRef;
import io.tintype.simulations.checkpoints.Refs;
import io.tintype.simulations.checkpoints.Verifier;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint verify}: reads and proves all of some checkpoints. */
@Command(
        name = "verify",
        sortOptions = false,
        description = {
            "Reads all of the checkpoints again: every byte of their segments through its checksum, every index entry and "
                    + "block group of the disk layers that they point to. Damage in one does not keep it from the others.",
            CheckpointCommand.LOOKS_ONLY},
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:nothing is damaged, also after Ctrl-C", "  1:something is damaged",
            "  2:what was asked for cannot be done"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint verify --all --store checkpoints",
            "  ./tintype checkpoint verify vm-1 vm-2/7 --store checkpoints"})
final class CheckpointVerify implements Callable<Integer> {
    /** What {@code --json} prints. */
    record Verification(int asked, int whole, int damaged, int vanished, boolean interrupted,
            long bytes, List<Verifier.Verdict> checkpoints) {}

    @Parameters(paramLabel = "REF", arity = "0..*", description = "VM/ID, or VM for its newest")
    private List<String> names = List.of();

    @Option(names = "--all", description = "all checkpoints of the store")
    private boolean all;

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    CheckpointVerify(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        if (all == !names.isEmpty()) {
            throw new UserErrorException(all
                    ? "--all: checkpoints are named, too; leave one of the two away"
                    : "no checkpoint is named; name some, or all of them with --all");
        }
        var verdicts = new ArrayList<Verifier.Verdict>();
        int asked;
        long bytes;
        var isCancelled = new AtomicBoolean();
        var now = new AtomicReference<String>("opening the store");
        var reading = new AtomicReference<LongSupplier>(() -> 0);
        try (var line = ProgressLine.start(
                () -> now.get() + "  " + Units.bytes(reading.get().getAsLong()) + " read",
                spec.commandLine().getErr(), surroundings.terminal());
                var _ = Interrupts.install(() -> isCancelled.set(true),
                        words -> line.say("tintype: " + words), "nothing was changed");
                var store = CheckpointStore.openReadOnly(common.store())) {
            var refs = all
                    ? store.list()
                    : names.stream().map(name -> Refs.find(store, name)).distinct().toList();
            asked = refs.size();
            var verifier = new Verifier(store, isCancelled::get);
            reading.set(verifier::bytesRead);
            for (CheckpointRef ref : refs) {
                now.set("verifying " + ref + ", " + (verdicts.size() + 1) + " of " + asked);
                var verdict = isCancelled.get() ? null : verifier.verify(ref);
                if (verdict == null) {
                    break;
                }
                verdicts.add(verdict);
            }
            bytes = verifier.bytesRead();
        }
        return show(new Verification(asked,
                (int) verdicts.stream().filter(Verifier.Verdict::isWhole).count(),
                (int) verdicts.stream().filter(one -> !one.damages().isEmpty()).count(),
                (int) verdicts.stream().filter(Verifier.Verdict::vanished).count(),
                verdicts.size() < asked, bytes, verdicts));
    }

    private int show(Verification result) {
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(result, out)) {
            for (var verdict : result.checkpoints()) {
                if (verdict.vanished()) {
                    out.println(verdict.ref() + "  was deleted meanwhile by another process");
                } else if (verdict.isWhole()) {
                    out.println(verdict.ref() + "  whole: " + Units.whole(verdict.pages())
                            + " pages and " + Units.whole(verdict.groups())
                            + " block groups, " + Units.bytes(verdict.bytes()));
                } else {
                    verdict.damages().forEach(
                            damage -> out.println(verdict.ref()
                                    + (damage.file() == null ? "  CANNOT BE READ: " : "  DAMAGED: ")
                                    + damage.problem()));
                }
            }
            out.println(Units.whole(result.whole()) + " of " + Units.whole(result.asked())
                    + " whole"
                    + (result.damaged() == 0 ? "" : ", " + result.damaged() + " damaged")
                    + (result.vanished() == 0
                            ? ""
                            : ", " + result.vanished() + " deleted meanwhile")
                    + (result.interrupted()
                            ? ", " + (result.asked() - result.checkpoints().size())
                                    + " not looked at, since it was interrupted"
                            : "")
                    + "; " + Units.bytes(result.bytes()) + " read");
            out.flush();
        }
        return result.damaged() == 0 ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }
}
