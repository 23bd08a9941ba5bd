package io.tintype.simulations.cli;

import io.tintype.scheduler.Rule;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.simulations.simulate.Campaign;
import io.tintype.simulations.simulate.Faults;
import io.tintype.simulations.simulate.Finding;
import io.tintype.simulations.simulate.Scenario;
import io.tintype.simulations.simulate.ScenarioException;
import io.tintype.simulations.simulate.Situation;
import io.tintype.simulations.simulate.Strategy;
import io.tintype.simulations.story.StoryHtml;
import io.tintype.simulations.story.StoryText;
import io.tintype.simulations.story.TraceFile;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** {@code tintype simulate}: many seeds, and a story for what fails. */
@Command(
        name = "simulate",
        sortOptions = false,
        description = "Runs the real actors deterministically from seeds, on simulated storage that reorders, fails and loses power, "
                + "and tells a story when a rule is broken.",
        optionListHeading = "%nOptions, all of them optional:%n",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:no rule was broken, also after Ctrl-C",
            "  1:a rule was broken, or tintype itself failed",
            "  2:what was asked for cannot be done",
            "130:stopped at once by a second Ctrl-C"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype simulate",
            "      10,000 seeds of the swarm, with all faults",
            "  ./tintype simulate --break R8 --report r8.html",
            "      the same with rule R8 switched off: how soon is it noticed, and what does it look like?",
            "  ./tintype simulate --for 10m --jobs 2 --strategy pct",
            "      ten minutes of new seeds on two threads",
            "  ./tintype simulate --seed 42 --seeds 1",
            "      one seed again",
            "",
            "More in docs/simulator.md."})
final class SimulateCommand implements Callable<Integer> {
    private static final long NEW_SEED_BOUND = 1_000_000_000;
    private static final int JOBS_MAX = 256;

    /** What {@code --json} writes of a failure. */
    record FoundJson(@Nullable String rule, long seed, int events, int recordedEvents, String trace,
            String finding) {}

    /** What {@code --json} writes; docs/simulator.md explains it. */
    record ResultOfRuns(long runs, List<FoundJson> violations, double runsPerSecond,
            double messagesPerSecond, double virtualSeconds, double realSeconds, String traceHash,
            long firstSeed, String scenario, String strategy, String faults,
            @Nullable String broken, Map<String, Long> situations) {}

    @Option(names = "--seeds", paramLabel = "N", converter = WholeNumber.class,
            description = "how many consecutive seeds to run (10000; with --for as many as there is time for)")
    private @Nullable Long seeds;

    @Option(names = "--for", paramLabel = "TIME", converter = Values.Span.class,
            description = "run seeds for so long")
    private @Nullable Duration runFor;

    @Option(names = "--seed", paramLabel = "N", converter = Values.Seed.class,
            description = "the first seed (a new one)")
    private @Nullable Long seed;

    @Option(names = "--scenario", paramLabel = "NAME|FILE", defaultValue = "swarm",
            completionCandidates = Names.class,
            description = "what is not left to the seed: ${COMPLETION-CANDIDATES}, or a file with lines KNOB=VALUE (${DEFAULT-VALUE})")
    private String scenario = "swarm";

    @Option(names = "--strategy", paramLabel = "HOW", defaultValue = "random",
            converter = OfStrategy.class,
            description = "how the next actor is chosen: random, pct or pos (${DEFAULT-VALUE})")
    private Strategy strategy = Strategy.RANDOM;

    @Option(names = "--faults", paramLabel = "WHICH", defaultValue = "all",
            converter = OfFaults.class,
            description = "none, storage, crash or all (${DEFAULT-VALUE})")
    private Faults faults = Faults.ALL;

    @Option(names = "--break", paramLabel = "RULE", converter = OfRule.class,
            description = "switch a rule off, R1 to R17, to see the simulator catch it")
    private @Nullable Rule broken;

    @Option(names = "--jobs", paramLabel = "N", defaultValue = "1", converter = Values.Count.class,
            description = "how many runs at once (${DEFAULT-VALUE})")
    private int jobs;

    @Option(names = "--json", paramLabel = "FILE", description = "write the figures as JSON")
    private @Nullable Path json;

    @Option(names = "--report", paramLabel = "FILE.html",
            description = "where the picture of a failure goes")
    private @Nullable Path report;

    @Option(names = "--trace", paramLabel = "FILE",
            description = "where the trace of a failure goes (tintype-simulate-RULE-seed-N.json)")
    private @Nullable Path trace;

