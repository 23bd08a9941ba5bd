package io.tintype.simulations.cli;

import io.tintype.scheduler.Rule;
import io.tintype.scheduler.Rules;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.explore.ExploreConfig;
import io.tintype.simulations.explore.ExploreConfig.Kind;
import io.tintype.simulations.explore.ExploreConfig.Policy;
import io.tintype.simulations.explore.Explorer;
import io.tintype.simulations.explore.Explorer.Standing;
import io.tintype.simulations.explore.TooLargeException;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.simulations.story.Story;
import io.tintype.simulations.story.StoryHtml;
import io.tintype.simulations.story.StoryText;
import io.tintype.simulations.story.TraceFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tintype explore}: all schedules of all programs of a size, on the pure cores. */
@Command(
        name = "explore",
        sortOptions = false,
        description = "Goes through all schedules of all small guest programs, on the pure cores that decide about I/O and "
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
            "      one VM with one disk, two requests, two checkpoints",
            "  ./tintype explore --break R8 --report story.html",
            "      what a write that does not wait for those below it would do",
            "  ./tintype explore --requests 3 --checkpoints 1 --kinds read,write",
            "      longer programs of fewer kinds of requests",
            "",
            "More in docs/explorer.md."})
final class ExploreCommand implements Callable<Integer> {
    private static final long SAY_EVERY_NS = 2_000_000_000;
    /** Those that the shells keep: no state of the cores shows them. */
    private static final Set<Rule> SHELL_RULES = EnumSet.of(Rule.R1, Rule.R2, Rule.R3);

    /** What {@code --json} writes. */
    record Figures(long distinctStates, long generatedStates, int depth, boolean exhausted,
            double statesPerSecond, double bytesPerState, double seconds,
            List<Finding> violations) {}

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

    @Option(names = "--requests", paramLabel = "N", defaultValue = "2",
            converter = Values.Count.class,
            description = "requests that the guests issue at most, 0 to 6 (${DEFAULT-VALUE})")
    private int requests;

    @Option(names = "--checkpoints", paramLabel = "N", defaultValue = "2",
            converter = Values.Count.class,
            description = "checkpoints that begin at most, 0 to 3 (${DEFAULT-VALUE})")
    private int checkpoints;

    @Option(names = "--kinds", paramLabel = "KIND,…", defaultValue = "read,write,zeroes,flush",
            description = "kinds of requests (${DEFAULT-VALUE})")
    private String kinds = "";

    @Option(names = "--faults", paramLabel = "N", defaultValue = "0",
            converter = Values.Count.class,
            description = "errors of devices and of the store at most, 0 to 3 (${DEFAULT-VALUE})")
    private int faults;

    @Option(names = "--resets", paramLabel = "N", defaultValue = "1",
            converter = Values.Count.class,
            description = "resets of all devices at most, 0 to 3 (${DEFAULT-VALUE})")
    private int resets;

    @Option(names = "--commits", paramLabel = "N", defaultValue = "1",
            converter = Values.Count.class,
            description = "commits of an overlay into the layer below at most, 0 to 3 (${DEFAULT-VALUE})")
    private int commits;

    @Option(names = "--policy", paramLabel = "POLICY",
            description = "landed, disk-put-off, disk-delay-resume, or all: where a copied page gets a pending read's bytes "
                    + "from, and what a stun does about a read and a write of one block (landed; with --break R9 all)")
    private @Nullable String policy;

    @Option(names = "--ordered", paramLabel = "BOOLEAN", arity = "0..1", fallbackValue = "true",
            defaultValue = "false",
            description = "devices complete overlapping requests in the order of issue")
    private boolean ordered;

