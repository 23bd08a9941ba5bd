package io.tintype.simulations.story;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * One thing that happened in a run.
 *
 * @param name what a replay looks for: stable across runs and changes of code, unique within its run, such as
 *     {@code deliver vm-1/disk-0 Submit io-3} or {@code fail write io-3}. Never an index of a random choice
 * @param lane the actor, or the part of the model, that it happened at
 * @param kind how a picture shows it
 * @param text a sentence for people: who did what to which block or page
 * @param cause index, within the run, of the event that sent the message which this event received; -1 if none did
 * @param state what the lane knows after it, name by name; empty where that is of no interest
 */
public record StoryEvent(
        String name, String lane, Kind kind, String text, int cause,
        SortedMap<String, String> state) {
    /** How names begin that are told only: a replay does not look for them, they follow from the others. */
    public static final String NOTE = "note ";

    /** What sort of thing an event is. */
    public enum Kind {
        /** A message was handled, and nothing more to be said. */
        DELIVER,
        /** The guest issued a request. */
        ISSUE,
        /** The guest stored to memory. */
        STORE,
        /** The cut of a checkpoint: everything before it on its lane is in the checkpoint. */
        STUN,
        /** The guest runs again. */
        RESUME,
        /** A request's bytes reached their layer or frames. */
        LAND,
        /** A memory page or a block group was copied for its first write. */
        COPY,
        /** A read's bytes went to a copied page, or were asked for again. */
        REISSUE,
        /** A completion reached the guest. */
        COMPLETE,
        /** Storage answered with an error, a disk was full, bits rotted. */
        FAULT,
        /** A page or a segment was written to the checkpoint store. */
        SAVE,
        SEAL,
        ABORT,
        COMMIT,
        TIMER,
        CRASH,
        RECOVER,
        /** What broke a rule, mostly the last event of a story. */
        VIOLATION
    }

    public StoryEvent {
        state = Collections.unmodifiableSortedMap(new TreeMap<>(state));
    }

    /** Whether this is a message that follows from the other events: something for a picture, too much for a text. */
    boolean isDetail() {
        return kind == Kind.DELIVER && name.startsWith(NOTE);
    }

    /** The same with another state. */
    public StoryEvent with(SortedMap<String, String> newState) {
        return new StoryEvent(name, lane, kind, text, cause, newState);
    }
}
