package io.tintype.vm.guest;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import java.lang.foreign.MemorySegment;

/**
 * The requests of a guest: a fixed number of slots, each with a record, a scatter-gather table and a buffer in guest memory.
 *
 * <p>What is in flight is known from guest memory, everything else from the registers. The arrays here repeat the records,
 * only to find conflicts quickly; after a restore they are read from memory again.
 *
 * <p>Invariants: a slot's bit is set in {@code free} if and only if its record is free; versions and events only
 * grow; each event is told to the recorder in the step that makes it.
 */
final class IoSlots {
    private static final int SECTOR_BYTES = QueueLayout.SECTOR_BYTES;
    /** For how many events a slot the slots of a reset's reads are left alone, unless there is no other. */
    private static final long EVENTS_DETACHED = 4;
    private static final int PIECE_BYTES = GuestMemory.PAGE_BYTES;

    private final GuestLayout layout;
    private final SectorPattern pattern;
    private final GuestRecorder recorder;
    private final DiskDriver[] drivers;

    // ---- registers ----
    private final long[] free;
    private long events;
    private int versions;
    private int nextDisk;
    private int detachedCount;
    private long detachedUntil;

    // ---- derived from the records ----
    private final byte[] states;
    private final boolean[] reads;
    private final byte[] disks;
    private final long[] firstSectors;
    private final int[] sectorCounts;
    private int inFlight;
    private boolean started;

    // ---- scratch ----
    private final long[] words;
    private final MemorySegment bytes;
    private final int[] seen;

    IoSlots(GuestLayout layout, SectorPattern pattern, GuestRecorder recorder) {
        this(layout, pattern, recorder, new GuestScratch());
    }

    IoSlots(GuestLayout layout, SectorPattern pattern, GuestRecorder recorder,
            GuestScratch scratch) {
        this.words = scratch.words;
        this.bytes = scratch.bytes;
        this.layout = layout;
        this.pattern = pattern;
        this.recorder = recorder;
        drivers = new DiskDriver[layout.diskCount()];
        for (int disk = 0; disk < drivers.length; disk++) {
            drivers[disk] = new DiskDriver(disk, layout.queue(disk));
        }
        var slots = layout.slotCount();
        free = new long[(slots + Long.SIZE - 1) / Long.SIZE];
        for (int slot = 0; slot < slots; slot++) {
            free[slot >>> 6] |= 1L << slot;
        }
        states = new byte[slots];
        reads = new boolean[slots];
        disks = new byte[slots];
        firstSectors = new long[slots];
        sectorCounts = new int[slots];
        seen = new int[layout.requestBytesMax() / SECTOR_BYTES];
    }

    /** The first instruction of a guest: tells the devices where their rings are. */
    void boot(GuestContext context) {
        for (int disk = 0; disk < drivers.length; disk++) {
            context.configureDisk(disk, layout.queue(disk));
        }
        started = true;
    }

    /** At the start of each slice: after a restore, learns from memory what is in flight. */
    void start(GuestMemory memory) {
        if (started) {
            return;
        }
        started = true;
        for (int slot = 0; slot < reads.length; slot++) {
            if (!isFree(slot)) {
                var word = memory.getLong(layout.record(slot));
                remember(slot, SlotRecord.state(word), SlotRecord.kind(word), SlotRecord.disk(word),
                        memory.getLong(layout.record(slot) + 8), SlotRecord.sectorCount(word));
            }
        }
    }

    boolean hasFree() {
        return inFlight < reads.length;
    }

    boolean isIdle() {
        return inFlight == 0;
    }

    long events() {
        return events;
    }

    int versions() {
        return versions;
    }

    /** Whether a request would share a sector with one in flight, at least one of them writing. */
    boolean conflicts(IoKind kind, int disk, long sector, int sectorCount) {
        if (kind == IoKind.FLUSH) {
            return false;
        }
        for (int slot = 0; slot < reads.length; slot++) {
            if (sectorCounts[slot] > 0 && disks[slot] == disk
                    && firstSectors[slot] < sector + sectorCount
                    && sector < firstSectors[slot] + sectorCounts[slot]
                    && (kind != IoKind.READ || !reads[slot])) {
                return true;
            }
        }
        return false;
    }

    /** Submits a request; there is a free slot. The device hears of it at {@link #ring}. */
    void submit(GuestMemory memory, IoKind kind, int disk, long sector, int sectorCount,
            boolean fua, int shape) {
        var slot = takeFree();
        var version = kind == IoKind.READ || kind == IoKind.FLUSH ? 0 : ++versions;
        var elementCount = 0;
        if (kind == IoKind.READ || kind == IoKind.WRITE) {
            elementCount = fillTable(memory, slot, shape, sectorCount * SECTOR_BYTES);
        }
        if (kind == IoKind.WRITE) {
            fillBuffer(memory, slot, shape, disk, sector, sectorCount, version);
        } else if (kind == IoKind.READ) {
            poison(memory, slot, shape, sectorCount);
        }
        var record = layout.record(slot);
        memory.putLong(record,
                SlotRecord.word(SlotRecord.IN_FLIGHT, kind, disk, shape, sectorCount));
        memory.putLong(record + 8, sector);
        memory.putLong(record + 16, version);
        drivers[disk].submit(memory, kind, fua, slot, sector, sectorCount, layout.table(slot),
                elementCount);
        remember(slot, SlotRecord.IN_FLIGHT, kind, disk, sector, sectorCount);
        recorder.submitted(++events, slot, kind, disk, sector, sectorCount, fua, version, shape);
    }

