package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.vm.device.QueueState;
import io.tintype.vm.guest.GuestLayout;
import io.tintype.vm.guest.GuestMemory;
import io.tintype.vm.guest.HeapPattern;
import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.SectorPattern;
import io.tintype.vm.guest.SlotRecord;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.agrona.collections.Long2ObjectHashMap;
import org.jspecify.annotations.Nullable;

/** One comparison of one image with one cut. */
final class Verification {
    /** The older groups and pages looked at besides: one of so many each time. */
    private static final int SAMPLE_SHARE = 64;

    /** 8 KiB are read sooner than asked for separately. */
    private static final int SECTORS_SKIPPED_MAX = 16;

    private static final int SECTOR_BYTES = QueueLayout.SECTOR_BYTES;
    private static final int WORDS = SectorPattern.WORD_COUNT;
    private static final long[] ALL = {-1, -1};
    private static final long[] ZEROS = new long[GuestMemory.PAGE_BYTES / Long.BYTES];

    /**
     * What became of a request that the guest had in flight.
     *
     * @param fetched whether the device had taken it: if not, nothing of it may be visible
     * @param status how it ended; null if it was not fetched, or nobody says
     */
    record Fate(boolean fetched, @Nullable IoStatus status) {
        static final Fate NOT_FETCHED = new Fate(false, null);
        static final Fate UNKNOWN = new Fate(true, null);
    }

    private final Oracle oracle;
    private final Cut cut;
    private final CheckpointImage image;
    private final boolean isOngoing;
    private final GuestLayout layout;
    private final SectorPattern pattern;
    private final MemoryImage memory;
    private final @Nullable Fate[] fates;
    private final List<Violation> violations = new ArrayList<>();

    private final MemorySegment sectorBytes;
    private final long[] words;
    private final MemorySegment wordBytes;
    private long sectorsChecked;
    private long sectorsLeft;
    private long pagesChecked;
    private long pagesLeft;

    /** @param isOngoing whether the image is of the running VM, standing still, and not of a checkpoint */
    Verification(Oracle oracle, Cut cut, CheckpointImage image, boolean isOngoing) {
        this.oracle = oracle;
        this.cut = cut;
        this.image = image;
        this.isOngoing = isOngoing;
        layout = oracle.blueprint().layout();
        pattern = oracle.blueprint().sectors();
        memory = oracle.memoryImage();
        memory.open(image.memory());
        sectorBytes = oracle.sectorBytes();
        words = oracle.words();
        wordBytes = oracle.wordBytes();
        fates = new Fate[layout.slotCount()];
    }

    VerifyReport run(boolean full) throws IOException {
        if (!Arrays.equals(image.registers(), cut.registers)) {
            report(Rule.R3, "registers", "those of the stun", "others");
        }
        fates();
        checkStatuses();
        for (int slot = 0; slot < fates.length; slot++) {
            checkRecord(slot);
            checkBuffer(slot);
        }
        checkHeap(full);
        for (int disk = 0; disk < oracle.diskCount(); disk++) {
            checkDisk(disk, full);
        }
        int pending = 0;
        for (var flight : cut.inFlight) {
            pending += flight == null ? 0 : 1;
        }
        return new VerifyReport(cut.checkpointId, violations, pending, sectorsChecked, sectorsLeft,
                pagesChecked,
                pagesLeft);
    }

    // ---- what became of the requests in flight ----

    /** By slot, what became of its request; null if there was none. */
    @Nullable
    Fate[] fates() throws IOException {
        if (image.queues().size() != oracle.diskCount()) {
            throw new IllegalArgumentException(
                    "an image with " + image.queues().size() + " queues for " + oracle.diskCount()
                            + " disks");
        }
        for (int disk = 0; disk < oracle.diskCount(); disk++) {
            var queue = image.queues().get(disk);
            var booted = queue.entryCount() != 0;
            var expected = layout.queue(disk);
            if (booted && !expected.equals(
                    new QueueLayout(queue.submissionAddress(), queue.completionAddress(),
                            queue.entryCount()))) {
                report(Rule.R3, "queue of disk " + disk, expected.toString(), queue.toString());
                continue;
            }
            findFetched(disk, queue);
            if (booted) {
                findDelivered(disk, queue, expected);
            }
        }
        findPending();
        for (var flight : cut.inFlight) {
            if (flight != null && fates[flight.slot] == null) {
                report(isOngoing ? Rule.R11 : Rule.R3, flight.toString(),
                        isOngoing ? "a completion" : "to be pending, delivered or not fetched",
                        "nothing");
                fates[flight.slot] = Fate.UNKNOWN;
            }
        }
        return fates;
    }

