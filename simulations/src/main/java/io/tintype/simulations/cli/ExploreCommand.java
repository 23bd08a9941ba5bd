package io.tintype.simulations.cli;

import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.explore.ExploreConfig;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.ExploreConfig.Policy;
import io.tintype.simulations.explore.Explorer;
import io.tintype.simulations.explore.Explorer.Standing;
import io.tintype.simulations.explore.Program;
import io.tintype.simulations.explore.TooLargeException;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.StoryHtml;
import io.tintype.simulations.story.StoryText;
import io.tintype.simulations.story.TraceFile;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tintype explore}: all schedules of small programs, on the pure cores. */
@Command(
        name = "explore",
        sortOptions = false,
        description = "Goes through all schedules of small guest programs, on the pure cores that decide about I/O and "
                + "checkpoints, and verifies every state from the guest's side; or shows the shortest way to a violation.",
        optionListHeading = "%nOptions, all of them optional:%n",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:no violation; the space was exhausted, or Ctrl-C ended the search",
            "  1:a rule was violated, or tintype itself failed",
            "  2:what was asked for cannot be done, or has more states than --max-states",
            "130:stopped at once by a second Ctrl-C"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype explore",
            "      programs of four requests, one for each known trap, with two checkpoints",
            "  ./tintype explore --program r01,w0,f,w1 --checkpoints 1",
            "      a program of your own",
            "  ./tintype explore --break R8 --report story.html",
            "      what a write that does not wait for those below it would do",
            "  ./tintype explore --program all --requests 2",
            "      every program of up to two requests",
            "",
            "More in docs/explorer.md."})
final class ExploreCommand implements Callable<Integer> {
    private static final long SAY_EVERY_NS = 2_000_000_000;
    private static final int REQUESTS_USUAL = 4;
    /** What all rules are found with that are switched off, by every program of that size. */
    private static final int REQUESTS_BROKEN = 2;
    private static final String BUILT_IN = "built-in";
    private static final String ALL = "all";

    /** What {@code --json} writes. */
    record Figures(long distinctStates, long generatedStates, int depth, boolean exhausted,
            double statesPerSecond, double bytesPerState, double seconds,
            List<Searched> programs, List<Finding> violations) {}

    /** What one search came to. */
    record Searched(String name, String program, long distinctStates, long generatedStates,
            int depth, boolean exhausted, double seconds) {}

    /** One search: of a program, or of all. */
    private record Job(String name, ExploreConfig config) {
        /** As it is written with {@code --program}. */
        String words() {
            return config.program().isEmpty() ? ALL : config.programWords();
        }
    }

    /** How far a search has come, and where all before it ended. */
    private record Ended(Job job, Explorer.Result result) {}

    /** A violation in it. */
    record Finding(@Nullable String rule, String finding, int events, @Nullable String trace) {}

    @Option(names = "--vms", paramLabel = "N", defaultValue = "1", converter = Values.Count.class,
            description = "VMs, 1 to 4; requests and checkpoints are of all together (${DEFAULT-VALUE})")
    private int vms;

    @Option(names = "--disks", paramLabel = "N", defaultValue = "1", converter = Values.Count.class,
            description = "disks of each VM, of one group of two blocks, 1 or 2 (${DEFAULT-VALUE})")
    private int disks;

    @Option(names = "--pages", paramLabel = "N", defaultValue = "1", converter = Values.Count.class,
            description = "memory pages that reads go to, 1 or 2 (${DEFAULT-VALUE})")
    private int pages;

    @Option(names = "--program", paramLabel = "PROGRAM",
            description = "what the guests issue: built-in, for all programs that come with this; the name of one of them; "
                    + "all, for every program of up to --requests requests; or requests such as r01,w0,f,u1 – read, write, zero, "
                    + "discard, flush, or write through, with the blocks, then @1 for disk 1, then /1 or /01 for a read to page 1 "
                    + "or across both (built-in; with --break all)")
    private @Nullable String program;

    @Option(names = "--requests", paramLabel = "N", converter = Values.Count.class,
            description = "requests that the guests issue at most, 0 to 6 (as many as the program has: 4; with --break 2)")
    private @Nullable Integer requests;

    @Option(names = "--checkpoints", paramLabel = "N", defaultValue = "2",
            converter = Values.Count.class,
            description = "checkpoints that begin at most, 0 to 3 (${DEFAULT-VALUE})")
    private int checkpoints;

    @Option(names = "--kinds", paramLabel = "KIND,…",
            description = "kinds of requests that --program all tries: read, write, zeroes, flush, fua, discard (the first four)")
    private @Nullable String kinds;

