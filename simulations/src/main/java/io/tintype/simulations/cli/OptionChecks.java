package io.tintype.simulations.cli;

import io.tintype.catalogue.CatalogueException;
import io.tintype.catalogue.Catalogues;
import io.tintype.catalogue.JournalPlace;
import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.UserErrorException;
import io.tintype.store.CheckpointStore;
import io.tintype.store.StoreException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Refuses, before anything is created, what cannot be run. It looks at files but never changes one; whether a file's content is sound is
 * for those to say who read it.
 */
final class OptionChecks {
    private static final int VMS_MAX = 100_000;
    private static final long PAGE_BYTES = 4_096;
    private static final long MEMORY_BYTES_MIN = 1L << 20;
    private static final long MEMORY_BYTES_MAX = 1L << 40;
    private static final int DISKS_MAX = 16;
    private static final long GROUP_BYTES = 65_536;
    private static final long DISK_BYTES_MAX = 64L << 40;
    private static final int IO_DEPTH_MAX = 1_024;
    private static final long DIRTY_RATE_MAX = 1_000_000_000;
    private static final double SPEED_MIN = 0.001;
    private static final double SPEED_MAX = 1_000_000;
    static final Duration EVERY_MIN = Duration.ofMillis(1);
    private static final Duration SPAN_MAX = Duration.ofDays(30);
    private static final int KEEP_MAX = 1_000_000;
    private static final long TRACE_RECORD_BYTES = 32;
    /** The rest is for what is not guest memory: frames held for checkpoints, the Java heap, cached files. */
    private static final double MEMORY_SHARE_MAX = 0.9;

    private final Machine machine;

    OptionChecks(Machine machine) {
        this.machine = machine;
    }

    /** Ranges, and whether the guests' memory fits the machine. */
    void check(RunOptions options) {
        between("--vms", options.vms(), 1, VMS_MAX);
        size("--memory", options.memoryBytes(), MEMORY_BYTES_MIN, MEMORY_BYTES_MAX, PAGE_BYTES);
        between("--disks", options.disks(), 0, DISKS_MAX);
        size("--disk-size", options.diskSizeBytes(), GROUP_BYTES, DISK_BYTES_MAX, GROUP_BYTES);
        between("--iodepth", options.ioDepth(), 1, IO_DEPTH_MAX);
        if (options.dirtyPerSecond() != RunOptions.UNLIMITED
                && options.dirtyPerSecond() > DIRTY_RATE_MAX) {
            throw UserErrorException.of("--dirty-rate",
                    Units.whole(options.dirtyPerSecond()) + "/s", "too high",
                    "write up to " + Units.whole(DIRTY_RATE_MAX) + "/s, or unlimited");
        }
        if (options.speed() < SPEED_MIN || options.speed() > SPEED_MAX) {
            throw UserErrorException.of("--speed", Units.digits(options.speed()) + "x",
                    "out of range",
                    "choose 0.001x to 1000000x");
        }
        between("--keep", options.keep(), 1, KEEP_MAX);
        spans(options.checkpointEvery(), options.runFor());
        memoryFits(options);
    }

