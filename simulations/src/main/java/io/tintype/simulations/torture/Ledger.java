package io.tintype.simulations.torture;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.scheduler.Rule;
import io.tintype.simulations.oracle.SectorReader;
import io.tintype.simulations.oracle.Violation;
import io.tintype.vm.guest.GuestBlueprint;
import io.tintype.vm.guest.QueueLayout;
import io.tintype.vm.guest.SectorPattern;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * What each sector of a VM's disks may hold after its process was killed: the newest write that was acknowledged as durable, by a
 * flush issued after it completed or by FUA, or any write submitted after it; without one, also what the disk began with. Nothing else, and
 * never anything older.
 *
 * <p>For guests whose requests in flight share no sector when one of them writes, so that the writes of a sector have one order.
 * One thread.
 */
final class Ledger implements Tape.Listener {
    /** More of one disk say nothing new. */
    static final int VIOLATIONS_MAX = 20;

    private static final int READ_SECTORS = 128;

    /** One write, discard or write-zeroes. */
    private static final class Write {
        final int disk;
        final long sector;
        final int sectorCount;
        final int shows;
        final boolean fua;
        boolean acknowledged;
        boolean durable;

        Write(int disk, long sector, int sectorCount, int shows, boolean fua) {
            this.disk = disk;
            this.sector = sector;
            this.sectorCount = sectorCount;
            this.shows = shows;
            this.fua = fua;
        }
    }

    /** A flush, with the writes that had completed when it was submitted. */
    private record Flush(int disk, List<Write> covers) {}

    private final SectorPattern pattern;
    /** By disk and sector, what the disk began with: a version or {@link SectorPattern#ZERO}. */
    private final int[][] base;
    /** By disk and sector, the writes that it may show, oldest first; null for none. */
    private final List<@Nullable List<Write>[]> candidates = new ArrayList<>();
    private final @Nullable Object[] inFlight;
    /** By disk, completed and not known to be durable. */
    private final List<List<Write>> volatileWrites = new ArrayList<>();
    /** By checkpoint, the writes in flight at T: a restored guest may still see them completed. */
    private final Map<Long, @Nullable Object[]> cuts = new HashMap<>();
    private long durableCount;
    private long submittedCount;

    /** For a VM whose disks begin with zeros. */
    Ledger(GuestBlueprint blueprint) {
        this(blueprint, emptyBase(blueprint));
    }

    private Ledger(GuestBlueprint blueprint, int[][] base) {
        this.pattern = blueprint.sectors();
        this.base = base;
        this.inFlight = new Object[blueprint.layout().slotCount()];
        for (var sectors : base) {
            candidates.add(emptyLists(sectors.length));
            volatileWrites.add(new ArrayList<>());
        }
    }

    @SuppressWarnings({"unchecked", "rawtypes"}) // Java has no arrays of a generic type
    private static @Nullable List<Write>[] emptyLists(int count) {
        return new List[count];
    }

    private static int[][] emptyBase(GuestBlueprint blueprint) {
        return blueprint.diskSectors().stream().map(sectors -> new int[Math.toIntExact(sectors)])
                .toArray(int[][]::new);
    }

    /**
     * For a VM restored from {@code checkpoint} of this one.
     *
     * @param versions by disk and sector what the checkpoint shows, found right by an oracle
     */
    Ledger restored(GuestBlueprint blueprint, long checkpoint, int[][] versions) {
        var restored = new Ledger(blueprint, versions);
        var then = cuts.get(checkpoint);
        for (int slot = 0; then != null && slot < then.length; slot++) {
            if (then[slot] instanceof Write write) {
                var again = new Write(write.disk, write.sector, write.sectorCount, write.shows,
                        write.fua);
                restored.inFlight[slot] = again;
                restored.enter(again);
            } else if (then[slot] instanceof Flush flush) {
                // What it covers is in the checkpoint, and so durable already.
                restored.inFlight[slot] = new Flush(flush.disk(), List.of());
            }
        }
        return restored;
    }

    /** Writes acknowledged as durable. */
    long durableCount() {
        return durableCount;
    }

    /** Requests heard of. */
    long submittedCount() {
        return submittedCount;
    }

    /** Whether a flush was submitted and not yet seen completed. */
    boolean isFlushing() {
        for (var request : inFlight) {
            if (request instanceof Flush) {
                return true;
            }
        }
        return false;
    }

    @Override
    public void submitted(long event, int slot, IoKind kind, int disk, long sector, int sectorCount,
            boolean fua, int version, int shape) {
        submittedCount++;
        inFlight[slot] = null;
        if (kind.writes()) {
            var shows = kind == IoKind.WRITE ? version : SectorPattern.ZERO;
            var write = new Write(disk, sector, sectorCount, shows, fua);
            inFlight[slot] = write;
            enter(write);
        } else if (kind == IoKind.FLUSH) {
            inFlight[slot] = new Flush(disk, List.copyOf(volatileWrites.get(disk)));
        }
    }

