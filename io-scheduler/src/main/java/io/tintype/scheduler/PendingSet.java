package io.tintype.scheduler;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One VM's requests in flight, what their reads owe to copies of their target pages, and which checkpoints each of them
 * belongs to: rules R6, R9, R10, R11, R14 and R17, and R15 as far as it bounds memory.
 *
 * <p>A request is in here from its issue until all that follows from its end is done:
 *
 * <pre>
 *  Issued ──▶ in flight ──Landed──▶ Pay* Deliver Settled, gone
 *                 │                     ▲
 *                 │ Reissue.DISK, with  │
 *                 │ debts to pay        │
 *                 └──Landed──▶ reissuing ──Reissued
 * </pre>
 *
 * <p><b>Debts.</b> A read was issued to frames; when a store makes the VM copy such a frame before the read has landed, the
 * copy lacks the read's bytes, and so does each copy of that copy. The read owes its bytes to all of them, whoever shows
 * them by now. A copy made after the read landed has the bytes already, if what was copied had them.
 *
 * <p><b>Time.</b> Every issue, copy, stun and reset gets the next number of one counter, and membership follows from
 * comparing: a checkpoint has the requests issued before it and not yet gone or detached, and of each target page the copy
 * that was current then. So a stun costs the same whatever is in flight.
 *
 * <p>What holds, as long as the rules are on:
 * <ul>
 *   <li>each debt is paid once, before the read is delivered, never after, or forgiven because nobody shows that frame;
 *   <li>each request is settled once, and delivered once unless it was detached before;
 *   <li>a read owes at most one frame a page for the ongoing VM, and one for each live checkpoint that it belongs to (R15).
 * </ul>
 *
 * <p>Immutable; equal state and input give an equal step. Safe to share between threads, so the value that the stun saw
 * <em>is</em> the cut: keep it, read it later.
 */
public final class PendingSet {
    /** How a read's bytes get into a copy. */
    public enum Reissue {
        /** By copying what landed. */
        LANDED,
        /** By reading the bound layers again, where nothing speaks against it (R9). */
        DISK
    }

    /** What a stun does about a read and a write of one block, under {@link Reissue#DISK}. */
    public enum Conflict {
        /** It is put off, the guest running, until there is no such pair. */
        PUT_OFF,
        /** The guest stays stopped until everything in flight is done. */
        DELAY_RESUME
    }

    /**
     * A piece of a request's buffer within one page: where a read's bytes go, or a write's come from.
     *
     * @param frame what the page was mapped to at issue; for a read private and filled (R7)
     * @param offsetInPage in bytes, like {@code bytes} and {@code offsetInRequest}
     */
    public record Target(int region, int page, int frame, int offsetInPage, int bytes,
            long offsetInRequest) {
        Target to(int otherFrame) {
            return new Target(region, page, otherFrame, offsetInPage, bytes, offsetInRequest);
        }
    }

    /**
     * What the guest issued.
     *
     * @param ioId ascending in the order of issue over all disks and incarnations of a VM; it need not be dense
     * @param incarnation how often the VM had been reset or rolled back
     * @param disk index in the VM
     * @param targets of a read, in any order. Of a write, its sources: they matter only to a reset (R17), so a device that
     *     is never reset may leave them out. Empty for others
     */
    public record Request(long ioId, int incarnation, IoKind kind, int disk, long firstSector,
            int sectorCount, List<Target> targets) {
        public Request {
            targets = List.copyOf(targets);
            if (kind != IoKind.READ && kind != IoKind.WRITE && !targets.isEmpty()) {
                throw new IllegalArgumentException(
                        "request " + ioId + ": a " + kind + " has no buffer");
            }
        }

        boolean overlaps(Request other) {
            return disk == other.disk && kind != IoKind.FLUSH && other.kind != IoKind.FLUSH
                    && Ranges.overlap(firstSector, sectorCount, other.firstSector,
                            other.sectorCount);
        }
    }

    public sealed interface Input {
        /** The guest rang; given in the order in which it did, before anything else of the VM happens. */
        record Issued(Request request) implements Input {}

        /** The ongoing page table now maps the page to {@code toFrame}, a copy of {@code fromFrame}. */
        record Copied(int region, int page, int fromFrame, int toFrame) implements Input {}

