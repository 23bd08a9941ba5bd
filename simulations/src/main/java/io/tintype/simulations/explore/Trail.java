package io.tintype.simulations.explore;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** From where and by which act each state was first found: 6 bytes a state. States are numbered as they are found. */

final class Trail {
    static final int NO_STATE = -1;
    private static final int CHUNK_BITS = 16;
    private static final int CHUNK = 1 << CHUNK_BITS;

    private final List<int[]> from = new ArrayList<>();
    private final List<short[]> acts = new ArrayList<>();
    private int[] lastFrom = new int[0];
    private short[] lastActs = new short[0];
    private int size;

    /** @param act what was done, or, without a state that it came from, which start it is */
    void add(int fromState, int act) {
        int at = size & CHUNK - 1;
        if (at == 0) {
            lastFrom = new int[CHUNK];
            lastActs = new short[CHUNK];
            from.add(lastFrom);
            acts.add(lastActs);
        }
        lastFrom[at] = fromState;
        lastActs[at] = (short) act;
        size++;
    }

    int size() {
        return size;
    }

    /** The start, then the acts that lead to the state. */
    int[] to(int state) {
        var path = new int[16];
        int length = 0;
        for (int at = state; at != NO_STATE; at = from.get(at >>> CHUNK_BITS)[at & CHUNK - 1]) {
            if (length == path.length) {
                path = Arrays.copyOf(path, 2 * length);
            }
            path[length++] = acts.get(at >>> CHUNK_BITS)[at & CHUNK - 1];
        }
        var reversed = new int[length];
        for (int i = 0; i < length; i++) {
            reversed[i] = path[length - 1 - i];
        }
        return reversed;
    }

    long bytes() {
        return (long) from.size() * CHUNK * (Integer.BYTES + Short.BYTES);
    }
}
