package io.tintype.simulations.cli;

import io.tintype.simulations.run.FleetRunner;
import io.tintype.simulations.run.MadeUpRun;
import io.tintype.simulations.run.Progress;
import io.tintype.simulations.run.Progress.Phase;
import io.tintype.simulations.run.Progress.Snapshot;
import io.tintype.simulations.run.RunOptions;
import io.tintype.simulations.run.RunResult;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;

/** Runs nothing, remembers what it was asked for, and answers with a made-up result. */
final class FakeRunner implements FleetRunner {
    final List<RunOptions> asked = new ArrayList<>();
    boolean isViolated;
    @Nullable
    RuntimeException refusal;
    @Nullable
    RuntimeException failure;

    @Override
    public void check(RunOptions options) {
        if (refusal != null) {
            throw refusal;
        }
    }

    @Override
    public RunResult run(RunOptions options, Progress progress) {
        asked.add(options);
        if (failure != null) {
            throw failure;
        }
        return MadeUpRun.of(200, isViolated, progress.cancelled());
    }

    /** A root command to hang the others on. */
    @Command(name = "tintype")
    static final class Root implements Runnable {
        @Override
        public void run() {}
    }

    /**
     * Shows the command line on a terminal with a run that only looks like one: for people who change how it looks. Ctrl-C works as
     * in a real one.
     */
    public static void main(String[] arguments) {
        FleetRunner runner = (options, progress) -> {
            var runFor = options.runFor();
            long totalNs = runFor == null ? 20_000_000_000L : runFor.toNanos();
            long began = System.nanoTime();
            for (long i = 0;; i++) {
                long elapsed = System.nanoTime() - began;
                var isOver = elapsed >= totalNs || progress.cancelled();
                progress.publish(new Snapshot(isOver ? Phase.FINISHING : Phase.RUNNING,
                        Math.min(elapsed, totalNs), totalNs,
                        options.vms(), elapsed / 5_000, i * 6, 3, 0, i * 6, 0, 41.2, 0,
                        false));
                // Takes its time, as a real run does; no test asserts on it.
                Thread.sleep(isOver ? 1_500 : 100);
                if (isOver) {
                    return MadeUpRun.of(640, false, progress.cancelled());
                }
            }
        };
        System.exit(Commands.on(new Root(), runner, List.of()).execute(arguments));
    }
}