        /** The device is done: a read's bytes are in the frames it was issued to. */
        record Landed(long ioId, IoStatus status) implements Input {}

        /** {@link Output.Reissue} has ended; if not OK, the copies may hold anything. */
        record Reissued(long ioId, IoStatus status) implements Input {}

        /** The VM is stunned for this checkpoint, this moment. */
        record Stunned(long checkpointId) implements Input {}

        /** The checkpoint was sealed or aborted; nobody looks at its frozen memory any more, or will notice. */
        record Ended(long checkpointId) implements Input {}

        /**
         * A device was reset: its requests are none of the ongoing VM's business any more (R17).
         *
         * @param disk whose, or {@link #ALL_DISKS}
         */
        record Detached(int disk) implements Input {
            public static final int ALL_DISKS = -1;

            /** Of the whole VM. */
            public Detached() {
                this(ALL_DISKS);
            }
        }

        /**
         * The VM was rolled back: like a reset, but its disks are others from now on, so later checkpoints need not wait for
         * writes to the old ones either.
         */
        record RolledBack() implements Input {}
    }

    public sealed interface Output {
        /** Copy memory, at once, on the VM's strand. */
        record Pay(long ioId, int fromFrame, int toFrame, int offsetInPage, int bytes)
                implements
                    Output {}

        /** Pin the frame as a target: it will be written, and its copies are to be reported. */
        record Owe(long ioId, int toFrame) implements Output {}

        /** Take back the pin of {@link Owe}: nobody shows that frame any more. */
        record Forgive(long ioId, int frame) implements Output {}

        /** Read the request's sectors again, from the layers it is bound to, into these frames. */
        record Reissue(long ioId, List<Target> copies) implements Output {}

        /** Tell the ongoing guest, with the interrupt and all. */
        record Deliver(long ioId, IoStatus status) implements Output {}

        /**
         * All is paid, the request is gone. Tell the checkpoints, then take back all pins that are left: of its own frames
         * and of those owed and not forgiven.
         *
         * @param checkpoints live ones that waited for it, in the order stunned
         */
        record Settled(long ioId, IoStatus status, List<Long> checkpoints) implements Output {}

        /**
         * If the page still is mapped to this frame, give the ongoing page table a copy of its own: the device will go on
         * writing or reading {@code frame}, which is no longer the guest's business. Then report it with {@link Input.Copied}:
         * reads of other devices may be in flight to the same page.
         */
        record CopyTarget(int region, int page, int frame) implements Output {}
    }

    /**
     * A frame that lacks a read's bytes.
     *
     * @param at when it was copied
     * @param reissued whether the disk is being read into it
     */
    record Debt(int region, int page, int frame, long at, boolean reissued) {
        boolean isOf(Target target) {
            return region == target.region && page == target.page;
        }
    }

    static final long NEVER = Long.MAX_VALUE;
    private static final Debt[] NO_DEBTS = {};

