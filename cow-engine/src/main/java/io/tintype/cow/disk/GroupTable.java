package io.tintype.cow.disk;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * A hash table from block groups to values of 33 bits, for one writer at a time and any number of lock-free readers.
 *
 * <ul>
 *   <li>A cell is one long: group in the upper 31 bits, value in the lower 33; 0 is an empty cell, so no value is 0.
 *   <li>A cell is published with release and read with acquire: who reads a value also sees what was done before it was put.
 *   <li>Nothing is ever removed. A table that is replaced by a larger one changes no more; its late readers see what was
 *       true when they began.
 * </ul>
 *
 * <p>Not an array indexed by group: an overlay that lives for a second touches some hundred groups all over the disk, which
 * is 16 KiB here, and a table of one entry for each group of a 32 GiB disk would be 4 MiB.
 */
final class GroupTable {
    static final int VALUE_BITS = 33;
    static final long VALUE_MASK = (1L << VALUE_BITS) - 1;

    private static final VarHandle CELL = MethodHandles.arrayElementVarHandle(long[].class);

    /** Shared by all that hold nothing: its only cell is empty and stays so. */
    private static final long[] NO_CELLS = new long[1];

    private static final int CELLS_MIN = 16;

    private volatile long[] cells = NO_CELLS;
    // Volatile, so that whoever only wants to know about how many there are need not wait for the writer.
    private volatile int count;

    static int groupOf(long cell) {
        return (int) (cell >>> VALUE_BITS);
    }

    static long valueOf(long cell) {
        return cell & VALUE_MASK;
    }

    static long cell(int group, long value) {
        return ((long) group << VALUE_BITS) | value;
    }

    /** The value of {@code group}, 0 if it has none. Any thread. */
    long get(int group) {
        var table = cells;
        int mask = table.length - 1;
        for (int i = slot(group, table.length);; i = (i + 1) & mask) {
            long cell = (long) CELL.getAcquire(table, i);
            if (cell == 0) {
                return 0;
            }
            if (groupOf(cell) == group) {
                return valueOf(cell);
            }
        }
    }

    /** By the writer only. */
    void put(int group, long value) {
        var table = cells;
        int mask = table.length - 1;
        for (int i = slot(group, table.length);; i = (i + 1) & mask) {
            long cell = table[i];
            if (cell == 0) {
                break;
            }
            if (groupOf(cell) == group) {
                CELL.setRelease(table, i, cell(group, value));
                return;
            }
        }
        int before = count;
        // At most half full, so that a miss ends after one or two cells.
        if (2 * (before + 1) > table.length) {
            table = grown(table);
            insert(table, cell(group, value));
            cells = table;
        } else {
            insert(table, cell(group, value));
        }
        count = before + 1;
    }

    /** How many groups have a value; exact for the writer only. */
    int count() {
        return count;
    }

    /** All cells, in no order; complete for the writer only. */
    long[] toCells() {
        var table = cells;
        var found = new long[count];
        int next = 0;
        for (int i = 0; i < table.length && next < found.length; i++) {
            long cell = (long) CELL.getAcquire(table, i);
            if (cell != 0) {
                found[next++] = cell;
            }
        }
        return found;
    }

    private static long[] grown(long[] table) {
        var larger = new long[Math.max(CELLS_MIN, table.length * 2)];
        for (long cell : table) {
            if (cell != 0) {
                insert(larger, cell);
            }
        }
        return larger;
    }

    private static void insert(long[] table, long cell) {
        int mask = table.length - 1;
        int i = slot(groupOf(cell), table.length);
        while (table[i] != 0) {
            i = (i + 1) & mask;
        }
        CELL.setRelease(table, i, cell);
    }

    /** Neighbouring groups are spread by the golden ratio; the upper bits of the product are the good ones. */
    private static int slot(int group, int length) {
        return length == 1
                ? 0
                : (group * 0x9E3779B9) >>> (Integer.numberOfLeadingZeros(length) + 1);
    }
}
