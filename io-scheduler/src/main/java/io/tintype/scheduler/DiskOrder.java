package io.tintype.scheduler;

import java.util.Arrays;
import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * In which order one disk's requests reach its layers: rules R5, R8, R13, ordered devices, and what R15, R16 and R17 ask of
 * a disk.
 *
 * <p>A request is bound to a layer when the guest issues it. A write is split into one <em>part</em> for each block group;
 * a part bound to layer {@code k} takes this way:
 *
 * <pre>
 *            overlaps an earlier          layer k holds the group
 *            request it must follow   ┌────────────────────────────────────────▶ StartWrite ──┐
 *  Submit ──▶ held ───────────────────┤ a fault of (k, group) is running                      │
 *                                     ├──────────────────▶ joined ──fault done────▶ StartWrite ──┤ PartDone
 *                                     │ incomplete write below k in the group                 ├────────▶ gone
 *                                     ├──────────────────▶ waiting ──those done───┐           │
 *                                     │                      └─ or bound lower (R15)          │
 *                                     └───────────────────────────────────────────▶ StartFault ──┘
 * </pre>
 *
 * <p>When its last part is gone a write completes; with FUA it is synced first. Reads and flushes start at once, bound to
 * their view.
 *
 * <p>What holds, as long as the rules are on:
 * <ul>
 *   <li>where a layer holds a group, no incomplete write to that group is bound to a lower layer (R8);
 *   <li>for a layer and group at most one fault runs;
 *   <li>whatever waits, waits for something that was issued earlier: there is no circle;
 *   <li>each submitted request completes exactly once, when all that it waits for did.
 * </ul>
 *
 * <p>Requests are to be submitted in the order in which the guest issued them, as far as they overlap or share a block group:
 * a write to a layer that arrives after a higher layer has copied the group would be lost to the ongoing VM, so that is
 * refused. Submit when the guest rings, not when a queue has time.
 *
 * <p>Immutable; equal state and input give an equal step. Safe to share between threads.
 */
public final class DiskOrder {
    /**
     * A write of more groups is refused with {@link IoStatus#UNSUPPORTED}: its parts are copied at every step, and real
     * devices have such a limit too. 16,384 groups × 64 KiB = 1 GiB.
     */
    public static final int GROUPS_PER_REQUEST_MAX = 16_384;

    /** What the disk's chain knows at the moment of a step. */
    @FunctionalInterface
    public interface Holds {
        /**
         * True if {@code layer} itself has the group, with data or with a marker, published so that reads see it. Always
         * true for the lowest layer, false for a number that names no layer.
         */
        boolean holds(int layer, long group);
    }

    public sealed interface Input {
        /**
         * The guest issued a request; also a read again for {@link PendingSet.Output.Reissue}, with the same id and layer.
         *
         * @param ioId ascending in the order of issue; it need not be dense
         * @param layer what the request is bound to: its writes go there, its reads see this layer and those below
         * @param firstSector ignored, like the count, for a flush
         * @param fua for a write: completes only when it is durable
         */
        record Submit(long ioId, IoKind kind, int layer, long firstSector, int sectorCount,
                boolean fua) implements Input {
            public Submit {
                if (layer < 0 || firstSector < 0 || sectorCount < 0
                        || (sectorCount == 0 && kind != IoKind.FLUSH)) {
                    throw new IllegalArgumentException("request " + ioId + ": " + kind + " of "
                            + sectorCount + " sectors from " + firstSector + " in layer " + layer);
                }
            }
        }

        /** What {@link Output.StartWrite} or {@link Output.StartFault} began has ended. */
        record PartDone(long ioId, long group, IoStatus status) implements Input {}

        /** What {@link Output.StartRead}, {@link Output.StartFlush} or {@link Output.StartSync} began has ended. */
        record Done(long ioId, IoStatus status) implements Input {}

        /**
         * A checkpoint's stun put a new layer on top. The old top counts as needed from now on, until the next
         * {@link Needed} says otherwise, so that no write can slip into it in between.
         */
        record Switched(int newTop) implements Input {}

        /** All views that must not change, because a live or sealed checkpoint or a clone shows them; replaces the last such list. */
        record Needed(SortedSet<Integer> views) implements Input {
            public Needed {
                views = Collections.unmodifiableSortedSet(new TreeSet<>(views));
            }
        }

        /**
         * The device was reset (R17). What is in flight stays so, but a request that comes later waits behind the writes
         * among it that it overlaps: one of those landing after a new write completed would undo it.
         */
        record Detached() implements Input {}
    }

