package io.tintype.simulations.bench.suite;

import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Outcome;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/**
 * Another guest, and a clock at its side that the host does not see: how long no instruction of it ran, between any two slices
 * and between the two around a stun. That is the stun with everything that the host may have left out of its own figure.
 */
final class GapGuest implements Guest {
    private static final int DIGITS = 3;

    /** Where the gaps of one or more guests are collected, in nanoseconds. Any thread. */
    static final class Gaps {
        private final Recorder usual = new Recorder(DIGITS);
        private final Recorder stuns = new Recorder(DIGITS);

        /** Returns the gaps since the last call in which there was no stun. */
        Histogram takeUsual() {
            return usual.getIntervalHistogram();
        }

        /** Returns the gaps since the last call in which there was one. */
        Histogram takeStuns() {
            return stuns.getIntervalHistogram();
        }
    }

    private final Guest guest;
    private final Gaps gaps;
    private long endNs = -1;
    private boolean stunned;

    private GapGuest(Guest guest, Gaps gaps) {
        this.guest = guest;
        this.gaps = gaps;
    }

    static GuestFactory watch(GuestFactory factory, Gaps gaps) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return new GapGuest(factory.create(memory), gaps);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                return new GapGuest(factory.restore(kind, registers, memory), gaps);
            }
        };
    }

    /** The gap that is open now holds a stun. */
    void stunned() {
        stunned = true;
    }

    @Override
    public Outcome run(GuestContext context) {
        if (endNs >= 0) {
            long gapNs = Math.max(0, System.nanoTime() - endNs);
            (stunned ? gaps.stuns : gaps.usual).recordValue(gapNs);
        }
        stunned = false;
        var outcome = guest.run(context);
        // A guest that waits is not kept from running.
        endNs = outcome instanceof Outcome.Busy ? System.nanoTime() : -1;
        return outcome;
    }

    @Override
    public String kind() {
        return guest.kind();
    }

    @Override
    public byte[] saveRegisters() {
        return guest.saveRegisters();
    }

    @Override
    public long steps() {
        return guest.steps();
    }

    @Override
    public int pagesBetweenYieldsMax() {
        return guest.pagesBetweenYieldsMax();
    }
}
