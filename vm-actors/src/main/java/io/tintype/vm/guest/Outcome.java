package io.tintype.vm.guest;

/** Why a slice of guest code ended, and what the guest waits for. */
public sealed interface Outcome {
    /** There is more to do now. */
    Outcome BUSY = new Busy();

    /** Nothing to do before a completion arrives. */
    Outcome WAIT_FOR_INTERRUPT = new WaitForInterrupt();

    /** There is more to do now. */
    record Busy() implements Outcome {}

    /** Nothing to do before this time of the guest's clock, in nanoseconds, or before a completion arrives, if that is earlier. */
    record WaitUntil(long guestNs) implements Outcome {}

    /** Nothing to do before a completion arrives. */
    record WaitForInterrupt() implements Outcome {}

    /** The guest has done all it ever will; nothing of it is in flight. Running it again answers the same. */
    record Stopped(String reason) implements Outcome {}
}
