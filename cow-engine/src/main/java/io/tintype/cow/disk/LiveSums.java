package io.tintype.cow.disk;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The {@link SlotSums} of those slots of one file that can be written, by slot: about 112 bytes for each 64 KiB of data that was
 * written or read since the file was opened, given back when the slot is sealed. Looking one up takes no lock.
 *
 * <p>One is only ever dropped under its own lock, and never replaced while it is there: so who holds its lock and {@linkplain
 * #get finds} it is alone with the slot.
 */
final class LiveSums {
    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(SlotSums[].class);
    private static final @Nullable SlotSums[] NONE = new SlotSums[0];
    private static final int CELLS_MIN = 8;

    private final int blocksASlot;
    private volatile @Nullable SlotSums[] bySlot = NONE;
    // Guarded by this.
    private int count;

    LiveSums(int blocksASlot) {
        this.blocksASlot = blocksASlot;
    }

    /** Null where nothing is known. */
    @Nullable
    SlotSums get(int slot) {
        var cells = bySlot;
        return slot < cells.length ? (@Nullable SlotSums) CELL.getAcquire(cells, slot) : null;
    }

    /** Those of {@code slot}, made if there are none: then nothing is known. */
    SlotSums of(int slot) {
        var found = get(slot);
        return found != null ? found : make(slot);
    }

    private synchronized SlotSums make(int slot) {
        var found = get(slot);
        if (found != null) {
            return found;
        }
        var cells = bySlot;
        if (slot >= cells.length) {
            cells = Arrays.copyOf(cells, Math.max(CELLS_MIN, Math.max(slot + 1, 2 * cells.length)));
            bySlot = cells;
        }
        var made = new SlotSums(blocksASlot);
        CELL.setRelease(cells, slot, made);
        count++;
        return made;
    }

    /** Forgets those of {@code slot}, under their lock. */
    synchronized void drop(int slot) {
        if (get(slot) != null) {
            CELL.setRelease(bySlot, slot, null);
            count--;
            if (count == 0) {
                bySlot = NONE;
            }
        }
    }

    /** How many slots have some. */
    synchronized int count() {
        return count;
    }
}
