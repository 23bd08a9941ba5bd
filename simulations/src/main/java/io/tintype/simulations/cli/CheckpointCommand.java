package io.tintype.simulations.cli;

import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code tintype checkpoint}: the commands that look into a store and change it. */
@Command(
        name = "checkpoint",
        description = "Looks into a checkpoint store, restores VMs from it, and tidies it up.",
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype run --store checkpoints --for 5s --vms 4",
            "      fills a store",
            "  ./tintype checkpoint ls --store checkpoints",
            "      what is in it",
            "  ./tintype checkpoint diff vm-1/3 vm-1 --store checkpoints",
            "      what changed from the third checkpoint of vm-1 to its newest",
            "",
            "A checkpoint is written VM/ID; VM alone is the newest of that VM. More in docs/checkpoint-command.md."})
final class CheckpointCommand implements Runnable {
    /** Shown in the help of those that only look. */
    static final String LOOKS_ONLY =
            "Takes no lock and changes nothing, so it works while another process uses the store.";

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private CheckpointCommand() {}

    static CommandLine of(Surroundings surroundings) {
        var line = new CommandLine(new CheckpointCommand());
        for (var command : List.of(new CheckpointLs(surroundings),
                new CheckpointInspect(), new CheckpointVerify(surroundings),
                new CheckpointDiff(surroundings), new CheckpointRestore(surroundings),
                new CheckpointClone(surroundings), new CheckpointRm(surroundings),
                new CheckpointGc(surroundings))) {
            line.addSubcommand(command);
        }
        return line;
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command of checkpoint: "
                + String.join(", ", spec.subcommands().keySet()));
    }

    /** What all of them have. */
    static final class Common {
        @Option(names = "--store", paramLabel = "DIR", required = true,
                description = "the checkpoint store")
        private Path store = Path.of("");

        @Option(names = "--json", description = "print the result as JSON")
        private boolean json;

        @SuppressWarnings("unused") // picocli looks at it
        @Option(names = {"-h", "--help"}, usageHelp = true,
                description = "show this and do nothing")
        private boolean isHelpAsked;

        boolean isJson() {
            return json;
        }

        /** The store, which must be there: nothing is created by looking for it. */
        Path store() {
            if (store.toString().isEmpty()) {
                throw UserErrorException.of("--store", "''", "not a directory's name", "name one");
            }
            if (!Files.exists(store)) {
                throw UserErrorException.of("--store", store, "there is no such directory",
                        "name the store of an earlier './tintype run --store DIR'");
            }
            if (!Files.isDirectory(store)) {
                throw UserErrorException.of("--store", store, "a file", "name a directory");
            }
            if (!Files.isRegularFile(store.resolve(CheckpointStore.MARKER))) {
                throw UserErrorException.of("--store", store,
                        "not a Tintype store: there is no file " + CheckpointStore.MARKER
                                + " in it",
                        "name the store of an earlier './tintype run --store DIR'");
            }
            return store;
        }

        /** As JSON if that was asked for; answers whether it was. */
        boolean wasPrinted(Object result, PrintWriter out) {
            if (json) {
                out.print(ResultJson.pretty(result));
                out.flush();
            }
            return json;
        }
    }
}
