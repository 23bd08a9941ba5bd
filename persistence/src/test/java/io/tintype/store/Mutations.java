package io.tintype.store;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Damages bytes in the ways that find mistakes in parsers: single bits, numbers at their limits, parts lost or twice. */
final class Mutations {
    private static final long[] NUMBERS =
            {0, 1, -1, 2, 63, 64, 127, 128, 255, 256, 4095, 4096, 4097,
                65_535, 65_536, Integer.MAX_VALUE, Integer.MIN_VALUE, 1L << 31, 1L << 32, 1L << 47,
                (1L << 48) - 1, Long.MAX_VALUE, Long.MIN_VALUE};

    private final Random random;

    Mutations(Random random) {
        this.random = random;
    }

    /** One to four changes; the argument stays as it is. */
    byte[] of(byte[] bytes) {
        byte[] mutated = bytes.clone();
        for (int left = 1 + random.nextInt(4); left > 0; left--) {
            mutated = once(mutated);
        }
        return mutated;
    }

    /** Where something is that is not just data: near the ends, mostly. */
    private int position(int length) {
        return switch (random.nextInt(4)) {
            case 0 -> random.nextInt(length);
            case 1 -> random.nextInt(Math.min(length, 64));
            default -> length - 1 - random.nextInt(Math.min(length, 512));
        };
    }

    private byte[] once(byte[] bytes) {
        if (bytes.length == 0) {
            return new byte[random.nextInt(64)];
        }
        int at = position(bytes.length);
        int count = Math.min(bytes.length - at, 1 + random.nextInt(64));
        switch (random.nextInt(9)) {
            case 0, 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
            case 2 -> bytes[at] = (byte) random.nextInt();
            case 3, 4 -> number(bytes, at / 4 * 4, Integer.BYTES);
            case 5 -> number(bytes, at / 8 * 8, Long.BYTES);
            case 6 -> Arrays.fill(bytes, at, at + count, (byte) 0);
            case 7 -> {
                return random.nextInt(8) == 0 ? Arrays.copyOf(bytes, at) : bytes;
            }
            default -> System.arraycopy(bytes, random.nextInt(bytes.length - count + 1), bytes, at,
                    count);
        }
        return bytes;
    }

    private void number(byte[] bytes, int at, int size) {
        if (at + size <= bytes.length) {
            long value = NUMBERS[random.nextInt(NUMBERS.length)] + random.nextInt(3) - 1;
            var buffer = ByteBuffer.wrap(bytes).order(Envelope.BYTE_ORDER);
            if (size == Integer.BYTES) {
                buffer.putInt(at, (int) value);
            } else {
                buffer.putLong(at, value);
            }
        }
    }
}