    private void enter(Write write) {
        var ofDisk = candidates.get(write.disk);
        for (long sector = write.sector; sector < write.sector + write.sectorCount; sector++) {
            var list = ofDisk[(int) sector];
            if (list == null) {
                list = new ArrayList<>(2);
                ofDisk[(int) sector] = list;
            }
            list.add(write);
        }
    }

    @Override
    public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
            int versionCount) {
        var request = inFlight[slot];
        inFlight[slot] = null;
        if (status != IoStatus.OK) {
            return; // it may have had any effect, or none
        }
        if (request instanceof Write write) {
            write.acknowledged = true;
            if (write.fua) {
                durable(write);
            } else {
                volatileWrites.get(disk).add(write);
            }
        } else if (request instanceof Flush flush) {
            flush.covers().forEach(this::durable);
            volatileWrites.get(disk).removeIf(write -> write.durable);
        }
    }

    private void durable(Write write) {
        if (write.durable) {
            return;
        }
        write.durable = true;
        durableCount++;
        var ofDisk = candidates.get(write.disk);
        for (long sector = write.sector; sector < write.sector + write.sectorCount; sector++) {
            var list = ofDisk[(int) sector];
            int index = list == null ? -1 : list.indexOf(write);
            if (list != null && index > 0) {
                list.subList(0, index).clear();
            }
        }
    }

    @Override
    public void stunned(long checkpoint, byte[] registers) {
        cuts.put(checkpoint, inFlight.clone());
    }

    /** Whether a write to the sector was ever submitted, by this VM or before the checkpoint it came from. */
    boolean wasWritten(int disk, long sector) {
        return base[disk][(int) sector] != SectorPattern.ZERO
                || candidates.get(disk)[(int) sector] != null;
    }

    /** Reads every sector of every disk: which version each of them shows. */
    int[][] versions(SectorReader disks) throws IOException {
        var versions = new int[base.length][];
        try (var arena = Arena.ofConfined()) {
            var bytes = arena.allocate((long) READ_SECTORS * QueueLayout.SECTOR_BYTES, Long.BYTES);
            var words = new long[READ_SECTORS * SectorPattern.WORD_COUNT];
            for (int disk = 0; disk < base.length; disk++) {
                versions[disk] = new int[base[disk].length];
                for (int first = 0; first < base[disk].length; first += READ_SECTORS) {
                    int count = Math.min(READ_SECTORS, base[disk].length - first);
                    disks.read(disk, first,
                            bytes.asSlice(0, (long) count * QueueLayout.SECTOR_BYTES));
                    MemorySegment.copy(bytes, 0, MemorySegment.ofArray(words), 0,
                            (long) count * QueueLayout.SECTOR_BYTES);
                    for (int i = 0; i < count; i++) {
                        versions[disk][first + i] = pattern.versionOf(words,
                                i * SectorPattern.WORD_COUNT, disk, first + i);
                    }
                }
            }
        }
        return versions;
    }

    /** Compares what a kill left of the running VM's disks; {@code versions} as {@link #versions} answers. */
    void check(String vm, int[][] versions, Consumer<Violation> violations) {
        for (int disk = 0; disk < base.length; disk++) {
            int found = 0;
            for (int sector = 0; sector < base[disk].length && found < VIOLATIONS_MAX; sector++) {
                if (!mayShow(disk, sector, versions[disk][sector])) {
                    found++;
                    violations.accept(new Violation(ruleOf(disk, sector), vm, 0,
                            "disk " + disk + " sector " + sector + " after a kill",
                            expected(disk, sector), name(versions[disk][sector])));
                }
            }
        }
    }

    /** R13 where something durable is missing; nothing can be said where there should be no such content at all. */
    private @Nullable Rule ruleOf(int disk, int sector) {
        var list = candidates.get(disk)[sector];
        return list != null && list.getFirst().durable ? Rule.R13 : null;
    }

    private boolean mayShow(int disk, int sector, int seen) {
        var list = candidates.get(disk)[sector];
        if (list == null) {
            return seen == base[disk][sector];
        }
        for (var write : list) {
            // Sectors of a request that was not over may be torn where a sector straddles two pages of the guest's buffer.
            if (seen == write.shows
                    || (seen == SectorPattern.TORN && !write.acknowledged)) {
                return true;
            }
        }
        return seen == base[disk][sector] && !list.getFirst().durable;
    }

    private String expected(int disk, int sector) {
        var list = candidates.get(disk)[sector];
        if (list == null) {
            return name(base[disk][sector]) + ", since nothing was written there";
        }
        var words = new StringBuilder();
        if (!list.getFirst().durable) {
            words.append(name(base[disk][sector]));
        }
        for (var write : list) {
            words.append(words.isEmpty() ? "" : " or ").append(name(write.shows))
                    .append(write.durable ? " (durable)" : "");
        }
        return words.toString();
    }

    private static String name(int seen) {
        return switch (seen) {
            case SectorPattern.ZERO -> "zeros";
            case SectorPattern.TORN -> "a mixture, or data of another place";
            case SectorPattern.POISONED -> "the filling of a buffer";
            default -> "version " + seen;
        };
    }
}