    private void findFetched(int disk, QueueState queue) {
        var cutOfDisk = cut.disks[disk];
        var waiting = Integer.toUnsignedLong((int) cutOfDisk.submitted - queue.head());
        if (waiting > layout.entryCount()) {
            report(Rule.R3, "queue of disk " + disk,
                    "at most " + cutOfDisk.submitted + " entries fetched",
                    "head " + queue.head());
            return;
        }
        for (var flight : cutOfDisk.inFlight) {
            if (flight.ordinal >= cutOfDisk.submitted - waiting) {
                fates[flight.slot] = Fate.NOT_FETCHED;
            }
        }
    }

    private void findDelivered(int disk, QueueState queue, QueueLayout rings) throws IOException {
        var consumed = cut.disks[disk].consumed;
        var delivered = queue.sequence();
        if (delivered < consumed || delivered - consumed > rings.entryCount()) {
            report(Rule.R3, "queue of disk " + disk,
                    "at least the " + consumed + " completions that the guest saw",
                    delivered + " written");
            return;
        }
        for (int i = 0; i < rings.entryCount(); i++) {
            // The newest completion that this entry ever held.
            var sequence = delivered <= i
                    ? 0
                    : i + 1 + (delivered - 1 - i) / rings.entryCount() * rings.entryCount();
            var entry = rings.completionAddress() + (long) i * QueueLayout.COMPLETION_BYTES;
            var found = memory.getLong(entry + 8);
            if (found != sequence) {
                report(Rule.R3, "completion ring of disk " + disk + " entry " + i,
                        "completion " + sequence,
                        "completion " + found);
            } else if (sequence > consumed) {
                delivered(disk, memory.getLong(entry));
            }
        }
    }

    private void delivered(int disk, long completion) {
        var slot = (int) completion;
        var status = statusOf((int) (completion >>> 32));
        var flight = slot >= 0 && slot < fates.length ? cut.inFlight[slot] : null;
        if (flight == null || flight.disk != disk || fates[slot] != null || status == null) {
            report(Rule.R11, "completion ring of disk " + disk,
                    "completions of requests in flight, each once",
                    "tag " + slot + " status " + (completion >>> 32));
            return;
        }
        fates[slot] = new Fate(true, status);
    }

    private static @Nullable IoStatus statusOf(int status) {
        return switch (status) {
            case QueueLayout.STATUS_OK -> IoStatus.OK;
            case QueueLayout.STATUS_ERROR -> IoStatus.ERROR;
            case QueueLayout.STATUS_INVALID -> IoStatus.UNSUPPORTED;
            default -> null;
        };
    }

    private void findPending() {
        for (var entry : image.pending()) {
            var slot = entry.tag();
            var flight = slot >= 0 && slot < fates.length ? cut.inFlight[slot] : null;
            if (flight == null || flight.disk != entry.disk() || fates[slot] != null) {
                var known = flight == null || fates[slot] == null
                        ? ""
                        : "; the guest: " + flight + ", " + fates[slot];
                report(Rule.R3, "list of pending requests",
                        "requests in flight, fetched and not delivered, each once",
                        entry + known);
                continue;
            }
            var isSame = entry.kind() == flight.kind && (entry.kind() == IoKind.FLUSH
                    || (entry.sector() == flight.sector
                            && entry.sectorCount() == flight.sectorCount));
            if (!isSame) {
                report(Rule.R3, "list of pending requests", flight.toString(), entry.toString());
            }
            if (entry.status() == null) {
                report(Rule.R12, flight.toString(), "a status, since the checkpoint is sealed",
                        "none");
            }
            fates[slot] = new Fate(true, entry.status());
        }
    }

