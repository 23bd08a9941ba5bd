package io.tintype.simulations.cli;

import io.tintype.catalogue.JournalPlace;
import io.tintype.simulations.cli.Commands.Surroundings;
import io.tintype.simulations.report.EndTable;
import io.tintype.simulations.report.HtmlReport;
import io.tintype.simulations.report.ResultJson;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.ConflictPolicy;
import io.tintype.simulations.run.DiskPolicy;
import io.tintype.simulations.run.FleetRunner;
import io.tintype.simulations.run.GuestKind;
import io.tintype.simulations.run.Progress;
import io.tintype.simulations.run.ReissuePolicy;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.RunResult;
import io.tintype.simulations.run.UserErrorException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code tintype run}: from options to a run, and from what it came to to a table, a report and an exit status. */
@Command(
        name = "run",
        sortOptions = false,
        description = "Hosts a fleet of VMs under load, checkpoints them while they run, verifies every checkpoint, and ends with "
                + "a table and an HTML report.",
        optionListHeading = "%nOptions, all of them optional:%n",
        exitCodeListHeading = Commands.EXIT_STATUS,
        exitCodeList = {
            "  0:nothing was violated, also after Ctrl-C",
            "  1:something was violated, or tintype itself failed",
            "  2:what was asked for cannot be done; nothing was created",
            "130:stopped at once by a second Ctrl-C"},
        footerHeading = "%nExamples:%n",
        footer = {
            "  ./tintype run",
            "      64 VMs under a made-up load for 20 seconds, each checkpointed every second",
            "  ./tintype run --vms 1 --memory 4GiB --iodepth 256 --dirty-rate unlimited",
            "      one large, very busy VM",
            "  ./tintype run --guest trace --trace disk.vscsi --vms 16 --speed 60x",
            "      a recorded disk trace on 16 VMs, 60 times as fast as it was recorded",
            "  ./tintype run --seed 42 --store checkpoints --keep 10 --json run.json",
            "      the load of an earlier run, its checkpoints kept, the figures as JSON",
            "",
            "Ctrl-C ends a run early and orderly: what is in progress is finished, the results so far are shown. "
                    + "More in docs/command-line.md; docs/run-json.md explains the figures."})
final class RunCommand implements Callable<Integer> {
    private static final long DISK_BYTES_DEFAULT = 256L << 20;
    /** Recorded disks are real ones: the largest address in a trace, not what it writes, says how large. */
    private static final long DISK_BYTES_TRACE_DEFAULT = 32L << 30;
    private static final Duration RUN_FOR_DEFAULT = Duration.ofSeconds(20);
    private static final Duration CHECKPOINT_EVERY_DEFAULT = Duration.ofSeconds(1);
    private static final double SPEED_DEFAULT = 60;
    /** Short, since people read it out and type it in. */
    private static final long NEW_SEED_BOUND = 1_000_000_000;

    @Option(names = "--vms", paramLabel = "N", defaultValue = "64", converter = Values.Count.class,
            description = "VMs in the fleet, 1 to 100000 (${DEFAULT-VALUE})")
    private int vms;

    @Option(names = "--memory", paramLabel = "SIZE", defaultValue = "64MiB",
            converter = Values.Bytes.class,
            description = "memory of each VM, 1MiB to 1TiB (${DEFAULT-VALUE})")
    private long memoryBytes;

    @Option(names = "--disks", paramLabel = "N", defaultValue = "1", converter = Values.Count.class,
            description = "disks of each VM, 0 to 16 (${DEFAULT-VALUE})")
    private int disks;

    @Option(names = "--disk-size", paramLabel = "SIZE", converter = Values.Bytes.class,
            description = "size of each disk; what is never written takes no room (256MiB; with a trace 32GiB)")
    private @Nullable Long diskSizeBytes;

    @Option(names = "--iodepth", paramLabel = "N", defaultValue = "16",
            converter = Values.Count.class,
            description = "requests that each VM keeps in flight, all its disks together, 1 to 1024 (${DEFAULT-VALUE})")
    private int ioDepth;