    /** Tells the devices of all new requests. */
    void ring(GuestContext context) {
        for (var driver : drivers) {
            driver.ring(context);
        }
    }

    /** Handles one completion, if there is one; disks take turns. */
    boolean poll(GuestMemory memory) {
        for (int i = 0; i < drivers.length; i++) {
            var disk = nextDisk;
            nextDisk = disk + 1 < drivers.length ? disk + 1 : 0;
            var completion = drivers[disk].poll(memory);
            if (completion != DiskDriver.NOTHING) {
                complete(memory, disk, DiskDriver.tagOf(completion),
                        DiskDriver.statusOf(completion));
                return true;
            }
        }
        return false;
    }

    private void complete(GuestMemory memory, int disk, int slot, int status) {
        var isOurs = slot >= 0 && slot < reads.length && states[slot] == SlotRecord.IN_FLIGHT
                && disks[slot] == disk
                && status >= QueueLayout.STATUS_OK && status <= QueueLayout.STATUS_INVALID;
        if (!isOurs) {
            recorder.unexpected(++events, disk, slot, status);
            return;
        }
        var word = memory.getLong(layout.record(slot));
        var seenCount = 0;
        if (SlotRecord.kind(word) == IoKind.READ && status == QueueLayout.STATUS_OK) {
            seenCount = SlotRecord.sectorCount(word);
            look(memory, slot, word);
        }
        memory.putLong(layout.record(slot), SlotRecord.FREE);
        forget(slot);
        recorder.completed(++events, slot, disk, switch (status) {
            case QueueLayout.STATUS_OK -> IoStatus.OK;
            case QueueLayout.STATUS_ERROR -> IoStatus.ERROR;
            default -> IoStatus.UNSUPPORTED;
        }, seen, seenCount);
    }

    /** Resets a disk: nothing of it is in flight any more. The buffers of its reads are for {@link #detachNext}. */
    void reset(GuestContext context, int disk) {
        var memory = context.memory();
        drivers[disk].reset(context);
        for (int slot = 0; slot < reads.length; slot++) {
            if (states[slot] != SlotRecord.IN_FLIGHT || disks[slot] != disk) {
                continue;
            }
            var word = memory.getLong(layout.record(slot));
            if (SlotRecord.kind(word) == IoKind.READ) {
                memory.putLong(layout.record(slot),
                        SlotRecord.withState(word, SlotRecord.DETACHING));
                states[slot] = SlotRecord.DETACHING;
                detachedCount++;
            } else {
                memory.putLong(layout.record(slot), SlotRecord.FREE);
                forget(slot);
            }
        }
        recorder.reset(++events, disk);
        detachedUntil = events + EVENTS_DETACHED * layout.slotCount();
    }

    /**
     * Handles the slot of one read that a reset took, if there is one: marks its buffer, or, when it has been left alone for
     * long enough, looks whether it was, and frees it. A step of its own for each, since a buffer has many pages.
     */
    boolean detachNext(GuestMemory memory) {
        if (detachedCount == 0) {
            return false;
        }
        var slot = find(SlotRecord.DETACHING);
        if (slot >= 0) {
            var word = memory.getLong(layout.record(slot));
            poison(memory, slot, SlotRecord.shape(word), SlotRecord.sectorCount(word));
            memory.putLong(layout.record(slot), SlotRecord.withState(word, SlotRecord.DETACHED));
            states[slot] = SlotRecord.DETACHED;
            return true;
        }
        if (events < detachedUntil && hasFree()) {
            return false;
        }
        slot = find(SlotRecord.DETACHED);
        checkUntouched(memory, slot);
        memory.putLong(layout.record(slot), SlotRecord.FREE);
        forget(slot);
        detachedCount--;
        return true;
    }

    private int find(int state) {
        for (int slot = 0; slot < states.length; slot++) {
            if (states[slot] == state) {
                return slot;
            }
        }
        return -1;
    }

    /** Most pages that one step here writes: a buffer, its table, a record, a submission; or, at a reset, all records. */
    int pagesMax() {
        var records = layout.slotCount() * GuestLayout.RECORD_BYTES / GuestMemory.PAGE_BYTES + 1;
        var completions =
                layout.entryCount() * QueueLayout.COMPLETION_BYTES / GuestMemory.PAGE_BYTES + 1;
        return Math.max(layout.bufferPages() + 4, records + completions);
    }

    void save(RegisterWriter registers) {
        registers.putInt(nextDisk);
        registers.putInt(detachedCount);
        registers.putLong(detachedUntil);
        for (var bits : free) {
            registers.putLong(bits);
        }
        for (var driver : drivers) {
            driver.save(registers);
        }
    }

