package io.tintype.simulations.cli;

import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.simulations.torture.Defect;
import io.tintype.simulations.torture.Torture;
import io.tintype.simulations.torture.TortureOptions;
import io.tintype.simulations.torture.TortureResult;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tintype torture}: from options to a torture, and from what it came to to a table and an exit status. */
@Command(
        name = "torture",
        sortOptions = false,
        description = "Hosts a fleet in a process of its own, kills that process at random instants, compares what is on disk with "
                + "what it had acknowledged, and goes on from there, again and again.",
        optionListHeading = "%nOptions, all of them optional:%n",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:nothing was lost, also after Ctrl-C",
            "  1:something was lost, or tintype itself failed",
            "  2:what was asked for cannot be done; nothing was created",
            "130:stopped at once by a second Ctrl-C"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype torture",
            "      a minute of it",
            "  ./tintype torture --kills 500 --json torture.json",
            "      500 kills, about 20 minutes",
            "  ./tintype torture --seed 42 --kills 17",
            "      the load and the delays of an earlier one, up to its 17th kill",
            "",
            "When something is lost, the store is kept as that kill left it. More in docs/torture.md."})
final class TortureCommand implements Callable<Integer> {
    private static final Duration RUN_FOR_DEFAULT = Duration.ofMinutes(1);
    private static final Duration RUN_FOR_MAX = Duration.ofDays(30);
    private static final int VMS_MAX = 64;
    private static final int KILLS_MAX = 10_000_000;
    private static final int VIOLATIONS_SHOWN_MAX = 20;
    private static final int LABEL_WIDTH = 14;
    /** Stores of a fleet of this size stay far below. */
    private static final long SPACE_BYTES_MIN = 1L << 30;
    private static final long NEW_SEED_BOUND = 1_000_000_000;

    @Option(names = "--for", paramLabel = "TIME", converter = Values.Span.class,
            description = "begin no further kill after it (1m; with --kills no limit)")
    private @Nullable Duration runFor;

    @Option(names = "--kills", paramLabel = "N", converter = Values.Count.class,
            description = "end after so many (no limit)")
    private @Nullable Integer kills;

    @Option(names = "--vms", paramLabel = "N", defaultValue = "3", converter = Values.Count.class,
            description = "VMs in the fleet, 1 to 64 (${DEFAULT-VALUE})")
    private int vms;

    @Option(names = "--seed", paramLabel = "N", converter = Values.Seed.class,
            description = "load, delays and choices come from it; each torture shows its own (a new one)")
    private @Nullable Long seed;

    @Option(names = "--store", paramLabel = "DIR",
            description = "where the fleet's store is made; empty or not there yet (a temporary one, removed at the end)")
    private @Nullable Path store;

    @Option(names = "--json", paramLabel = "FILE", description = "write the figures as JSON")
    private @Nullable Path json;

    @Option(names = "--defect", hidden = true, defaultValue = "none",
            description = "break something on purpose, to see it found")
    private String defect = "none";

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final Surroundings surroundings;

    TortureCommand(Surroundings surroundings) {
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        check();
        var planted = planted();
        var work = Folders.createTemporary(surroundings.temporary(),
                "set another one with TINTYPE_JAVA_OPTS=-Djava.io.tmpdir=DIR");
        try {
            var options = new TortureOptions(
                    (store == null ? work.resolve("store") : store).toAbsolutePath().normalize(),
                    work, Path.of("").toAbsolutePath(),
                    runFor == null && kills == null ? RUN_FOR_DEFAULT : runFor,
                    kills == null ? 0 : kills, vms,
                    seed == null
                            ? ThreadLocalRandom.current().nextLong(1, NEW_SEED_BOUND)
                            : seed,
                    planted);
            return torture(options);
        } finally {
            Folders.delete(work);
        }
    }

    private void check() throws IOException {
        var checks = new OptionChecks(surroundings.machine());
        if (vms < 1 || vms > VMS_MAX) {
            throw UserErrorException.of("--vms", vms, "out of range", "choose 1 to " + VMS_MAX);
        }
        if (kills != null && (kills < 1 || kills > KILLS_MAX)) {
            throw UserErrorException.of("--kills", kills, "out of range",
                    "choose 1 to " + KILLS_MAX);
        }
        if (runFor != null && (runFor.compareTo(Duration.ofMillis(1)) < 0
                || runFor.compareTo(RUN_FOR_MAX) > 0)) {
            throw UserErrorException.of("--for", Units.span(runFor), "out of range",
                    "choose 1 ms to 30 days (720h)");
        }
        if (json != null) {
            checks.output("--json", json, "choose another place");
        }
        if (store != null) {
            checks.store(store);
            checks.notStore("--json", json, store);
            if (Files.isDirectory(store)) {
                try (var files = Files.list(store)) {
                    if (files.findAny().isPresent()) {
                        throw UserErrorException.of("--store", store,
                                "not empty, and a torture must not risk what is in it",
                                "name an empty directory, or one that does not exist yet");
                    }
                }
            }
        }
        var place = store == null ? surroundings.temporary() : parent(store);
        long usable = Files.getFileStore(place).getUsableSpace();
        if (usable < SPACE_BYTES_MIN) {
            throw UserErrorException.of(store == null ? "temporary directory" : "--store", place,
                    "only " + Units.bytes(usable) + " are free, and " + Units.bytes(SPACE_BYTES_MIN)
                            + " are needed",
                    "free some space, or choose another place with --store");
        }
    }