    @Option(names = "--dirty-rate", paramLabel = "RATE", defaultValue = "20000/s",
            converter = Values.Rate.class,
            description = "stores to memory that each VM makes in a second, or unlimited (${DEFAULT-VALUE})")
    private long dirtyPerSecond;

    @Option(names = "--guest", paramLabel = "KIND", defaultValue = "synthetic",
            converter = Values.OfGuest.class,
            description = "what runs in each VM: synthetic, a made-up load, or trace, a recorded one (${DEFAULT-VALUE})")
    private GuestKind guest = GuestKind.SYNTHETIC;

    @Option(names = "--trace", paramLabel = "FILE",
            description = "the recorded disk trace for --guest trace, in vscsi format")
    private @Nullable Path trace;

    @Option(names = "--speed", paramLabel = "FACTOR", converter = Values.Factor.class,
            description = "how many times faster than recorded the trace is replayed (60x)")
    private @Nullable Double speed;

    @Option(names = "--checkpoint-every", paramLabel = "TIME", converter = Values.Span.class,
            description = "from one checkpoint of a VM to its next (1s; a quarter of --for if that is below 2s)")
    private @Nullable Duration checkpointEvery;

    @Option(names = "--for", paramLabel = "TIME", converter = Values.Span.class,
            description = "how long the VMs run (20s; with a trace until each VM has replayed all of it)")
    private @Nullable Duration runFor;

    @Option(names = "--reissue", paramLabel = "FROM", defaultValue = "landed",
            converter = Values.OfReissue.class,
            description = "where the data comes from that a pending read owes to a copied page: landed, the frame it landed in, "
                    + "or disk, read again (${DEFAULT-VALUE})")
    private ReissuePolicy reissue = ReissuePolicy.LANDED;

    @Option(names = "--conflict", paramLabel = "HOW",
            converter = Values.OfConflict.class,
            description = "with --reissue disk, when a read and a write of one block are pending: put-off the checkpoint, or "
                    + "delay-resume of the guest (put-off)")
    private @Nullable ConflictPolicy conflict;

    @Option(names = "--keep-disks", paramLabel = "HOW", defaultValue = "pointer",
            converter = Values.OfDisks.class,
            description = "what a checkpoint keeps of disks: pointer, the layers themselves, or copy, one of each disk; then "
                    + "layers are committed at once (${DEFAULT-VALUE})")
    private DiskPolicy checkpointDisks = DiskPolicy.POINTER;

    @Option(names = "--store", paramLabel = "DIR",
            description = "the checkpoint store, created if missing (a temporary one, removed at the end)")
    private @Nullable Path store;

    @Option(names = "--catalogue", paramLabel = "WHERE", converter = Values.OfCatalogue.class,
            description = "where the journal of --store is kept: embedded, in the store itself, or "
                    + "jdbc:postgresql://HOST/DATABASE (embedded)")
    private @Nullable JournalPlace catalogue;

    @Option(names = "--keep", paramLabel = "N", defaultValue = "2", converter = Values.Count.class,
            description = "how many sealed checkpoints of each VM stay in the store (${DEFAULT-VALUE})")
    private int keep;

    @Option(names = "--seed", paramLabel = "N", converter = Values.Seed.class,
            description = "all made-up values come from it; each run shows its own (a new one)")
    private @Nullable Long seed;

    @Option(names = "--json", paramLabel = "FILE", description = "write the figures as JSON")
    private @Nullable Path json;

    @Option(names = "--report", paramLabel = "FILE.html",
            description = "where the HTML report goes (tintype-report.html)")
    private @Nullable Path report;

    @Option(names = "--no-report", description = "write no HTML report")
    private boolean noReport;

    @Option(names = "--quiet", description = "show no progress, only what the run came to")
    private boolean quiet;

