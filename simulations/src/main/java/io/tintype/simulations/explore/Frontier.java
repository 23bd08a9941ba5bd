package io.tintype.simulations.explore;

import java.util.ArrayDeque;

/**
 * States in the order in which they were found, of which words that are 0 take no room. What was taken out makes room for what
 * is put in.
 */
@SuppressWarnings({"EnumOrdinal", "OperatorPrecedence"}) // fields of a few bits, put together by shifts
final class Frontier {
    private static final int CHUNK_WORDS = 1 << 15;

    private final int stateWords;
    private final int headWords;
    private final ArrayDeque<long[]> chunks = new ArrayDeque<>();
    private final ArrayDeque<long[]> spare = new ArrayDeque<>();
    private long[] last = new long[0];
    private int lastUsed;
    private long[] first = new long[0];
    private int firstRead;
    private long size;
    private long bytesMax;

    Frontier(int stateWords) {
        this.stateWords = stateWords;
        headWords = (stateWords + Long.SIZE - 1) / Long.SIZE;
    }

    long size() {
        return size;
    }

    /** What it takes, and at most took. */
    long bytesMax() {
        return bytesMax;
    }

    void add(long[] state) {
        if (lastUsed + headWords + stateWords > last.length) {
            var free = spare.poll();
            last = free != null ? free : new long[CHUNK_WORDS];
            chunks.add(last);
            lastUsed = 0;
            bytesMax = Math.max(bytesMax,
                    (long) (chunks.size() + spare.size()) * CHUNK_WORDS * Long.BYTES);
        }
        int to = lastUsed + headWords;
        for (int head = 0; head < headWords; head++) {
            long used = 0;
            int from = head * Long.SIZE;
            int until = Math.min(stateWords, from + Long.SIZE);
            for (int i = from; i < until; i++) {
                if (state[i] != 0) {
                    used |= 1L << i - from;
                    last[to++] = state[i];
                }
            }
            last[lastUsed + head] = used;
        }
        lastUsed = to;
        size++;
    }

    void take(long[] state) {
        if (first.length == 0 || firstRead + headWords + stateWords > first.length) {
            if (first.length != 0) {
                spare.add(chunks.remove());
            }
            first = chunks.element();
            firstRead = 0;
        }
        int from = firstRead + headWords;
        for (int head = 0; head < headWords; head++) {
            long used = first[firstRead + head];
            int start = head * Long.SIZE;
            int until = Math.min(stateWords, start + Long.SIZE);
            for (int i = start; i < until; i++) {
                state[i] = (used >>> i - start & 1) != 0 ? first[from++] : 0;
            }
        }
        firstRead = from;
        size--;
    }
}
