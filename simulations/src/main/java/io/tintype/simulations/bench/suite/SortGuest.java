package io.tintype.simulations.bench.suite;

import io.tintype.vm.guest.Guest;
import io.tintype.vm.guest.GuestContext;
import io.tintype.vm.guest.GuestFactory;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.Mix;
import io.tintype.vm.guest.Outcome;
import java.nio.ByteBuffer;

/**
 * A guest that is never idle and does what programs do: it loads, compares, branches, stores, and goes on near where it was. It
 * fills one half of its memory with random numbers, merges sorted runs of them from half to half until all are in order, and
 * begins again with others. Its state is in its registers and its memory. A number moved is a step.
 */
final class SortGuest implements Guest {
    static final String KIND = "sort";

    private static final int BATCH_STEPS = 32;

    private final long seed;
    private final long words;
    private final GuestMemory memory;

    // ---- registers ----
    /** Length of the runs that are sorted already; 0 while the half is being filled. */
    private long width;
    /** Numbers filled in, or moved in this pass. */
    private long out;
    private long left;
    private long leftEnd;
    private long right;
    private long rightEnd;
    private long sorted;
    private long moved;
    /** Whether the numbers lie in the second half. */
    private boolean isInSecond;

    private long firstMoved;

    private SortGuest(long seed, long bytes, GuestMemory memory) {
        this.seed = seed;
        words = bytes / 2 / Long.BYTES;
        this.memory = memory;
    }

    /** Guests that sort in the first {@code bytes} of their memory. */
    static GuestFactory factory(long seed, long bytes) {
        return new GuestFactory() {
            @Override
            public Guest create(GuestMemory memory) {
                return new SortGuest(seed, bytes, memory);
            }

            @Override
            public Guest restore(String kind, byte[] registers, GuestMemory memory) {
                if (!kind.equals(KIND)) {
                    throw new IllegalArgumentException("a guest that sorts is no " + kind);
                }
                return new SortGuest(seed, bytes, memory).load(registers);
            }
        };
    }

    @Override
    public Outcome run(GuestContext context) {
        do {
            for (int i = 0; i < BATCH_STEPS; i++) {
                step();
            }
        } while (!context.shouldYield());
        return Outcome.BUSY;
    }

    private void step() {
        if (width == 0) {
            memory.putLong(address(isInSecond, out), Mix.at(seed + sorted, out));
        } else {
            merge();
        }
        moved++;
        out++;
        if (out == words) {
            endPass();
        }
    }

    private void merge() {
        if (out == 0 || out == rightEnd) {
            left = out;
            leftEnd = Math.min(out + width, words);
            right = leftEnd;
            rightEnd = Math.min(leftEnd + width, words);
        }
        long number;
        if (right == rightEnd) {
            number = memory.getLong(address(isInSecond, left++));
        } else if (left == leftEnd) {
            number = memory.getLong(address(isInSecond, right++));
        } else {
            long first = memory.getLong(address(isInSecond, left));
            long second = memory.getLong(address(isInSecond, right));
            number = Math.min(first, second);
            if (first <= second) {
                left++;
            } else {
                right++;
            }
        }
        memory.putLong(address(!isInSecond, out), number);
    }

    private void endPass() {
        out = 0;
        if (width == 0) {
            width = 1;
            return;
        }
        isInSecond = !isInSecond;
        width *= 2;
        if (width >= words) {
            sorted++;
            width = 0;
        }
    }

    private long address(boolean isSecond, long word) {
        return ((isSecond ? words : 0) + word) * Long.BYTES;
    }

    /** How often everything was sorted; it is then, until the next step. */
    long sorted() {
        return sorted;
    }

    /** The number at this place of the half in which the numbers lie. */
    long number(long index) {
        return memory.getLong(address(isInSecond, index));
    }

    private SortGuest load(byte[] registers) {
        var buffer = ByteBuffer.wrap(registers);
        width = buffer.getLong();
        out = buffer.getLong();
        left = buffer.getLong();
        leftEnd = buffer.getLong();
        right = buffer.getLong();
        rightEnd = buffer.getLong();
        sorted = buffer.getLong();
        moved = buffer.getLong();
        isInSecond = buffer.getLong() != 0;
        firstMoved = moved;
        return this;
    }

    @Override
    public byte[] saveRegisters() {
        return ByteBuffer.allocate(9 * Long.BYTES).putLong(width).putLong(out).putLong(left)
                .putLong(leftEnd).putLong(right).putLong(rightEnd).putLong(sorted).putLong(moved)
                .putLong(isInSecond ? 1 : 0).array();
    }

    @Override
    public String kind() {
        return KIND;
    }

    @Override
    public long steps() {
        return moved - firstMoved;
    }

    @Override
    public int pagesBetweenYieldsMax() {
        // One after another in one half, and across the end of a pass in the other.
        return 4;
    }
}
