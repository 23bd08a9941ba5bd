package io.tintype.scheduler;

import io.tintype.scheduler.DiskOrder.Holds;
import io.tintype.scheduler.DiskOrder.Input;
import io.tintype.scheduler.DiskOrder.Io;
import io.tintype.scheduler.DiskOrder.Output;
import io.tintype.scheduler.DiskOrder.Part;
import io.tintype.scheduler.DiskOrder.PartState;
import io.tintype.scheduler.DiskOrder.Stage;
import java.util.Arrays;
import java.util.SortedSet;

/**
 * The working copy of a {@link DiskOrder} during one step: shares its arrays until the first change, and is dropped when the
 * step is finished. This is where the rules are.
 */
final class DiskOrderDraft extends Outputs<Output> {
    private static final long ANY_GROUP = -1;

    private final DiskOrder from;
    private final Rules rules;
    private final Holds holds;

    private int top;
    private int[] needed;
    private Io[] ios;
    private Part[] parts;
    private boolean ownIos;
    private boolean ownParts;
    private int heldCount;
    private int stalledCount;
    private int detachedCount;
    private int incarnation;

    DiskOrderDraft(DiskOrder from, Holds holds) {
        this.from = from;
        this.rules = from.rules;
        this.holds = holds;
        top = from.top;
        needed = from.needed;
        ios = from.ios;
        parts = from.parts;
        heldCount = from.heldCount;
        stalledCount = from.stalledCount;
        detachedCount = from.detachedCount;
        incarnation = from.incarnation;
    }

    Step<DiskOrder, Output> finish() {
        var next = new DiskOrder(top, from.groupSectors, from.ordered, rules, needed, ios, parts,
                incarnation, heldCount, stalledCount, detachedCount);
        return new Step<>(next, list());
    }

    void submit(Input.Submit request) {
        int index = indexFor(request.ioId());
        Invariant.check(index == ios.length || ios[index].ioId() != request.ioId(),
                "request %d was submitted twice", request.ioId());
        boolean writes = request.kind().writes();
        long firstGroup = request.firstSector() / from.groupSectors;
        long lastGroup = writes
                ? (request.firstSector() + request.sectorCount() - 1) / from.groupSectors
                : firstGroup - 1;
        long groupCount = lastGroup - firstGroup + 1;
        if (groupCount > DiskOrder.GROUPS_PER_REQUEST_MAX) {
            add(new Output.Complete(request.ioId(), IoStatus.UNSUPPORTED));
            return;
        }
        if (writes && request.layer() < top && rules.on(Rule.R8)) {
            checkNotTooLate(request, firstGroup, lastGroup);
        }

        var io = new Io(request.ioId(), request.kind(), request.layer(), request.firstSector(),
                request.sectorCount(), request.fua(), Stage.HELD, (int) groupCount, IoStatus.OK,
                Integer.MAX_VALUE, -1, incarnation);
        var more = new Io[ios.length + 1];
        System.arraycopy(ios, 0, more, 0, index);
        more[index] = io;
        System.arraycopy(ios, index, more, index + 1, ios.length - index);
        ios = more;
        ownIos = true;
        if (writes) {
            insertParts(io, firstGroup, (int) groupCount);
        }
        if (mustFollow(index)) {
            heldCount++;
        } else {
            start(index);
        }
    }

    private void insertParts(Io io, long firstGroup, int count) {
        int at = partIndexFor(io.ioId(), firstGroup);
        var more = new Part[parts.length + count];
        System.arraycopy(parts, 0, more, 0, at);
        for (int i = 0; i < count; i++) {
            more[at + i] = new Part(io.ioId(), firstGroup + i, io.layer(), PartState.HELD);
        }
        System.arraycopy(parts, at, more, at + count, parts.length - at);
        parts = more;
        ownParts = true;
    }

    /** A higher layer may have copied the group only when all lower writes to it, this one too, were done. */
    private void checkNotTooLate(Input.Submit request, long firstGroup, long lastGroup) {
        for (var part : parts) {
            boolean started = part.state() == PartState.FAULTING
                    || part.state() == PartState.WRITING;
            Invariant.check(!started || part.layer() <= request.layer()
                    || part.group() < firstGroup || part.group() > lastGroup,
                    "write %d was submitted after a later one had begun to copy group %d",
                    request.ioId(), part.group());
        }
        for (int layer = request.layer() + 1; layer <= top; layer++) {
            for (long group = firstGroup; group <= lastGroup; group++) {
                Invariant.check(!holds.holds(layer, group),
                        "write %d was submitted after a higher layer had got group %d",
                        request.ioId(), group);
            }
        }
    }

