package io.tintype.simulations.simulate;

import io.tintype.simulations.oracle.Violation;
import io.tintype.simulations.story.StoryEvent;
import java.util.BitSet;
import java.util.List;
import java.util.Set;

/**
 * What one run came to.
 *
 * @param violations what no correct run shows; empty if all was well
 * @param traceHash of all its steps, in order
 * @param steps messages handled and events of the world
 * @param virtualNs from its begin to its end
 * @param situations how often each occurred, in the order of {@link Situation}
 * @param events the steps by name, if they were to be recorded
 * @param world the same without messages; names of those that came while messages were waiting say so
 * @param done indices of the events of the schedule that made a difference, up to the first failure of power
 * @param unfitting index of the first event of the schedule that did not fit; -1 if all did, or there was none
 * @param waiting tasks and ends of operations that could have been next when the schedule was over; empty in a free run
 * @param story what happened, for people, if it was to be told
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record RunRecord(
        List<Violation> violations,
        long traceHash,
        long steps,
        long virtualNs,
        int[] situations,
        List<String> events,
        List<String> world,
        BitSet done,
        int unfitting,
        Set<String> waiting,
        List<StoryEvent> story) {
    /** Whether a schedule with {@code name} after all others would find nothing to do for it, as far as that can be told. */
    boolean isImpossibleNext(String name) {
        return Simulation.waits(name) && !waiting.contains(name);
    }
}
