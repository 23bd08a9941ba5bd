package io.tintype.vm.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the registers of every guest begin with: how much of its history they stand for.
 *
 * <pre>
 *  0 u32 format, 1
 *  4 u32 versions
 *  8 u64 events
 * 16 u64 heap steps
 * 24 …   as the kind of guest has it
 * </pre>
 *
 * @param versions the newest version that {@link SectorPattern} was asked for
 * @param events number of the last event that a {@link GuestRecorder} heard
 * @param heapSteps stores of the {@link HeapPattern} done
 */
public record RegisterHeader(int versions, long events, long heapSteps) {
    static final int FORMAT = 1;
    static final int BYTES = 24;

    /**
     * Reads the header of registers.
     *
     * @throws IllegalArgumentException if they are too short or of another format
     */
    public static RegisterHeader of(byte[] registers) {
        if (registers.length < BYTES) {
            throw new IllegalArgumentException(
                    registers.length + " bytes are no registers of a guest");
        }
        var buffer = ByteBuffer.wrap(registers).order(ByteOrder.LITTLE_ENDIAN);
        if (buffer.getInt(0) != FORMAT) {
            throw new IllegalArgumentException(
                    "registers of format " + buffer.getInt(0) + "; this program knows format "
                            + FORMAT);
        }
        return new RegisterHeader(buffer.getInt(4), buffer.getLong(8), buffer.getLong(16));
    }
}
