package io.tintype.cow.memory;

/**
 * How many frames a region holds that its own table maps no more. The right to hold is granted by the pool in steps, so
 * that the bound is strict for what was reserved and few faults touch a shared word. One thread at a time.
 */
final class HeldFrames {
    private static final int STEP_FRAMES = FrameList.CHUNK_FRAMES;

    private final FramePool pool;
    private long held;
    private long granted;
    private long reported;

    HeldFrames(FramePool pool) {
        this.pool = pool;
    }

    long count() {
        return held;
    }

    boolean reserve(int frames) {
        report();
        var missing = held + frames - granted;
        if (missing > 0) {
            if (!pool.grantHeld(missing)) {
                return false;
            }
            granted += missing;
        }
        return true;
    }

    void add() {
        if (held == granted) {
            pool.grantHeldRegardless(STEP_FRAMES);
            granted += STEP_FRAMES;
            report();
        }
        held++;
    }

    /** The rights to hold {@code reserved} more are kept. */
    void remove(long frames, long reserved) {
        held -= frames;
        if (granted - held > reserved + 2 * STEP_FRAMES) {
            giveBackRights(reserved);
        }
        report();
    }

    /** Gives back every right that is not used. */
    void trim() {
        giveBackRights(0);
        report();
    }

    private void giveBackRights(long kept) {
        var spare = granted - held - kept;
        if (spare > 0) {
            pool.returnHeld(spare);
            granted -= spare;
        }
    }

    private void report() {
        if (held != reported) {
            pool.reportHeld(held - reported);
            reported = held;
        }
    }
}
