package io.tintype.simulations.cli;

import io.tintype.simulations.report.Units;
import io.tintype.simulations.run.GuestKind;
import io.tintype.simulations.run.ReissuePolicy;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.RunResult;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What a run is going to do, told before it does it: the options as they were understood, the defaults included. */
final class Plan {
    private Plan() {}

    static String of(RunOptions options, @Nullable Path report, @Nullable Path json) {
        return "tintype: " + vms(options) + "\n         " + load(options) + "\n         "
                + checkpoints(options)
                + "\n         " + places(options, report, json);
    }

    private static String vms(RunOptions options) {
        var disks = switch (options.disks()) {
            case 0 -> "no disk";
            case 1 -> "a disk of " + Units.bytes(options.diskSizeBytes());
            default -> options.disks() + " disks of " + Units.bytes(options.diskSizeBytes());
        };
        return Units.whole(options.vms()) + (options.vms() == 1 ? " VM" : " VMs") + " with "
                + Units.bytes(options.memoryBytes()) + " of memory and " + disks
                + (options.vms() == 1 ? "" : " each");
    }

    private static String load(RunOptions options) {
        var stores = options.dirtyPerSecond() == RunOptions.UNLIMITED
                ? "as many stores as it can make"
                : Units.whole(options.dirtyPerSecond()) + " stores/s";
        if (options.guest() == GuestKind.TRACE) {
            return "load: trace " + options.trace() + " " + Units.digits(options.speed())
                    + " times as fast as recorded, up to " + inFlight(options) + ", " + stores
                    + ", seed " + options.seed();
        }
        return "load: synthetic, " + inFlight(options) + ", " + stores + ", seed "
                + options.seed();
    }

    private static String inFlight(RunOptions options) {
        return options.ioDepth()
                + (options.ioDepth() == 1 ? " request in flight" : " requests in flight");
    }

    private static String checkpoints(RunOptions options) {
        var runFor = options.runFor();
        return "a checkpoint of each VM every " + Units.span(options.checkpointEvery())
                + (runFor == null ? ", until the trace ends" : ", for " + Units.span(runFor))
                + "; reissue " + RunResult.nameOf(options.reissue())
                + (options.reissue() == ReissuePolicy.DISK
                        ? ", on conflict " + RunResult.nameOf(options.conflict())
                        : "");
    }

    private static String places(RunOptions options, @Nullable Path report, @Nullable Path json) {
        return "store " + options.store()
                + (options.storeIsTemporary() ? " (removed at the end)" : "") + ", keeping "
                + options.keep() + " of each VM" + (report == null ? "" : "; report " + report)
                + (json == null ? "" : "; json " + json);
    }
}
