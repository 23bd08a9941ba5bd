package io.tintype.scheduler;

import java.util.Arrays;
import java.util.Collection;
import java.util.stream.LongStream;

/** An immutable set of request ids: a sorted array, so that a copy without one of 256 costs a fraction of a microsecond. */
public final class IoIds {
    public static final IoIds NONE = new IoIds(new long[0]);

    private final long[] sorted;

    private IoIds(long[] sorted) {
        this.sorted = sorted;
    }

    public static IoIds of(long... ids) {
        boolean isAscending = true;
        for (int i = 1; i < ids.length; i++) {
            isAscending &= ids[i - 1] < ids[i];
        }
        if (isAscending && ids.length > 0) {
            return new IoIds(ids.clone());
        }
        return ids.length == 0 ? NONE : new IoIds(LongStream.of(ids).sorted().distinct().toArray());
    }

    public static IoIds of(Collection<Long> ids) {
        return of(ids.stream().mapToLong(Long::longValue).toArray());
    }

    public boolean isEmpty() {
        return sorted.length == 0;
    }

    public int size() {
        return sorted.length;
    }

    public boolean contains(long id) {
        return Arrays.binarySearch(sorted, id) >= 0;
    }

    /** This set, and {@code id}. */
    public IoIds with(long id) {
        int at = Arrays.binarySearch(sorted, id);
        if (at >= 0) {
            return this;
        }
        int insertAt = -at - 1;
        var more = new long[sorted.length + 1];
        System.arraycopy(sorted, 0, more, 0, insertAt);
        more[insertAt] = id;
        System.arraycopy(sorted, insertAt, more, insertAt + 1, sorted.length - insertAt);
        return new IoIds(more);
    }

    /** This set but for {@code id}; this very set if it is not in there. */
    public IoIds without(long id) {
        int at = Arrays.binarySearch(sorted, id);
        if (at < 0) {
            return this;
        }
        var fewer = new long[sorted.length - 1];
        System.arraycopy(sorted, 0, fewer, 0, at);
        System.arraycopy(sorted, at + 1, fewer, at, fewer.length - at);
        return new IoIds(fewer);
    }

    /** This set but for those in {@code others}. */
    public IoIds withoutAll(IoIds others) {
        var left = this;
        for (long id : others.sorted) {
            left = left.without(id);
        }
        return left;
    }

    /** Ascending; a copy. */
    public long[] toArray() {
        return sorted.clone();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof IoIds ids && Arrays.equals(sorted, ids.sorted);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(sorted);
    }

    @Override
    public String toString() {
        return Arrays.toString(sorted);
    }
}
