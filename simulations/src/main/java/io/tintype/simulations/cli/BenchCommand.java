package io.tintype.simulations.cli;

import io.tintype.simulations.bench.BenchContext;
import io.tintype.simulations.bench.BenchResult;
import io.tintype.simulations.bench.BenchTable;
import io.tintype.simulations.bench.BenchTable.Entry;
import io.tintype.simulations.bench.Benchmark;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.run.UserErrorException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code tintype bench}: measures, and says which figures reach what they must. */
@Command(
        name = "bench",
        sortOptions = false,
        description = "Measures what checkpoints cost, each figure beside what it must reach. Without a name, all of it.",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:every target was reached",
            "  1:one was not, or a benchmark failed",
            "  2:there is no such benchmark",
            "130:stopped at once by a second Ctrl-C"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype bench --list",
            "      what there is to measure",
            "  ./tintype bench stun",
            "      one benchmark, as a table",
            "  ./tintype bench --markdown > figures.md",
            "      all of them, as docs/benchmarks.md shows them"})
final class BenchCommand implements Callable<Integer> {
    /** What is printed in place of the table. */
    static final class Form {
        @Option(names = "--list",
                description = "print the names and what they measure, measure nothing")
        private boolean list;

        @Option(names = "--json", description = "print the figures as JSON")
        private boolean json;

        @Option(names = "--markdown", description = "print the figures as a Markdown table")
        private boolean markdown;
    }

    /** One benchmark in the JSON form. */
    record Finding(String name, String title, boolean reached, @Nullable String failure,
            List<BenchResult.Row> rows) {}

    @Parameters(paramLabel = "NAME", arity = "0..*",
            description = "benchmarks to run, in this order")
    private List<String> names = List.of();

    @ArgGroup
    private @Nullable Form form;

    @Option(names = "--quick", description = "only see that they work: the figures mean nothing")
    private boolean quick;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1", converter = Values.Seed.class,
            description = "all made-up values come from it (${DEFAULT-VALUE})")
    private long seed;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final List<Benchmark> benchmarks;

    private final Surroundings surroundings;

    BenchCommand(List<Benchmark> benchmarks, Surroundings surroundings) {
        this.benchmarks = List.copyOf(benchmarks);
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() {
        var out = spec.commandLine().getOut();
        var chosen = chosen();
        var asked = Objects.requireNonNullElseGet(form, Form::new);
        if (asked.list) {
            var width = chosen.stream().mapToInt(each -> each.name().length()).max().orElse(0);
            chosen.forEach(each -> out.println(
                    each.name() + " ".repeat(width - each.name().length() + 2) + each.title()));
            out.flush();
            return Commands.EXIT_FINE;
        }
        var entries = measure(chosen);
        out.print(asked.json
                ? ResultJson.pretty(entries.stream().map(BenchCommand::finding).toList())
                : asked.markdown ? BenchTable.markdown(entries) : BenchTable.text(entries));
        out.flush();
        var isAll = entries.size() == chosen.size();
        return isAll && entries.stream().allMatch(Entry::isFine)
                ? Commands.EXIT_FINE
                : Commands.EXIT_FAILED;
    }

    private List<Benchmark> chosen() {
        if (names.isEmpty()) {
            return benchmarks;
        }
        var chosen = new ArrayList<Benchmark>();
        for (var name : names) {
            chosen.add(benchmarks.stream()
                    .filter(each -> each.name().equals(name))
                    .findFirst()
                    .orElseThrow(
                            () -> UserErrorException.of("bench", name, "there is no such benchmark",
                                    "choose from " + benchmarks.stream().map(Benchmark::name)
                                            .collect(Collectors.joining(", ")))));
        }
        return chosen;
    }

    private List<Entry> measure(List<Benchmark> chosen) {
        var err = spec.commandLine().getErr();
        var isCancelled = new AtomicBoolean();
        var entries = new ArrayList<Entry>();
        try (var _ = Interrupts.install(() -> isCancelled.set(true),
                words -> err.println("tintype: " + words),
                "its temporary directory in " + surroundings.temporary() + " is left behind")) {
            for (var benchmark : chosen) {
                if (isCancelled.get()) {
                    break;
                }
                err.println(benchmark.name() + ": " + benchmark.title());
                err.flush();
                var directory = Folders.createTemporary(surroundings.temporary(),
                        "set another one with TINTYPE_JAVA_OPTS=-Djava.io.tmpdir=DIR");
                try {
                    entries.add(measure(benchmark, directory, isCancelled));
                } finally {
                    Folders.delete(directory);
                }
            }
        }
        return entries;
    }

    private Entry measure(Benchmark benchmark, Path directory, AtomicBoolean isCancelled) {
        var err = spec.commandLine().getErr();
        var context = new BenchContext(directory, seed, quick, line -> {
            err.println("  " + line);
            err.flush();
        }, isCancelled::get);
        try {
            return new Entry(benchmark, benchmark.run(context), "");
        } catch (Exception e) {
            // One that fails must not cost the figures of the others.
            var line = ErrorLines.of(e);
            if (line == null) {
                e.printStackTrace(err);
                line = e.toString();
            }
            return new Entry(benchmark, new BenchResult(List.of()), line);
        }
    }

    private static Finding finding(Entry entry) {
        return new Finding(entry.benchmark().name(), entry.benchmark().title(), entry.isFine(),
                entry.failure().isEmpty() ? null : entry.failure(), entry.result().rows());
    }
}
