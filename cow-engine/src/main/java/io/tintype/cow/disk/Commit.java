package io.tintype.cow.disk;

import java.io.IOException;

/**
 * A commit under way: the groups of one layer are copied into the file below it, then that file takes the layer's place. One
 * thread at a time; it blocks in input and output and runs beside everything else that the chain does.
 *
 * <pre>
 * commit() --copyNext*--> all copied --finish--> the file is gone
 *                 \---------------------cancel--> as before, but the lower layer cannot be seen alone any more
 * </pre>
 */
public final class Commit {
    private final DiskChain chain;
    private final LayerList.Entry upper;
    private final LayerList.Entry lower;
    private final boolean lowerIsBottom;
    private long[] cells = new long[0];
    private int next;
    private boolean isUpperDurable;
    private boolean ended;

    Commit(DiskChain chain, LayerList.Entry upper, LayerList.Entry lower, boolean lowerIsBottom) {
        this.chain = chain;
        this.upper = upper;
        this.lower = lower;
        this.lowerIsBottom = lowerIsBottom;
    }

    /** Of its own, since it takes a while and a stun may wait for the lock under which a commit is made known. */
    void findGroups() {
        cells = upper.image().cells();
    }

    public int groupsLeft() {
        return cells.length - next;
    }

    /** Copies up to {@code groupsMax} groups; true if there are more. After a failure the same groups may be tried again. */
    public boolean copyNext(int groupsMax) throws IOException {
        checkOpen();
        if (!isUpperDurable) {
            // A crash must leave the groups hidden that are about to change below: half changed they do not fit their checksums.
            upper.image().sync();
            isUpperDurable = true;
        }
        for (int left = groupsMax; left > 0 && next < cells.length; left--) {
            copy(GroupTable.groupOf(cells[next]), GroupTable.valueOf(cells[next]));
            next++;
        }
        return next < cells.length;
    }

    /**
     * Makes the copies durable, lets the chain forget the upper file, closes and deletes it. After a failure both files stay
     * and it may be tried again.
     */
    public void finish() throws IOException {
        checkOpen();
        if (next < cells.length) {
            throw new IllegalStateException(groupsLeft() + " block groups are not copied yet");
        }
        chain.upkeep().finish(this);
        ended = true;
    }

    /** Leaves both files as they are; what was copied below is hidden by what it was copied from. */
    public void cancel() {
        if (!ended) {
            ended = true;
            chain.upkeep().cancel(this);
        }
    }

    LayerList.Entry upper() {
        return upper;
    }

    LayerList.Entry lower() {
        return lower;
    }

    private void checkOpen() {
        if (ended) {
            throw new IllegalStateException("this commit of layer " + upper.last() + " has ended");
        }
    }

    private void copy(int group, long value) throws IOException {
        if (GroupState.isZeros(value)) {
            synchronized (chain.lockOf(lower.image(), group)) {
                // In a base nothing shines through: what is absent is zeros already.
                if (!lowerIsBottom || lower.image().lookup(group) != GroupState.ABSENT) {
                    lower.image().markZeros(group);
                }
            }
        } else {
            int length = chain.geometry().groupLength(group);
            var buffer = Scratch.borrow(length);
            // Verified if it is sealed: damage must not be passed on with a checksum of its own.
            upper.image().read(group, upper.image().lookup(group), 0, buffer, 0, length);
            synchronized (chain.lockOf(lower.image(), group)) {
                lower.image().writeSealedGroup(group, buffer, 0);
            }
        }
        chain.upkeep().committedOne();
    }
}
