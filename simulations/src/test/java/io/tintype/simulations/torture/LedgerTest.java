package io.tintype.simulations.torture;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.simulations.oracle.Violation;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.SectorPattern;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LedgerTest {
    private static final int SECTOR = 7;

    private final GuestBlueprint blueprint = Load.blueprint(1);
    private Ledger ledger = new Ledger(blueprint);
    private long events;

    private void submit(int slot, IoKind kind, boolean fua, int version) {
        ledger.submitted(++events, slot, kind, 0, kind == IoKind.FLUSH ? 0 : SECTOR,
                kind == IoKind.FLUSH ? 0 : 1, fua, version, 0);
    }

    private void complete(int slot, IoStatus status) {
        ledger.completed(++events, slot, 0, status, new int[0], 0);
    }

    private void write(int version) {
        submit(0, IoKind.WRITE, false, version);
        complete(0, IoStatus.OK);
    }

    private void flush() {
        submit(1, IoKind.FLUSH, false, 0);
        complete(1, IoStatus.OK);
    }

    /** Which of these the sector may show. */
    private List<Integer> allowed(Integer... seen) {
        var allowed = new ArrayList<Integer>();
        for (int version : seen) {
            var versions = empty();
            versions[0][SECTOR] = version;
            var violations = new ArrayList<Violation>();
            ledger.check("vm", versions, violations::add);
            if (violations.isEmpty()) {
                allowed.add(version);
            }
        }
        return allowed;
    }

    private int[][] empty() {
        return blueprint.diskSectors().stream().map(sectors -> new int[sectors.intValue()])
                .toArray(int[][]::new);
    }

    @Test
    void shouldAllowNothingWhereNothingWasWritten() {
        assertEquals(List.of(0), allowed(0, 1, SectorPattern.TORN));
    }

    @Test
    void shouldAllowOldAndNewUntilAFlushWasAcknowledged() {
        write(1);
        write(2);

        assertEquals(List.of(0, 1, 2), allowed(0, 1, 2, 3, SectorPattern.TORN));

        submit(1, IoKind.FLUSH, false, 0);
        assertEquals(List.of(0, 1, 2), allowed(0, 1, 2));

        complete(1, IoStatus.OK);
        assertEquals(List.of(2), allowed(0, 1, 2));
    }

    @Test
    void shouldNotCountWhatCompletedAfterTheFlushWasIssued() {
        write(1);
        submit(1, IoKind.FLUSH, false, 0);
        write(2);
        complete(1, IoStatus.OK);

        assertEquals(List.of(1, 2), allowed(0, 1, 2));
    }

    @Test
    void shouldCountWithFuaAtOnce() {
        submit(0, IoKind.WRITE, true, 1);
        assertEquals(List.of(0, 1), allowed(0, 1));

        complete(0, IoStatus.OK);

        assertEquals(List.of(1), allowed(0, 1));
    }

    @Test
    void shouldCountDiscardsAsWritesOfZeros() {
        write(1);
        submit(0, IoKind.DISCARD, false, 2);
        complete(0, IoStatus.OK);
        flush();

        assertEquals(List.of(0), allowed(0, 1));
    }

    @Test
    void shouldAllowMixturesOnlyOfWhatWasNotOver() {
        write(1);
        flush();
        submit(0, IoKind.WRITE, false, 2);

        assertEquals(List.of(1, 2, SectorPattern.TORN), allowed(0, 1, 2, SectorPattern.TORN));
    }

    @Test
    void shouldPromiseNothingOfAFlushOrAWriteThatFailed() {
        submit(0, IoKind.WRITE, true, 1);
        complete(0, IoStatus.ERROR);
        write(2);
        submit(1, IoKind.FLUSH, false, 0);
        complete(1, IoStatus.ERROR);

        assertEquals(List.of(0, 1, 2), allowed(0, 1, 2));
    }

    @Test
    void shouldGoOnInARestoredVmFromWhatTheCheckpointShows() {
        write(1);
        submit(0, IoKind.WRITE, false, 2);
        ledger.stunned(9, new byte[0]);
        complete(0, IoStatus.OK);
        write(3);
        var shown = empty();
        shown[0][SECTOR] = 1;

        ledger = ledger.restored(blueprint, 9, shown);

        // Version 2 was in flight at the instant: the restored guest sees it completed. Version 3 never happened here.
        assertEquals(List.of(1, 2), allowed(0, 1, 2, 3));
        complete(0, IoStatus.OK);
        flush();
        assertEquals(List.of(2), allowed(0, 1, 2, 3));
    }
}