    void partDone(long ioId, long group, IoStatus status) {
        int partIndex = partIndexFor(ioId, group);
        Invariant.check(partIndex < parts.length && parts[partIndex].ioId() == ioId
                && parts[partIndex].group() == group, "request %d has nothing to do in group %d",
                ioId, group);
        var part = parts[partIndex];
        Invariant.check(part.state() == PartState.WRITING || part.state() == PartState.FAULTING,
                "the part of request %d in group %d has not started", ioId, group);
        removePart(partIndex);
        int index = indexFor(ioId);
        var io = ios[index].landed(part.layer(), status);
        if (io.partsLeft() == 0) {
            partsDone(index, io);
        } else {
            setIo(index, io);
        }
        if (stalledCount > 0) {
            if (part.state() == PartState.FAULTING) {
                faultDone(part, status);
            }
            placeWaiting(group);
        }
    }

    private void partsDone(int index, Io io) {
        if (io.status() != IoStatus.OK || !io.fua()) {
            complete(index, io.status());
            return;
        }
        setIo(index, io.at(Stage.SYNCING));
        // Parts that R15 bound lower are in another layer than the rest: then the chain is synced up to the highest.
        add(io.landedLow() == io.landedHigh()
                ? new Output.StartSync(io.ioId(), io.landedHigh())
                : new Output.StartFlush(io.ioId(), io.landedHigh()));
    }

    private void faultDone(Part fault, IoStatus status) {
        // An error may be reported of a fault that was published all the same; holds() knows.
        boolean held = status == IoStatus.OK || holds.holds(fault.layer(), fault.group());
        for (int i = 0; i < parts.length; i++) {
            var part = parts[i];
            if (part.state() != PartState.JOINED || part.group() != fault.group()
                    || part.layer() != fault.layer()) {
                continue;
            }
            if (!held) {
                place(i); // becomes the fault that those after it have joined
                return;
            }
            startWrite(i, part.layer());
        }
    }

    /**
     * Gives those waiting in the group another chance, the lowest layer first: it may be what the others wait for, and under
     * R15 they may follow it down.
     *
     * @param group or {@link #ANY_GROUP}
     */
    private void placeWaiting(long group) {
        int layer = -1;
        while (true) {
            int next = Integer.MAX_VALUE;
            for (var part : parts) {
                if (waitsIn(part, group) && part.layer() > layer) {
                    next = Math.min(next, part.layer());
                }
            }
            if (next == Integer.MAX_VALUE) {
                return;
            }
            layer = next;
            for (int i = 0; i < parts.length; i++) {
                if (waitsIn(parts[i], group) && parts[i].layer() == layer) {
                    place(i);
                }
            }
        }
    }

    private static boolean waitsIn(Part part, long group) {
        return part.state() == PartState.WAITING && (group == ANY_GROUP || part.group() == group);
    }

    void done(long ioId, IoStatus status) {
        int index = indexFor(ioId);
        Invariant.check(index < ios.length && ios[index].ioId() == ioId,
                "request %d is not pending", ioId);
        var io = ios[index];
        boolean expected = io.kind().writes()
                ? io.stage() == Stage.SYNCING
                : io.stage() == Stage.RUNNING;
        Invariant.check(expected, "request %d is done before its time", ioId);
        complete(index, io.status() == IoStatus.OK ? status : io.status());
    }

    void switched(int newTop) {
        Invariant.check(newTop > top, "layer %d cannot come on top of layer %d", newTop, top);
        needed = Arrays.copyOf(needed, needed.length + 1);
        needed[needed.length - 1] = top;
        top = newTop;
    }

    void needed(SortedSet<Integer> views) {
        needed = new int[views.size()];
        int index = 0;
        for (int view : views) {
            needed[index++] = view;
        }
        if (stalledCount > 0) {
            placeWaiting(ANY_GROUP);
        }
    }

    void detached() {
        if (!rules.on(Rule.R17)) {
            return;
        }
        incarnation++;
        detachedCount = ios.length;
    }

    private void complete(int index, IoStatus status) {
        var io = ios[index];
        var fewer = new Io[ios.length - 1];
        System.arraycopy(ios, 0, fewer, 0, index);
        System.arraycopy(ios, index + 1, fewer, index, fewer.length - index);
        ios = fewer;
        ownIos = true;
        if (io.incarnation() < incarnation) {
            detachedCount--;
        }
        add(new Output.Complete(io.ioId(), status));
        if (heldCount > 0) {
            releaseHeld();
        }
    }

    private void releaseHeld() {
        for (int i = 0; i < ios.length && heldCount > 0; i++) {
            if (ios[i].stage() == Stage.HELD && !mustFollow(i)) {
                heldCount--;
                start(i);
            }
        }
    }

