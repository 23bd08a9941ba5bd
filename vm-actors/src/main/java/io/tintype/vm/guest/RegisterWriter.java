package io.tintype.vm.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Writes the registers of a guest, little-endian, one after another, after a {@link RegisterHeader}. */
final class RegisterWriter {
    // Those of a guest with a few slots; one with thousands needs a bit for each.
    private static final int FIRST_BYTES = 128;

    private ByteBuffer buffer = ByteBuffer.allocate(FIRST_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    RegisterWriter(RegisterHeader header) {
        putInt(RegisterHeader.FORMAT);
        putInt(header.versions());
        putLong(header.events());
        putLong(header.heapSteps());
    }

    void putInt(int value) {
        reserve(Integer.BYTES);
        buffer.putInt(value);
    }

    void putLong(long value) {
        reserve(Long.BYTES);
        buffer.putLong(value);
    }

    private void reserve(int bytes) {
        if (buffer.remaining() < bytes) {
            buffer = ByteBuffer.allocate(2 * buffer.capacity()).order(ByteOrder.LITTLE_ENDIAN)
                    .put(buffer.flip());
        }
    }

    byte[] toBytes() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }
}