    void restore(RegisterReader registers) {
        events = registers.header().events();
        versions = registers.header().versions();
        nextDisk = registers.getInt();
        detachedCount = registers.getInt();
        detachedUntil = registers.getLong();
        for (int i = 0; i < free.length; i++) {
            free[i] = registers.getLong();
        }
        for (var driver : drivers) {
            driver.restore(registers);
        }
        started = false;
    }

    // ---- buffers ----

    private int fillTable(GuestMemory memory, int slot, int shape, int requestBytes) {
        var pieceBytes = (shape & GuestLayout.SHAPE_SCATTERED) != 0 ? PIECE_BYTES : requestBytes;
        var element = layout.table(slot);
        var count = 0;
        for (int offset = 0; offset < requestBytes; offset += pieceBytes) {
            memory.putLong(element, layout.bufferAddress(slot, shape, requestBytes, offset));
            memory.putLong(element + 8, Math.min(pieceBytes, requestBytes - offset));
            element += QueueLayout.ELEMENT_BYTES;
            count++;
        }
        return count;
    }

    private void fillBuffer(GuestMemory memory, int slot, int shape, int disk, long sector,
            int sectorCount,
            int version) {
        var requestBytes = sectorCount * SECTOR_BYTES;
        for (int offset = 0; offset < requestBytes; offset += PIECE_BYTES) {
            var pieceBytes = Math.min(PIECE_BYTES, requestBytes - offset);
            for (int at = 0; at < pieceBytes; at += SECTOR_BYTES) {
                pattern.fill(words, at / Long.BYTES, version, disk,
                        sector + (offset + at) / SECTOR_BYTES);
            }
            memory.write(layout.bufferAddress(slot, shape, requestBytes, offset), bytes, 0,
                    pieceBytes);
        }
    }

    private void poison(GuestMemory memory, int slot, int shape, int sectorCount) {
        var requestBytes = sectorCount * SECTOR_BYTES;
        for (int offset = 0; offset < requestBytes; offset += SECTOR_BYTES) {
            var sector = layout.bufferAddress(slot, shape, requestBytes, offset);
            memory.putLong(sector, SectorPattern.POISON);
            memory.putLong(sector + SECTOR_BYTES - Long.BYTES, SectorPattern.POISON);
        }
    }

    /** What a read brought, into {@link #seen}. */
    private void look(GuestMemory memory, int slot, long word) {
        var shape = SlotRecord.shape(word);
        var disk = SlotRecord.disk(word);
        var sector = memory.getLong(layout.record(slot) + 8);
        var requestBytes = SlotRecord.sectorCount(word) * SECTOR_BYTES;
        for (int offset = 0; offset < requestBytes; offset += PIECE_BYTES) {
            var pieceBytes = Math.min(PIECE_BYTES, requestBytes - offset);
            memory.read(layout.bufferAddress(slot, shape, requestBytes, offset), bytes, 0,
                    pieceBytes);
            for (int at = 0; at < pieceBytes; at += SECTOR_BYTES) {
                var index = (offset + at) / SECTOR_BYTES;
                seen[index] = pattern.versionOf(words, at / Long.BYTES, disk, sector + index);
            }
        }
    }

    /** A read that a reset detached must not have touched the buffer since. */
    private void checkUntouched(GuestMemory memory, int slot) {
        var word = memory.getLong(layout.record(slot));
        var requestBytes = SlotRecord.sectorCount(word) * SECTOR_BYTES;
        for (int offset = 0; offset < requestBytes; offset += SECTOR_BYTES) {
            var sector = layout.bufferAddress(slot, SlotRecord.shape(word), requestBytes, offset);
            if (memory.getLong(sector) != SectorPattern.POISON
                    || memory.getLong(sector + SECTOR_BYTES - Long.BYTES) != SectorPattern.POISON) {
                recorder.overwritten(++events, slot, SlotRecord.disk(word));
                return;
            }
        }
    }

    // ---- slots ----

    private boolean isFree(int slot) {
        return (free[slot >>> 6] >>> slot & 1) != 0;
    }

    private int takeFree() {
        for (int i = 0; i < free.length; i++) {
            if (free[i] != 0) {
                var slot = i * Long.SIZE + Long.numberOfTrailingZeros(free[i]);
                free[i] &= free[i] - 1;
                return slot;
            }
        }
        throw new IllegalStateException(
                "a request was submitted with all " + reads.length + " slots in flight");
    }

    private void remember(int slot, int state, IoKind kind, int disk, long sector,
            int sectorCount) {
        states[slot] = (byte) state;
        reads[slot] = kind == IoKind.READ;
        disks[slot] = (byte) disk;
        firstSectors[slot] = sector;
        sectorCounts[slot] = sectorCount;
        inFlight++;
    }

    private void forget(int slot) {
        free[slot >>> 6] |= 1L << slot;
        states[slot] = SlotRecord.FREE;
        sectorCounts[slot] = 0;
        inFlight--;
    }
}
