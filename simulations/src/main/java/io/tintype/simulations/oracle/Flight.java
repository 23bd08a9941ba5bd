package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import java.util.Arrays;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/** One request as the guest saw it, from its submission on; also after its end, for as long as a cut needs it. */
final class Flight {
    final long submitEvent;
    final int slot;
    final IoKind kind;
    final int disk;
    final long sector;
    final int sectorCount;
    final int version;
    final int shape;
    /** How many requests were submitted to the disk before it since the last reset. */
    final long ordinal;

    /** Whether another request in flight shares a sector with it, one of the two writing. */
    boolean conflicted;
    /** Whether it was in flight at a stun. */
    boolean atCut;
    /** Of a read that met writes: by sector, what else it may see. */
    @Nullable
    Long2ObjectHashMap<Candidates> extras;

    /** 0 while it is in flight, and if a reset ended it. */
    long completeEvent;
    /** 0 unless a reset ended it. */
    long resetEvent;
    @Nullable
    IoStatus status;
    /** Of a read that succeeded, what the guest saw of each sector. */
    int @Nullable [] seen;
    /** What a checkpoint says the status is. */
    @Nullable
    IoStatus owedStatus;

    Flight(long submitEvent, int slot, IoKind kind, int disk, long sector, int sectorCount,
            int version, int shape,
            long ordinal) {
        this.submitEvent = submitEvent;
        this.slot = slot;
        this.kind = kind;
        this.disk = disk;
        this.sector = sector;
        this.sectorCount = sectorCount;
        this.version = version;
        this.shape = shape;
        this.ordinal = ordinal;
    }

    /** As it was when it was in flight and no version above a bound was written yet. */
    Flight copyInFlight(int versionMax) {
        var copy = new Flight(submitEvent, slot, kind, disk, sector, sectorCount, version, shape,
                ordinal);
        copy.conflicted = conflicted;
        copy.atCut = true;
        if (extras != null) {
            var copied = new Long2ObjectHashMap<Candidates>();
            extras.forEachLong(
                    (shared, candidates) -> copied.put(shared, candidates.upTo(versionMax)));
            copy.extras = copied;
        }
        return copy;
    }

    /** As it was after event {@code event}, when no version above a bound was written yet. */
    Flight copyAt(long event, int versionMax) {
        var copy = copyInFlight(versionMax);
        if (completeEvent != 0 && completeEvent <= event) {
            copy.completeEvent = completeEvent;
            copy.status = status;
            copy.seen = seen;
        }
        if (resetEvent != 0 && resetEvent <= event) {
            copy.resetEvent = resetEvent;
        }
        return copy;
    }

    boolean wasInFlightAt(long event) {
        return (completeEvent == 0 || completeEvent > event)
                && (resetEvent == 0 || resetEvent > event);
    }

    boolean writes() {
        return kind.writes();
    }

    /** What it makes of a sector, see {@link Candidates}. */
    int state() {
        return kind == IoKind.WRITE ? version : -version;
    }

    boolean covers(long otherSector) {
        return otherSector >= sector && otherSector < sector + sectorCount;
    }

    boolean sharesSectorWith(Flight other) {
        return sector < other.sector + other.sectorCount && other.sector < sector + sectorCount;
    }

    /** The guest submitted {@code write} while this read is in flight, or the other way round. */
    void maySee(long sharedSector, Candidates before, int state) {
        if (extras == null) {
            extras = new Long2ObjectHashMap<>();
        }
        var known = extras.get(sharedSector);
        if (known == null) {
            extras.put(sharedSector, before.with(state));
        } else {
            extras.put(sharedSector, known.with(state));
        }
    }

    /** What else it may see of a sector; null if nothing. */
    @Nullable
    Candidates extrasAt(long otherSector) {
        return extras == null ? null : extras.get(otherSector);
    }

    void completed(long event, IoStatus newStatus, int[] versions, int count) {
        completeEvent = event;
        status = newStatus;
        seen = count == 0 ? null : Arrays.copyOf(versions, count);
    }

    @Override
    public String toString() {
        var what = kind == IoKind.FLUSH
                ? "flush of disk " + disk
                : kind + " of disk " + disk + " sectors " + sector + "+" + sectorCount;
        return what + " (slot " + slot + ", event " + submitEvent
                + (version == 0 ? "" : ", version " + version) + ")";
    }
}