    /** Whether the request overlaps an earlier incomplete one that the device must finish first. */
    private boolean mustFollow(int index) {
        if (!from.ordered && detachedCount == 0) {
            return false;
        }
        var later = ios[index];
        for (int i = 0; i < index; i++) {
            var earlier = ios[i];
            boolean matters = from.ordered && (earlier.kind().writes() || later.kind().writes());
            boolean undoes = earlier.incarnation() < later.incarnation()
                    && earlier.kind().writes();
            if ((matters || undoes) && earlier.overlaps(later)) {
                return true;
            }
        }
        return false;
    }

    private void start(int index) {
        var io = ios[index].at(Stage.RUNNING);
        setIo(index, io);
        switch (io.kind()) {
            case READ -> add(new Output.StartRead(io.ioId(),
                    rules.on(Rule.R5) ? io.layer() : top));
            case FLUSH -> add(rules.on(Rule.R13)
                    ? new Output.StartFlush(io.ioId(), io.layer())
                    : new Output.StartSync(io.ioId(), io.layer()));
            case WRITE, DISCARD, WRITE_ZEROES -> {
                int first = partIndexFor(io.ioId(), 0);
                for (int i = first; i < first + io.partsLeft(); i++) {
                    place(i);
                }
            }
        }
    }

    /** Decides what a part that has not started does now. */
    private void place(int index) {
        var part = parts[index];
        while (true) {
            if (holds.holds(part.layer(), part.group())) {
                startWrite(index, part.layer());
                return;
            }
            if (!rules.on(Rule.R5)) {
                startWrite(index, holder(part));
                return;
            }
            int below = highestIncompleteUpTo(part);
            if (below == part.layer()) {
                setPart(index, part.at(PartState.JOINED));
                return;
            }
            if (below < 0 || !rules.on(Rule.R8)) {
                setPart(index, part.at(PartState.FAULTING));
                add(new Output.StartFault(part.ioId(), part.layer(), part.group()));
                return;
            }
            if (!rules.on(Rule.R15) || isNeeded(below, part.layer() - 1)) {
                if (part.state() != PartState.WAITING) {
                    add(new Output.Delayed(part.ioId(), part.group()));
                }
                setPart(index, part.at(PartState.WAITING));
                return;
            }
            // No view between the two is shown by anybody, so nobody can tell the layers apart: as if there had been no checkpoint.
            part = part.in(below);
        }
    }

    private void startWrite(int index, int layer) {
        var part = parts[index].in(layer);
        setPart(index, part.at(PartState.WRITING));
        add(new Output.StartWrite(part.ioId(), layer, part.group()));
    }

    /** The topmost layer, from the part's own down, that holds its group. */
    private int holder(Part part) {
        int layer = part.layer();
        while (layer > 0 && !holds.holds(layer, part.group())) {
            layer--;
        }
        return layer;
    }

    /**
     * The part's own layer if a fault of it and the group is running; else where the topmost of the incomplete writes below
     * is bound, held and waiting ones too; else -1.
     */
    private int highestIncompleteUpTo(Part part) {
        int highest = -1;
        for (var other : parts) {
            if (other.group() == part.group() && other.layer() > highest
                    && (other.layer() < part.layer() || (other.layer() == part.layer()
                            && other.state() == PartState.FAULTING))) {
                highest = other.layer();
            }
        }
        return highest;
    }

    private boolean isNeeded(int firstView, int lastView) {
        for (int view : needed) {
            if (firstView <= view && view <= lastView) {
                return true;
            }
        }
        return false;
    }

    /** Where the request is, or belongs. */
    private int indexFor(long ioId) {
        int low = 0;
        int high = ios.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (ios[middle].ioId() < ioId) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Where the part is, or belongs. */
    private int partIndexFor(long ioId, long group) {
        int low = 0;
        int high = parts.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            var part = parts[middle];
            if (part.ioId() < ioId || (part.ioId() == ioId && part.group() < group)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    private void setIo(int index, Io io) {
        if (!ownIos) {
            ios = ios.clone();
            ownIos = true;
        }
        ios[index] = io;
    }

    private void setPart(int index, Part part) {
        if (!ownParts) {
            parts = parts.clone();
            ownParts = true;
        }
        if (parts[index].stalled()) {
            stalledCount--;
        }
        if (part.stalled()) {
            stalledCount++;
        }
        parts[index] = part;
    }

    private void removePart(int index) {
        var fewer = new Part[parts.length - 1];
        System.arraycopy(parts, 0, fewer, 0, index);
        System.arraycopy(parts, index + 1, fewer, index, fewer.length - index);
        parts = fewer;
        ownParts = true;
    }
}