    /** The guest sees the same status as the checkpoint: now, if it has seen it, or when it does. */
    private void checkStatuses() {
        for (var flight : cut.inFlight) {
            var fate = flight == null ? null : fates[flight.slot];
            if (flight == null || fate == null || fate.status() == null) {
                continue;
            }
            var known = flight.status == null ? flight.owedStatus : flight.status;
            if (known != null && known != fate.status()) {
                report(Rule.R11, flight.toString(), "status " + known + " as on the other side",
                        String.valueOf(fate.status()));
            }
            if (flight.resetEvent == 0) {
                flight.owedStatus = fate.status();
            }
        }
    }

    // ---- memory ----

    private void checkRecord(int slot) throws IOException {
        var found = memory.getLong(layout.record(slot));
        var flight = cut.inFlight[slot];
        if (flight == null) {
            var state = (int) found & 0xff;
            if (state == SlotRecord.IN_FLIGHT) {
                report(Rule.R2, "record of slot " + slot, "no request in flight",
                        "0x" + Long.toHexString(found));
            }
            return;
        }
        var expected = SlotRecord.word(SlotRecord.IN_FLIGHT, flight.kind, flight.disk, flight.shape,
                flight.sectorCount);
        if (found != expected || memory.getLong(layout.record(slot) + 8) != flight.sector
                || memory.getLong(layout.record(slot) + 16) != flight.version) {
            report(Rule.R2, "record of slot " + slot, flight.toString(),
                    "0x" + Long.toHexString(found));
        }
    }

    private void checkBuffer(int slot) throws IOException {
        var flight = cut.buffers[slot];
        if (flight == null) {
            return;
        }
        var fate = fates[slot];
        if (flight.kind == IoKind.WRITE) {
            checkBuffer(flight, Rule.R7, (_, seen) -> seen == flight.version,
                    "version " + flight.version);
        } else if (flight.wasInFlightAt(cut.header.events())) {
            if (fate == null || !fate.fetched()) {
                checkPoison(flight, Rule.R7);
            } else if (fate.status() == IoStatus.OK) {
                checkBuffer(flight, null,
                        (index, seen) -> mayRead(flight, flight.sector + index, seen),
                        "the data that it read");
            }
        } else if (flight.completeEvent != 0) {
            var seen = flight.seen;
            if (seen != null) {
                checkBuffer(flight, Rule.R7,
                        (index, found) -> found == seen[index] || seen[index] == SectorPattern.TORN,
                        "what the guest saw there");
            }
        } else if (((int) memory.getLong(layout.record(slot)) & 0xff) == SlotRecord.DETACHED) {
            checkPoison(flight, Rule.R17);
        }
    }

    @FunctionalInterface
    private interface SectorCheck {
        boolean isRight(int index, int seen);
    }

    /** @param rule null for that of a pending read, by what is found */
    private void checkBuffer(Flight flight, @Nullable Rule rule, SectorCheck check, String expected)
            throws IOException {
        var requestBytes = flight.sectorCount * SECTOR_BYTES;
        for (int i = 0; i < flight.sectorCount; i++) {
            memory.read(
                    layout.bufferAddress(flight.slot, flight.shape, requestBytes, i * SECTOR_BYTES),
                    words, WORDS);
            var seen = pattern.versionOf(words, 0, flight.disk, flight.sector + i);
            if (!check.isRight(i, seen)) {
                report(rule == null ? ruleOfPendingRead(flight, i, seen) : rule,
                        "buffer of " + flight + ", sector " + (flight.sector + i), expected,
                        Candidates.nameOfSeen(seen));
                return;
            }
        }
    }

    private void checkPoison(Flight flight, Rule rule) throws IOException {
        var requestBytes = flight.sectorCount * SECTOR_BYTES;
        for (int i = 0; i < flight.sectorCount; i++) {
            memory.read(
                    layout.bufferAddress(flight.slot, flight.shape, requestBytes, i * SECTOR_BYTES),
                    words, WORDS);
            if (words[0] != SectorPattern.POISON || words[WORDS - 1] != SectorPattern.POISON) {
                report(rule, "buffer of " + flight + ", sector " + (flight.sector + i),
                        "a buffer left alone",
                        Candidates.nameOfSeen(
                                pattern.versionOf(words, 0, flight.disk, flight.sector + i)));
                return;
            }
        }
    }

