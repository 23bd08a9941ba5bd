package io.tintype.scheduler;

import io.tintype.scheduler.DiskOrder.Io;
import io.tintype.scheduler.DiskOrder.Part;
import io.tintype.scheduler.PendingSet.Cut;
import io.tintype.scheduler.PendingSet.Debt;
import io.tintype.scheduler.PendingSet.Pending;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.function.IntUnaryOperator;
import java.util.function.LongUnaryOperator;

/**
 * Names what is in a core's state anew, so that two states which nobody can tell apart by any later step become equal: a search
 * through all schedules needs to see that it has been somewhere before.
 *
 * <p>What is kept: everything that a step looks at. Ids of requests and numbers of frames are renamed as the caller says; the
 * order of ids must stay. Instants are only ever compared with the instants of live checkpoints, so all that fall between two
 * of those become one.
 */
public final class Canonical {
    private Canonical() {}

    /**
     * The same set under other names.
     *
     * @param ioIds must rise where the old ids do
     * @param frames must be one to one on the frames that are in there
     */
    public static PendingSet of(PendingSet set, LongUnaryOperator ioIds, IntUnaryOperator frames) {
        var pending = new Pending[set.pending.length];
        long lastIoId = Long.MIN_VALUE;
        for (int i = 0; i < pending.length; i++) {
            var one = set.pending[i];
            long ioId = ioIds.applyAsLong(one.ioId());
            Invariant.check(ioId > lastIoId, "request %d does not keep its place as %d", one.ioId(),
                    ioId);
            lastIoId = ioId;
            var debts = new Debt[one.debts().length];
            for (int j = 0; j < debts.length; j++) {
                var debt = one.debts()[j];
                debts[j] = new Debt(debt.region(), debt.page(), frames.applyAsInt(debt.frame()),
                        instant(set, debt.at()), debt.reissued());
            }
            var request = one.request();
            var targets = new ArrayList<Target>(request.targets().size());
            for (var target : request.targets()) {
                targets.add(target.to(frames.applyAsInt(target.frame())));
            }
            var renamed = new Request(ioId, request.incarnation(), request.kind(), request.disk(),
                    request.firstSector(), request.sectorCount(), targets);
            pending[i] = new Pending(renamed, ioId, one.pages(), instant(set, one.issuedAt()),
                    one.isDetached() ? instant(set, one.detachedAt()) : PendingSet.NEVER,
                    one.otherDisksAt() == PendingSet.NEVER
                            ? PendingSet.NEVER
                            : instant(set, one.otherDisksAt()),
                    one.conflicted(), one.reissuing(), debts);
        }
        var cuts = new Cut[set.cuts.length];
        for (int i = 0; i < cuts.length; i++) {
            cuts[i] = new Cut(set.cuts[i].checkpointId(), 2L * i + 1);
        }
        // After all that happened since the last cut, and before the next.
        long now = 2L * cuts.length + 1;
        return new PendingSet(set.policy, set.rules, now, lastIoId, pending, cuts);
    }

    /** Even numbers are the spans between checkpoints, odd ones the checkpoints. */
    private static long instant(PendingSet set, long at) {
        int cutsBefore = 0;
        while (cutsBefore < set.cuts.length && set.cuts[cutsBefore].at() < at) {
            cutsBefore++;
        }
        return 2L * cutsBefore;
    }

    /**
     * The same order under other names.
     *
     * @param ioIds must rise where the old ids do
     */
    public static DiskOrder of(DiskOrder order, LongUnaryOperator ioIds) {
        // Of the resets only those count that something in flight still came before.
        var incarnations = new int[order.ios.length + 1];
        for (int i = 0; i < order.ios.length; i++) {
            incarnations[i] = order.ios[i].incarnation();
        }
        incarnations[order.ios.length] = order.incarnation;
        int[] sorted = Arrays.stream(incarnations).sorted().distinct().toArray();
        var ios = new Io[order.ios.length];
        for (int i = 0; i < ios.length; i++) {
            var io = order.ios[i];
            // Which layers it landed in matters only to the sync of FUA.
            ios[i] = new Io(ioIds.applyAsLong(io.ioId()), io.kind(), io.layer(), io.firstSector(),
                    io.sectorCount(), io.fua(), io.stage(), io.partsLeft(), io.status(),
                    io.fua() ? io.landedLow() : Integer.MAX_VALUE, io.fua() ? io.landedHigh() : -1,
                    Arrays.binarySearch(sorted, io.incarnation()));
        }
        var parts = new Part[order.parts.length];
        for (int i = 0; i < parts.length; i++) {
            var part = order.parts[i];
            parts[i] = new Part(ioIds.applyAsLong(part.ioId()), part.group(), part.layer(),
                    part.state());
        }
        return new DiskOrder(order.top, order.groupSectors, order.ordered, order.rules,
                order.needed, ios, parts, Arrays.binarySearch(sorted, order.incarnation),
                order.heldCount, order.stalledCount, order.detachedCount);
    }

    /** Spreads well, unlike the set's own hash, which need not tell many sets apart. */
    public static int hash(PendingSet set) {
        int hash = set.policy.hashCode();
        for (var one : set.pending) {
            hash = 31 * hash + one.request().hashCode();
            hash = 31 * hash + one.hashCode();
            hash = 31 * hash + Boolean.hashCode(one.conflicted());
            hash = 31 * hash + Boolean.hashCode(one.reissuing());
            hash = 31 * hash + Long.hashCode(one.detachedAt());
            hash = 31 * hash + Long.hashCode(one.otherDisksAt());
        }
        return 31 * hash + Arrays.hashCode(set.cuts);
    }
}
