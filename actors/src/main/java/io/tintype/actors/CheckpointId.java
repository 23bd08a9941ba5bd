package io.tintype.actors;

/** Names one checkpoint of one VM: 1, 2, 3 … in the order begun, never reused, even after an abort. */
public record CheckpointId(long value) implements Comparable<CheckpointId> {
    public static final CheckpointId FIRST = new CheckpointId(1);

    public CheckpointId {
        if (value < 1) {
            throw new IllegalArgumentException("checkpoint ids start at 1, got " + value);
        }
    }

    public CheckpointId next() {
        return new CheckpointId(Math.addExact(value, 1));
    }

    @Override
    public int compareTo(CheckpointId other) {
        return Long.compare(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toString(value);
    }
}
