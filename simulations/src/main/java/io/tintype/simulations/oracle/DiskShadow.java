package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoStatus;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongConsumer;
import org.agrona.collections.Long2ObjectHashMap;
import org.agrona.collections.LongArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What one disk holds as far as the guest can know, now and at each cut that is still of interest.
 *
 * <p>Invariants: a group is copied before its first change after the newest cut, and the copy is the cut's; what a cut shows
 * of a group is the copy of the oldest cut from it on that has one, or else the group itself. Memory: 600 bytes for each group
 * ever written to, and as much for each group changed after a cut.
 */
final class DiskShadow {
    private static final SectorGroup UNTOUCHED = new SectorGroup();

    /** The disk at one cut. */
    static final class DiskCut {
        final Long2ObjectHashMap<SectorGroup> saved = new Long2ObjectHashMap<>();
        /** By group, a bit for each sector that changed since the cut before and was not compared yet. */
        Long2ObjectHashMap<long[]> unchecked;
        final List<Flight> inFlight;
        final long submitted;
        final long consumed;
        final long event;

        private DiskCut(DiskShadow disk, long event) {
            unchecked = disk.unchecked;
            inFlight = List.copyOf(disk.inFlight);
            submitted = disk.submitted;
            consumed = disk.consumed;
            this.event = event;
        }
    }

    private final Long2ObjectHashMap<SectorGroup> groups = new Long2ObjectHashMap<>();
    /** The groups in the order of their first write, for the rotating sample. */
    private final LongArrayList groupOrder = new LongArrayList();
    private final List<Flight> inFlight = new ArrayList<>();
    /** By sector, the writes that a reset took: they may land at any time, or never. */
    private final Long2ObjectHashMap<List<Flight>> ghosts = new Long2ObjectHashMap<>();
    private final List<DiskCut> cuts = new ArrayList<>();
    private Long2ObjectHashMap<long[]> unchecked = new Long2ObjectHashMap<>();
    private long epoch;
    private long submitted;
    private long consumed;

    DiskShadow() {}

    /** The disk as it was at {@code cut}, with {@code copies} of the requests in flight then. */
    DiskShadow(DiskShadow other, DiskCut cut, List<Flight> copies) {
        other.groups.forEachLong((number, _) -> {
            var group = other.groupAt(cut, number);
            if (group != UNTOUCHED) {
                var copy = group.copy();
                copy.epoch = 0;
                groups.put(number, copy);
                groupOrder.addLong(number);
            }
        });
        inFlight.addAll(copies);
        other.ghosts.forEachLong((sector, list) -> {
            var then = list.stream().filter(ghost -> ghost.resetEvent <= cut.event).toList();
            if (!then.isEmpty()) {
                ghosts.put(sector, new ArrayList<>(then));
            }
        });
        submitted = cut.submitted;
        consumed = cut.consumed;
    }

    long submittedCount() {
        return submitted;
    }

    List<Flight> inFlight() {
        return inFlight;
    }

    // ---- the guest's events ----

    void submitted(Flight flight) {
        for (var other : inFlight) {
            if ((flight.writes() || other.writes()) && flight.sharesSectorWith(other)) {
                meet(flight, other);
            }
        }
        inFlight.add(flight);
        submitted++;
    }

    private void meet(Flight one, Flight other) {
        one.conflicted = true;
        other.conflicted = true;
        if (one.writes() && other.writes()) {
            return;
        }
        var read = one.writes() ? other : one;
        var write = one.writes() ? one : other;
        var end = Math.min(one.sector + one.sectorCount, other.sector + other.sectorCount);
        for (long sector = Math.max(one.sector, other.sector); sector < end; sector++) {
            read.maySee(sector, candidates(sector), write.state());
        }
    }

    /** The request is over; its fields say how. */
    void completed(Flight flight) {
        inFlight.remove(flight);
        consumed++;
        if (flight.writes() && flight.status != IoStatus.UNSUPPORTED) {
            forEachGroup(flight, (number, from, to) -> settle(flight, writable(number, from, to),
                    number, from, to));
        }
    }

    private void settle(Flight flight, SectorGroup group, long number, int from, int to) {
        var isDone = flight.status == IoStatus.OK;
        var isAlone = isDone && !flight.conflicted;
        for (int i = from; i < to; i++) {
            if (isAlone) {
                group.set(i, flight.state());
                continue;
            }
            var before = group.candidates(i);
            var after = isDone
                    ? before.afterWrite(flight.state(), flight.submitEvent, flight.completeEvent)
                    : before.afterFailedWrite(flight.state(), flight.submitEvent,
                            flight.completeEvent);
            if (after.isPlain() && !isWrittenBy(inFlight, number * SectorGroup.SECTOR_COUNT + i)) {
                group.set(i, after.last());
            } else {
                group.set(i, after);
            }
        }
    }

    private static boolean isWrittenBy(List<Flight> flights, long sector) {
        for (var flight : flights) {
            if (flight.writes() && flight.covers(sector)) {
                return true;
            }
        }
        return false;
    }

