package io.tintype.vm.guest;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/** Writes the registers of a guest, little-endian, one after another, after a {@link RegisterHeader}. */
final class RegisterWriter {
    private final ByteBuffer buffer = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);

    RegisterWriter(RegisterHeader header) {
        putInt(RegisterHeader.FORMAT);
        putInt(header.versions());
        putLong(header.events());
        putLong(header.heapSteps());
    }

    void putInt(int value) {
        buffer.putInt(value);
    }

    void putLong(long value) {
        buffer.putLong(value);
    }

    byte[] toBytes() {
        return Arrays.copyOf(buffer.array(), buffer.position());
    }
}