    private static void between(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw UserErrorException.of(option, value, "out of range",
                    "choose " + min + " to " + max);
        }
    }

    private static void size(String option, long bytes, long min, long max, long unit) {
        if (bytes < min || bytes > max) {
            throw UserErrorException.of(option, written(bytes), "out of range",
                    "choose " + written(min) + " to " + written(max));
        }
        if (bytes % unit != 0) {
            throw UserErrorException.of(option, written(bytes),
                    "not a multiple of " + written(unit),
                    "the next one is " + written((bytes / unit + 1) * unit));
        }
    }

    private static void spans(Duration every, @Nullable Duration runFor) {
        span("--checkpoint-every", every);
        if (runFor == null) {
            return;
        }
        span("--for", runFor);
        if (every.compareTo(runFor) > 0) {
            throw UserErrorException.of("--checkpoint-every", Units.span(every),
                    "longer than --for " + Units.span(runFor)
                            + ", so that no checkpoint would be taken",
                    "run longer or checkpoint sooner");
        }
    }

    private static void span(String option, Duration span) {
        if (span.compareTo(EVERY_MIN) < 0 || span.compareTo(SPAN_MAX) > 0) {
            throw UserErrorException.of(option, Units.span(span), "out of range",
                    "choose 1 ms to 30 days (720h)");
        }
    }

    private void memoryFits(RunOptions options) {
        var available = machine.memoryAvailableBytes();
        var usable = (long) (available * MEMORY_SHARE_MAX);
        // At most 100,000 × 1 TiB = 2^57 bytes: no overflow.
        var needed = options.vms() * options.memoryBytes();
        if (needed <= usable) {
            return;
        }
        var vmsThatFit = usable / options.memoryBytes();
        var memoryThatFits = usable / options.vms() / MEMORY_BYTES_MIN * MEMORY_BYTES_MIN;
        var waysOut = (vmsThatFit >= 1 ? " --vms " + vmsThatFit : "")
                + (vmsThatFit >= 1 && memoryThatFits > 0 ? " or" : "")
                + (memoryThatFits > 0
                        ? " --memory " + memoryThatFits / MEMORY_BYTES_MIN + "MiB"
                        : "");
        throw new UserErrorException(
                "--vms " + options.vms() + " with --memory " + written(options.memoryBytes())
                        + ": they need " + Units.bytes(needed)
                        + " in all, but of this machine's memory " + Units.bytes(available)
                        + " are free, of which guests may have nine tenths; "
                        + (waysOut.isEmpty() ? "free some memory" : "what fits is" + waysOut));
    }

    /** {@code file} will be written when the run is over; it or its folder must allow that now. */
    void output(String option, Path file, String wayOut) {
        if (file.toString().isEmpty()) {
            throw UserErrorException.of(option, "''", "not a file's name", wayOut);
        }
        if (Files.isDirectory(file)) {
            throw UserErrorException.of(option, file, "a directory", "name a file in it");
        }
        var folder = parent(file);
        if (!Files.isDirectory(folder)) {
            throw UserErrorException.of(option, file, "there is no directory " + folder,
                    "create it first, or " + wayOut);
        }
        if (!Files.isWritable(Files.exists(file) ? file : folder)) {
            throw UserErrorException.of(option, file, "may not be written by you", wayOut);
        }
        var store = storeAround(file);
        if (store != null) {
            throw UserErrorException.of(option, file, "would lie in the store " + store, wayOut);
        }
    }

    /** The store in which {@code file} would replace something, or be something that no store knows; null for none. */
    private static @Nullable Path storeAround(Path file) {
        for (var at = parent(file).normalize(); at != null; at = at.getParent()) {
            if (Files.exists(at.resolve(CheckpointStore.MARKER))) {
                return at;
            }
        }
        return null;
    }

    /** Whether a file that will be written, null for none, has a name of its own. */
    void notStore(String option, @Nullable Path file, Path store) {
        if (file != null && file.toAbsolutePath().normalize()
                .equals(store.toAbsolutePath().normalize())) {
            throw UserErrorException.of(option, file, "the store goes there",
                    "choose another file");
        }
    }

    /** Whether the store can be opened or created there; what is in it, the store itself looks at. */
    void store(Path directory) {
        if (directory.toString().isEmpty()) {
            throw UserErrorException.of("--store", "''", "not a directory's name", "name one");
        }
        if (Files.exists(directory)) {
            if (!Files.isDirectory(directory)) {
                throw UserErrorException.of("--store", directory, "a file",
                        "name a directory, or one that does not exist yet");
            }
            if (!Files.isWritable(directory)) {
                throw UserErrorException.of("--store", directory, "may not be written by you",
                        "choose another directory");
            }
            requireUsable(directory);
            return;
        }
        var folder = parent(directory);
        if (!Files.isDirectory(folder)) {
            throw UserErrorException.of("--store", directory, "there is no directory " + folder,
                    "create it first, or choose another place");
        }
        if (!Files.isWritable(folder)) {
            throw UserErrorException.of("--store", directory,
                    "you may not create a directory in " + folder,
                    "choose another place");
        }
        requireUsable(directory);
    }

    /** Before anything is said of a run, or made for it. */
    private static void requireUsable(Path directory) {
        try {
            CheckpointStore.requireUsable(directory);
        } catch (StoreException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    /** Whether the database of a catalogue can be reached. */
    void catalogue(JournalPlace place) {
        try {
            Catalogues.requireReachable(place);
        } catch (CatalogueException refused) {
            throw new UncheckedIOException(refused);
        }
    }

    /** Whether there is a trace of whole records. */
    void trace(Path file) {
        if (!Files.exists(file)) {
            throw UserErrorException.of("--trace", file, "there is no such file",
                    "name a trace in vscsi format");
        }
        if (!Files.isRegularFile(file)) {
            throw UserErrorException.of("--trace", file, "not a file",
                    "name a trace in vscsi format");
        }
        if (!Files.isReadable(file)) {
            throw UserErrorException.of("--trace", file, "may not be read by you",
                    "change its permissions, or copy it");
        }
        try {
            var bytes = Files.size(file);
            if (bytes == 0 || bytes % TRACE_RECORD_BYTES != 0) {
                throw UserErrorException.of("--trace", file,
                        bytes == 0
                                ? "empty"
                                : "truncated: its " + Units.whole(bytes)
                                        + " bytes are no whole number of records of 32",
                        "copy it again from where it came from");
            }
        } catch (IOException e) {
            throw UserErrorException.of("--trace", file, "cannot be read",
                    "look whether its disk is well");
        }
    }

    private static Path parent(Path file) {
        var folder = file.toAbsolutePath().getParent();
        return folder == null ? file.toAbsolutePath() : folder;
    }

    /** As an option's value: {@code 64MiB}, and to the byte where that is what is wrong. */
    static String written(long bytes) {
        var units = new String[] {"", "KiB", "MiB", "GiB", "TiB"};
        int unit = 0;
        while (bytes >= 1_024 && bytes % 1_024 == 0 && unit < units.length - 1) {
            bytes /= 1_024;
            unit++;
        }
        return bytes + units[unit];
    }
}