    private boolean mayRead(Flight read, long sector, int seen) {
        var disk = oracle.disk(read.disk);
        var extras = read.extrasAt(sector);
        var settled = settled(read.disk, sector);
        if (seen == SectorPattern.POISONED) {
            return false;
        }
        var versionMax = cut.header.versions();
        if (seen == SectorPattern.TORN) {
            var mayTear = extras != null || settled.mayBeMixed()
                    || disk.isGhost(sector, seen, cut.header.events());
            return mayTear && !oracle.options().tearsAreViolations();
        }
        return settled.allows(seen, versionMax)
                || (extras != null && extras.allows(seen, versionMax))
                || disk.isGhost(sector, seen, cut.header.events());
    }

    private Rule ruleOfPendingRead(Flight read, int index, int seen) {
        if (seen == SectorPattern.POISONED) {
            return isOngoing ? Rule.R6 : Rule.R10;
        }
        if (seen > cut.header.versions()) {
            return Rule.R5;
        }
        return read.extrasAt(read.sector + index) != null ? Rule.R9 : Rule.R10;
    }

    private void checkHeap(boolean full) throws IOException {
        var heap = oracle.heap();
        heap.reach(cut.heap);
        var changed = cut.heap.unchecked;
        cut.heap.unchecked = new BitSet();
        if (full) {
            for (int page = 0; page < heap.pageCount(); page++) {
                checkPage(page);
            }
            return;
        }
        var budget = oracle.options().pagesMax();
        var page = changed.nextSetBit(0);
        for (; page >= 0 && budget > 0; page = changed.nextSetBit(page + 1)) {
            checkPage(page);
            budget--;
        }
        if (page >= 0) {
            changed.clear(0, page);
            pagesLeft = changed.cardinality();
            heap.leaveUnchecked(changed);
        }
        var sample = Math.min(budget, (heap.pageCount() + SAMPLE_SHARE - 1) / SAMPLE_SHARE);
        for (long i = 0; i < sample; i++) {
            oracle.pageCursor = (oracle.pageCursor + 1) % heap.pageCount();
            checkPage(oracle.pageCursor);
        }
    }

    private void checkPage(int page) throws IOException {
        var expected = new long[HeapPattern.SLOT_COUNT];
        oracle.heap().page(cut.heap, page, expected, 0);
        var number = (int) (layout.heap() / GuestMemory.PAGE_BYTES) + page;
        var found = memory.page(number);
        pagesChecked++;
        // Pages that were never stored to are common in small VMs, and have nothing to subtract.
        boolean wasStoredTo = !isZero(expected);
        if (wasStoredTo) {
            subtract(found, page, expected);
        }
        int wrong = Arrays.mismatch(found, ZEROS);
        long difference = wrong < 0 ? 0 : found[wrong];
        if (wasStoredTo) {
            subtract(found, page, expected);
        }
        if (wrong >= 0) {
            report(isOngoing ? null : Rule.R2, "page " + number + " (heap) word " + wrong,
                    "0x" + Long.toHexString(found[wrong] ^ difference),
                    "0x" + Long.toHexString(found[wrong]));
        }
    }

    private static boolean isZero(long[] words) {
        long any = 0;
        for (var word : words) {
            any |= word;
        }
        return any == 0;
    }

    /** Makes a page zero that is as expected; done twice, it is as before. */
    private void subtract(long[] page, int number, long[] expected) {
        var heap = oracle.blueprint().heap();
        for (int slot = 0; slot < HeapPattern.SLOT_COUNT; slot++) {
            page[heap.word(number, slot)] ^= expected[slot];
        }
    }

    // ---- disks ----