    @Option(names = "--break", paramLabel = "RULE",
            description = "switch a rule off, to see it violated: R4 to R17")
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
        var config = config();
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
        var latest = new Standing[] {new Standing(0, 0, 0, 0, 0, 0)};
        var saidNs = new AtomicLong();
        Explorer.Result result;
        try (var _ = Interrupts.install(() -> isCancelled.set(true),
                words -> err.println("tintype: " + words), "nothing is left behind")) {
            result = Explorer.run(config, statesMax, standing -> {
                latest[0] = standing;
                if (standing.elapsedNs() - saidNs.get() > SAY_EVERY_NS) {
                    saidNs.set(standing.elapsedNs());
                    err.println(progress(standing));
                    err.flush();
                }
            }, isCancelled::get);
        } catch (TooLargeException e) {
            throw tooLarge(e, latest[0]);
        }
        return show(result);
    }

    private static String progress(Standing standing) {
        return Units.whole(standing.distinct()) + " states  "
                + Units.count(standing.statesPerSecond()) + "/s  depth " + standing.depth()
                + "  " + Units.whole(standing.frontier()) + " to expand  "
                + (standing.bytes() >> 20) + " MiB";
    }

    private UserErrorException tooLarge(TooLargeException error, Standing reached) {
        boolean isLimit = String.valueOf(error.getMessage()).equals(Long.toString(statesMax));
        return UserErrorException.of("--max-states", Units.whole(statesMax),
                (isLimit ? "there are more states" : String.valueOf(error.getMessage()))
                        + "; up to depth " + reached.depth()
                        + " no violation was found, and " + Units.whole(reached.frontier())
                        + " states were left to expand",
                "allow more, or choose fewer --requests, --checkpoints or --kinds");
    }

    private ExploreConfig config() {
        within("--vms", vms, 1, ExploreConfig.VMS_MAX);
        within("--disks", disks, 1, ExploreConfig.DISKS_MAX);
        within("--pages", pages, 1, ExploreConfig.PAGES_MAX);
        within("--requests", requests, 0, ExploreConfig.REQUESTS_MAX);
        within("--checkpoints", checkpoints, 0, ExploreConfig.CHECKPOINTS_MAX);
        within("--faults", faults, 0, ExploreConfig.BUDGET_MAX);
        within("--resets", resets, 0, ExploreConfig.BUDGET_MAX);
        within("--commits", commits, 0, ExploreConfig.BUDGET_MAX);
        if (statesMax < 1) {
            throw UserErrorException.of("--max-states", statesMax, "at least one state is needed",
                    "choose 1 or more");
        }
        var rule = broken == null ? null : rule(broken);
        return new ExploreConfig(vms, disks, pages, requests, checkpoints, faults, resets, commits,
                policies(rule), kinds(), ordered,
                rule == null ? Rules.ALL_ON : Rules.without(rule));
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
                if (SHELL_RULES.contains(rule)) {
                    throw UserErrorException.of("--break", name,
                            "the shells keep this rule, the pure cores do not know it",
                            "choose R4 to R17, or break it in a simulation");
                }
                return rule;
            }
        }
        throw UserErrorException.of("--break", name, "there is no such rule", "choose R4 to R17");
    }

    private List<Policy> policies(@Nullable Rule rule) {
        if (policy == null ? rule == Rule.R9 : policy.equalsIgnoreCase("all")) {
            return List.of(Policy.values());
        }
        return List.of(
                policy == null ? Policy.LANDED : choice("--policy", policy, Policy.values()));
    }

    private List<Kind> kinds() {
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

    private int show(Explorer.Result result) throws IOException {
        var out = spec.commandLine().getOut();
        var standing = result.standing();
        var story = result.story();
        if (story != null) {
            tell(story);
        }
        out.println(Units.whole(standing.distinct()) + " distinct states of "
                + Units.whole(standing.generated()) + " generated, depth " + standing.depth()
                + ", " + (result.isExhausted()
                        ? "exhausted: no schedule violates a rule"
                        : story != null
                                ? "stopped at a violation"
                                : "not exhausted: stopped early, no violation so far"));
        out.println(Units.count(standing.statesPerSecond()) + " states a second, "
                + Units.digits(Math.round(standing.bytesPerState() * 10) / 10.0)
                + " bytes a state, "
                + Units.seconds(standing.elapsedNs() / 1e9));
        out.println(result.cores());
        if (result.isExhausted()) {
            // n² / 2⁶⁵, see Fingerprints.
            double chance = (double) standing.distinct() * standing.distinct() / 0x1p65;
            out.println(String.format(Locale.ROOT,
                    "two states taken for one somewhere: probability %.1e", chance));
        }
        out.flush();
        if (json != null) {
            ResultJson.write(new Figures(standing.distinct(), standing.generated(),
                    standing.depth(), result.isExhausted(), standing.statesPerSecond(),
                    standing.bytesPerState(), standing.elapsedNs() / 1e9, findings(story)), json);
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
