package io.tintype.scheduler;

import io.tintype.scheduler.PendingSet.Cut;
import io.tintype.scheduler.PendingSet.Debt;
import io.tintype.scheduler.PendingSet.Input;
import io.tintype.scheduler.PendingSet.Output;
import io.tintype.scheduler.PendingSet.Pending;
import io.tintype.scheduler.PendingSet.Reissue;
import io.tintype.scheduler.PendingSet.Request;
import io.tintype.scheduler.PendingSet.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The working copy of a {@link PendingSet} during one step: shares its array until the first change, and is dropped when the
 * step is finished. This is where the rules are.
 */
final class PendingSetDraft extends Outputs<Output> {
    private final PendingSet from;
    private final Rules rules;

    private long now;
    private long lastIoId;
    private Pending[] pending;
    private boolean ownPending;
    private Cut[] cuts;

    PendingSetDraft(PendingSet from) {
        this.from = from;
        rules = from.rules;
        now = from.now;
        lastIoId = from.lastIoId;
        pending = from.pending;
        cuts = from.cuts;
    }

    Step<PendingSet, Output> finish() {
        return new Step<>(new PendingSet(from.policy, rules, now, lastIoId, pending, cuts),
                list());
    }

    void issued(Request request) {
        Invariant.check(request.ioId() > lastIoId, "request %d was issued after request %d",
                request.ioId(), lastIoId);
        lastIoId = request.ioId();
        boolean conflicted = from.policy == Reissue.DISK && noteConflicts(request);
        int count = pending.length;
        pending = Arrays.copyOf(pending, count + 1);
        ownPending = true;
        pending[count] = Pending.of(request, now++, conflicted);
    }

    /**
     * Marks the reads that {@code request} writes to; says whether it is itself a read that some write overlaps. The mark
     * outlives the write: what a reissue reads after the write completed is not what the read landed before it.
     */
    private boolean noteConflicts(Request request) {
        boolean conflicted = false;
        for (int i = 0; i < pending.length; i++) {
            var other = pending[i];
            boolean writes = request.kind().writes();
            boolean otherWrites = other.request().kind().writes();
            if (writes == otherWrites || !request.overlaps(other.request())) {
                continue;
            }
            if (otherWrites) {
                conflicted = true;
            } else {
                set(i, other.conflict());
            }
        }
        return conflicted;
    }

    void copied(Input.Copied copied) {
        if (!rules.on(Rule.R6)) {
            return;
        }
        long at = now++;
        long page = 1L << copied.page(); // modulo 64, as in Pending.pages
        for (int i = 0; i < pending.length; i++) {
            var one = pending[i];
            if ((one.pages() & page) != 0 && one.isRead() && !one.isDetached()
                    && lacksBytes(one, copied)) {
                var debts = Arrays.copyOf(one.debts(), one.debts().length + 1);
                debts[debts.length - 1] =
                        new Debt(copied.region(), copied.page(), copied.toFrame(), at, false);
                add(new Output.Owe(one.ioId(), copied.toFrame()));
                set(i, one.with(debts));
                forgive(i); // the frame copied from may have been nobody's but the ongoing VM's
            }
        }
    }

    /** Whether the copied frame had yet to get bytes of this read. */
    private static boolean lacksBytes(Pending one, Input.Copied copied) {
        for (var debt : one.debts()) {
            if (debt.frame() == copied.fromFrame() && debt.page() == copied.page()
                    && debt.region() == copied.region()) {
                return true;
            }
        }
        if (one.reissuing()) {
            return false;
        }
        var targets = one.request().targets();
        for (int i = 0; i < targets.size(); i++) {
            var target = targets.get(i);
            if (target.frame() == copied.fromFrame() && target.page() == copied.page()
                    && target.region() == copied.region()) {
                return true;
            }
        }
        return false;
    }

    void landed(long ioId, IoStatus status) {
        int index = find(ioId);
        Invariant.check(index >= 0, "request %d landed, but is not pending", ioId);
        var one = pending[index];
        Invariant.check(!one.reissuing(), "request %d landed twice", ioId);
        // A failed read promised nothing: the bytes of its target are whatever they are, on both sides.
        if (status != IoStatus.OK || one.debts().length == 0) {
            settle(index, status);
            return;
        }
        if (!rules.on(Rule.R11) && !one.isDetached()) {
            add(new Output.Deliver(ioId, status));
        }
        if (from.policy == Reissue.DISK && mayAskDisk(one)) {
            set(index, one.reissue());
            add(new Output.Reissue(ioId, copies(one)));
            return;
        }
        payAll(one);
        settle(index, status);
    }

    void reissued(long ioId, IoStatus status) {
        int index = find(ioId);
        Invariant.check(index >= 0, "request %d was reissued, but is not pending", ioId);
        var one = pending[index];
        Invariant.check(one.reissuing(), "request %d was not reissued", ioId);
        // What the disk gave counts only if nothing has come in between: the last checkpoint with this read may have been
        // aborted, and a waiting write bound to the layers just read.
        boolean isGood = status == IoStatus.OK && mayAskDisk(one);
        for (var debt : one.debts()) {
            if (!isGood || !debt.reissued()) {
                pay(one, debt);
            }
        }
        settle(index, IoStatus.OK);
    }

    /** Whether reading the bound layers again gives what landed, block for block. */
    private boolean mayAskDisk(Pending one) {
        return !rules.on(Rule.R9) || (!one.conflicted() && isInLiveCheckpoint(one));
    }

    private boolean isInLiveCheckpoint(Pending one) {
        for (var cut : cuts) {
            if (one.belongsTo(cut.at())) {
                return true;
            }
        }
        return false;
    }