    public sealed interface Output {
        /** Read what layers up to {@code view} show: not the top of the moment, which may show later writes. */
        record StartRead(long ioId, int view) implements Output {}

        /** Make every layer up to {@code view} durable. */
        record StartFlush(long ioId, int view) implements Output {}

        /** Make one layer durable. */
        record StartSync(long ioId, int layer) implements Output {}

        /** Do the request's part in this group, in place. */
        record StartWrite(long ioId, int layer, long group) implements Output {}

        /**
         * Bring the group into the layer, the request's part in it included; what the part does not cover comes from the
         * layers below, so if it covers the whole group nothing is copied.
         */
        record StartFault(long ioId, int layer, long group) implements Output {}

        /** The request's part in this group began to wait for writes to lower layers. To be counted, nothing else. */
        record Delayed(long ioId, long group) implements Output {}

        /** The device is done with the request; the guest may be told once its debts are paid. */
        record Complete(long ioId, IoStatus status) implements Output {}
    }

    enum Stage {
        /** Behind an earlier overlapping request. */
        HELD, RUNNING,
        /** All parts are done, FUA is not. */
        SYNCING
    }

    /**
     * A submitted, incomplete request.
     *
     * @param partsLeft 0 for reads and flushes
     * @param status of the parts done so far: the first error, or OK
     * @param landedLow lowest layer that a part landed in, with {@code landedHigh} as the highest; none landed if above it
     * @param incarnation how many resets came before it
     */
    record Io(long ioId, IoKind kind, int layer, long firstSector, int sectorCount, boolean fua,
            Stage stage, int partsLeft, IoStatus status, int landedLow, int landedHigh,
            int incarnation) {
        Io at(Stage to) {
            return new Io(ioId, kind, layer, firstSector, sectorCount, fua, to, partsLeft, status,
                    landedLow, landedHigh, incarnation);
        }

        Io landed(int inLayer, IoStatus with) {
            return new Io(ioId, kind, layer, firstSector, sectorCount, fua, stage, partsLeft - 1,
                    status == IoStatus.OK ? with : status, Math.min(landedLow, inLayer),
                    Math.max(landedHigh, inLayer), incarnation);
        }

        boolean overlaps(Io other) {
            return kind != IoKind.FLUSH && other.kind != IoKind.FLUSH
                    && Ranges.overlap(firstSector, sectorCount, other.firstSector,
                            other.sectorCount);
        }
    }

    enum PartState {
        HELD, WAITING, JOINED, FAULTING, WRITING
    }

    /** A write's share of one group, until it is done. Its layer is the request's unless it was bound lower (R15). */
    record Part(long ioId, long group, int layer, PartState state) {
        Part at(PartState to) {
            return new Part(ioId, group, layer, to);
        }

        Part in(int otherLayer) {
            return new Part(ioId, group, otherLayer, state);
        }

        boolean stalled() {
            return switch (state) {
                case WAITING, JOINED -> true;
                case HELD, FAULTING, WRITING -> false;
            };
        }
    }

    final int top;
    final int groupSectors;
    final boolean ordered;
    final Rules rules;
    /** Views, ascending: each switch adds a higher one. */
    final int[] needed;
    /** By id, that is, in the order of issue, in which waiting ones get their turn. */
    final Io[] ios;
    /** By id, then by group. */
    final Part[] parts;
    /** How many resets there were. */
    final int incarnation;
    /** How many of {@code ios} are held, of {@code parts} stalled, of {@code ios} from before a reset: mostly none, then nobody is looked for. */
    final int heldCount;
    final int stalledCount;
    final int detachedCount;

    DiskOrder(int top, int groupSectors, boolean ordered, Rules rules, int[] needed, Io[] ios,
            Part[] parts, int incarnation, int heldCount, int stalledCount, int detachedCount) {
        this.top = top;
        this.groupSectors = groupSectors;
        this.ordered = ordered;
        this.rules = rules;
        this.needed = needed;
        this.ios = ios;
        this.parts = parts;
        this.incarnation = incarnation;
        this.heldCount = heldCount;
        this.stalledCount = stalledCount;
        this.detachedCount = detachedCount;
    }

