package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.vm.guest.GuestRecorder;
import io.tintype.vm.guest.SectorPattern;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a power failure must leave of a VM's disks, which {@link Oracle} does not verify: every write that was completed before
 * a completed flush was issued, and every completed write with FUA, unless a write that is not older lies over it (R13).
 *
 * <p>Not verified: that anything else is there or is not. It cannot tell why a write is missing, so each one lost is reported
 * as R13, though a layer that was not in the chain (R1) or was dropped with an aborted checkpoint (R12) loses them, too.
 *
 * <p>Thread-safe. Keeps every write that it hears of, so it is for runs of limited length.
 */
public final class CrashCheck implements GuestRecorder {
    private static final long NEVER = Long.MAX_VALUE;

    /** One request; {@code covered} are the writes that a flush makes durable. */
    private static final class Request {
        final IoKind kind;
        final int disk;
        final long sector;
        final int sectorCount;
        final boolean fua;
        final int version;
        final long submitEvent;
        final List<Request> covered = new ArrayList<>();
        long completeEvent = NEVER;
        boolean failed;
        boolean durable;

        Request(long event, IoKind kind, int disk, long sector, int sectorCount, boolean fua,
                int version) {
            this.submitEvent = event;
            this.kind = kind;
            this.disk = disk;
            this.sector = sector;
            this.sectorCount = sectorCount;
            this.fua = fua;
            this.version = version;
        }

        /** Without what it makes durable. */
        Request copy() {
            var copy = new Request(submitEvent, kind, disk, sector, sectorCount, false, version);
            copy.completeEvent = completeEvent;
            copy.failed = failed;
            return copy;
        }

        boolean writes(int onDisk, long at) {
            return disk == onDisk && sector <= at && at < sector + sectorCount;
        }

        boolean shows(int seen) {
            return kind == IoKind.WRITE ? seen == version : seen == SectorPattern.ZERO;
        }
    }

    private final SectorPattern pattern;
    private final @Nullable Request[] inFlight;
    private final List<Request> writes = new ArrayList<>();
    private final long[] words = new long[SectorPattern.WORD_COUNT];
    private final MemorySegment sectorBytes =
            Arena.ofAuto().allocate((long) SectorPattern.WORD_COUNT * Long.BYTES, Long.BYTES);

    /**
     * For the events of one guest.
     *
     * @param slotCount slots of the guest
     */
    public CrashCheck(SectorPattern pattern, int slotCount) {
        this.pattern = pattern;
        this.inFlight = new Request[slotCount];
    }

    @Override
    public synchronized void submitted(long event, int slot, IoKind kind, int disk, long sector,
            int sectorCount,
            boolean fua, int version, int shape) {
        var request = new Request(event, kind, disk, sector, sectorCount, fua, version);
        if (kind.writes()) {
            writes.add(request);
        } else if (kind == IoKind.FLUSH) {
            for (var write : writes) {
                if (write.disk == disk && write.completeEvent != NEVER && !write.failed) {
                    request.covered.add(write);
                }
            }
        }
        inFlight[slot] = request;
    }

    @Override
    public synchronized void completed(long event, int slot, int disk, IoStatus status,
            int[] versions,
            int versionCount) {
        var request = inFlight[slot];
        if (request == null) {
            return; // the oracle's to report
        }
        request.completeEvent = event;
        request.failed = status != IoStatus.OK;
        if (!request.failed) {
            request.covered.forEach(write -> write.durable = true);
            request.durable |= request.fua;
        }
    }

    /**
     * What it knows now, for a guest that goes on from here on disks of its own: nothing is durable on these before that guest
     * flushes, all of it then. What was pending stays so until that guest is told how it ended.
     */
    public synchronized CrashCheck fork() {
        var fork = new CrashCheck(pattern, inFlight.length);
        var copies = new IdentityHashMap<Request, Request>();
        for (var write : writes) {
            var copy = write.copy();
            copies.put(write, copy);
            fork.writes.add(copy);
        }
        for (int slot = 0; slot < inFlight.length; slot++) {
            var request = inFlight[slot];
            if (request != null && request.completeEvent == NEVER) {
                // A flush among them was of the disks before.
                fork.inFlight[slot] = copies.getOrDefault(request, request.copy());
            }
        }
        return fork;
    }

    /** Writes that were acknowledged as durable. */
    public synchronized long durableCount() {
        return writes.stream().filter(write -> write.durable).count();
    }

    /**
     * Compares what a crash left with what was acknowledged.
     *
     * @param vm its name, for violations
     * @throws IOException if the disks cannot be read
     */
    public synchronized List<Violation> check(String vm, SectorReader disks) throws IOException {
        var violations = new ArrayList<Violation>();
        for (var write : writes) {
            for (int i = 0; write.durable && i < write.sectorCount; i++) {
                check(vm, disks, write, write.sector + i, violations);
            }
        }
        return violations;
    }

    private void check(String vm, SectorReader disks, Request write, long sector,
            List<Violation> violations)
            throws IOException {
        disks.read(write.disk, sector, sectorBytes);
        MemorySegment.copy(sectorBytes, 0, MemorySegment.ofArray(words), 0, sectorBytes.byteSize());
        int seen = pattern.versionOf(words, 0, write.disk, sector);
        boolean isRight = false;
        for (var other : writes) {
            boolean isOlder = other.completeEvent < write.submitEvent;
            boolean mayTear = other.completeEvent == NEVER || other.failed;
            if (other.writes(write.disk, sector) && !isOlder
                    && (other.shows(seen) || (mayTear && seen == SectorPattern.TORN))) {
                isRight = true;
            }
        }
        if (!isRight) {
            violations.add(new Violation(Rule.R13, vm, 0, "disk " + write.disk + " sector " + sector
                    + " after a crash",
                    "version " + write.version + ", which was acknowledged as durable, or later",
                    Candidates.nameOfSeen(seen)));
        }
    }
}
