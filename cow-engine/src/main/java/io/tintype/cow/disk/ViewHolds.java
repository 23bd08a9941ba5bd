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

    /** See {@link DiskChain#outlook}. */
    DiskChain.Outlook outlook() {
        Sight sight;
        synchronized (this) {
            // The top first: who compares it later then knows whether a switch came in between.
            int top = state.top();
            sight = new Sight(state.layers(), top, views(), isFree());
        }
        return new DiskChain.Outlook(sight.top(), sight.held(), sight.nextCommit(),
                sight.nextFlatten(), sight.files(), sight.filesIfFlat(), sight.topGroups(),
                sight.hasUnseen(), sight.mayCommitOnceCovered());
    }

    /** With the monitor: what is held may not be copied for each question. */
    private Sight sight() {
        return new Sight(state.layers(), state.top(), held(), isFree());
    }

    private boolean isFree() {
        return working == null && !state.isReadOnly();
    }

    /** See {@link DiskChain#nextCommit}. */
    synchronized DiskChain.@Nullable Candidate nextCommit() {
        return sight().nextCommit();
    }

    /** Null if the layer may be committed. */
    synchronized @Nullable String whyNotCommit(int layer) {
        if (state.isReadOnly()) {
            return "it is open to be read only";
        }
        if (working != null) {
            return "another commit or a flatten is under way";
        }
        return sight().whyNotCommit(state.layers().indexOf(layer));
    }

    /** See {@link DiskChain#mayCommitOnceCovered}. */
    synchronized boolean mayCommitOnceCovered() {
        return sight().mayCommitOnceCovered();
    }

    /** See {@link DiskChain#nextFlatten}. */
    synchronized int nextFlatten() {
        return sight().nextFlatten();
    }

    synchronized boolean canFlatten(int view) {
        return sight().canFlatten(view);
    }

    /** See {@link DiskChain#filesIfFlat}. */
    synchronized int filesIfFlat() {
        return sight().filesIfFlat();
    }

    /** See {@link DiskChain#hasUnseen}. */
    synchronized boolean hasUnseen() {
        return sight().hasUnseen();
    }

    /**
     * What is to be known for an answer, as of one moment.
     *
     * @param isFree whether something may be begun: nothing is under way, and the chain is not read only
     */
    private record Sight(LayerList list, int top, SortedSet<Integer> held, boolean isFree) {
        DiskChain.@Nullable Candidate nextCommit() {
            for (int i = 1; i < list.size() && isFree; i++) {
                if (whyNotCommit(i) == null) {
                    return new DiskChain.Candidate(list.get(i - 1).first(), list.get(i).first(),
                            list.get(i).last());
                }
            }
            return null;
        }

        /** Null if the file at {@code index} may be committed, were the chain free. */
        @Nullable
        String whyNotCommit(int index) {
            if (index < 0) {
                return "there is no such layer";
            }
            if (list.get(index).last() >= top) {
                return "it is the top";
            }
            if (index == 0) {
                return "nothing of this disk lies below it";
            }
            var upper = list.get(index);
            var lower = list.get(index - 1);
            if (upper.flat()) {
                return "it is flat: what lies below goes when nobody needs it";
            }
            // Views from upper.last on see both files and go on seeing the same. Views below lower.first see neither.
            var hurt = held.subSet(lower.first(), upper.last());
            return hurt.isEmpty() ? null : "view " + hurt.first() + " is held";
        }

        boolean mayCommitOnceCovered() {
            int index = list.indexOf(top);
            return isFree && index > 0 && !list.get(index).flat()
                    && held.subSet(list.get(index - 1).first(), top).isEmpty();
        }

        int nextFlatten() {
            int index = list.indexOf(top) - 1;
            if (!isFree || (index < 0 && list.below() == null)) {
                return -1;
            }
            if (index < 0) {
                // All but the top is the parent's.
                return list.firstLayer() - 1;
            }
            return list.isBottom(index) ? -1 : list.get(index).last();
        }

        boolean canFlatten(int view) {
            if (view < 0 || view > nextFlatten()) {
                return false;
            }
            int index = list.indexOf(view);
            return index < 0
                    ? list.below() != null && view == list.firstLayer() - 1
                    : list.get(index).last() == view && !list.isBottom(index);
        }

        int files() {
            return list.files();
        }

        int filesIfFlat() {
            int view = nextFlatten();
            if (view < 0) {
                return list.files();
            }
            var flat = new LayerList.Entry(view, view, false, true, list.get(0).image());
            return list.pruned(flat, held).files();
        }

        int topGroups() {
            int index = list.indexOf(top);
            return index < 0 ? 0 : list.get(index).image().groupCount();
        }

        boolean hasUnseen() {
            // Only what is below a flat file can be unseen.
            int flat = list.flatAtOrBelow(Integer.MAX_VALUE);
            return isFree && (flat > 0 || (flat == 0 && list.below() != null))
                    && list.pruned(null, held).isLessThan(list);
        }
    }
}