    @SuppressWarnings("unused") // picocli looks at it
    @Option(names = {"-h", "--help"}, usageHelp = true, description = "show this and do nothing")
    private boolean isHelpAsked;

    @Spec
    private CommandSpec spec;

    private final FleetRunner runner;
    private final Surroundings surroundings;

    RunCommand(FleetRunner runner, Surroundings surroundings) {
        this.runner = runner;
        this.surroundings = surroundings;
    }

    @Override
    public Integer call() throws InterruptedException {
        var reportFile = noReport
                ? null
                : Objects.requireNonNullElse(report, Path.of("tintype-report.html"));
        checkFiles(reportFile);
        var named = store;
        // Only a name until all checks are done: what refuses must not leave a directory behind.
        var options = options(named == null ? surroundings.temporary() : named);
        new OptionChecks(surroundings.machine()).check(options);
        runner.check(options);
        if (named != null) {
            return run(options, reportFile);
        }
        var temporary = Folders.createTemporary(surroundings.temporary(),
                "name another place with --store");
        try {
            return run(options(temporary), reportFile);
        } finally {
            if (!isStoreKept) {
                Folders.delete(temporary);
            }
        }
    }

    /** Set when a temporary store holds what is needed to understand a violation. */
    private boolean isStoreKept;

    private void checkFiles(@Nullable Path reportFile) {
        if (guest == GuestKind.TRACE && trace == null) {
            throw new UserErrorException(
                    "--guest trace: it needs a trace; name one with --trace FILE");
        }
        if (guest != GuestKind.TRACE && trace != null) {
            throw UserErrorException.of("--trace", trace, "only --guest trace replays one",
                    "add --guest trace");
        }
        if (guest != GuestKind.TRACE && speed != null) {
            throw UserErrorException.of("--speed", Units.digits(speed) + "x",
                    "only a trace has a speed",
                    "add --guest trace and --trace FILE");
        }
        if (guest == GuestKind.TRACE && disks != 1) {
            throw UserErrorException.of("--disks", disks, "a trace is replayed on one disk",
                    "leave --disks away");
        }
        if (reissue != ReissuePolicy.DISK && conflict != null) {
            throw UserErrorException.of("--conflict", RunResult.nameOf(conflict),
                    "there are no conflicts unless reissues ask the disk again",
                    "add --reissue disk");
        }
        if (catalogue instanceof JournalPlace.Postgres && store == null) {
            throw UserErrorException.of("--catalogue", catalogue,
                    "a temporary store would leave its journal there",
                    "name a store with --store DIR");
        }
        if (noReport && report != null) {
            throw UserErrorException.of("--report", report, "--no-report says the opposite",
                    "leave one of them away");
        }
        var checks = new OptionChecks(surroundings.machine());
        if (trace != null) {
            checks.trace(trace);
        }
        if (catalogue != null) {
            checks.catalogue(catalogue);
        }
        if (store != null) {
            checks.store(store);
            checks.notStore("--report", reportFile, store);
            checks.notStore("--json", json, store);
        }
        if (reportFile != null) {
            checks.output("--report", reportFile,
                    "choose another place with --report FILE, or --no-report");
        }
        if (json != null) {
            checks.output("--json", json, "choose another place");
            if (reportFile != null && json.toAbsolutePath().normalize()
                    .equals(reportFile.toAbsolutePath().normalize())) {
                throw UserErrorException.of("--json", json, "the report goes there",
                        "choose another file");
            }
        }
    }

    /** What nobody asked for must not stand in the way of what somebody asked for: a short run has checkpoints, too. */
    private Duration usualInterval() {
        if (runFor == null || runFor.compareTo(CHECKPOINT_EVERY_DEFAULT.multipliedBy(2)) >= 0) {
            return CHECKPOINT_EVERY_DEFAULT;
        }
        var quarter = runFor.dividedBy(4);
        return quarter.compareTo(OptionChecks.EVERY_MIN) < 0 ? OptionChecks.EVERY_MIN : quarter;
    }