    @Option(names = "--faults", paramLabel = "N", converter = Values.Count.class,
            description = "errors of devices and of the store at most, 0 to 3 (as the built-in program needs it, else 0)")
    private @Nullable Integer faults;

    @Option(names = "--resets", paramLabel = "N", converter = Values.Count.class,
            description = "resets of all devices at most, 0 to 3 (as the built-in program needs it, else 1)")
    private @Nullable Integer resets;

    @Option(names = "--commits", paramLabel = "N", converter = Values.Count.class,
            description = "commits of an overlay into the layer below at most, 0 to 3 (as the built-in program needs it, else 1)")
    private @Nullable Integer commits;

    @Option(names = "--rollbacks", paramLabel = "N", converter = Values.Count.class,
            description = "rollbacks to a sealed checkpoint at most, 0 or 1, with one disk (as the built-in program needs it, else 0)")
    private @Nullable Integer rollbacks;

    @Option(names = "--policy", paramLabel = "POLICY",
            description = "landed, disk-put-off, disk-delay-resume, or all: where a copied page gets a pending read's bytes "
                    + "from, and what a stun does about a read and a write of one block (landed; with --break R9 all)")
    private @Nullable String policy;

    @Option(names = "--ordered", paramLabel = "BOOLEAN", arity = "0..1", fallbackValue = "true",
            defaultValue = "false",
            description = "devices complete overlapping requests in the order of issue")
    private boolean ordered;

    @Option(names = "--break", paramLabel = "RULE",
            description = "switch a rule off, to see it violated: R1 to R17")
    private @Nullable String broken;

    @Option(names = "--max-states", paramLabel = "N", defaultValue = "100000000",
            converter = Values.Seed.class,
            description = "give up beyond so many distinct states; each takes about 30 bytes (${DEFAULT-VALUE})")
    private long statesMax;

    @Option(names = "--json", paramLabel = "FILE", description = "write the figures as JSON")
    private @Nullable Path json;

    @Option(names = "--report", paramLabel = "FILE.html",
            description = "write the story of a violation as a page with its space-time diagram")
    private @Nullable Path report;

    @Option(names = "--trace", paramLabel = "FILE",
            description = "write the story of a violation as a file that replays (tintype-explore.json)")
    private @Nullable Path trace;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    ExploreCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException {
        var jobs = jobs();
        var checks = new OptionChecks(surroundings.machine());
        if (json != null) {
            checks.output("--json", json, "choose another place");
        }
        if (report != null) {
            checks.output("--report", report, "choose another place");
        }
        if (trace != null) {
            checks.output("--trace", trace, "choose another place");
        }
        var err = spec.commandLine().getErr();
        var isCancelled = new AtomicBoolean();
        var ended = new ArrayList<Ended>();
        try (var _ = Interrupts.install(() -> isCancelled.set(true),
                words -> err.println("tintype: " + words), "nothing is left behind")) {
            long states = 0;
            for (var job : jobs) {
                var result = search(job, states, err, isCancelled::get);
                states += result.standing().distinct();
                ended.add(new Ended(job, result));
                if (jobs.size() > 1) {
                    spec.commandLine().getOut().println(line(job, result));
                    spec.commandLine().getOut().flush();
                }
                if (result.story() != null || isCancelled.get()) {
                    break;
                }
            }
        }
        return show(ended, ended.size() == jobs.size());
    }

    private Explorer.Result search(Job job, long statesBefore, PrintWriter err,
            BooleanSupplier isCancelled) {
        var latest = new Standing[] {new Standing(0, 0, 0, 0, 0, 0)};
        var saidNs = new AtomicLong();
        try {
            return Explorer.run(job.config, statesMax - statesBefore, standing -> {
                latest[0] = standing;
                if (standing.elapsedNs() - saidNs.get() > SAY_EVERY_NS) {
                    saidNs.set(standing.elapsedNs());
                    err.println(job.name + ": " + progress(standing));
                    err.flush();
                }
            }, isCancelled);
        } catch (TooLargeException e) {
            throw tooLarge(e, job, statesMax - statesBefore, latest[0]);
        }
    }

    private static String line(Job job, Explorer.Result result) {
        var standing = result.standing();
        return job.name + " (" + job.words() + "): " + Units.whole(standing.distinct())
                + " distinct states, depth " + standing.depth() + ", "
                + (result.isExhausted()
                        ? "exhausted"
                        : result.story() != null ? "violated" : "not exhausted")
                + ", " + Units.seconds(standing.elapsedNs() / 1e9);
    }

