package io.tintype.simulations.simulate;

import java.io.IOException;

/** Counts what changes the simulated storage, and fails before one of these changes if it is told to. */
final class Power {
    private static final long NEVER = Long.MAX_VALUE;

    private final int betweenPercent;
    private long cameBackBetween;
    private long changesLeft = NEVER;
    private long changes;
    private boolean off;
    private long capacityBytes = Long.MAX_VALUE;
    private long usedBytes;
    private long refusals;

    /**
     * Power that may fail.
     *
     * @param betweenPercent how many of 100 sectors written several times since the last sync have a content in between after a
     *     failure; 0 also where it never fails, so that nobody needs to remember these
     */
    Power(int betweenPercent) {
        this.betweenPercent = betweenPercent;
    }

    boolean keepsBetween() {
        return betweenPercent > 0;
    }

    int betweenPercent() {
        return betweenPercent;
    }

    void cameBackBetween() {
        cameBackBetween++;
    }

    /** Sectors that came back from the last failure with a content in between. */
    long between() {
        return cameBackBetween;
    }

    /** The power fails before the change after {@code count} more. */
    void failAfter(long count) {
        changesLeft = count;
    }

    /** No failure any more. */
    void stay() {
        changesLeft = NEVER;
    }

    /** Changes so far. */
    long changes() {
        return changes;
    }

    /** From now on every access fails: the machine that did them is gone. */
    void turnOff() {
        off = true;
        changesLeft = NEVER;
    }

    /** How much may be stored from now on, beyond what is. */
    void limit(long moreBytes) {
        capacityBytes = moreBytes == Long.MAX_VALUE ? moreBytes : usedBytes + moreBytes;
    }

    /** How often the full disk said no. */
    long refusals() {
        return refusals;
    }

    long usableBytes() {
        return capacityBytes == Long.MAX_VALUE
                ? capacityBytes
                : Math.max(0, capacityBytes - usedBytes);
    }

    boolean isOff() {
        return off;
    }

    void access() throws IOException {
        if (off) {
            throw new IOException("the power is off");
        }
    }

    void change() throws IOException {
        access();
        if (changesLeft == 0) {
            // To the code under way it looks like any failure; what it does next reaches nothing any more.
            turnOff();
            throw new IOException("the power failed");
        }
        changesLeft--;
        changes++;
    }

    void grow(String where, long bytes) throws IOException {
        if (usedBytes + bytes > capacityBytes) {
            refusals++;
            throw new IOException(where + ": No space left on device");
        }
        usedBytes += bytes;
    }

    void shrink(long bytes) {
        usedBytes -= bytes;
    }
}
