package io.tintype.simulations.torture;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.GuestRecorder;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;

/**
 * What a victim had to say, in a file that it has mapped and shares with nobody: a process that is killed loses nothing of what it
 * stored there, since the pages are the kernel's. A loss of power is not survived, and need not be.
 *
 * <p>A record is a few words of 8 bytes, little-endian. Its first word is not 0, and is stored last, by a release: where the first
 * word is there, all of the record is, and what comes before it, too.
 *
 * <pre>
 * word 0   type | kind or status at bit 8 | disk at 16 | slot at 24 | fua at 40 | shape at 44
 * word 1   event number; of a stun or a fate the checkpoint
 * submitted   2: first sector   3: version | sector count at bit 32
 * completed   2: versions seen   then two versions a word
 * unexpected  2: tag | status at bit 32
 * stunned     2: bytes of registers   then the registers, eight bytes a word
 * fate        slot: which VM of the fleet; kind: a {@link Fate}
 * </pre>
 */
final class Tape {
    /** What became of a checkpoint, as far as the victim was told or asked for it. */
    enum Fate {
        SEALED, ABORTED, DELETING, DELETED
    }

    /** Hears what is on a tape, in order. */
    interface Listener extends GuestRecorder {
        /** The guest stood still, after the last event heard, at T of {@code checkpoint}. */
        default void stunned(long checkpoint, byte[] registers) {}

        /** Of a checkpoint of VM number {@code vm}. */
        default void fate(int vm, long checkpoint, Fate fate) {}
    }

    private static final int SUBMITTED = 1;
    private static final int COMPLETED = 2;
    private static final int UNEXPECTED = 3;
    private static final int RESET = 4;
    private static final int OVERWRITTEN = 5;
    private static final int STUNNED = 6;
    private static final int FATE = 7;

    // Sparse until it is used. A VM fills some MiB in the seconds that it may live.
    private static final long BYTES = 64L << 20;
    // The longest record, a read of 2048 sectors, and then some.
    private static final long RECORD_BYTES_MAX = 16 << 10;

    private static final IoKind[] KINDS = IoKind.values();
    private static final IoStatus[] STATUSES = IoStatus.values();
    private static final Fate[] FATES = Fate.values();
    private static final ValueLayout.OfLong WORD =
            ValueLayout.JAVA_LONG.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle WORD_HANDLE = WORD.varHandle();

    private Tape() {}

    /** Writes one. The guest's methods are called by one strand at a time; {@link #fate} by any thread, on a tape of its own. */
    static final class Writer implements GuestRecorder {
        private final MemorySegment mapped;
        private final Runnable onFull;
        private long position;
        private long begun;

        /** @param onFull called when there is no room for more, and must not return */
        Writer(Path file, Runnable onFull) throws IOException {
            this.onFull = onFull;
            try (var channel = FileChannel.open(file, StandardOpenOption.CREATE_NEW,
                    StandardOpenOption.READ, StandardOpenOption.WRITE)) {
                mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, BYTES, Arena.global());
            }
        }

        @Override
        public void submitted(long event, int slot, IoKind kind, int disk, long sector,
                int sectorCount, boolean fua, int version, int shape) {
            begin(event);
            put(sector);
            put((version & 0xffff_ffffL) | (long) sectorCount << 32);
            publish(SUBMITTED | indexOf(kind) << 8 | disk << 16 | (long) slot << 24
                    | (fua ? 1L << 40 : 0) | (long) shape << 44);
        }

        @Override
        public void completed(long event, int slot, int disk, IoStatus status, int[] versions,
                int versionCount) {
            begin(event);
            put(versionCount);
            for (int i = 0; i < versionCount; i += 2) {
                var second = i + 1 < versionCount ? versions[i + 1] : 0;
                put((versions[i] & 0xffff_ffffL) | (long) second << 32);
            }
            publish(COMPLETED | indexOf(status) << 8 | disk << 16 | (long) slot << 24);
        }

        @Override
        public void unexpected(long event, int disk, int tag, int status) {
            begin(event);
            put((tag & 0xffff_ffffL) | (long) status << 32);
            publish(UNEXPECTED | disk << 16);
        }

        @Override
        public void reset(long event, int disk) {
            begin(event);
            publish(RESET | disk << 16);
        }

