package io.tintype.cow.disk;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.BitSet;

/**
 * Copies what a view of a chain shows into an image that holds all of it: each group with data once and sealed, zeros as
 * nothing. One thread at a time; the view must not change meanwhile.
 */
final class GroupCopier {
    private final DiskChain chain;
    private final int view;
    private final LayerImage target;
    private final BitSet groups;
    private int next;
    private int left;
    private int copied;

    GroupCopier(DiskChain chain, int view, LayerImage target) {
        this.chain = chain;
        this.view = view;
        this.target = target;
        this.groups = chain.reader().groupsWithData(view);
        this.next = groups.nextSetBit(0);
        this.left = groups.cardinality();
    }

    int groupsLeft() {
        return left;
    }

    /** Groups that had data. */
    int groupsCopied() {
        return copied;
    }

    /** Copies up to so many groups; true if there are more. After a failure the same may be tried again. */
    boolean copyNext(int groupsMax) throws IOException {
        for (int count = groupsMax; count > 0 && next >= 0; count--) {
            int length = chain.geometry().groupLength(next);
            var buffer = Scratch.borrow(length);
            chain.reader().readGroup(view, next, 0, buffer, 0, length);
            // In an image that holds everything what is absent is zeros.
            if (!isZeros(buffer, length)) {
                target.writeSealedGroup(next, buffer, 0);
                copied++;
            }
            next = groups.nextSetBit(next + 1);
            left--;
        }
        return next >= 0;
    }

    private static boolean isZeros(MemorySegment buffer, int length) {
        return MemorySegment.mismatch(buffer, 0, length, Scratch.ZEROS, 0, length) < 0;
    }
}