    /** The guest reset the disk: what is in flight is void, and its writes may land at any time from now on, or never. */
    List<Flight> reset(long event) {
        var voided = List.copyOf(inFlight);
        for (var flight : voided) {
            flight.resetEvent = event;
            if (flight.writes()) {
                for (long sector = flight.sector; sector < flight.sector + flight.sectorCount;
                        sector++) {
                    ghosts.computeIfAbsent(sector, _ -> new ArrayList<>()).add(flight);
                }
                forEachGroup(flight, this::writable);
            }
        }
        inFlight.clear();
        submitted = 0;
        consumed = 0;
        return voided;
    }

    // ---- cuts ----

    DiskCut cut(long event) {
        var cut = new DiskCut(this, event);
        unchecked = new Long2ObjectHashMap<>();
        cuts.add(cut);
        epoch++;
        return cut;
    }

    /** The cut is of no interest any more. What it had not compared is left to the next one. */
    void release(DiskCut cut) {
        var index = cuts.indexOf(cut);
        cuts.remove(index);
        if (index > 0) {
            var older = cuts.get(index - 1);
            cut.saved.forEachLong(older.saved::putIfAbsent);
        }
        leaveUnchecked(cut.unchecked);
        cut.unchecked = new Long2ObjectHashMap<>();
    }

    void leaveUnchecked(Long2ObjectHashMap<long[]> left) {
        left.forEachLong((number, bits) -> {
            var known = unchecked.computeIfAbsent(number, _ -> new long[2]);
            known[0] |= bits[0];
            known[1] |= bits[1];
        });
    }

    /** What the group was at the cut; not to be changed. */
    SectorGroup groupAt(DiskCut cut, long number) {
        for (int i = cuts.indexOf(cut); i < cuts.size(); i++) {
            var saved = cuts.get(i).saved.get(number);
            if (saved != null) {
                return saved;
            }
        }
        return groups.getOrDefault(number, UNTOUCHED);
    }

    /** The groups that changed after the cut. */
    void forEachGroupChangedAfter(DiskCut cut, LongConsumer visitor) {
        var seen = new Long2ObjectHashMap<Boolean>();
        for (int i = cuts.indexOf(cut); i < cuts.size(); i++) {
            cuts.get(i).saved.forEachLong((number, _) -> {
                if (seen.put(number, Boolean.TRUE) == null) {
                    visitor.accept(number);
                }
            });
        }
    }

    /** How many groups were ever written to. */
    int groupCount() {
        return groupOrder.size();
    }

    /** The number of a group that was written to, in the order of the first writes. */
    long groupNumber(int index) {
        return groupOrder.getLong(index);
    }

    // ---- looking ----

    /** Whether it was ever written to: then it is one of {@link #groupNumber}. */
    boolean isKnown(long number) {
        return groups.containsKey(number);
    }

    SectorGroup group(long number) {
        return groups.getOrDefault(number, UNTOUCHED);
    }

    Candidates candidates(long sector) {
        return group(sector / SectorGroup.SECTOR_COUNT)
                .candidates((int) (sector % SectorGroup.SECTOR_COUNT));
    }

    /** Whether a write that a reset took, before or with {@code event}, may have left {@code seen}, or a mixture. */
    boolean isGhost(long sector, int seen, long event) {
        var list = ghosts.isEmpty() ? null : ghosts.get(sector);
        if (list != null) {
            for (var ghost : list) {
                if (ghost.resetEvent <= event
                        && (seen < 0 || Candidates.matches(ghost.state(), seen))) {
                    return true;
                }
            }
        }
        return false;
    }

    /** The newest write in flight to the sector; null if there is none. */
    @Nullable
    Flight writing(long sector) {
        for (int i = inFlight.size() - 1; i >= 0; i--) {
            var flight = inFlight.get(i);
            if (flight.writes() && flight.covers(sector)) {
                return flight;
            }
        }
        return null;
    }

    /** A part of one group, sectors {@code from} to {@code to}, exclusive. */
    @FunctionalInterface
    interface PartVisitor {
        void visit(long group, int from, int to);
    }

    static void forEachGroup(Flight flight, PartVisitor visitor) {
        var end = flight.sector + flight.sectorCount;
        for (long sector = flight.sector; sector < end;) {
            var number = sector / SectorGroup.SECTOR_COUNT;
            var from = (int) (sector % SectorGroup.SECTOR_COUNT);
            var to = (int) Math.min(SectorGroup.SECTOR_COUNT, from + end - sector);
            visitor.visit(number, from, to);
            sector += to - from;
        }
    }

    /** The group, to be changed in these sectors: what cuts need of it is saved. */
    private SectorGroup writable(long number, int from, int to) {
        var group = groups.get(number);
        if (group == null) {
            group = new SectorGroup();
            group.epoch = -1;
            groups.put(number, group);
            groupOrder.addLong(number);
        }
        if (group.epoch < epoch) {
            if (!cuts.isEmpty()) {
                // It may have inherited an older one from a cut that was released.
                cuts.getLast().saved.putIfAbsent(number,
                        group.epoch < 0 ? UNTOUCHED : group.copy());
            }
            group.epoch = epoch;
        }
        var bits = unchecked.get(number);
        if (bits == null) {
            bits = new long[2];
            unchecked.put(number, bits);
        }
        setBits(bits, from, to);
        return group;
    }

    private static void setBits(long[] bits, int from, int to) {
        for (int i = from; i < to; i++) {
            bits[i >>> 6] |= 1L << i;
        }
    }
}
