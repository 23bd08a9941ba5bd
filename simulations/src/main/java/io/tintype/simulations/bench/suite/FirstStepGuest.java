package io.tintype.simulations.bench.suite;

import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Outcome;
import java.util.concurrent.CountDownLatch;

/**
 * Goes on from any registers, notes when it executes its first instruction, loads one word of memory, notes when it has it,
 * and is done.
 */
final class FirstStepGuest implements Guest {
    /** When it did what, on {@code System.nanoTime}; read after {@link #done}. */
    static final class Watch {
        final CountDownLatch done = new CountDownLatch(1);
        volatile long firstNs;
        volatile long loadedNs;
        volatile long generation;
    }

    private final long address;
    private final Watch watch;
    private long steps;

    private FirstStepGuest(long address, Watch watch) {
        this.address = address;
        this.watch = watch;
    }

    static GuestFactory factory(long address, Watch watch) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return new FirstStepGuest(address, watch);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                return new FirstStepGuest(address, watch);
            }
        };
    }

    @Override
    public Outcome run(GuestContext context) {
        if (steps == 0) {
            watch.firstNs = System.nanoTime();
            steps = context.memory().getLong(address) == 0 ? 1 : 2;
            watch.loadedNs = System.nanoTime();
            watch.generation = context.identity().generationLow();
            watch.done.countDown();
        }
        return Outcome.WAIT_FOR_INTERRUPT;
    }

    @Override
    public String kind() {
        return "first-step";
    }

    @Override
    public byte[] saveRegisters() {
        return new byte[64];
    }

    @Override
    public long steps() {
        return steps;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        return 1;
    }
}
