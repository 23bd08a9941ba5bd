package io.tintype.simulations.run;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a run found out. The names and the order of the components are those of the JSON file, described in {@code docs/run-json.md};
 * a name that is there stays. Null stands for "nothing was there to measure".
 *
 * @param format version of this tree: {@link #FORMAT}
 * @param seconds how long the VMs ran
 * @param ended how the run came to its end
 * @param checkpointList every checkpoint begun, in the order of their instants; those aborted before theirs come where they were aborted
 * @param series what happened over time
 * @param stunPercentiles the curve behind {@code stunMicros}
 * @param cutStory the cut of one checkpoint that had I/O in flight, or null if none had
 */
public record RunResult(
        int format,
        Versions versions,
        String startedAt,
        Options options,
        int vms,
        double seconds,
        Ended ended,
        Checkpoints checkpoints,
        StunMicros stunMicros,
        PendingAtStun pendingAtStun,
        Faults faults,
        Reads reads,
        Writes writes,
        Io io,
        GuestSpeed guest,
        StoreFigures store,
        MemoryFigures memory,
        SpaceFigures space,
        ChainFigures chains,
        List<Violation> violations,
        List<Checkpoint> checkpointList,
        List<Sample> series,
        List<PercentilePoint> stunPercentiles,
        @Nullable CutStory cutStory) {
    /** Goes up when a name changes its meaning or goes away; not when one is added. */
    public static final int FORMAT = 1;

    public RunResult {
        violations = List.copyOf(violations);
        checkpointList = List.copyOf(checkpointList);
        series = List.copyOf(series);
        stunPercentiles = List.copyOf(stunPercentiles);
    }

    /** Whether nothing was violated: what the exit status says. */
    @JsonIgnore
    public boolean isFine() {
        return checkpoints.violations() == 0 && violations.isEmpty();
    }

    /** How a run came to its end. */
    public enum Ended {
        /** Its time was up, or the trace at its end. */
        @JsonProperty("finished")
        FINISHED,
        /** Someone asked for it, by Ctrl-C say. */
        @JsonProperty("interrupted")
        INTERRUPTED
    }

    /**
     * What ran where.
     *
     * @param tintype version of this program
     * @param java version of the Java virtual machine
     * @param os name, version and architecture of the operating system
     * @param cores processors that the run could use
     * @param memoryBytes of the machine, or 0 where it cannot be told
     */
    public record Versions(String tintype, String java, String os, int cores, long memoryBytes) {
        /** Of this process. The version of tintype is in its jar's manifest; classes run from a folder have none. */
        public static Versions current() {
            var system = ManagementFactory.getOperatingSystemMXBean();
            return new Versions(
                    Objects.requireNonNullElse(
                            RunResult.class.getPackage().getImplementationVersion(),
                            "(not packaged)"),
                    Runtime.version().toString(),
                    system.getName() + " " + system.getVersion() + " " + system.getArch(),
                    Runtime.getRuntime().availableProcessors(),
                    system instanceof OperatingSystemMXBean more ? more.getTotalMemorySize() : 0);
        }
    }

    /**
     * What was asked for, the defaults included. Sizes in bytes, times in seconds, policies as on the command line.
     *
     * @param dirtyRate stores to memory per second and VM, or null: unlimited
     * @param speed of the trace, or null without one
     * @param forSeconds null: the whole trace once
     * @param store directory, or null: a temporary one that is gone
     */
    public record Options(
            int vms,
            long memoryBytes,
            int disks,
            long diskSizeBytes,
            int iodepth,
            @Nullable Long dirtyRate,
            String guest,
            @Nullable String trace,
            @Nullable Double speed,
            double checkpointEverySeconds,
            @Nullable Double forSeconds,
            String reissue,
            String conflict,
            @Nullable String store,
            int keep,
            String keepDisks,
            long seed) {
        private static final double NS_PER_SECOND = 1e9;

        /** The same, as it is written down. */
        public static Options of(RunOptions options) {
            var trace = options.trace();
            var runFor = options.runFor();
            return new Options(
                    options.vms(),
                    options.memoryBytes(),
                    options.disks(),
                    options.diskSizeBytes(),
                    options.ioDepth(),
                    options.dirtyPerSecond() == RunOptions.UNLIMITED
                            ? null
                            : options.dirtyPerSecond(),
                    nameOf(options.guest()),
                    trace == null ? null : trace.toString(),
                    options.guest() == GuestKind.TRACE ? options.speed() : null,
                    options.checkpointEvery().toNanos() / NS_PER_SECOND,
                    runFor == null ? null : runFor.toNanos() / NS_PER_SECOND,
                    nameOf(options.reissue()),
                    nameOf(options.conflict()),
                    options.storeIsTemporary() ? null : options.store().toString(),
                    options.keep(),
                    nameOf(options.checkpointDisks()),
                    options.seed());
        }
    }

    /**
     * How many checkpoints came to what.
     *
     * @param begun all of them; {@code sealed + aborted} once the run is over
     * @param verified sealed ones that the oracle looked at, whatever it found
     * @param violations found by the oracle, in checkpoints and in running VMs
     */
    public record Checkpoints(long begun, long sealed, long aborted, long verified,
            long violations) {}

    /** How long guests did not execute, in microseconds; the figures are null when {@code count} is 0. */
    public record StunMicros(
            long count,
            @Nullable Double min,
            @Nullable Double mean,
            @Nullable Double p50,
            @Nullable Double p90,
            @Nullable Double p99,
            @Nullable Double p999,
            @Nullable Double max) {
        /** No VM was stunned. */
        public static final StunMicros NONE =
                new StunMicros(0, null, null, null, null, null, null, null);
    }

    /**
     * Requests issued and not yet delivered when a VM was stunned.
     *
     * @param mean over all stuns, or null without one
     */
    public record PendingAtStun(@Nullable Double mean, long max) {}

    /** Copy-on-write faults: pages of memory, block groups of disks. */
    public record Faults(long memory, long disk) {}

    /** {@code reissued}: pending reads whose data was also owed to a copied page. */
    public record Reads(long reissued) {}

    /** {@code delayed}: writes that waited under R8 for an earlier one below them. */
    public record Writes(long delayed) {}

    /** Requests completed, of all VMs together. */
    public record Io(long completed, double perSecond) {}

    /** {@code speedDuringCheckpoint}: 1.0 = unhindered, null when there was nothing to compare. */
    public record GuestSpeed(@Nullable Double speedDuringCheckpoint) {}

    /**
     * What the checkpoint store was given.
     *
     * @param bytes written, later deleted ones included
     * @param megabytesPerSecond of 1,000,000 bytes, while something was being written; null when nothing was
     */
    public record StoreFigures(long bytes, @Nullable Double megabytesPerSecond) {}

    /**
     * Frames of 4 KiB.
     *
     * @param framesHeldMax the most that were held only for checkpoints
     * @param framesInUseMax the most in use at all
     * @param framesHeldLimit with so many held guests that need another one wait
     * @param frameCapacity all that there are
     */
    public record MemoryFigures(long framesHeldMax, long framesInUseMax, long framesHeldLimit,
            long frameCapacity) {}

    /**
     * Room on the file system of the store, in bytes.
     *
     * @param totalBytes of the file system; 0 where nobody knows
     * @param usableBytesMin the least that could still be written there, whoever else writes
     * @param reservedBytes of them that no checkpoint gets: with less a checkpoint is refused
     * @param checkpointBytes that the files of its checkpoints have when the run ends
     * @param imageBytesMax the most that the images of the VMs' disks took
     */
    public record SpaceFigures(long totalBytes, long usableBytesMin, long reservedBytes,
            long checkpointBytes, long imageBytesMax) {}

    /**
     * How long the chains of the VMs' disks were.
     *
     * @param layersMax the most files that one had, also those that only checkpoints need
     * @param layersLimit a disk with more refuses a checkpoint
     */
    public record ChainFigures(int layersMax, int layersLimit) {}

    /**
     * Something that a rule forbids was seen.
     *
     * @param rule as in {@code R5}
     * @param checkpoint its number, or null when it was seen in the running VM
     * @param where disk and sector, page, request
     */
    public record Violation(
            String rule, String vm, @Nullable Long checkpoint, String where, String expected,
            String found) {}

    /** What a checkpoint came to. */
    public enum State {
        /** It is in the store, or was before it was deleted as an old one. */
        @JsonProperty("sealed")
        SEALED,
        /** Nothing of it is visible; its reason says why. */
        @JsonProperty("aborted")
        ABORTED
    }

    /**
     * One checkpoint.
     *
     * @param id within its VM
     * @param atSeconds its instant, since the VMs began to run
     * @param reason of an abort, else null
     * @param stunMicros null when it was aborted before its instant; so are the figures that follow
     * @param sealSeconds from the instant to the seal, or null
     * @param putOff how often its instant was put off (R9)
     * @param pending requests in its cut
     * @param memoryBytes of pages saved
     * @param storedBytes of all its segments, as they lie in the store
     * @param verified the oracle looked at it
     * @param violations what it found there
     */
    public record Checkpoint(
            String vm,
            long id,
            double atSeconds,
            State state,
            @Nullable String reason,
            @Nullable Double stunMicros,
            @Nullable Double sealSeconds,
            int putOff,
            int pending,
            int readsReissued,
            int writesDelayed,
            long memoryBytes,
            long storedBytes,
            boolean verified,
            int violations) {}

    /**
     * What happened in a span of time, as rates; levels are the highest seen in it, of {@code usableBytes} the lowest.
     *
     * @param atSeconds where the span ends, since the VMs began to run
     * @param seconds how long it is
     */
    public record Sample(
            double atSeconds,
            double seconds,
            double ioPerSecond,
            double guestEventsPerSecond,
            double memoryFaultsPerSecond,
            double diskFaultsPerSecond,
            double readsReissuedPerSecond,
            double writesDelayedPerSecond,
            double storeMegabytesPerSecond,
            long framesInUse,
            long framesHeld,
            int inProgress,
            long usableBytes,
            long imageBytes,
            int chainLayers) {}

    /**
     * One point of a percentile plot.
     *
     * @param percentile from 0 to 100
     * @param micros so many of all stuns were at most this long
     * @param count how many that is
     */
    public record PercentilePoint(double percentile, double micros, long count) {}

    /** A constant as the command line spells it: {@code PUT_OFF} is {@code put-off}. */
    public static String nameOf(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}
