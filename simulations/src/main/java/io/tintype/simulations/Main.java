package io.tintype.simulations;

import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** What {@code ./tintype} starts. The exit status is 0 on success, 1 on failure and 2 when called wrongly. */
@Command(
        name = "tintype",
        description = "Hosts simulated VMs and takes live checkpoints of them.",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class)
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    public static void main(String[] args) {
        System.exit(commandLine().execute(args));
    }

    static CommandLine commandLine() {
        return new CommandLine(new Main());
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
