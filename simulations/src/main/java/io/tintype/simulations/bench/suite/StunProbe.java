package io.tintype.simulations.bench.suite;

import io.tintype.actors.CheckpointId;
import io.tintype.vm.Vm;
import io.tintype.vm.VmProbe;
import io.tintype.vm.guest.Guest;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;
import org.jspecify.annotations.Nullable;

/**
 * Collects the stuns of any number of VMs, in nanoseconds: from the moment in which the VM stops its guest to the moment in
 * which it lets it run again. Any thread.
 */
final class StunProbe implements VmProbe {
    private static final int DIGITS = 3;

    private final Recorder stuns = new Recorder(DIGITS);
    private final Recorder turns = new Recorder(DIGITS);
    // Volatile: set by the thread that measures before the VM has its first checkpoint, read by its strand.
    private volatile @Nullable Vm cancelled;

    /** From now on the checkpoints of {@code vm} are given up as soon as the guest runs again. */
    void cancelAfterStun(Vm vm) {
        cancelled = vm;
    }

    @Override
    public void stunned(long checkpoint, Guest guest) {
        if (guest instanceof GapGuest watched) {
            watched.stunned();
        }
    }

    @Override
    public void resumed(long checkpoint, long stunNs) {
        stuns.recordValue(stunNs);
        var vm = cancelled;
        if (vm != null) {
            vm.cancel(new CheckpointId(checkpoint), "only its stun was wanted");
        }
    }

    @Override
    public void keptUp(long ns) {
        turns.recordValue(ns);
    }

    /** Returns the turns since the last call in which the strand worked on the layers of a disk. */
    Histogram takeTurns() {
        return turns.getIntervalHistogram();
    }

    /** Returns the stuns since the last call. */
    Histogram take() {
        return stuns.getIntervalHistogram();
    }

    /** Returns an empty histogram to add others to. */
    static Histogram histogram() {
        return new Histogram(DIGITS);
    }

    /** Returns a percentile in microseconds. */
    static double micros(Histogram histogram, double percentile) {
        return histogram.getValueAtPercentile(percentile) / 1_000.0;
    }
}
