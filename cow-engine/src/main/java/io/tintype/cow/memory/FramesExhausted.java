package io.tintype.cow.memory;

/**
 * A page needed a frame and the pool had none left. Nothing was changed for that page. Cannot happen for as many
 * allocations as {@link MemoryRegion#reserve} promised. Has no stack trace: it may be thrown often.
 */
public final class FramesExhausted extends RuntimeException {
    FramesExhausted(long frameCapacity) {
        super("all " + frameCapacity + " frames of guest memory are in use", null, false, false);
    }
}