    private void checkDisk(int disk, boolean full) throws IOException {
        var shadow = oracle.disk(disk);
        var diskCut = cut.disks[disk];
        for (var flight : diskCut.inFlight) {
            if (flight.writes()) {
                checkRange(disk, flight, full);
            }
        }
        for (var flight : shadow.inFlight()) {
            if (flight.writes() && flight.submitEvent > cut.header.events()) {
                checkRange(disk, flight, full);
            }
        }
        var changed = diskCut.unchecked;
        diskCut.unchecked = new Long2ObjectHashMap<>();
        var groups = shadow.groupCount();
        if (full) {
            for (int i = 0; i < groups; i++) {
                checkGroup(disk, shadow.groupNumber(i), ALL);
            }
            return;
        }
        var afterCut = new Long2ObjectHashMap<long[]>();
        shadow.forEachGroupChangedAfter(diskCut, number -> {
            var bits = changedBits(shadow.groupAt(diskCut, number), shadow.group(number));
            if ((bits[0] | bits[1]) != 0) {
                afterCut.put(number, bits);
            }
        });
        var budget = checkGroups(disk, afterCut, oracle.options().sectorsMax());
        budget = checkGroups(disk, changed, budget);
        sectorsLeft += bitCount(afterCut) + bitCount(changed);
        shadow.leaveUnchecked(changed);
        var sample = Math.min(budget / SectorGroup.SECTOR_COUNT,
                (groups + SAMPLE_SHARE - 1) / SAMPLE_SHARE);
        for (long i = 0; i < sample; i++) {
            oracle.groupCursors[disk] = (oracle.groupCursors[disk] + 1) % groups;
            checkGroup(disk, shadow.groupNumber(oracle.groupCursors[disk]), ALL);
        }
    }

    private static long[] changedBits(SectorGroup then, SectorGroup now) {
        var bits = new long[2];
        for (int i = 0; i < SectorGroup.SECTOR_COUNT; i++) {
            if (now.differs(i, then)) {
                bits[i >>> 6] |= 1L << i;
            }
        }
        return bits;
    }

    private static long bitCount(Long2ObjectHashMap<long[]> groups) {
        long count = 0;
        for (var bits : groups.values()) {
            count += Long.bitCount(bits[0]) + Long.bitCount(bits[1]);
        }
        return count;
    }

    /** Checks as many groups as the budget allows and removes them from {@code groups}; answers what is left of the budget. */
    private long checkGroups(int disk, Long2ObjectHashMap<long[]> groups, long budget)
            throws IOException {
        var left = budget;
        // In the order of the disk, so that files are read forwards.
        var numbers = groups.keySet().stream().mapToLong(Long::longValue).sorted().toArray();
        for (var number : numbers) {
            if (left <= 0) {
                return 0;
            }
            var bits = groups.remove(number);
            checkGroup(disk, number, bits);
            left -= Long.bitCount(bits[0]) + Long.bitCount(bits[1]);
        }
        return left;
    }

    /** @param full whether all groups that were ever written to are compared after this anyway */
    private void checkRange(int disk, Flight flight, boolean full) throws IOException {
        var end = flight.sector + flight.sectorCount;
        for (long sector = flight.sector; sector < end;) {
            var number = sector / SectorGroup.SECTOR_COUNT;
            var from = (int) (sector % SectorGroup.SECTOR_COUNT);
            var to = (int) Math.min(SectorGroup.SECTOR_COUNT, from + end - sector);
            if (!full || !oracle.disk(disk).isKnown(number)) {
                var bits = new long[2];
                for (int i = from; i < to; i++) {
                    bits[i >>> 6] |= 1L << i;
                }
                checkGroup(disk, number, bits);
            }
            sector += to - from;
        }
    }

    /** Compares the sectors wanted; those near each other are read at once, with what lies between them. */
    private void checkGroup(int disk, long number, long[] bits) throws IOException {
        var start = number * SectorGroup.SECTOR_COUNT;
        var count = (int) Math.min(SectorGroup.SECTOR_COUNT,
                oracle.blueprint().diskSectors().get(disk) - start);
        var group = oracle.disk(disk).groupAt(cut.disks[disk], number);
        for (int first = nextWanted(bits, 0, count); first < count;) {
            var end = first + 1;
            var next = nextWanted(bits, end, count);
            while (next < count && next - end <= SECTORS_SKIPPED_MAX) {
                end = next + 1;
                next = nextWanted(bits, end, count);
            }
            checkRun(disk, start, group, first, end, bits);
            first = next;
        }
    }

    private static int nextWanted(long[] bits, int from, int count) {
        for (int i = from; i < count;) {
            var rest = bits[i >>> 6] >>> i;
            if (rest != 0) {
                return Math.min(count, i + Long.numberOfTrailingZeros(rest));
            }
            i = (i | 63) + 1;
        }
        return count;
    }

