package io.tintype.simulations;

import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.bench.suite.Benchmarks;
import io.tintype.simulations.cli.Commands;
import io.tintype.simulations.fleet.LiveFleetRunner;
import io.tintype.simulations.run.FleetRunner;
import java.util.List;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * What {@code ./tintype} starts: the command line with what it drives behind it. The exit status is 0 on success, 1 on failure
 * and 2 when called wrongly.
 */
@Command(
        name = "tintype",
        description = "Hosts simulated VMs and takes live checkpoints of them.",
        mixinStandardHelpOptions = true,
        synopsisSubcommandLabel = "COMMAND",
        commandListHeading = "%nCommands:%n",
        footer = {"",
            "'./tintype run' needs nothing else: try it. './tintype run --help' shows what can be varied."},
        versionProvider = Main.Version.class)
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return Commands.on(new Main(), fleetRunner(), benchmarks());
    }

    private static FleetRunner fleetRunner() {
        return new LiveFleetRunner();
    }

    private static List<Benchmark> benchmarks() {
        return Benchmarks.all();
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "Missing command");
    }

    /** The version is in the jar's manifest; classes run from a folder have none. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            var version = Objects.requireNonNullElse(
                    Main.class.getPackage().getImplementationVersion(), "(not packaged)");
            return new String[] {"tintype " + version, "Java " + Runtime.version()};
        }
    }
}