    private static String progress(Standing standing) {
        return Units.whole(standing.distinct()) + " states  "
                + Units.count(standing.statesPerSecond()) + "/s  depth " + standing.depth()
                + "  " + Units.whole(standing.frontier()) + " to expand  "
                + (standing.bytes() >> 20) + " MiB";
    }

    private UserErrorException tooLarge(TooLargeException error, Job job, long left,
            Standing reached) {
        boolean isLimit = String.valueOf(error.getMessage()).equals(Long.toString(left));
        return UserErrorException.of("--max-states", Units.whole(statesMax),
                (isLimit ? "there are more states" : String.valueOf(error.getMessage()))
                        + "; of " + job.words() + ", up to depth " + reached.depth()
                        + " no violation was found, and " + Units.whole(reached.frontier())
                        + " states were left to expand",
                "allow more, or choose one --program, fewer --requests or --checkpoints");
    }

    private List<Job> jobs() {
        var rule = broken == null ? null : rule(broken);
        var wanted = program == null ? rule == null ? BUILT_IN : ALL : program;
        boolean isAll = wanted.equalsIgnoreCase(ALL);
        int count = requests != null
                ? requests
                : isAll && rule != null ? REQUESTS_BROKEN : REQUESTS_USUAL;
        within("--vms", vms, 1, ExploreConfig.VMS_MAX);
        within("--disks", disks, 1, ExploreConfig.DISKS_MAX);
        within("--pages", pages, 1, ExploreConfig.PAGES_MAX);
        within("--requests", count, 0, ExploreConfig.REQUESTS_MAX);
        within("--checkpoints", checkpoints, 0, ExploreConfig.CHECKPOINTS_MAX);
        within("--faults", or(faults, 0), 0, ExploreConfig.BUDGET_MAX);
        within("--resets", or(resets, 0), 0, ExploreConfig.BUDGET_MAX);
        within("--commits", or(commits, 0), 0, ExploreConfig.BUDGET_MAX);
        within("--rollbacks", or(rollbacks, 0), 0, 1);
        if (statesMax < 1) {
            throw UserErrorException.of("--max-states", statesMax, "at least one state is needed",
                    "choose 1 or more");
        }
        if (kinds != null && !isAll) {
            throw UserErrorException.of("--kinds", kinds, "a program has its own",
                    "say --program all as well, or leave it out");
        }
        var base = new ExploreConfig(vms, disks, pages, isAll ? count : 0, checkpoints, 0,
                0, 0, 0, policies(rule), kinds(), List.of(), ordered,
                rule == null ? Rules.ALL_ON : Rules.without(rule));
        if (isAll) {
            return List.of(new Job("all programs", within(base, Program.Budgets.USUAL)));
        }
        var programs = wanted.equalsIgnoreCase(BUILT_IN)
                ? Program.BUILT_IN
                : List.of(program(wanted));
        var jobs = new ArrayList<Job>();
        for (var each : programs) {
            if (requests != null && count > each.requests().size()) {
                throw UserErrorException.of("--requests", count,
                        each.name() + " has only " + each.requests().size(),
                        "choose fewer, or another --program");
            }
            var cut = requests == null
                    ? each
                    : new Program(each.name(), each.requests().subList(0, count),
                            each.budgets());
            jobs.add(new Job(each.name(), within(cut.requests().isEmpty()
                    ? base
                    : base.with(cut), each.budgets())));
        }
        return jobs;
    }

    /** With as much else as was asked for, or the program needs. */
    private ExploreConfig within(ExploreConfig config, Program.Budgets budgets) {
        int back = or(rollbacks, budgets.rollbacks());
        if (back > 0 && config.disks() > 1) {
            if (rollbacks != null) {
                throw UserErrorException.of("--rollbacks", back,
                        "with two disks there is no room for those that a rollback brings",
                        "choose --rollbacks 0 or one disk");
            }
            back = 0;
        }
        return config.withBudgets(or(faults, budgets.faults()), or(resets, budgets.resets()),
                or(commits, budgets.commits())).withRollbacks(back);
    }

    private static int or(@Nullable Integer asked, int otherwise) {
        return asked == null ? otherwise : asked;
    }

    private static Program program(String words) {
        var named = Program.named(words);
        if (named != null) {
            return named;
        }
        try {
            var parsed = Program.parse(words);
            if (parsed.requests().size() > ExploreConfig.REQUESTS_MAX) {
                throw UserErrorException.of("--program", words,
                        "it has " + parsed.requests().size() + " requests",
                        "choose at most " + ExploreConfig.REQUESTS_MAX);
            }
            return parsed;
        } catch (IllegalArgumentException e) {
            throw UserErrorException.of("--program", words, String.valueOf(e.getMessage()),
                    "write requests such as r01,w0,f,u1, or one of built-in, all, " + String
                            .join(", ", Program.BUILT_IN.stream().map(Program::name).toList()));
        }
    }