    private static List<Target> copies(Pending one) {
        var copies = new ArrayList<Target>();
        for (var debt : one.debts()) {
            for (var target : one.request().targets()) {
                if (debt.isOf(target)) {
                    copies.add(target.to(debt.frame()));
                }
            }
        }
        return List.copyOf(copies);
    }

    private void payAll(Pending one) {
        for (var debt : one.debts()) {
            pay(one, debt);
        }
    }

    private void pay(Pending one, Debt debt) {
        for (var target : one.request().targets()) {
            if (debt.isOf(target)) {
                add(new Output.Pay(one.ioId(), target.frame(), debt.frame(),
                        target.offsetInPage(), target.bytes()));
            }
        }
    }

    private void settle(int index, IoStatus status) {
        var one = pending[index];
        var fewer = new Pending[pending.length - 1];
        System.arraycopy(pending, 0, fewer, 0, index);
        System.arraycopy(pending, index + 1, fewer, index, fewer.length - index);
        pending = fewer;
        ownPending = true;
        long ioId = one.ioId();
        if (!one.isDetached()) {
            add(new Output.Deliver(ioId, status));
        }
        add(new Output.Settled(ioId, status, checkpointsOf(one)));
    }

    private List<Long> checkpointsOf(Pending one) {
        if (cuts.length == 0) {
            return List.of();
        }
        if (cuts.length == 1) {
            return one.belongsTo(cuts[0].at()) ? List.of(cuts[0].checkpointId()) : List.of();
        }
        var ids = new ArrayList<Long>(cuts.length);
        for (var cut : cuts) {
            if (one.belongsTo(cut.at())) {
                ids.add(cut.checkpointId());
            }
        }
        return List.copyOf(ids);
    }

    void stunned(long checkpointId) {
        for (var cut : cuts) {
            Invariant.check(cut.checkpointId() != checkpointId, "checkpoint %d was stunned twice",
                    checkpointId);
        }
        cuts = Arrays.copyOf(cuts, cuts.length + 1);
        cuts[cuts.length - 1] = new Cut(checkpointId, now++);
    }

    void ended(long checkpointId) {
        int index = 0;
        while (index < cuts.length && cuts[index].checkpointId() != checkpointId) {
            index++;
        }
        if (index == cuts.length) {
            return; // aborted before its stun
        }
        var fewer = new Cut[cuts.length - 1];
        System.arraycopy(cuts, 0, fewer, 0, index);
        System.arraycopy(cuts, index + 1, fewer, index, fewer.length - index);
        cuts = fewer;
        for (int i = 0; i < pending.length; i++) {
            forgive(i);
        }
    }

    void detached(int disk, boolean sameDisks) {
        if (!rules.on(Rule.R17)) {
            return;
        }
        long at = now++;
        var asked = new ArrayList<Output.CopyTarget>();
        for (int i = 0; i < pending.length; i++) {
            var one = pending[i];
            if (disk != Input.Detached.ALL_DISKS && one.request().disk() != disk) {
                continue;
            }
            var detached = one.detach(at, sameDisks);
            set(i, detached);
            if (!one.isDetached()) {
                copyTargets(detached, asked);
                forgive(i);
            }
        }
    }

    /**
     * Where the page as it is now is still to be written by this read, the ongoing VM gets a copy, once for all of them. So
     * it does where a write still takes its bytes from: what the guest stores there after the reset must not reach the disk.
     */
    private void copyTargets(Pending one, List<Output.CopyTarget> asked) {
        var targets = one.request().targets();
        for (int i = 0; i < targets.size(); i++) {
            var target = targets.get(i);
            var debt = one.debtAt(target, PendingSet.NEVER);
            boolean isToBeWritten = debt == null ? !one.reissuing() : isKept(one, debt);
            var copy = new Output.CopyTarget(target.region(), target.page(),
                    debt == null ? target.frame() : debt.frame());
            if (isToBeWritten && !asked.contains(copy)) {
                asked.add(copy);
                add(copy);
            }
        }
    }

    /** Drops the debts to frames that nobody shows any more: a read that never ends must not hold a frame for each checkpoint (R15). */
    private void forgive(int index) {
        var one = pending[index];
        if (one.debts().length == 0) {
            return;
        }
        int keptCount = 0;
        var kept = new Debt[one.debts().length];
        for (var debt : one.debts()) {
            if (isKept(one, debt)) {
                kept[keptCount++] = debt;
            } else {
                add(new Output.Forgive(one.ioId(), debt.frame()));
            }
        }
        if (keptCount < kept.length) {
            set(index, one.with(Arrays.copyOf(kept, keptCount)));
        }
    }

    /** Whether the debt's frame is what the ongoing VM or a live checkpoint shows of its page, or the disk is being read into it. */
    private boolean isKept(Pending one, Debt debt) {
        if (debt.reissued() || !rules.on(Rule.R15)) {
            return true;
        }
        if (!one.isDetached() && debt.equals(one.debtAt(debt, PendingSet.NEVER))) {
            return true;
        }
        for (int i = rules.on(Rule.R14) ? 0 : Math.max(0, cuts.length - 1); i < cuts.length; i++) {
            if (one.belongsTo(cuts[i].at()) && debt.equals(one.debtAt(debt, cuts[i].at()))) {
                return true;
            }
        }
        return false;
    }

    /** The index, or -1. */
    private int find(long ioId) {
        int low = 0;
        int high = pending.length - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long found = pending[middle].ioId();
            if (found == ioId) {
                return middle;
            }
            if (found < ioId) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -1;
    }

    private void set(int index, Pending one) {
        if (!ownPending) {
            pending = pending.clone();
            ownPending = true;
        }
        pending[index] = one;
    }
}
