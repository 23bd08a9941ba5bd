package io.tintype.simulations.cli;

import io.tintype.simulations.checkpoints.Restorer;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.vm.RestoreMode;
import java.io.IOException;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint restore}: runs a VM on from a checkpoint. */
@Command(
        name = "restore",
        sortOptions = false,
        description = "Restores a checkpoint into a new VM, lets it run in this process, and says what it did. A running VM ends with its "
                + "process: what stays is a checkpoint of it, taken at the end, and its disks.",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:it ran, also when Ctrl-C ended it early",
            "  1:interrupted before it ran, or tintype itself failed",
            "  2:what was asked for cannot be done; nothing was changed"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype checkpoint restore vm-1/3 --as again --store checkpoints",
            "  ./tintype checkpoint restore vm-1 --as again --for 10s --store checkpoints"})
final class CheckpointRestore implements Callable<Integer> {
    private static final Duration RUN_FOR_MAX = Duration.ofDays(30);

    @Parameters(paramLabel = "REF", description = "VM/ID, or VM for its newest")
    private String name = "";

    @Option(names = "--as", paramLabel = "VM", required = true,
            description = "name of the new VM, which no VM of the store has or had")
    private String as = "";

    @Option(names = "--for", paramLabel = "TIME", defaultValue = "2s",
            converter = Values.Span.class, description = "how long it runs (${DEFAULT-VALUE})")
    private Duration runFor = Duration.ZERO;

    @Option(names = "--eager",
            description = "read all of its memory before its first instruction, not when it is touched")
    private boolean isEager;

    @Mixin
    private CheckpointCommand.Common common;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    CheckpointRestore(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (runFor.isZero() || runFor.compareTo(RUN_FOR_MAX) > 0) {
            throw UserErrorException.of("--for", Units.span(runFor), "out of range",
                    "choose more than nothing, up to 30 days (720h)");
        }
        var isCancelled = new AtomicBoolean();
        var phase = new AtomicReference<String>("opening the store");
        Restorer.Restored restored;
        try (var line = ProgressLine.start(phase::get, spec.commandLine().getErr(),
                surroundings.terminal());
                var _ = Interrupts.install(() -> isCancelled.set(true),
                        words -> line.say("tintype: " + words),
                        "if there are disks of " + as
                                + " they stay in the store, with no checkpoint");
                var restorer = Restorer.open(common.store(), name, _ -> List.of(as),
                        isCancelled::get)) {
            if (isCancelled.get()) {
                line.say("tintype: interrupted before " + as
                        + " was made; nothing was changed");
                return Commands.EXIT_FAILED;
            }
            phase.set("running " + as);
            restored = restorer.restore(as, runFor,
                    isEager ? RestoreMode.EAGER : RestoreMode.LAZY);
        }
        var out = spec.commandLine().getOut();
        if (!common.wasPrinted(restored, out)) {
            print(restored, out);
        }
        out.flush();
        return Commands.EXIT_FINE;
    }

    private static void print(Restorer.Restored restored, PrintWriter out) {
        out.println(restored.vm() + " restored from " + restored.from());
        row(out, "first", restored.guest() == Restorer.Guests.IDLE
                ? "nothing ran: the checkpoint does not say what its guest's program is (kind "
                        + restored.guestKind() + ")"
                : "its first instruction ran after " + Units.micros(
                        restored.firstInstructionMillis() * 1e3));
        row(out, "in flight", restored.pending() + (restored.pending() == 1
                ? " request at the cut, "
                : " requests at the cut, ")
                + (restored.guest() == Restorer.Guests.IDLE
                        ? "delivered to the rings"
                        : restored.delivered() + " completions seen by the guest"));
        if (restored.guest() == Restorer.Guests.ITS_OWN) {
            row(out, "ran", Units.seconds(restored.seconds()) + ": "
                    + Units.count((double) restored.steps()) + " steps, "
                    + Units.count(restored.steps() / restored.seconds()) + "/s; "
                    + Units.count((double) restored.ioCompleted()) + " requests completed; "
                    + Units.count((double) restored.memoryFaults()) + " memory faults");
        }
        row(out, "left", "checkpoint " + restored.left() + ", " + Units.bytes(restored.leftBytes())
                + ", taken when it had run; it ended with this process");
        row(out, "disks", restored.disks());
    }

    private static void row(PrintWriter out, String label, String words) {
        out.println("  %-10s  %s".formatted(label, words));
    }
}
