package io.tintype.simulations.explore;

import java.util.HashSet;
import java.util.Set;

/** Where a search has been. */
interface Visited extends AutoCloseable {
    /** Remembers the state; false if it was known. */
    boolean add(long[] state, long fingerprint);

    /** Looks at where the fingerprint is or would be, so that {@link #add} finds it in the cache. */
    long touch(long fingerprint);

    long bytes();

    @Override
    void close();

    /** Remembers whole states: slow, but sure. */
    final class Whole implements Visited {
        private record State(String words) {}

        private final Set<State> states = new HashSet<>();

        @Override
        public boolean add(long[] state, long fingerprint) {
            var words = new StringBuilder(4 * state.length);
            for (long word : state) {
                for (int shift = 0; shift < Long.SIZE; shift += Character.SIZE) {
                    words.append((char) (word >>> shift));
                }
            }
            return states.add(new State(words.toString()));
        }

        @Override
        public long touch(long fingerprint) {
            return 0;
        }

        @Override
        public long bytes() {
            return 0;
        }

        @Override
        public void close() {
            states.clear();
        }
    }
}
