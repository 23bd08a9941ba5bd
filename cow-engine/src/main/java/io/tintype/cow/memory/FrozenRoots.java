package io.tintype.cow.memory;

import java.util.ArrayList;
import java.util.List;

/**
 * A region's live frozen memories, and the frames that only they need: the dead.
 *
 * <p>A frame that the guest could write from epoch {@code birth} on, and that its page lost in epoch {@code death}, is
 * needed by the root of epoch k if and only if {@code birth <= k < death}. So nobody counts references (as ZFS does it with
 * its dead lists): a dead frame is filed under the <em>last</em> root that needs it, there by the <em>first</em> one, and
 * <pre>
 *              births ≤ 3   births 4…7   births 8…9      live roots: 3, 7, 9
 *   root 3       list
 *   root 7       list         list
 *   root 9       list         list         list
 * </pre>
 * when root 7 goes, in whatever order roots go, the list in its row and column is free, the rest of its row moves up to root
 * 3, and its column joins that of root 9. Each move joins chains, so a release costs O(roots), not O(frames).
 */
final class FrozenRoots {
    private static final class Root {
        final FrozenMemory memory;
        final long epoch;

        /** By the first root that needs them: as many lists as there are roots up to and including this one. */
        final List<FrameList> dead = new ArrayList<>(2);

        Root(FrozenMemory memory) {
            this.memory = memory;
            epoch = memory.epoch();
        }
    }

    /** Oldest first. */
    private final List<Root> roots = new ArrayList<>(0);

    boolean isEmpty() {
        return roots.isEmpty();
    }

    int size() {
        return roots.size();
    }

    /** The epoch of the newest live root; 0 if there is none. */
    long newestEpoch() {
        return roots.isEmpty() ? 0 : roots.getLast().epoch;
    }

    void add(FrozenMemory memory) {
        var root = new Root(memory);
        for (int i = 0; i <= roots.size(); i++) {
            root.dead.add(new FrameList());
        }
        roots.add(root);
    }

    /** Files a frame that no table maps any more; false if no live root needs it. */
    boolean keep(int frame, long birth, long death) {
        int last = roots.size() - 1;
        while (last >= 0 && roots.get(last).epoch >= death) {
            last--;
        }
        if (last < 0 || roots.get(last).epoch < birth) {
            return false;
        }
        int first = last;
        while (first > 0 && roots.get(first - 1).epoch >= birth) {
            first--;
        }
        roots.get(last).dead.get(first).push(frame);
        return true;
    }

    /** Whether every live root that needs the frame of {@code entry} would let {@link #move} give it another. */
    boolean mayMove(int page, long entry) {
        for (int i = roots.size() - 1; i >= 0 && roots.get(i).epoch >= Leaf.birth(entry); i--) {
            if (!roots.get(i).memory.mayMove(page, entry)) {
                return false;
            }
        }
        return true;
    }

    /** Has every live root that needs the frame of {@code entry} name that of {@code copy}, which is as old and holds the same. */
    void move(int page, long entry, long copy) {
        for (int i = roots.size() - 1; i >= 0 && roots.get(i).epoch >= Leaf.birth(entry); i--) {
            roots.get(i).memory.move(page, copy);
        }
    }

    /** @throws IllegalStateException if {@code memory} is not one of the live roots */
    void checkContains(FrozenMemory memory) {
        // Not Invariant.check: each release would put its message together.
        if (indexOf(memory) < 0) {
            throw new IllegalStateException(
                    "frozen memory " + memory.epoch() + " is none of this region's live ones");
        }
    }

    /** Takes out a live root and answers the frames that nobody needs any more. */
    FrameList remove(FrozenMemory memory) {
        int gone = indexOf(memory);
        var root = roots.remove(gone);
        var freed = root.dead.get(gone);
        for (int i = 0; i < gone; i++) {
            roots.get(gone - 1).dead.get(i).addAll(root.dead.get(i));
        }
        for (int i = gone; i < roots.size(); i++) {
            var newer = roots.get(i);
            var sameFirst = newer.dead.remove(gone);
            newer.dead.get(gone).addAll(sameFirst);
        }
        return freed;
    }

    private int indexOf(FrozenMemory memory) {
        int index = roots.size() - 1;
        while (index >= 0 && roots.get(index).memory != memory) {
            index--;
        }
        return index;
    }
}