    private void checkRun(int disk, long start, SectorGroup group, int first, int end, long[] bits)
            throws IOException {
        var bytes = (long) (end - first) * SECTOR_BYTES;
        image.disks().read(disk, start + first, sectorBytes.asSlice(0, bytes));
        MemorySegment.copy(sectorBytes, 0, wordBytes, 0, bytes);
        for (int i = first; i < end; i++) {
            if ((bits[i >>> 6] >>> i & 1) != 0) {
                sectorsChecked++;
                checkSector(disk, start + i, group, i,
                        pattern.versionOf(words, (i - first) * WORDS, disk, start + i));
            }
        }
    }

    private void checkSector(int disk, long sector, SectorGroup group, int index, int seen) {
        var isSettled = group.isPlain(index) && !isWrittenAtCut(disk, sector);
        if (isSettled && Candidates.matches(group.state(index), seen)) {
            return;
        }
        var expected = group.candidates(index);
        for (var flight : cut.disks[disk].inFlight) {
            if (flight.writes() && flight.covers(sector)) {
                expected = afterFlight(expected, flight);
            }
        }
        var events = cut.header.events();
        var isRight = switch (seen) {
            case SectorPattern.POISONED -> false;
            case SectorPattern.TORN -> !oracle.options().tearsAreViolations()
                    && (expected.mayBeMixed() || oracle.disk(disk).isGhost(sector, seen, events));
            default -> expected.allows(seen, cut.header.versions())
                    || oracle.disk(disk).isGhost(sector, seen, events);
        };
        if (!isRight) {
            report(ruleOfSector(disk, sector, expected, seen), "disk " + disk + " sector " + sector,
                    expected.toString(), Candidates.nameOfSeen(seen));
        }
    }

    private boolean isWrittenAtCut(int disk, long sector) {
        var inFlight = cut.disks[disk].inFlight;
        // No iterator: this is asked of each sector.
        for (int i = 0; i < inFlight.size(); i++) {
            if (inFlight.get(i).writes() && inFlight.get(i).covers(sector)) {
                return true;
            }
        }
        return false;
    }

    private Candidates afterFlight(Candidates before, Flight flight) {
        var fate = fates[flight.slot];
        if (fate == null || !fate.fetched()) {
            return before;
        }
        var completed = cut.header.events() + 1;
        if (fate.status() == IoStatus.OK) {
            return before.afterWrite(flight.state(), flight.submitEvent, completed);
        }
        return fate.status() == IoStatus.UNSUPPORTED
                ? before
                : before.afterFailedWrite(flight.state(), flight.submitEvent, completed);
    }

    private @Nullable Rule ruleOfSector(int disk, long sector, Candidates expected, int seen) {
        if (cut.wasRight) {
            return Rule.R16;
        }
        if (seen > cut.header.versions()) {
            return isOngoing ? Rule.R16 : Rule.R5;
        }
        if (expected.last() < 0 && seen > 0) {
            return Rule.R5;
        }
        if (isOngoing) {
            return oracle.ruleOfLost(disk, sector, expected.last());
        }
        for (var flight : cut.disks[disk].inFlight) {
            if (flight.writes() && flight.covers(sector)) {
                var fate = fates[flight.slot];
                if (fate != null && !fate.fetched() && Candidates.matches(flight.state(), seen)) {
                    return Rule.R5;
                }
                return seen != SectorPattern.TORN ? Rule.R4 : flight.conflicted ? Rule.R9 : Rule.R8;
            }
        }
        if (seen == SectorPattern.TORN) {
            return Rule.R8;
        }
        var newest = oracle.disk(disk).writing(sector);
        var isZeroed = oracle.disk(disk).candidates(sector).last() < 0
                || (newest != null && newest.state() < 0);
        return seen == SectorPattern.ZERO && isZeroed ? Rule.R5 : null;
    }

    private void report(@Nullable Rule rule, String where, String expected, String found) {
        if (violations.size() < Oracle.VIOLATIONS_MAX) {
            violations.add(new Violation(rule, oracle.vm(), isOngoing ? 0 : cut.checkpointId, where,
                    expected, found));
        }
    }

    /** What the sector held at the cut, requests in flight aside. */
    private Candidates settled(int disk, long sector) {
        var group = oracle.disk(disk).groupAt(cut.disks[disk], sector / SectorGroup.SECTOR_COUNT);
        return group.candidates((int) (sector % SectorGroup.SECTOR_COUNT));
    }
}