    @Option(names = "--quiet", description = "show no progress, only what the runs came to")
    private boolean quiet;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    SimulateCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    /** Of scenarios. */
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Scenario.names().iterator();
        }
    }

    /** Digits. */
    static final class WholeNumber implements ITypeConverter<Long> {
        @Override
        public Long convert(String value) {
            if (!value.strip().matches("\\d{1,18}") || Long.parseLong(value.strip()) == 0) {
                throw new TypeConversionException(
                        "not a number of seeds; write a whole number from 1");
            }
            return Long.parseLong(value.strip());
        }
    }

    private static <E extends Enum<E>> E choice(Class<E> type, String value, String what) {
        for (var constant : type.getEnumConstants()) {
            if (constant.name().equalsIgnoreCase(value.strip())) {
                return constant;
            }
        }
        throw new TypeConversionException("there is no such choice; write " + what);
    }

    /** Random, PCT, POS. */
    static final class OfStrategy implements ITypeConverter<Strategy> {
        @Override
        public Strategy convert(String value) {
            return choice(Strategy.class, value, "random, pct or pos");
        }
    }

    /** Which faults. */
    static final class OfFaults implements ITypeConverter<Faults> {
        @Override
        public Faults convert(String value) {
            return choice(Faults.class, value, "none, storage, crash or all");
        }
    }

    /** Which rule. */
    static final class OfRule implements ITypeConverter<Rule> {
        @Override
        public Rule convert(String value) {
            return choice(Rule.class, value, "R1 to R17");
        }
    }

    @Override
    public Integer call() throws InterruptedException, IOException {
        var plan = plan();
        var err = spec.commandLine().getErr();
        var campaign = new Campaign(plan);
        Finding finding;
        try (var _ = Interrupts.install(campaign::cancel,
                words -> err.println("tintype: " + words), "nothing is left behind")) {
            if (quiet) {
                finding = campaign.run();
            } else {
                err.println(words(plan));
                err.flush();
                try (var _ = ProgressLine.start(() -> campaign.isShrinking()
                        ? "a rule is broken; shrinking the run that shows it"
                        : line(campaign.totals()), err, surroundings.terminal())) {
                    finding = campaign.run();
                }
            }
        }
        return show(plan, campaign.totals(), finding);
    }

    private Campaign.Plan plan() {
        if (jobs < 1 || jobs > JOBS_MAX) {
            throw UserErrorException.of("--jobs", jobs, "out of range",
                    "choose 1 to " + JOBS_MAX);
        }
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
        Scenario chosen;
        try {
            chosen = Scenario.of(scenario);
        } catch (ScenarioException wrong) {
            throw UserErrorException.of("--scenario", scenario,
                    String.valueOf(wrong.getMessage()), wrong.wayOut());
        }
        long first = seed == null
                ? ThreadLocalRandom.current().nextLong(1, NEW_SEED_BOUND)
                : seed;
        long count = seeds != null ? seeds : runFor != null ? Long.MAX_VALUE / 4 : 10_000;
        return new Campaign.Plan(first, count, runFor == null ? Long.MAX_VALUE : runFor.toNanos(),
                chosen, strategy, faults, broken, jobs);
    }

    private static String words(Campaign.Plan plan) {
        return "seeds from " + plan.firstSeed() + " on, scenario " + plan.scenario().name()
                + ", strategy " + lower(plan.strategy()) + ", faults " + lower(plan.faults())
                + (plan.broken() == null ? "" : ", " + plan.broken() + " switched off");
    }

    private static String lower(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }

    private static String line(Campaign.Totals totals) {
        double seconds = totals.realNs() / 1e9;
        return Units.whole(totals.runs()) + " runs, "
                + Units.whole((long) (totals.runs() / seconds))
                + "/s; " + Units.whole((long) (totals.messages() / seconds))
                + " messages/s; virtual "
                + Units.span(Duration.ofNanos(totals.virtualNs())) + " in "
                + Units.span(Duration.ofNanos(totals.realNs())) + "; "
                + totals.situationsReached() + " of " + Situation.values().length
                + " rare situations";
    }

    private int show(Campaign.Plan plan, Campaign.Totals totals, @Nullable Finding finding)
            throws IOException {
        var out = spec.commandLine().getOut();
        out.println(line(totals));
        for (var each : Situation.values()) {
            out.println("  " + Units.whole(totals.situations()[each.index()]) + " × "
                    + each.words());
        }
        out.println("trace hash " + Long.toHexString(totals.traceHash()) + ", again with --seed "
                + plan.firstSeed() + " --seeds " + totals.runs());
        FoundJson found = null;
        if (finding != null) {
            var file = Objects.requireNonNullElse(trace, Path.of(finding.fileName()));
            TraceFile.write(file, finding.story());
            var command = StoryText.replay(file.toString());
            out.println();
            out.print(StoryText.of(finding.story(), command));
            if (report != null) {
                StoryHtml.write(report, finding.story(), command);
                out.println("  picture: " + report);
            }
            var rule = finding.story().rule();
            found = new FoundJson(rule == null ? null : rule.name(), finding.story().seed(),
                    finding.events(), finding.recorded(), file.toString(),
                    finding.story().finding());
        } else {
            out.println(broken == null ? "no rule was broken" : broken + " was not noticed");
        }
        out.flush();
        if (json != null) {
            double seconds = totals.realNs() / 1e9;
            ResultJson.write(new ResultOfRuns(totals.runs(),
                    found == null ? List.of() : List.of(found), totals.runs() / seconds,
                    totals.messages() / seconds, totals.virtualNs() / 1e9, seconds,
                    Long.toHexString(totals.traceHash()), plan.firstSeed(), plan.scenario().name(),
                    lower(plan.strategy()), lower(plan.faults()),
                    broken == null ? null : broken.name(),
                    Campaign.byKey(totals.situations())), json);
        }
        return finding == null ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }
}
