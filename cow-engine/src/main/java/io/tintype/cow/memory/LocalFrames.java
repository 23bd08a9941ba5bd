package io.tintype.cow.memory;

/** The free frames that a region keeps at hand, so that most faults touch no shared word. One thread at a time. */
final class LocalFrames {
    private final FramePool pool;
    private final FrameList frames = new FrameList();
    private int reserved;

    LocalFrames(FramePool pool) {
        this.pool = pool;
    }

    long size() {
        return frames.size();
    }

    /** Takes that are still promised by the last {@link #reserve}. */
    int reserved() {
        return reserved;
    }

    /** @throws FramesExhausted if there is none, here or in the pool */
    int take() {
        if (frames.size() == 0) {
            var chunk = pool.take();
            if (chunk == null) {
                throw new FramesExhausted(pool.frameCapacity());
            }
            frames.push(chunk);
        }
        if (reserved > 0) {
            reserved--;
        }
        return frames.pop();
    }

    void give(int frame) {
        frames.push(frame);
        if (frames.size() > reserved + 2 * FrameList.CHUNK_FRAMES) {
            pool.giveBack(frames.popChunk());
        }
    }

    /** Makes the next {@code count} takes succeed; if it answers false, the caller trims. */
    boolean reserve(int count) {
        reserved = count;
        while (frames.size() < count) {
            var chunk = pool.take();
            if (chunk == null) {
                return false;
            }
            frames.push(chunk);
        }
        return true;
    }

    void trim() {
        reserved = 0;
        pool.giveBack(frames);
    }
}