    /**
     * @param ioId the request's, one step nearer
     * @param pages a bit for each page of its buffer, by page number modulo 64: none in common, no need to look closer
     * @param detachedAt or {@link #NEVER}
     * @param otherDisksAt when the VM was rolled back to other disks, or {@link #NEVER}
     * @param conflicted whether a read and a write of one block were ever in flight together, this being the read
     * @param reissuing whether its bytes have landed
     * @param debts in the order incurred
     */
    @SuppressWarnings("ArrayRecordComponent") // never changed, compared by content, and a list would cost each step
    record Pending(Request request, long ioId, long pages, long issuedAt, long detachedAt,
            long otherDisksAt, boolean conflicted, boolean reissuing, Debt[] debts) {
        static Pending of(Request request, long issuedAt, boolean conflicted) {
            long pages = 0;
            for (int i = 0; i < request.targets.size(); i++) {
                pages |= 1L << request.targets.get(i).page; // the shift takes the page modulo 64
            }
            return new Pending(request, request.ioId, pages, issuedAt, NEVER, NEVER,
                    conflicted, false, NO_DEBTS);
        }

        Pending with(Debt... newDebts) {
            return new Pending(request, ioId, pages, issuedAt, detachedAt, otherDisksAt, conflicted,
                    reissuing,
                    newDebts.length == 0 ? NO_DEBTS : newDebts);
        }

        Pending detach(long at, boolean stillSameDisks) {
            long until = stillSameDisks ? otherDisksAt : Math.min(otherDisksAt, at);
            return new Pending(request, ioId, pages, issuedAt, Math.min(detachedAt, at),
                    until, conflicted, reissuing, debts);
        }

        Pending conflict() {
            return new Pending(request, ioId, pages, issuedAt, detachedAt, otherDisksAt, true,
                    reissuing, debts);
        }

        Pending reissue() {
            var all = new Debt[debts.length];
            for (int i = 0; i < all.length; i++) {
                var debt = debts[i];
                all[i] = new Debt(debt.region, debt.page, debt.frame, debt.at, true);
            }
            return new Pending(request, ioId, pages, issuedAt, detachedAt, otherDisksAt, conflicted,
                    true, all);
        }

        boolean isRead() {
            return request.kind == IoKind.READ;
        }

        boolean isDetached() {
            return detachedAt != NEVER;
        }

        /**
         * Whether a checkpoint of that instant has to see it end. A write that a reset detached before still does: it lands
         * in a layer that the checkpoint shows, whatever disks the VM is rolled back to later.
         */
        boolean belongsTo(long stunnedAt) {
            return issuedAt < stunnedAt
                    && (stunnedAt < detachedAt
                            || (request.kind.writes() && stunnedAt < otherDisksAt));
        }

        /** The copy that the page of this target was mapped to then, as far as it is owed; null: the frame of the issue. */
        @Nullable
        Debt debtAt(Target target, long instant) {
            return debtAt(target.region, target.page, instant);
        }

        /** The same for the page of a debt. */
        @Nullable
        Debt debtAt(Debt debt, long instant) {
            return debtAt(debt.region, debt.page, instant);
        }

        private @Nullable Debt debtAt(int region, int page, long instant) {
            for (int i = debts.length - 1; i >= 0; i--) {
                var debt = debts[i];
                if (debt.page == page && debt.region == region && debt.at < instant) {
                    return debt;
                }
            }
            return null;
        }

        /** Whether an earlier target is in the same page, so that per page this one can be skipped. */
        boolean isRepeated(int targetIndex) {
            var target = request.targets.get(targetIndex);
            for (int i = 0; i < targetIndex; i++) {
                var other = request.targets.get(i);
                if (other.page == target.page && other.region == target.region) {
                    return true;
                }
            }
            return false;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Pending pending && request.equals(pending.request)
                    && issuedAt == pending.issuedAt && detachedAt == pending.detachedAt
                    && otherDisksAt == pending.otherDisksAt && conflicted == pending.conflicted
                    && reissuing == pending.reissuing && Arrays.equals(debts, pending.debts);
        }

        @Override
        public int hashCode() {
            return Long.hashCode(issuedAt) * 31 + Arrays.hashCode(debts);
        }

        @Override
        public String toString() {
            return "Pending[" + request + (isDetached() ? ", detached" : "")
                    + (reissuing ? ", reissuing" : "") + ", debts=" + Arrays.toString(debts) + "]";
        }
    }

    /** A checkpoint whose instant has come and that has not ended. */
    record Cut(long checkpointId, long at) {}

    final Reissue policy;
    final Rules rules;
    /** The next number of the counter. */
    final long now;
    /** The highest so far. */
    final long lastIoId;
    /** In the order issued, which is by id. */
    final Pending[] pending;
    /** In the order stunned. */
    final Cut[] cuts;

    PendingSet(Reissue policy, Rules rules, long now, long lastIoId, Pending[] pending,
            Cut[] cuts) {
        this.policy = policy;
        this.rules = rules;
        this.now = now;
        this.lastIoId = lastIoId;
        this.pending = pending;
        this.cuts = cuts;
    }

    /** A VM with nothing in flight. */
    public static PendingSet empty(Reissue policy, Rules rules) {
        return new PendingSet(policy, rules, 0, Long.MIN_VALUE, new Pending[0], new Cut[0]);
    }