    /**
     * A disk with nothing in flight.
     *
     * @param top the layer number that new writes go to
     * @param groupSectors sectors in a block group
     * @param ordered whether the device completes overlapping requests in the order of issue
     */
    public static DiskOrder of(int top, int groupSectors, boolean ordered, Rules rules) {
        if (top < 0 || groupSectors < 1) {
            throw new IllegalArgumentException(
                    "top layer " + top + ", " + groupSectors + " sectors in a group");
        }
        return new DiskOrder(top, groupSectors, ordered, rules, new int[0], new Io[0], new Part[0],
                0, 0, 0, 0);
    }

    /**
     * Takes one input. Throws {@link IllegalStateException} for one that cannot be, such as the end of what never started:
     * then the caller is wrong, and this state stays as it was.
     */
    public Step<DiskOrder, Output> step(Input input, Holds holds) {
        var draft = new DiskOrderDraft(this, holds);
        switch (input) {
            case Input.Submit submit -> draft.submit(submit);
            case Input.PartDone(var ioId, var group, var status) ->
                draft.partDone(ioId, group, status);
            case Input.Done(var ioId, var status) -> draft.done(ioId, status);
            case Input.Switched(var newTop) -> draft.switched(newTop);
            case Input.Needed(var views) -> draft.needed(views);
            case Input.Detached() -> draft.detached();
        }
        return draft.finish();
    }

    /** The layer that new writes go to. */
    public int top() {
        return top;
    }

    /** Requests submitted and not complete. */
    public int pending() {
        return ios.length;
    }

    /** Parts that wait for lower writes or for somebody else's fault. */
    public int stalled() {
        return stalledCount;
    }

    /** Writes to this group, bound below {@code layer}, that the device is not done with. */
    public int incompleteWritesBelow(int layer, long group) {
        int count = 0;
        for (var part : parts) {
            if (part.group == group && part.layer < layer) {
                count++;
            }
        }
        return count;
    }

    /** Parts of writes bound to this layer that are not done, and writes still being synced that landed in it. */
    public int incompleteIn(int layer) {
        int count = 0;
        for (var part : parts) {
            if (part.layer == layer) {
                count++;
            }
        }
        for (var io : ios) {
            if (io.stage == Stage.SYNCING && io.landedLow <= layer && layer <= io.landedHigh) {
                count++;
            }
        }
        return count;
    }

    /** Incomplete reads that see exactly the layers up to this one. */
    public int readsBoundTo(int layer) {
        return readsBoundTo(layer, layer);
    }

    private int readsBoundTo(int firstView, int lastView) {
        int count = 0;
        for (var io : ios) {
            if (io.kind == IoKind.READ && firstView <= io.layer && io.layer <= lastView) {
                count++;
            }
        }
        return count;
    }

    /**
     * Whether requests in flight allow a commit of {@code layer} into the image below it (R16): it is not on top, the writes
     * bound to it are done, and no read is left that sees the lower image without it. Whether somebody still shows the lower
     * image's state is the chain's to know. Once true it stays true, since new requests are bound to the top; the caller
     * submits no read again whose view a commit or a flatten has begun to change.
     *
     * @param lowerFirst the lowest layer number that the image committed into stands for
     */
    public boolean mayCommit(int layer, int lowerFirst) {
        return !rules.on(Rule.R16)
                || (layer != top && incompleteIn(layer) == 0
                        && readsBoundTo(lowerFirst, layer - 1) == 0);
    }

    /**
     * Whether requests in flight allow that what layers up to {@code view} show is copied into one image that takes their place
     * (R16): no write is bound to any of them, and no read sees less than all of them. Once true it stays true, as in {@link
     * #mayCommit}.
     */
    public boolean mayFlatten(int view) {
        if (!rules.on(Rule.R16)) {
            return true;
        }
        if (view >= top || readsBoundTo(0, view - 1) > 0) {
            return false;
        }
        for (var part : parts) {
            if (part.layer <= view) {
                return false;
            }
        }
        for (var io : ios) {
            if (io.stage == Stage.SYNCING && io.landedLow <= view) {
                return false;
            }
        }
        return true;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof DiskOrder order && top == order.top
                && groupSectors == order.groupSectors && ordered == order.ordered
                && incarnation == order.incarnation && rules.equals(order.rules)
                && Arrays.equals(needed, order.needed)
                && Arrays.equals(ios, order.ios) && Arrays.equals(parts, order.parts);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * top + Arrays.hashCode(ios)) + Arrays.hashCode(parts);
    }

    @Override
    public String toString() {
        return "DiskOrder[top=" + top + ", needed=" + Arrays.toString(needed) + ", ios="
                + Arrays.toString(ios) + ", parts=" + Arrays.toString(parts) + "]";
    }
}
