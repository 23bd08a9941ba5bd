package io.tintype.vm.guest;

/**
 * Makes the guests of one configuration. Safe to share between threads as far as its recorder is.
 *
 * @see Guests
 */
public interface GuestFactory {
    /**
     * A guest that has not executed anything.
     *
     * @throws IllegalArgumentException if it cannot run in this memory; the message says what is missing
     */
    Guest create(GuestMemory memory);

    /**
     * A guest that goes on where another one stood; {@code memory} may be filled later, but before it runs.
     *
     * @param kind {@link Guest#kind} of the other one
     * @param registers {@link Guest#saveRegisters} of the other one
     * @throws IllegalArgumentException if these are the registers of another kind or configuration
     */
    Guest restore(String kind, byte[] registers, GuestMemory memory);
}
