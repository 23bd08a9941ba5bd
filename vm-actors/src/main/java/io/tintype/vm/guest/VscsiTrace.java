package io.tintype.vm.guest;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * A recorded disk trace in the format of vscsiStats, little-endian records of 32 bytes:
 *
 * <pre>
 *  0 u32 serial number, not used
 *  4 u32 length in bytes
 *  8 u32 scatter-gather elements, not used
 * 12 u16 SCSI operation: 0x28 READ(10), 0x2a WRITE(10)
 * 14 u16 record version: 0x0100
 * 16 u64 first sector
 * 24 u64 time stamp in µs
 * </pre>
 *
 * <p>Immutable; one serves any number of guests. 21 bytes a request.
 */
public final class VscsiTrace {
    /** Longest request, in bytes. */
    public static final int REQUEST_BYTES_MAX = 1 << 20;

    private static final int RECORD_BYTES = 32;
    private static final int RECORD_VERSION = 0x0100;
    private static final int READ_10 = 0x28;
    private static final int WRITE_10 = 0x2a;
    private static final int SECTOR_BYTES = QueueLayout.SECTOR_BYTES;
    /** Sectors below 2^42: 2 PiB. More is a damaged record. */
    private static final long SECTOR_MAX = 1L << 42;

    private final Path file;
    private final boolean[] writes;
    private final long[] sectors;
    private final int[] sectorCounts;
    private final long[] timesUs;
    private final long endSector;
    private final int sectorsMax;

    private VscsiTrace(Path file, ByteBuffer records) throws TraceException {
        this.file = file;
        var count = records.remaining() / RECORD_BYTES;
        writes = new boolean[count];
        sectors = new long[count];
        sectorCounts = new int[count];
        timesUs = new long[count];
        long end = 0;
        int longest = 0;
        for (int i = 0; i < count; i++) {
            readRecord(i,
                    records.slice(i * RECORD_BYTES, RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN));
            end = Math.max(end, sectors[i] + sectorCounts[i]);
            longest = Math.max(longest, sectorCounts[i]);
        }
        endSector = end;
        sectorsMax = longest;
    }

    /**
     * Reads a trace, all of it.
     *
     * @throws TraceException if it cannot be read, is empty, truncated, or not in this format
     */
    public static VscsiTrace read(Path file) throws TraceException {
        byte[] bytes;
        try {
            if (Files.isDirectory(file)) {
                throw new TraceException("trace " + file + " is a directory; name a .vscsi file");
            }
            if (Files.size(file) > Integer.MAX_VALUE - RECORD_BYTES) {
                throw new TraceException("trace " + file + " has " + Files.size(file)
                        + " bytes; at most 2 GiB can be replayed, cut it");
            }
            bytes = Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new TraceException("trace " + file + " does not exist; name a .vscsi file");
        } catch (IOException e) {
            throw new TraceException("trace " + file + " cannot be read: " + e.getMessage());
        }
        return read(file, bytes);
    }

    /** The trace in {@code bytes}, which are those of {@code file}. */
    static VscsiTrace read(Path file, byte[] bytes) throws TraceException {
        if (bytes.length == 0) {
            throw new TraceException(
                    "trace " + file + " is empty; name a .vscsi file with records of 32 bytes");
        }
        if (bytes.length % RECORD_BYTES != 0) {
            throw new TraceException("trace " + file + " is truncated: its " + bytes.length
                    + " bytes are no multiple of 32; fetch it again, or cut it to "
                    + bytes.length / RECORD_BYTES * RECORD_BYTES + " bytes");
        }
        return new VscsiTrace(file, ByteBuffer.wrap(bytes));
    }

    private void readRecord(int index, ByteBuffer fields) throws TraceException {
        var version = fields.getShort(14) & 0xffff;
        if (version != RECORD_VERSION) {
            throw damaged(index,
                    "has version 0x%04x, not 0x0100; only traces of that version can be replayed",
                    version);
        }
        var operation = fields.getShort(12) & 0xffff;
        if (operation != READ_10 && operation != WRITE_10) {
            throw damaged(index,
                    "has operation 0x%02x; only 0x28 READ(10) and 0x2a WRITE(10) can be replayed, "
                            + "filter the trace",
                    operation);
        }
        var bytes = fields.getInt(4) & 0xffff_ffffL;
        if (bytes == 0 || bytes % SECTOR_BYTES != 0 || bytes > REQUEST_BYTES_MAX) {
            throw damaged(index,
                    "has length %d; it must be a multiple of 512 up to " + REQUEST_BYTES_MAX
                            + ", filter the trace",
                    bytes);
        }
        var sector = fields.getLong(16);
        if (sector < 0 || sector > SECTOR_MAX) {
            throw damaged(index,
                    "begins at sector %s, which no disk has; the file is damaged, fetch it again",
                    Long.toUnsignedString(sector));
        }
        var timeUs = fields.getLong(24);
        if (timeUs < 0) {
            throw damaged(index, "has time stamp %s; the file is damaged, fetch it again",
                    Long.toUnsignedString(timeUs));
        }
        writes[index] = operation == WRITE_10;
        sectors[index] = sector;
        sectorCounts[index] = (int) bytes / SECTOR_BYTES;
        // The recorder's CPUs may disagree a little: time stands still then.
        timesUs[index] = index == 0 ? timeUs : Math.max(timeUs, timesUs[index - 1]);
    }

    private TraceException damaged(int index, String what, Object value) {
        return new TraceException(
                "trace " + file + ": record " + index + " " + String.format(what, value));
    }

    /** Where it was read from. */
    public Path file() {
        return file;
    }

    /** Number of requests, at least 1. */
    public int requestCount() {
        return sectors.length;
    }

    /** Time from the first request to the last. */
    public long durationUs() {
        return timesUs[timesUs.length - 1] - timesUs[0];
    }

    /** What a disk must have at least, in sectors. */
    public long endSector() {
        return endSector;
    }

    /** The longest request, in sectors. */
    public int requestSectorsMax() {
        return sectorsMax;
    }

    boolean isWrite(int index) {
        return writes[index];
    }

    long sector(int index) {
        return sectors[index];
    }

    int sectorCount(int index) {
        return sectorCounts[index];
    }

    /** When request {@code index} comes after request {@code start}, if the first follows the last at once. */
    long delayUs(int start, int index) {
        return index >= start
                ? timesUs[index] - timesUs[start]
                : timesUs[timesUs.length - 1] - timesUs[start] + timesUs[index] - timesUs[0];
    }
}
