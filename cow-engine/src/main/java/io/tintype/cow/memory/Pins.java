package io.tintype.cow.memory;

import org.agrona.collections.Int2IntCounterMap;
import org.agrona.collections.Long2LongHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Counts the requests in flight that use a frame as source or as target, and remembers the pinned frames that died. Costs
 * nothing until the first pin. The zero frame needs no pin and takes none.
 */
final class Pins {
    /** A count of each kind fits one int: sources below, targets above. */
    private static final int COUNT_MAX = 0x7fff;
    private static final int TARGET_SHIFT = 16;
    private static final int SOURCE = 1;
    private static final int TARGET = 1 << TARGET_SHIFT;

    private @Nullable Int2IntCounterMap counts;
    private @Nullable Long2LongHashMap dead;
    private int targets;

    boolean isEmpty() {
        return counts == null || counts.isEmpty();
    }

    boolean isPinned(int frame) {
        return counts != null && counts.get(frame) != 0;
    }

    boolean isTarget(int frame) {
        return targets > 0 && counts != null && targetCount(counts.get(frame)) > 0;
    }

    void addSource(int frame) {
        var map = counts();
        Invariant.check(sourceCount(map.get(frame)) < COUNT_MAX, "a frame has few sources");
        map.getAndAdd(frame, SOURCE);
    }

    void addTarget(int frame) {
        var map = counts();
        Invariant.check(targetCount(map.get(frame)) < COUNT_MAX, "a frame has few targets");
        map.getAndAdd(frame, TARGET);
        targets++;
    }

    /** Answers whether that was the frame's last pin. */
    boolean removeSource(int frame) {
        var map = counts();
        Invariant.check(sourceCount(map.get(frame)) > 0, "an unpinned source was pinned");
        return map.addAndGet(frame, -SOURCE) == 0;
    }

    /** Answers whether that was the frame's last pin. */
    boolean removeTarget(int frame) {
        var map = counts();
        Invariant.check(targetCount(map.get(frame)) > 0, "an unpinned target was pinned");
        targets--;
        return map.addAndGet(frame, -TARGET) == 0;
    }

    /** Remembers a pinned frame that no table maps any more. */
    void died(int frame, long birth, long death) {
        if (dead == null) {
            dead = new Long2LongHashMap(0);
        }
        dead.put(frame, birth << 32 | death);
    }

    /** Forgets a frame that lost its last pin: its {@code birth << 32 | death}, or 0 if its page still has it. */
    long takeDead(int frame) {
        return dead == null ? 0 : dead.remove(frame);
    }

    private Int2IntCounterMap counts() {
        if (counts == null) {
            counts = new Int2IntCounterMap(0);
        }
        return counts;
    }

    private static int sourceCount(int packed) {
        return packed & COUNT_MAX;
    }

    private static int targetCount(int packed) {
        return packed >>> TARGET_SHIFT;
    }
}
