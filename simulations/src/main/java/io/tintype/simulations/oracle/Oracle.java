package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.RegisterHeader;
import io.tintype.vm.guest.SectorPattern;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.Consumer;
import org.agrona.collections.Int2IntHashMap;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Knows from the events of one guest what its VM must look like, now and at each stun.
 *
 * <p>One thread calls all methods, see {@link OracleService}; only the {@link EventLog} is written by the VM's strand.
 *
 * <p><b>Verified at every event:</b> each request completes exactly once, with the status that a checkpoint it was pending at
 * recorded; the data of each read, sector by sector, is one that the disk may have held while the read was in flight, is
 * whole, and is there at all; nothing completes or lands after a reset took it.
 *
 * <p><b>Verified of a checkpoint</b> ({@link #verify}): the registers; the completion rings; that each request which the guest
 * had in flight is exactly one of not yet fetched, delivered, and listed as pending, as the guest submitted it, with the
 * status that the guest sees; the records and the buffers of all slots, so that reads pending at T are there and later ones
 * are not; the sectors of all writes in flight at T; those written after T, whose data must not be there; those
 * changed since the cut before; a rotating 64th of all older ones; and likewise the pages of the heap, each as a
 * whole. A bound ({@link OracleOptions}) leaves some of the last three to the next verification; {@code full} compares
 * everything.
 *
 * <p><b>Not verified:</b> block groups of 64 KiB that the guest never wrote to, but for what it reads there; what a power failure
 * would leave (flush, FUA, R13); timing (R2's length, R15); scatter-gather tables
 * and submission rings in memory; the data of blocks that two requests in flight target, one of them writing, beyond being
 * old or new (mixtures pass, unless {@link OracleOptions#tearsAreViolations}); sectors of a write that a reset took, which
 * may show it at any time; two writes of zeros, which look the same.
 */
public final class Oracle {
    /** Most violations that one verification reports one by one. */
    public static final int VIOLATIONS_MAX = 100;

    /** Writes once pending at a cut whose version is remembered, to name the rule if one is lost. */
    private static final int CUT_WRITES_MAX = 65_536;

    private static final int NONE = -1;

    private final String vm;
    private final GuestBlueprint blueprint;
    private final EventLog log;
    private final OracleOptions options;
    private final Consumer<Violation> onViolation;
    private final EventLog.Reader events = new Events();

    private final DiskShadow[] disks;
    private final HeapShadow heap;
    private final @Nullable Flight[] inFlight;
    private final @Nullable Flight[] buffers;
    private final Long2ObjectHashMap<Cut> cuts = new Long2ObjectHashMap<>();
    /** By the version of a write that was pending at a cut, the newest version at that cut. */
    private final Int2IntHashMap cutWrites = new Int2IntHashMap(NONE);
    private long lastEvent;
    private int lastVersion;
    private boolean wasReset;
    private long violations;
    private final OracleScratch scratch;
    // Where the rotating samples go on, by disk and for the heap.
    final int[] groupCursors;
    int pageCursor;

    /**
     * For a VM whose guest has not run yet.
     *
     * @param vm its name, for violations
     * @param blueprint of its guest
     * @param log which its guest writes
     * @param onViolation hears of violations that the running VM shows, on the oracle's thread
     */
    public Oracle(String vm, GuestBlueprint blueprint, EventLog log, OracleOptions options,
            Consumer<Violation> onViolation) {
        this(vm, blueprint, log, options, onViolation, new OracleScratch());
    }

    /** The same, comparing in memory that it shares with others of its thread. */
    public Oracle(String vm, GuestBlueprint blueprint, EventLog log, OracleOptions options,
            Consumer<Violation> onViolation, OracleScratch scratch) {
        this(vm, blueprint, log, options, onViolation, scratch,
                new DiskShadow[blueprint.layout().diskCount()],
                new HeapShadow(blueprint.heap()));
        Arrays.setAll(disks, _ -> new DiskShadow());
    }

    private Oracle(String vm, GuestBlueprint blueprint, EventLog log, OracleOptions options,
            Consumer<Violation> onViolation, OracleScratch scratch, DiskShadow[] disks,
            HeapShadow heap) {
        this.scratch = scratch;
        this.vm = vm;
        this.blueprint = blueprint;
        this.log = log;
        this.options = options;
        this.onViolation = onViolation;
        this.disks = disks;
        this.heap = heap;
        inFlight = new Flight[blueprint.layout().slotCount()];
        buffers = new Flight[blueprint.layout().slotCount()];
        groupCursors = new int[disks.length];
    }

    /**
     * An oracle for the VM that was restored from a checkpoint, before its guest runs.
     *
     * @param image of the checkpoint, not yet released here
     * @param newVm name of the restored VM
     * @param newLog which its guest writes
     * @throws IOException if {@code image} cannot be read
     */
    public Oracle fork(CheckpointImage image, String newVm, EventLog newLog,
            Consumer<Violation> newOnViolation)
            throws IOException {
        drain();
        var cut = cut(image.checkpointId());
        var fates = new Verification(this, cut, image, false).fates();
        var forkedDisks = new DiskShadow[disks.length];
        var copies = new @Nullable Flight[inFlight.length];
        for (int slot = 0; slot < copies.length; slot++) {
            var flight = cut.inFlight[slot];
            if (flight != null) {
                var copy = flight.copyInFlight(cut.header.versions());
                var fate = fates[slot];
                copy.owedStatus = fate == null ? null : fate.status();
                copies[slot] = copy;
            }
        }
        for (int disk = 0; disk < disks.length; disk++) {
            var onDisk = cut.disks[disk].inFlight.stream()
                    .map(flight -> Objects.requireNonNull(copies[flight.slot])).toList();
            forkedDisks[disk] = new DiskShadow(disks[disk], cut.disks[disk], onDisk);
        }
        var fork = new Oracle(newVm, blueprint, newLog, options, newOnViolation, scratch,
                forkedDisks,
                new HeapShadow(heap, cut.heap));
        System.arraycopy(copies, 0, fork.inFlight, 0, copies.length);
        for (int slot = 0; slot < copies.length; slot++) {
            var buffer = cut.buffers[slot];
            if (buffer != null) {
                fork.buffers[slot] = buffer == cut.inFlight[slot]
                        ? copies[slot]
                        : buffer.copyAt(cut.header.events(), cut.header.versions());
            }
        }
        fork.lastEvent = cut.header.events();
        fork.lastVersion = cut.header.versions();
        fork.rememberCutWrites(cut);
        return fork;
    }

    /** Handles at most {@code eventsMax} events of the log; answers how many there were. */
    public int drain(int eventsMax) {
        return log.read(eventsMax, events);
    }

    private void drain() {
        while (drain(Integer.MAX_VALUE) == Integer.MAX_VALUE) {
            // More than that at once is no reason to stop.
        }
    }

    /**
     * Compares a checkpoint with what the guest knew at T. May be asked again: what was right once and is not now was changed
     * afterwards (R16).
     *
     * @param full whether to compare everything, not only what changed since the cut before
     * @throws IOException if the checkpoint cannot be read
     * @throws IllegalArgumentException if its stun was not logged, or it was {@linkplain #release released}
     */
    public VerifyReport verify(CheckpointImage image, boolean full) throws IOException {
        drain();
        var cut = cut(image.checkpointId());
        var report = new Verification(this, cut, image, false).run(full);
        cut.wasRight |= report.isRight();
        return report;
    }

    /**
     * Compares a running VM that stands still, nothing in flight, with what its guest knows; everything is compared.
     *
     * @param image of the VM; its stun was logged as if this were a checkpoint, and is released here
     * @throws IOException if it cannot be read
     */
    public VerifyReport verifyOngoing(CheckpointImage image) throws IOException {
        drain();
        var cut = cut(image.checkpointId());
        var report = new Verification(this, cut, image, true).run(true);
        release(image.checkpointId());
        return report;
    }

    /** The checkpoint is of no interest any more, because it was aborted, or will not be verified or restored again. */
    public void release(long checkpointId) {
        drain();
        var cut = cuts.remove(checkpointId);
        if (cut != null) {
            for (int disk = 0; disk < disks.length; disk++) {
                disks[disk].release(cut.disks[disk]);
            }
            heap.release(cut.heap);
        }
    }

    /** The VM's name. */
    public String vm() {
        return vm;
    }

    /** Number of the last event handled. */
    public long lastEvent() {
        return lastEvent;
    }

    /** Cuts not yet released. */
    public int cutCount() {
        return cuts.size();
    }

    /** Violations that the running VM showed so far. */
    public long violationCount() {
        return violations;
    }

    /** Memory of events not yet handled. */
    public long backlogBytes() {
        return log.backlogBytes();
    }

    // ---- for Verification ----

    GuestBlueprint blueprint() {
        return blueprint;
    }

    OracleOptions options() {
        return options;
    }

    MemorySegment sectorBytes() {
        return scratch.sectorBytes;
    }

    /** The bytes of {@link #words}. */
    MemorySegment wordBytes() {
        return scratch.wordBytes;
    }

    long[] words() {
        return scratch.words;
    }

    MemoryImage memoryImage() {
        return scratch.memoryImage;
    }

    DiskShadow disk(int disk) {
        return disks[disk];
    }

    int diskCount() {
        return disks.length;
    }

    HeapShadow heap() {
        return heap;
    }

    private Cut cut(long checkpointId) {
        var cut = cuts.get(checkpointId);
        if (cut == null) {
            throw new IllegalArgumentException(
                    "the stun of checkpoint " + checkpointId + " of " + vm
                            + " was not logged, or was released");
        }
        return cut;
    }

    /** Which rule lost a write that both sides must have: R8 if a later write to its group was there to copy too early. */
    @Nullable
    Rule ruleOfLost(int disk, long sector, int state) {
        var version = Math.abs(state);
        var versionsAtCut = cutWrites.get(version);
        if (versionsAtCut == NONE) {
            return null;
        }
        var group = disks[disk].group(sector / SectorGroup.SECTOR_COUNT);
        for (int i = 0; i < SectorGroup.SECTOR_COUNT; i++) {
            if (Math.abs(group.candidates(i).last()) > versionsAtCut) {
                return Rule.R8;
            }
        }
        return Rule.R4;
    }

    private void report(@Nullable Rule rule, String where, String expected, String found) {
        violations++;
        onViolation.accept(new Violation(rule, vm, 0, where, expected, found));
    }

    private void rememberCutWrites(Cut cut) {
        if (cutWrites.size() > CUT_WRITES_MAX) {
            cutWrites.clear();
        }
        for (var flight : cut.inFlight) {
            if (flight != null) {
                flight.atCut = true;
                if (flight.writes()) {
                    cutWrites.putIfAbsent(flight.version, cut.header.versions());
                }
            }
        }
    }

    /** The events, in their order. */
    private final class Events implements EventLog.Reader {
        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua,
                int version, int shape) {
            count(event);
            var flight = new Flight(event, slot, kind, disk, sector, sectorCount, version, shape,
                    disks[disk].submittedCount());
            lastVersion = Math.max(lastVersion, version);
            inFlight[slot] = flight;
            if (kind == IoKind.READ || kind == IoKind.WRITE) {
                buffers[slot] = flight;
            }
            disks[disk].submitted(flight);
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            count(event);
            var flight = inFlight[slot];
            if (flight == null || flight.disk != disk) {
                report(Rule.R11, "disk " + disk + " slot " + slot, "no completion",
                        "one at event " + event);
                return;
            }
            inFlight[slot] = null;
            flight.completed(event, status, versions, versionCount);
            if (flight.owedStatus != null && flight.owedStatus != status) {
                report(Rule.R11, flight.toString(),
                        "status " + flight.owedStatus + " as in the checkpoint",
                        status.toString());
            }
            if (flight.seen != null) {
                checkRead(flight, flight.seen);
            }
            disks[disk].completed(flight);
        }

        @Override
        public void unexpected(long event, int disk, int tag, int status) {
            count(event);
            report(wasReset ? Rule.R17 : Rule.R11, "disk " + disk + " tag " + tag,
                    "each completion once",
                    "one with status " + status + " for nothing in flight, at event " + event);
        }

        @Override
        public void reset(long event, int disk) {
            count(event);
            wasReset = true;
            for (var flight : disks[disk].reset(event)) {
                inFlight[flight.slot] = null;
            }
        }

        @Override
        public void overwritten(long event, int slot, int disk) {
            count(event);
            report(Rule.R17, "disk " + disk + " slot " + slot,
                    "a buffer left alone since the reset",
                    "data in it at event " + event);
        }

        @Override
        public void stunned(long checkpointId, byte[] registers) {
            var header = RegisterHeader.of(registers);
            if (header.events() != lastEvent || header.versions() != lastVersion) {
                report(Rule.R3, "registers at the stun of checkpoint " + checkpointId,
                        "event " + lastEvent + ", version " + lastVersion,
                        "event " + header.events() + ", version " + header.versions());
            }
            var diskCuts = new DiskShadow.DiskCut[disks.length];
            Arrays.setAll(diskCuts, disk -> disks[disk].cut(lastEvent));
            var cut = new Cut(checkpointId, registers, header, diskCuts,
                    heap.cut(header.heapSteps()), inFlight.clone(),
                    buffers.clone());
            cuts.put(checkpointId, cut);
            rememberCutWrites(cut);
        }

        private void count(long event) {
            if (event != lastEvent + 1) {
                report(null, "events", "number " + (lastEvent + 1), "number " + event);
            }
            lastEvent = event;
        }
    }

    private void checkRead(Flight read, int[] seen) {
        var disk = disks[read.disk];
        for (int i = 0; i < seen.length; i++) {
            var sector = read.sector + i;
            var group = disk.group(sector / SectorGroup.SECTOR_COUNT);
            var index = (int) (sector % SectorGroup.SECTOR_COUNT);
            var isExpected =
                    group.isPlain(index) && Candidates.matches(group.state(index), seen[i]);
            if (!isExpected && !mayRead(read, disk, sector, group.candidates(index), seen[i])) {
                report(ruleOfRead(read, sector, group.candidates(index), seen[i]),
                        read + ", sector " + sector, group.candidates(index).toString(),
                        Candidates.nameOfSeen(seen[i]));
                return; // One a request tells enough.
            }
        }
    }

    private boolean mayRead(Flight read, DiskShadow disk, long sector, Candidates settled,
            int seen) {
        var extras = read.extrasAt(sector);
        if (seen == SectorPattern.POISONED) {
            return false;
        }
        if (seen == SectorPattern.TORN) {
            var mayTear = extras != null || settled.mayBeMixed()
                    || disk.isGhost(sector, seen, Long.MAX_VALUE);
            return mayTear && !options.tearsAreViolations();
        }
        return settled.allows(seen, Integer.MAX_VALUE)
                || (extras != null && extras.allows(seen, Integer.MAX_VALUE))
                || disk.isGhost(sector, seen, Long.MAX_VALUE);
    }

    private @Nullable Rule ruleOfRead(Flight read, long sector, Candidates settled, int seen) {
        if (seen == SectorPattern.POISONED) {
            return Rule.R6;
        }
        if (seen == SectorPattern.TORN) {
            return read.extrasAt(sector) != null ? Rule.R9 : read.atCut ? Rule.R6 : null;
        }
        if (seen > lastVersion) {
            return Rule.R16;
        }
        if (settled.last() < 0) {
            return Rule.R5;
        }
        return ruleOfLost(read.disk, sector, settled.last());
    }
}