        @Override
        public void overwritten(long event, int slot, int disk) {
            begin(event);
            publish(OVERWRITTEN | disk << 16 | (long) slot << 24);
        }

        void stunned(long checkpoint, byte[] registers) {
            begin(checkpoint);
            put(registers.length);
            var padded = ByteBuffer.allocate((registers.length + 7) / 8 * 8)
                    .order(ByteOrder.LITTLE_ENDIAN);
            padded.put(registers).rewind();
            while (padded.hasRemaining()) {
                put(padded.getLong());
            }
            publish(STUNNED);
        }

        synchronized void fate(int vm, long checkpoint, Fate fate) {
            begin(checkpoint);
            publish(FATE | indexOf(fate) << 8 | (long) vm << 24);
        }

        @SuppressWarnings("EnumOrdinal") // read by the same program
        private static int indexOf(Enum<?> constant) {
            return constant.ordinal();
        }

        private void begin(long second) {
            if (position + RECORD_BYTES_MAX > BYTES) {
                onFull.run();
            }
            begun = position;
            position += Long.BYTES;
            put(second);
        }

        private void put(long word) {
            mapped.set(WORD, position, word);
            position += Long.BYTES;
        }

        private void publish(long first) {
            WORD_HANDLE.setRelease(mapped, begun, first);
        }
    }

    /**
     * Tells {@code listener} all that is on the tape of a process that has ended. Answers the number of records.
     *
     * @throws IOException if the file cannot be read, or is not one that a {@link Writer} left
     */
    static long read(Path file, Listener listener) throws IOException {
        try (var arena = Arena.ofConfined();
                var channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long bytes = channel.size();
            if (bytes < BYTES) {
                return 0; // killed while it was made
            }
            return new Reader(channel.map(FileChannel.MapMode.READ_ONLY, 0, bytes, arena), listener)
                    .readAll();
        }
    }

    private static final class Reader {
        private final MemorySegment mapped;
        private final Listener listener;
        private int[] versions = new int[256];

        Reader(MemorySegment mapped, Listener listener) {
            this.mapped = mapped;
            this.listener = listener;
        }

        long readAll() {
            long count = 0;
            long position = 0;
            for (long first = word(0); first != 0; first = word(position)) {
                position = read(first, position);
                count++;
            }
            return count;
        }

        private long word(long position) {
            return position < mapped.byteSize() ? mapped.get(WORD, position) : 0;
        }

        private long read(long first, long at) {
            long second = word(at + 8);
            int code = (int) (first >>> 8) & 0xff;
            int disk = (int) (first >>> 16) & 0xff;
            int slot = (int) (first >>> 24) & 0xffff;
            long next = at + 16;
            switch ((int) first & 0xff) {
                case SUBMITTED -> {
                    long last = word(next + 8);
                    listener.submitted(second, slot, KINDS[code], disk, word(next),
                            (int) (last >>> 32), (first >>> 40 & 1) != 0, (int) last,
                            (int) (first >>> 44) & 0xf);
                    next += 16;
                }
                case COMPLETED -> {
                    int count = (int) word(next);
                    unpack(next + 8, count);
                    listener.completed(second, slot, disk, STATUSES[code], versions, count);
                    next += 8 + (count + 1) / 2 * 8L;
                }
                case UNEXPECTED -> {
                    long last = word(next);
                    listener.unexpected(second, disk, (int) last, (int) (last >>> 32));
                    next += 8;
                }
                case RESET -> listener.reset(second, disk);
                case OVERWRITTEN -> listener.overwritten(second, slot, disk);
                case STUNNED -> {
                    var registers = new byte[(int) word(next)];
                    MemorySegment.copy(mapped, ValueLayout.JAVA_BYTE, next + 8, registers, 0,
                            registers.length);
                    listener.stunned(second, registers);
                    next += 8 + (registers.length + 7) / 8 * 8L;
                }
                case FATE -> listener.fate(slot, second, Objects.requireNonNull(FATES[code]));
                default -> throw new IllegalStateException(
                        "record 0x" + Long.toHexString(first) + " at offset " + at + " of a tape");
            }
            return next;
        }

        private void unpack(long from, int count) {
            if (versions.length < count) {
                versions = new int[count];
            }
            for (int i = 0; i < count; i++) {
                versions[i] = (int) (word(from + i / 2 * 8L) >>> (i % 2 * 32));
            }
        }
    }
}