    private static void within(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw UserErrorException.of(option, value, "not a size that can be searched",
                    "choose " + min + " to " + max);
        }
    }

    private static Rule rule(String name) {
        for (var rule : Rule.values()) {
            if (rule.name().equalsIgnoreCase(name.strip())) {
                return rule;
            }
        }
        throw UserErrorException.of("--break", name, "there is no such rule", "choose R1 to R17");
    }

    private List<Policy> policies(@Nullable Rule rule) {
        if (policy == null ? rule == Rule.R9 : policy.equalsIgnoreCase("all")) {
            return List.of(Policy.values());
        }
        return List.of(
                policy == null ? Policy.LANDED : choice("--policy", policy, Policy.values()));
    }

    private List<Kind> kinds() {
        if (kinds == null) {
            return ExploreConfig.KINDS_USUAL;
        }
        var chosen = EnumSet.noneOf(Kind.class);
        for (var kind : kinds.split(",", -1)) {
            chosen.add(choice("--kinds", kind, Kind.values()));
        }
        return List.copyOf(chosen);
    }

    private static <E extends Enum<E>> E choice(String option, String value, E[] choices) {
        var names = new StringBuilder();
        for (var each : choices) {
            var name = each.name().toLowerCase(Locale.ROOT).replace('_', '-');
            if (name.equalsIgnoreCase(value.strip())) {
                return each;
            }
            names.append(names.isEmpty() ? "" : ", ").append(name);
        }
        throw UserErrorException.of(option, value, "there is no such choice", "write " + names);
    }

    private int show(List<Ended> ended, boolean isComplete) throws IOException {
        var out = spec.commandLine().getOut();
        var story = ended.getLast().result.story();
        if (story != null) {
            tell(story);
        }
        long distinct = 0;
        long generated = 0;
        int depth = 0;
        long elapsedNs = 0;
        double bytes = 0;
        double chance = 0;
        boolean isExhausted = isComplete;
        var searched = new ArrayList<Searched>();
        for (var each : ended) {
            var standing = each.result.standing();
            distinct += standing.distinct();
            generated += standing.generated();
            depth = Math.max(depth, standing.depth());
            elapsedNs += standing.elapsedNs();
            bytes += standing.bytes();
            // n² / 2⁶⁵, see Fingerprints.
            chance += (double) standing.distinct() * standing.distinct() / 0x1p65;
            isExhausted &= each.result.isExhausted();
            searched.add(new Searched(each.job.name, each.job.words(), standing.distinct(),
                    standing.generated(), standing.depth(), each.result.isExhausted(),
                    standing.elapsedNs() / 1e9));
        }
        double seconds = elapsedNs / 1e9;
        double rate = seconds == 0 ? 0 : distinct / seconds;
        double bytesPerState = distinct == 0 ? 0 : bytes / distinct;
        out.println(Units.whole(distinct) + " distinct states of " + Units.whole(generated)
                + " generated, depth " + depth + ", " + (isExhausted
                        ? "exhausted: no schedule violates a rule"
                        : story != null
                                ? "stopped at a violation"
                                : "not exhausted: stopped early, no violation so far"));
        out.println(Units.count(rate) + " states a second, "
                + Units.digits(Math.round(bytesPerState * 10) / 10.0) + " bytes a state, "
                + Units.seconds(seconds));
        out.println(ended.getLast().result.cores()
                + (ended.size() == 1 ? "" : ", in the last search"));
        if (isExhausted) {
            out.println(String.format(Locale.ROOT,
                    "two states taken for one somewhere: probability %.1e", chance));
        }
        out.flush();
        if (json != null) {
            ResultJson.write(new Figures(distinct, generated, depth, isExhausted, rate,
                    bytesPerState, seconds, searched, findings(story)), json);
        }
        return story == null ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }

    private Path traceFile() {
        return trace == null ? Path.of("tintype-explore.json") : trace;
    }

    private List<Finding> findings(@Nullable Story story) {
        if (story == null) {
            return List.of();
        }
        var rule = story.rule();
        return List.of(new Finding(rule == null ? null : rule.name(), story.finding(),
                story.events().size(), traceFile().toString()));
    }

    private void tell(Story story) throws IOException {
        var file = traceFile();
        TraceFile.write(file, story);
        var command = StoryText.replay(file.toString());
        spec.commandLine().getOut().println(StoryText.of(story, command));
        if (report != null) {
            StoryHtml.write(report, story, command);
        }
    }
}
