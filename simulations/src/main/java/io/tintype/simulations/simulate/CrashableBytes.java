package io.tintype.simulations.simulate;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The content of a simulated file, now and as it was last synced. Pages that are the same in both are shared, so a sync and a
 * crash cost what was written since the one before. Where the {@link Power} may fail it also keeps what a sector was in between,
 * since that may be what reached the medium. One thread at a time.
 */
final class CrashableBytes {
    static final int PAGE_BYTES = 4096;
    static final int SECTOR_BYTES = 512;
    private static final int SECTORS = PAGE_BYTES / SECTOR_BYTES;

    /** Never changed while both {@link #now} and {@link #durable} name it. */
    private static final class Page {
        final byte[] bytes;

        Page(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    private @Nullable Page[] now = new Page[4];
    private @Nullable Page[] durable = new Page[4];
    private final BitSet dirty = new BitSet();
    /** By sector, its contents since the last sync but for the newest, oldest first; null if nobody will ask. */
    private final @Nullable TreeMap<Long, List<byte[]>> between;
    private long size;
    private long durableSize;

    /** Empty. */
    CrashableBytes(Power power) {
        this(power.keepsBetween());
    }

    private CrashableBytes(boolean keepsBetween) {
        between = keepsBetween ? new TreeMap<>() : null;
    }

    long size() {
        return size;
    }

    /** Pages that this takes. */
    int pages() {
        return (int) ((size + PAGE_BYTES - 1) / PAGE_BYTES);
    }

    private byte[] own(int page) {
        if (page >= now.length) {
            now = Arrays.copyOf(now, Math.max(page + 1, now.length * 2));
            durable = Arrays.copyOf(durable, now.length);
        }
        var own = now[page];
        if (own == null) {
            own = new Page(new byte[PAGE_BYTES]);
            now[page] = own;
        } else if (isSame(own, durable[page])) {
            own = new Page(own.bytes.clone());
            now[page] = own;
        }
        dirty.set(page);
        return own.bytes;
    }

    @SuppressWarnings("ReferenceEquality") // shared or not is the question
    private static boolean isSame(Page one, @Nullable Page other) {
        return one == other;
    }

    void write(long position, MemorySegment source, long offset, int bytes) {
        if (between != null && bytes > 0) {
            keepBetween(between, position, bytes);
        }
        int done = 0;
        while (done < bytes) {
            long at = position + done;
            int inPage = (int) (at % PAGE_BYTES);
            int count = Math.min(PAGE_BYTES - inPage, bytes - done);
            MemorySegment.copy(source, ValueLayout.JAVA_BYTE, offset + done,
                    own((int) (at / PAGE_BYTES)), inPage, count);
            done += count;
        }
        size = Math.max(size, position + bytes);
    }

    /** Of the sectors that are about to be written, those that were written since the last sync already. */
    private void keepBetween(Map<Long, List<byte[]>> kept, long position, int bytes) {
        for (long sector = position / SECTOR_BYTES;
                sector <= (position + bytes - 1) / SECTOR_BYTES; sector++) {
            int page = (int) (sector / SECTORS);
            var newest = page < now.length ? now[page] : null;
            if (newest == null || !dirty.get(page)) {
                continue;
            }
            int at = (int) (sector % SECTORS) * SECTOR_BYTES;
            var synced = durable[page];
            boolean isWritten = synced == null
                    ? !isZero(newest.bytes, at)
                    : !Arrays.equals(newest.bytes, at, at + SECTOR_BYTES, synced.bytes, at,
                            at + SECTOR_BYTES);
            if (isWritten) {
                kept.computeIfAbsent(sector, _ -> new ArrayList<>())
                        .add(Arrays.copyOfRange(newest.bytes, at, at + SECTOR_BYTES));
            }
        }
    }

    private static boolean isZero(byte[] bytes, int from) {
        for (int i = from; i < from + SECTOR_BYTES; i++) {
            if (bytes[i] != 0) {
                return false;
            }
        }
        return true;
    }

    void read(long position, MemorySegment target, long offset, int bytes) {
        int done = 0;
        while (done < bytes) {
            long at = position + done;
            int inPage = (int) (at % PAGE_BYTES);
            int count = Math.min(PAGE_BYTES - inPage, bytes - done);
            int page = (int) (at / PAGE_BYTES);
            var content = page < now.length ? now[page] : null;
            if (content == null) {
                target.asSlice(offset + done, count).fill((byte) 0);
            } else {
                MemorySegment.copy(content.bytes, inPage, target, ValueLayout.JAVA_BYTE,
                        offset + done,
                        count);
            }
            done += count;
        }
    }

    void setSize(long bytes) {
        if (bytes < size) {
            int page = (int) (bytes / PAGE_BYTES);
            if (page < now.length && now[page] != null) {
                Arrays.fill(own(page), (int) (bytes % PAGE_BYTES), PAGE_BYTES, (byte) 0);
            }
            for (int later = page + 1; later < now.length; later++) {
                if (now[later] != null) {
                    now[later] = null;
                    dirty.set(later);
                }
            }
        }
        size = bytes;
    }

    void sync() {
        for (int page = dirty.nextSetBit(0); page >= 0; page = dirty.nextSetBit(page + 1)) {
            durable[page] = now[page];
        }
        dirty.clear();
        if (between != null) {
            between.clear();
        }
        durableSize = size;
    }

    /** What a power failure leaves: of each sector written since the last sync, the old, the new, or one in between. */
    CrashableBytes crashed(Power power, long seed, String name) {
        var left = new CrashableBytes(power);
        left.now = now.clone();
        for (int page = dirty.nextSetBit(0); page >= 0; page = dirty.nextSetBit(page + 1)) {
            long choices = Dice.of(seed, name, page);
            var newer = now[page];
            var older = durable[page];
            var mixed = new byte[PAGE_BYTES];
            for (int sector = 0; sector < SECTORS; sector++) {
                // A quarter of all pages is lost whole and a quarter kept whole: mere halves rarely lose two sectors that
                // only matter together.
                boolean keeps = switch ((int) (choices >>> 40 & 3)) {
                    case 0 -> false;
                    case 1 -> true;
                    default -> (choices >>> sector & 1) != 0;
                };
                var from = keeps ? newer : older;
                if (from != null) {
                    System.arraycopy(from.bytes, sector * SECTOR_BYTES, mixed,
                            sector * SECTOR_BYTES,
                            SECTOR_BYTES);
                }
            }
            left.now[page] = new Page(mixed);
        }
        if (between != null) {
            between.forEach((sector, contents) -> {
                // Dice of their own, so that this changes nothing else of what a seed leaves.
                long choice = Dice.of(seed, name + " between", sector);
                var page = left.now[(int) (sector / SECTORS)];
                if (page != null && Dice.hits(choice, 10 * power.betweenPercent())) {
                    var content = contents
                            .get((int) Long.remainderUnsigned(Dice.mix(choice), contents.size()));
                    System.arraycopy(content, 0, page.bytes,
                            (int) (sector % SECTORS) * SECTOR_BYTES, SECTOR_BYTES);
                    power.cameBackBetween();
                }
            });
        }
        left.size = size == durableSize || (Dice.of(seed, name, -1) & 1) != 0 ? size : durableSize;
        left.durable = left.now.clone();
        left.durableSize = left.size;
        return left;
    }

    /** Turns over one bit. */
    void rot(long position, int bit) {
        own((int) (position / PAGE_BYTES))[(int) (position % PAGE_BYTES)] ^= (byte) (1 << bit);
    }
}
