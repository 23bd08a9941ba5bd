package io.tintype.scheduler;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * What the guest knows of one disk: which writes it issued when, and when it was told of their end. From that alone follows
 * what a sector may show. Nothing of the core's bookkeeping is used.
 */
final class TinyHistory {
    static final long NEVER = Long.MAX_VALUE;
    /** Versions of a sector: what it had at first, and what discard and write-zeroes leave. */
    static final int INITIAL = 1;
    static final int ZERO = 0;

    /** A write, discard or write-zeroes. A reset counts as the end of those before it: the device is quiet then. */
    static final class Write {
        final int version;
        final int sector;
        final int count;
        final long issuedAt;
        long endedAt = NEVER;
        /** A reset ended it: nobody was told of its completion, so no flush answers for it. */
        boolean detached;
        @Nullable
        IoStatus status;

        Write(int version, int sector, int count, long issuedAt) {
            this.version = version;
            this.sector = sector;
            this.count = count;
            this.issuedAt = issuedAt;
        }

        boolean covers(int other) {
            return sector <= other && other < sector + count;
        }
    }

    private final List<Write> writes = new ArrayList<>();

    TinyHistory() {
        var initial = new Write(INITIAL, 0, TinyDisk.SECTORS, -2);
        initial.endedAt = -1;
        initial.status = IoStatus.OK;
        writes.add(initial);
    }

    void add(Write write) {
        writes.add(write);
    }

    static int token(int version, int sector, int half) {
        return version == ZERO ? 0 : version * 100 + sector * TinyDisk.CELLS + half;
    }

    /**
     * What is wrong with a sector's cells, or null.
     *
     * @param before only writes issued before that may be seen
     * @param since of writes that ended before that, one that another followed must not be seen any more
     */
    @Nullable
    String complain(int sector, int first, int second, long before, long since) {
        return complain(sector, first, second, before,
                later -> since == NEVER || later.endedAt < since);
    }

    /** What is wrong with a durable sector after a flush that was issued at {@code since}. */
    @Nullable
    String complainAfterFlush(int sector, int first, int second, long since) {
        return complain(sector, first, second, NEVER,
                later -> later.endedAt < since && !later.detached);
    }

    /** What is wrong with a durable sector after this write with FUA: other completed ones may still be lost. */
    @Nullable
    String complainAfterFua(int sector, int first, int second, Write fua) {
        return complain(sector, first, second, NEVER, later -> later == fua);
    }

    private @Nullable String complain(int sector, int first, int second, long before,
            Predicate<Write> isCertain) {
        int version = first / 100;
        if (first != token(version, sector, 0) || second != token(version, sector, 1)) {
            return "sector " + sector + " is torn: " + first + ", " + second;
        }
        String complaint = "sector " + sector + " shows version " + version
                + ", which nobody wrote";
        for (var write : writes) {
            if (write.version == version && write.covers(sector)) {
                if (write.issuedAt >= before) {
                    complaint = "sector " + sector + " shows version " + version
                            + ", written at " + write.issuedAt + ", not before " + before;
                    continue;
                }
                var later = follower(write, sector, before, isCertain);
                if (later == null) {
                    return null;
                }
                complaint = "sector " + sector + " shows version " + version
                        + " and lacks version " + later.version + " of " + later.issuedAt + " to "
                        + later.endedAt;
            }
        }
        return complaint;
    }

    private @Nullable Write follower(Write write, int sector, long before,
            Predicate<Write> isCertain) {
        for (var later : writes) {
            if (later.status == IoStatus.OK && later.covers(sector)
                    && write.endedAt < later.issuedAt && later.issuedAt < before
                    && isCertain.test(later)) {
                return later;
            }
        }
        return null;
    }
}
