package io.tintype.store;

import io.tintype.actors.CheckpointRef;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * Which checkpoints of a VM to keep: the newest ones, and of some hours and days before the newest
 * of each. Hours and days are those of UTC, and only those are counted that have a checkpoint.
 *
 * @param last how many of the newest
 * @param hourly of how many hours the newest
 * @param daily of how many days the newest
 */
public record Retention(int last, int hourly, int daily) {
    /** A checkpoint and its instant. */
    public record Taken(CheckpointRef ref, Instant at) {}

    /** @throws IllegalArgumentException if nothing would be kept, or a number is negative */
    public Retention {
        if (last < 0 || hourly < 0 || daily < 0 || (last | hourly | daily) == 0) {
            throw new IllegalArgumentException("last " + last + ", hourly " + hourly + ", daily "
                    + daily + " keeps nothing; keep at least one");
        }
    }

    /** The {@code count} newest. */
    public static Retention newest(int count) {
        return new Retention(count, 0, 0);
    }

    /**
     * Which of {@code checkpoints}, all of one VM and in any order, are to go; the oldest first.
     * What their children need of them is no concern of this: {@link CheckpointStore#drop} keeps it.
     */
    public List<CheckpointRef> toDrop(List<Taken> checkpoints) {
        var newestFirst = new ArrayList<>(checkpoints);
        newestFirst.sort(Comparator.comparing(Taken::at).thenComparing(Taken::ref).reversed());
        var hours = new HashSet<Instant>();
        var days = new HashSet<Instant>();
        var drop = new ArrayList<CheckpointRef>();
        for (int i = 0; i < newestFirst.size(); i++) {
            Instant at = newestFirst.get(i).at();
            // Both, whatever the first one says: each period has its newest.
            boolean ofHour = isNewest(hours, at.truncatedTo(ChronoUnit.HOURS), hourly);
            boolean ofDay = isNewest(days, at.truncatedTo(ChronoUnit.DAYS), daily);
            if (i >= last && !ofHour && !ofDay) {
                drop.addFirst(newestFirst.get(i).ref());
            }
        }
        return drop;
    }

    private static boolean isNewest(Set<Instant> seen, Instant period, int periods) {
        return (seen.size() < periods || seen.contains(period)) && seen.add(period);
    }
}
