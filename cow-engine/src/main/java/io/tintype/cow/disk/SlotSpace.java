package io.tintype.cow.disk;

import java.io.IOException;
import java.util.Arrays;

/**
 * Which slots of an image file are given out. The file always reaches to the end of its last slot in use. Thread-safe.
 */
final class SlotSpace {
    private final ImageFile file;
    private final ImageHeader header;
    private final int reserveBytes;

    // Guarded by this.
    private int nextSlot;
    private long reservedBytes;
    private int[] spareSlots = {};

    /** @param reserveBytes how much further than needed the file is extended, to save calls */
    SlotSpace(ImageFile file, ImageHeader header, int reserveBytes) {
        this.file = file;
        this.header = header;
        this.reserveBytes = reserveBytes;
        this.reservedBytes = header.dataAt();
    }

    /** Slots given out, spare ones included: none lies further ahead. */
    synchronized int count() {
        return nextSlot;
    }

    /** @param whole whether all of the slot will be written: only then may it be one that was used in vain */
    synchronized int allocate(boolean whole) throws IOException {
        if (whole && spareSlots.length > 0) {
            int slot = spareSlots[spareSlots.length - 1];
            spareSlots = Arrays.copyOf(spareSlots, spareSlots.length - 1);
            return slot;
        }
        int slot = nextSlot;
        Invariant.check(slot < GroupState.NO_SLOT, "slots have 31 bits");
        long end = header.slotAt(slot + 1);
        if (end > reservedBytes) {
            long reserved = Math.max(end,
                    Math.min(end + reserveBytes, header.slotAt(header.geometry().groupCount())));
            file.setSize(reserved);
            reservedBytes = reserved;
        }
        nextSlot = slot + 1;
        return slot;
    }

    /** A slot whose first write failed: no index entry ever led to it. */
    synchronized void giveBack(int slot) {
        spareSlots = Arrays.copyOf(spareSlots, spareSlots.length + 1);
        spareSlots[spareSlots.length - 1] = slot;
    }

    /** Of a file that was opened: so many slots are in use. */
    synchronized void opened(int slots) {
        nextSlot = slots;
    }

    /**
     * What lies behind the last slot in use was written before a crash and belongs to no group. It must go: a new slot
     * reads as zeros.
     */
    synchronized void cutUnused() throws IOException {
        long end = header.slotAt(nextSlot);
        if (file.size() > end) {
            file.setSize(end);
        }
        reservedBytes = end;
    }
}