    private RunOptions options(Path storeDirectory) {
        var isTrace = guest == GuestKind.TRACE;
        if (seed == null) {
            seed = ThreadLocalRandom.current().nextLong(1, NEW_SEED_BOUND);
        }
        return new RunOptions(
                vms,
                memoryBytes,
                disks,
                diskSizeBytes != null
                        ? diskSizeBytes
                        : isTrace ? DISK_BYTES_TRACE_DEFAULT : DISK_BYTES_DEFAULT,
                ioDepth,
                dirtyPerSecond,
                guest,
                trace,
                isTrace ? Objects.requireNonNullElse(speed, SPEED_DEFAULT) : 1,
                Objects.requireNonNullElseGet(checkpointEvery, this::usualInterval),
                runFor == null && !isTrace ? RUN_FOR_DEFAULT : runFor,
                reissue,
                Objects.requireNonNullElse(conflict, ConflictPolicy.PUT_OFF),
                storeDirectory,
                store == null,
                keep,
                seed,
                checkpointDisks,
                // A journal of a store that is removed at the end is read by nobody.
                store == null
                        ? new JournalPlace.Memory()
                        : Objects.requireNonNullElse(catalogue, new JournalPlace.Embedded()));
    }

    private int run(RunOptions options, @Nullable Path reportFile) throws InterruptedException {
        var progress = new Progress();
        var err = spec.commandLine().getErr();
        if (!quiet) {
            err.println(Plan.of(options, reportFile, json));
            err.flush();
        }
        try (var status =
                quiet ? null : StatusPrinter.start(progress, err, surroundings.terminal());
                var _ = Interrupts.install(progress::cancel, sayer(status, err),
                        options.storeIsTemporary()
                                ? "the temporary store " + options.store() + " is left behind"
                                : "what was half done is cleaned up when the store is opened next")) {
            var result = runner.run(options, progress);
            if (status != null) {
                // Before the result is printed.
                status.stop();
            }
            return show(result, options, reportFile);
        }
    }

    private static Consumer<String> sayer(@Nullable ProgressLine status, PrintWriter err) {
        return words -> {
            var line = "tintype: " + words;
            if (status == null) {
                err.println(line);
                err.flush();
            } else {
                status.say(line);
            }
        };
    }

    private int show(RunResult result, RunOptions options, @Nullable Path reportFile) {
        isStoreKept = options.storeIsTemporary() && !result.isFine();
        var places = new LinkedHashMap<String, String>();
        var areWritten = true;
        if (reportFile != null) {
            areWritten &=
                    write("report", reportFile, places, file -> HtmlReport.write(result, file));
        }
        if (json != null) {
            areWritten &= write("json", json, places, file -> ResultJson.write(result, file));
        }
        places.put("store", options.storeIsTemporary() && !isStoreKept
                ? "temporary, removed; --store DIR keeps one"
                : options.store() + (isStoreKept ? " (kept to be looked at)" : ""));
        places.put("again", "--seed " + options.seed() + " repeats the load");
        var out = spec.commandLine().getOut();
        out.print(EndTable.of(result, places, surroundings.terminal().hasOutputColour()));
        out.flush();
        return result.isFine() && areWritten ? Commands.EXIT_FINE : Commands.EXIT_FAILED;
    }

    private interface FileWriter {
        void write(Path file) throws IOException;
    }

    /** The results of a long run must not be lost because one of the files could not be written. */
    private static boolean write(String label, Path file, Map<String, String> places,
            FileWriter writer) {
        try {
            writer.write(file);
            places.put(label, file.toString());
            return true;
        } catch (IOException e) {
            var reason = e instanceof FileSystemException fileError && fileError.getReason() != null
                    ? fileError.getReason()
                    : Objects.requireNonNullElse(e.getMessage(), e.getClass().getSimpleName());
            places.put(label, file + " could not be written: " + reason);
            return false;
        }
    }
}