    /**
     * Takes one input. Throws {@link IllegalStateException} for one that cannot be, such as a second landing: then the
     * caller is wrong, and this state stays as it was.
     */
    public Step<PendingSet, Output> step(Input input) {
        var draft = new PendingSetDraft(this);
        switch (input) {
            case Input.Issued(var request) -> draft.issued(request);
            case Input.Copied copied -> draft.copied(copied);
            case Input.Landed(var ioId, var status) -> draft.landed(ioId, status);
            case Input.Reissued(var ioId, var status) -> draft.reissued(ioId, status);
            case Input.Stunned(var checkpointId) -> draft.stunned(checkpointId);
            case Input.Ended(var checkpointId) -> draft.ended(checkpointId);
            case Input.Detached(var disk) -> draft.detached(disk, true);
            case Input.RolledBack() -> draft.detached(Input.Detached.ALL_DISKS, false);
        }
        return draft.finish();
    }

    /** P: what the ongoing guest waits for, in the order issued. A new list. */
    public List<Request> requests() {
        var requests = new ArrayList<Request>(pending.length);
        for (var one : pending) {
            if (!one.isDetached()) {
                requests.add(one.request);
            }
        }
        return requests;
    }

    /** How many requests there are, detached ones included. */
    public int size() {
        return pending.length;
    }

    /**
     * What this checkpoint still waits for. Right after its stun that is P and the writes that a reset detached before and
     * that still are to land in a layer it shows; its restored guest gets completions of P only.
     */
    public IoIds pendingOf(long checkpointId) {
        var cut = cut(checkpointId);
        if (cut == null) {
            return IoIds.NONE;
        }
        var ids = new long[pending.length];
        int count = 0;
        for (var one : pending) {
            if (one.belongsTo(cut.at)) {
                ids[count++] = one.request.ioId;
            }
        }
        return IoIds.of(Arrays.copyOf(ids, count));
    }

    /**
     * Frames of this checkpoint's frozen memory that some read still has to reach, so that a saver must not read them yet
     * (R10). Ascending, distinct; empty for a checkpoint that is not live. It only ever shrinks after the stun.
     */
    public int[] blockedFrames(long checkpointId) {
        var cut = cut(checkpointId);
        if (cut == null || !rules.on(Rule.R10)) {
            return new int[0];
        }
        if (!rules.on(Rule.R14) && cut.at < cuts[cuts.length - 1].at) {
            return new int[0];
        }
        var frames = new int[8];
        int count = 0;
        for (var one : pending) {
            if (!one.isRead() || !one.belongsTo(cut.at)) {
                continue;
            }
            for (int i = 0; i < one.request.targets.size(); i++) {
                var target = one.request.targets.get(i);
                var debt = one.debtAt(target, cut.at);
                if ((debt != null || !one.reissuing) && !one.isRepeated(i)) {
                    if (count == frames.length) {
                        frames = Arrays.copyOf(frames, 2 * count);
                    }
                    frames[count++] = debt == null ? target.frame : debt.frame;
                }
            }
        }
        Arrays.sort(frames, 0, count);
        int distinct = 0;
        for (int i = 0; i < count; i++) {
            if (i == 0 || frames[i] != frames[i - 1]) {
                frames[distinct++] = frames[i];
            }
        }
        return Arrays.copyOf(frames, distinct);
    }

    /** Whether a stun now would have to be put off, or its resume delayed (R9): never under {@link Reissue#LANDED}. */
    public boolean readWriteConflict() {
        if (policy == Reissue.LANDED || !rules.on(Rule.R9)) {
            return false;
        }
        for (var read : pending) {
            if (!read.conflicted || read.isDetached()) {
                continue;
            }
            for (var write : pending) {
                if (write.request.kind.writes() && write.request.overlaps(read.request)) {
                    return true;
                }
            }
        }
        return false;
    }

    /** Frames owed by all reads together: what R15 bounds. */
    public int owedFrames() {
        int count = 0;
        for (var one : pending) {
            count += one.debts.length;
        }
        return count;
    }

    private @Nullable Cut cut(long checkpointId) {
        for (var cut : cuts) {
            if (cut.checkpointId == checkpointId) {
                return cut;
            }
        }
        return null;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PendingSet set && policy == set.policy && rules.equals(set.rules)
                && now == set.now && lastIoId == set.lastIoId && Arrays.equals(pending, set.pending)
                && Arrays.equals(cuts, set.cuts);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * Long.hashCode(now) + Arrays.hashCode(pending)) + Arrays.hashCode(cuts);
    }

    @Override
    public String toString() {
        return "PendingSet[" + Arrays.toString(pending) + ", checkpoints=" + Arrays.toString(cuts)
                + "]";
    }
}
