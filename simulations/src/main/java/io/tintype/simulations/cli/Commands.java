package io.tintype.simulations.cli;

import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.run.FleetRunner;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;

/** Puts the commands together, and says in one place how each of them fails. */
public final class Commands {
    /** Nothing was violated, every target was reached. */
    static final int EXIT_FINE = 0;
    /** Something was violated, a target was missed, or the program itself failed. */
    static final int EXIT_FAILED = 1;
    /** What was asked for cannot be done; nothing was created. */
    static final int EXIT_BAD_INPUT = 2;

    /** Shown at the end of each command's help. */
    static final String EXIT_STATUS = "%nExit status:%n";

    /**
     * What the commands need of the world around them.
     *
     * @param temporary directory for directories that are gone when a command ends
     */
    record Surroundings(Machine machine, Terminal terminal, Path temporary) {}

    private Commands() {}

    /** Adds {@code run}, {@code bench}, {@code simulate}, {@code replay}, {@code disk} and {@code help} to {@code root}, a command of picocli's; ready to execute. */
    public static CommandLine on(Object root, FleetRunner runner, List<Benchmark> benchmarks) {
        var surroundings = new Surroundings(
                Machine.local(), Terminal.local(),
                Path.of(System.getProperty("java.io.tmpdir", "/tmp")));
        var results = new ResultStream(new FileOutputStream(FileDescriptor.out));
        var out = writer(results, System.out.charset());
        var err = writer(System.err, System.err.charset());
        return on(root, runner, benchmarks, surroundings)
                .setOut(out)
                .setErr(err)
                .setExecutionStrategy(
                        parsed -> results.conclude(new RunLast().execute(parsed), out, err));
    }

    /** In the locale's encoding, or in UTF-8 where that is plain ASCII: what is told to have no µ mostly has it all the same. */
    private static PrintWriter writer(OutputStream stream, Charset ofLocale) {
        var charset =
                ofLocale.newEncoder().canEncode("µ·×–…") ? ofLocale : StandardCharsets.UTF_8;
        return new PrintWriter(new OutputStreamWriter(stream, charset), true);
    }

    static CommandLine on(
            Object root, FleetRunner runner, List<Benchmark> benchmarks,
            Surroundings surroundings) {
        return new CommandLine(root)
                .addSubcommand(new RunCommand(runner, surroundings))
                .addSubcommand(new BenchCommand(benchmarks, surroundings))
                .addSubcommand(new ExploreCommand(surroundings))
                .addSubcommand(new SimulateCommand(surroundings))
                .addSubcommand(new ReplayCommand(
                        List.of(new SimulateReplayer(), new ExploreReplayer())))
                .addSubcommand(new DiskCommand(surroundings))
                .addSubcommand(new TortureCommand(surroundings))
                .addSubcommand(CheckpointCommand.of(surroundings))
                .addSubcommand(new HelpCommand())
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setUsageHelpAutoWidth(true)
                .setUsageHelpLongOptionsMaxWidth(34)
                .setParameterExceptionHandler(Commands::badInput)
                .setExecutionExceptionHandler(Commands::failed);
    }

    private static int badInput(ParameterException error, String[] arguments) {
        var commandLine = error.getCommandLine();
        var err = commandLine.getErr();
        if (arguments.length == 0) {
            err.println("tintype: a command is missing");
            commandLine.usage(err);
            return EXIT_BAD_INPUT;
        }
        err.println("tintype: " + ErrorLines.of(error));
        return EXIT_BAD_INPUT;
    }

    private static int failed(Exception error, CommandLine commandLine, ParseResult parsed) {
        return failed(error, commandLine.getErr());
    }

    private static int failed(Throwable error, PrintWriter err) {
        var line = ErrorLines.of(error);
        if (line != null) {
            err.println("tintype: " + line);
            return EXIT_BAD_INPUT;
        }
        err.println("tintype: failed by a mistake of its own; what follows helps to find it");
        error.printStackTrace(err);
        return EXIT_FAILED;
    }
}