    private static Path parent(Path path) {
        var parent = path.toAbsolutePath().normalize().getParent();
        return parent == null ? path : parent;
    }

    private Defect planted() {
        for (var each : Defect.values()) {
            if (RunResult.nameOf(each).equalsIgnoreCase(defect.strip())) {
                return each;
            }
        }
        throw UserErrorException.of("--defect", defect, "there is no such choice",
                "leave it away");
    }

    private int torture(TortureOptions options) throws IOException, InterruptedException {
        var err = spec.commandLine().getErr();
        var limit = options.kills() > 0
                ? Units.whole(options.kills()) + " kills"
                : Units.span(runFor == null ? RUN_FOR_DEFAULT : runFor);
        err.println("tintype: torturing a fleet of " + vms + (vms == 1 ? " VM" : " VMs") + " for "
                + limit + ", seed " + options.seed() + ", store " + options.store()
                + (store == null ? " (removed at the end)" : ""));
        err.flush();
        TortureResult result;
        try (var torture = new Torture(options);
                var line = ProgressLine.start(() -> progress(torture.progress()), err,
                        surroundings.terminal());
                var _ = Interrupts.install(torture::cancel, words -> line.say("tintype: " + words),
                        "the store stays where it is, in " + options.store())) {
            result = torture.run();
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
        show(result, options);
        var warning = warning(result);
        if (warning != null) {
            err.println("tintype: warning: " + warning);
        }
        if (json != null) {
            ResultJson.write(result, json);
        }
        return result.isFine() ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }

    private static String progress(Torture.Progress progress) {
        return Units.seconds(progress.seconds()) + "  " + Units.whole(progress.kills()) + " kills  "
                + Units.whole(progress.verified()) + " checkpoints verified  "
                + Units.count((double) progress.acknowledged()) + " durable writes  "
                + (progress.violations() == 0
                        ? "nothing lost"
                        : "LOST " + Units.whole(progress.violations()))
                + "  " + progress.phase();
    }

    /** That nothing was lost says little when there was nothing to lose. */
    static @Nullable String warning(TortureResult result) {
        return result.isFine() && result.kills() > 0 && result.verified() == 0
                ? "no checkpoint was there to be verified after any of the kills, so nothing is said of them;"
                        + " torture longer, with --for or --kills"
                : null;
    }

    private void show(TortureResult result, TortureOptions options) {
        var out = spec.commandLine().getOut();
        out.println(Units.whole(result.kills()) + (result.kills() == 1 ? " kill in " : " kills in ")
                + Units.seconds(result.seconds())
                + (result.interrupted() ? " until interrupted" : "") + ": "
                + (result.isFine()
                        ? result.kills() == 0 ? "nothing was compared" : "nothing was lost"
                        : Units.whole(result.violations().size()) + " losses or mistakes"));
        for (var violation : result.violations().stream().limit(VIOLATIONS_SHOWN_MAX).toList()) {
            out.println("  " + violation);
        }
        if (result.violations().size() > VIOLATIONS_SHOWN_MAX) {
            out.println("  … and " + (result.violations().size() - VIOLATIONS_SHOWN_MAX) + " more");
        }
        out.println();
        row("kills", Units.whole(result.killsBeforeReady()) + " while opening or recovering   "
                + Units.whole(result.killsInCheckpoint()) + " within a checkpoint   "
                + Units.whole(result.killsInFlush()) + " within a flush   "
                + Units.whole(result.killsInDelete()) + " within a deletion");
        row("checkpoints", Units.whole(result.sealed()) + " reported sealed   "
                + Units.whole(result.unreported()) + " sealed and not yet reported   "
                + Units.whole(result.verified()) + " verified whole   "
                + Units.whole(result.compared()) + " older ones compared again");
        row("disks", Units.count((double) result.requests()) + " requests   "
                + Units.count((double) result.acknowledged()) + " writes acknowledged as durable   "
                + Units.count((double) result.sectors()) + " sectors compared");
        row("VMs", Units.whole(result.restored()) + " restored after a kill, which ran on");
        result.aborted().forEach((reason, count) -> row("aborted", count + " × " + reason));
        if (result.evidence() != null) {
            row("evidence", result.evidence() + ": the store as the kill left it");
        }
        row("again", String.format(Locale.ROOT, "./tintype torture --seed %d --kills %d --vms %d%s",
                result.seed(), Math.max(1, result.kills()), options.vms(),
                options.defect() == Defect.NONE ? "" : " --defect " + defect));
        out.flush();
    }

    private void row(String label, String words) {
        spec.commandLine().getOut().println(
                "  " + label + " ".repeat(Math.max(1, LABEL_WIDTH - label.length())) + words);
    }
}
