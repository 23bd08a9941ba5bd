package io.tintype.cow.disk;

import java.util.Collections;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which views of a chain must stay as they are, and what may be done to its files therefore. Its monitor also guards what is
 * being worked on, and the marking of a layer as absorbing; it is never held during input or output.
 */
final class ViewHolds {
    private final ChainState state;

    // Guarded by this.
    private @Nullable TreeMap<Integer, Integer> holds;
    /** The one long change of files under way: a {@link Commit} or a {@link Flatten}. */
    private @Nullable Object working;

    ViewHolds(ChainState state) {
        this.state = state;
    }

    /** See {@link DiskChain#hold}. */
    synchronized void hold(int view) {
        var layers = state.layers();
        var below = layers.below();
        if (below != null && view <= below.place().view()) {
            // Kept here too: as long as somebody sees the parent through this chain it must not be let go.
            below.chain().hold(view);
        } else if (view > state.top() || !layers.isVisible(view) || !remainsVisible(view)) {
            throw new IllegalStateException(state.location() + ": cannot hold view " + view
                    + ": the top is " + state.top() + ", the files are " + layers.toFiles());
        }
        if (holds == null) {
            holds = new TreeMap<>();
        }
        holds.merge(view, 1, Integer::sum);
    }

    private boolean remainsVisible(int view) {
        var next = state.following();
        return next == null || next.isVisible(view);
    }

    /** See {@link DiskChain#release}. */
    synchronized void release(int view) {
        var before = holds == null ? null : holds.get(view);
        if (holds == null || before == null) {
            throw new IllegalStateException(state.location() + ": view " + view + " is not held");
        }
        var below = state.layers().below();
        if (below != null && view <= below.place().view()) {
            below.chain().release(view);
        }
        if (before == 1) {
            holds.remove(view);
        } else {
            holds.put(view, before - 1);
        }
    }

    /** A copy. */
    synchronized SortedSet<Integer> views() {
        return new TreeSet<>(held());
    }

    /** The views up to {@code view}, each as often as it is held. */
    synchronized int[] heldUpTo(int view) {
        return holds == null
                ? new int[0]
                : holds.headMap(view, true).entrySet().stream()
                        .flatMap(held -> Collections.nCopies(held.getValue(), held.getKey())
                                .stream())
                        .mapToInt(Integer::intValue)
                        .toArray();
    }

    /** With the monitor. */
    SortedSet<Integer> held() {
        return holds == null ? Collections.emptySortedSet() : holds.navigableKeySet();
    }

    /** What is under way; null if nothing is. */
    synchronized @Nullable Object working() {
        return working;
    }

    synchronized void began(Object work) {
        working = work;
    }

    @SuppressWarnings("ReferenceEquality") // this very one
    synchronized void ended(Object work) {
        if (working == work) {
            working = null;
        }
    }

    /** See {@link DiskChain#nextCommit}. */
    synchronized DiskChain.@Nullable Candidate nextCommit() {
        var list = state.layers();
        for (int i = 1; i < list.size(); i++) {
            if (whyNotCommit(list.get(i).last()) == null) {
                return new DiskChain.Candidate(list.get(i - 1).first(), list.get(i).first(),
                        list.get(i).last());
            }
        }
        return null;
    }

    /** Null if the layer may be committed. */
    synchronized @Nullable String whyNotCommit(int layer) {
        var list = state.layers();
        int index = list.indexOf(layer);
        if (state.isReadOnly()) {
            return "it is open to be read only";
        }
        if (index < 0) {
            return "there is no such layer";
        }
        if (list.get(index).last() >= state.top()) {
            return "it is the top";
        }
        if (index == 0) {
            return "nothing of this disk lies below it";
        }
        if (working != null) {
            return "another commit or a flatten is under way";
        }
        var upper = list.get(index);
        var lower = list.get(index - 1);
        if (upper.flat()) {
            return "it is flat: what lies below goes when nobody needs it";
        }
        // Views from upper.last on see both files and go on seeing the same. Views below lower.first see neither.
        var hurt = held().subSet(lower.first(), upper.last());
        return hurt.isEmpty() ? null : "view " + hurt.first() + " is held";
    }

    /** See {@link DiskChain#mayCommitOnceCovered}. */
    synchronized boolean mayCommitOnceCovered() {
        var list = state.layers();
        int top = state.top();
        int index = list.indexOf(top);
        return !state.isReadOnly() && working == null && index > 0 && !list.get(index).flat()
                && held().subSet(list.get(index - 1).first(), top).isEmpty();
    }

    /** See {@link DiskChain#nextFlatten}. */
    synchronized int nextFlatten() {
        var list = state.layers();
        int index = list.indexOf(state.top()) - 1;
        if (state.isReadOnly() || working != null || (index < 0 && list.below() == null)) {
            return -1;
        }
        if (index < 0) {
            // All but the top is the parent's.
            return state.firstLayer() - 1;
        }
        return list.isBottom(index) ? -1 : list.get(index).last();
    }

    synchronized boolean canFlatten(int view) {
        var list = state.layers();
        if (view < 0 || view > nextFlatten()) {
            return false;
        }
        int index = list.indexOf(view);
        return index < 0
                ? list.below() != null && view == state.firstLayer() - 1
                : list.get(index).last() == view && !list.isBottom(index);
    }

    /** See {@link DiskChain#filesIfFlat}. */
    synchronized int filesIfFlat() {
        var list = state.layers();
        int view = nextFlatten();
        if (view < 0) {
            return state.files();
        }
        var flat = new LayerList.Entry(view, view, false, true, list.get(0).image());
        var after = list.pruned(flat, held());
        var below = after.below();
        return after.size() + (below == null ? 0 : below.chain().files());
    }

    /** See {@link DiskChain#hasUnseen}. */
    synchronized boolean hasUnseen() {
        // Only what is below a flat file can be unseen.
        var layers = state.layers();
        int flat = layers.flatAtOrBelow(Integer.MAX_VALUE);
        return !state.isReadOnly() && working == null
                && (flat > 0 || (flat == 0 && layers.below() != null))
                && layers.pruned(null, held()).isLessThan(layers);
    }
}
