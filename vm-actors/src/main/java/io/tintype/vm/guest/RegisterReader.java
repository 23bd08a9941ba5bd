package io.tintype.vm.guest;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Reads what a {@link RegisterWriter} wrote. Registers that are too short are an {@code IllegalArgumentException}. */
final class RegisterReader {
    private final ByteBuffer buffer;
    private final RegisterHeader header;

    RegisterReader(byte[] registers) {
        buffer = ByteBuffer.wrap(registers).order(ByteOrder.LITTLE_ENDIAN);
        header = RegisterHeader.of(registers);
        buffer.position(RegisterHeader.BYTES);
    }

    RegisterHeader header() {
        return header;
    }

    int getInt() {
        try {
            return buffer.getInt();
        } catch (BufferUnderflowException e) {
            throw tooShort(e);
        }
    }

    long getLong() {
        try {
            return buffer.getLong();
        } catch (BufferUnderflowException e) {
            throw tooShort(e);
        }
    }

    /** Checks that nothing is left. */
    void end() {
        if (buffer.hasRemaining()) {
            throw new IllegalArgumentException(
                    buffer.remaining()
                            + " bytes of registers too many: they are of another configuration");
        }
    }

    private IllegalArgumentException tooShort(BufferUnderflowException cause) {
        return new IllegalArgumentException(
                buffer.capacity()
                        + " bytes of registers are too few: they are of another configuration",
                cause);
    }
}
