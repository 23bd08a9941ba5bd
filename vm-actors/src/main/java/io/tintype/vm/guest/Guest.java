package io.tintype.vm.guest;

import org.jspecify.annotations.Nullable;

/**
 * What runs in a VM.
 *
 * <p>The VM's strand owns it and calls it, one slice after another. Between two calls of {@link #run} it stands at an
 * instruction boundary: {@link #saveRegisters} and the memory are then all of its state, and a guest that a
 * {@link GuestFactory} restores from them does what this one would have done.
 */
public interface Guest {
    /**
     * Runs until {@link GuestContext#shouldYield} says so, or until there is nothing to do. Also called early, or for no
     * reason; then it answers again what it waits for.
     */
    Outcome run(GuestContext context);

    /** Which kind of guest can be restored from the registers. */
    String kind();

    /**
     * What it was made from, as {@link Guests#stored} takes it, so that a checkpoint can be run by a process that knows nothing else of
     * it; null if there is no such text.
     */
    default @Nullable String program() {
        return null;
    }

    /** A copy of all registers, below 1 KiB. Costs the same however much memory or I/O there is. */
    byte[] saveRegisters();

    /** Work done since the guest was made or restored: stores, computations, requests. A measure of its speed, not state. */
    long steps();

    /**
     * The most pages that are written between two calls of {@link GuestContext#shouldYield}: with as many frames reserved
     * when that answers false, the guest never meets {@link io.tintype.cow.memory.FramesExhausted}.
     */
    int pagesBetweenYieldsMax();
}
