package io.tintype.cow.disk;

import java.util.concurrent.atomic.AtomicReference;

/**
 * An overlay that is durably in its chain and takes no writes yet. It ends by {@link DiskChain#switchTo} or by {@link
 * DiskChain#discardPrepared}, whichever comes first.
 */
public final class PreparedOverlay {
    private enum State {
        PREPARED, SWITCHED, DISCARDED
    }

    private final DiskChain chain;
    private final int layer;
    private final LayerImage image;
    private final AtomicReference<State> state = new AtomicReference<>(State.PREPARED);

    PreparedOverlay(DiskChain chain, int layer, LayerImage image) {
        this.chain = chain;
        this.layer = layer;
        this.image = image;
    }

    /** The number that its layer has once it is the top. */
    public int layer() {
        return layer;
    }

    LayerImage image() {
        return image;
    }

    void switched(DiskChain by) {
        end(by, State.SWITCHED);
    }

    void discarded(DiskChain by) {
        end(by, State.DISCARDED);
    }

    private void end(DiskChain by, State end) {
        if (by != chain) {
            throw new IllegalArgumentException("overlay " + layer + " belongs to another disk");
        }
        if (!state.compareAndSet(State.PREPARED, end)) {
            throw new IllegalStateException("overlay " + layer + " is " + state.get() + " already");
        }
    }
}
