package io.tintype.simulations.oracle;

import io.tintype.scheduler.IoKind;
import io.tintype.scheduler.IoStatus;
import io.tintype.vm.guest.GuestRecorder;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Carries the events of one guest from its strand to the oracle's thread.
 *
 * <p>One writer at a time, the VM's strand, and one reader. An event is a few longs in a chunk and visible to the reader as
 * soon as it is written; chunks are linked, an event lies in one of them. The writer never waits: a reader that falls behind
 * costs memory, see {@link #backlogBytes}.
 *
 * <pre>
 * word 0   type | kind or status at bit 8 | disk at 16 | slot at 24 | fua at 40 | shape at 44
 * word 1   event number; of a mark, the checkpoint
 * submitted   2: first sector   3: version | sector count at bit 32
 * completed   2: versions seen   then two versions a word
 * unexpected  2: tag | status at bit 32
 * </pre>
 */
public final class EventLog implements GuestRecorder {
    /** Hears the events of a log, on the thread that reads it. */
    interface Reader extends GuestRecorder {
        /** The VM was stunned after the last event heard. */
        void stunned(long checkpointId, byte[] registers);
    }

    // The longest event: 2048 sectors read, two versions a word, and three words more.
    private static final int CHUNK_WORDS = 2048;
    // The first one: of VMs that live for a few dozen events there are thousands a second.
    private static final int FIRST_WORDS = 64;

    private static final int SUBMITTED = 1;
    private static final int COMPLETED = 2;
    private static final int UNEXPECTED = 3;
    private static final int RESET = 4;
    private static final int OVERWRITTEN = 5;
    private static final int STUNNED = 6;

    private static final IoKind[] KINDS = IoKind.values();
    private static final IoStatus[] STATUSES = IoStatus.values();

    private static final class Chunk {
        final long[] words;
        /** Words before it are written. */
        volatile int limit;
        /** Set after the last change of the limit. */
        volatile @Nullable Chunk next;

        Chunk(int wordCount) {
            words = new long[wordCount];
        }
    }

    private final AtomicLong chunks = new AtomicLong(1);
    private final Queue<byte[]> registers = new ConcurrentLinkedQueue<>();

    // ---- the writer's ----
    private Chunk writing = new Chunk(FIRST_WORDS);
    private int position;

    // ---- the reader's ----
    private Chunk reading = writing;
    private int readPosition;
    private int[] versions = {};

    /** The VM stands still at an instruction boundary: this is T of {@code checkpointId}. To be called in the stun. */
    public void stunned(long checkpointId, byte[] registersAtT) {
        registers.add(registersAtT);
        begin(2);
        put(STUNNED);
        put(checkpointId);
        publish();
    }

    @Override
    public void submitted(long event, int slot, IoKind kind, int disk, long sector, int sectorCount,
            boolean fua,
            int version, int shape) {
        begin(4);
        put(SUBMITTED | indexOf(kind) << 8 | disk << 16 | (long) slot << 24 | (fua ? 1L << 40 : 0)
                | (long) shape << 44);
        put(event);
        put(sector);
        put(version | (long) sectorCount << 32);
        publish();
    }

    @Override
    public void completed(long event, int slot, int disk, IoStatus status, int[] seen,
            int seenCount) {
        begin(3 + (seenCount + 1) / 2);
        put(COMPLETED | indexOf(status) << 8 | disk << 16 | (long) slot << 24);
        put(event);
        put(seenCount);
        for (int i = 0; i < seenCount; i += 2) {
            var second = i + 1 < seenCount ? seen[i + 1] : 0;
            put((seen[i] & 0xffff_ffffL) | (long) second << 32);
        }
        publish();
    }

    @Override
    public void unexpected(long event, int disk, int tag, int status) {
        begin(3);
        put(UNEXPECTED | disk << 16);
        put(event);
        put((tag & 0xffff_ffffL) | (long) status << 32);
        publish();
    }

    @Override
    public void reset(long event, int disk) {
        begin(2);
        put(RESET | disk << 16);
        put(event);
        publish();
    }

    @Override
    public void overwritten(long event, int slot, int disk) {
        begin(2);
        put(OVERWRITTEN | disk << 16 | (long) slot << 24);
        put(event);
        publish();
    }

    /** Memory of events written and not yet read, rounded up to whole chunks of 16 KiB. Any thread. */
    public long backlogBytes() {
        return chunks.get() * CHUNK_WORDS * Long.BYTES;
    }

    /** Tells {@code reader} at most {@code eventsMax} events; answers how many there were. The reader's thread only. */
    int read(int eventsMax, Reader reader) {
        for (int count = 0; count < eventsMax; count++) {
            if (readPosition == reading.limit) {
                var next = reading.next;
                if (next == null) {
                    return count;
                }
                // The limit may have moved between the two looks, but not after next was set.
                if (readPosition == reading.limit) {
                    reading = next;
                    readPosition = 0;
                    chunks.decrementAndGet();
                    count--;
                    continue;
                }
            }
            readPosition = readEvent(reading.words, readPosition, reader);
        }
        return eventsMax;
    }

    private int readEvent(long[] words, int at, Reader reader) {
        var word = words[at];
        var event = words[at + 1];
        var code = (int) (word >>> 8) & 0xff;
        var disk = (int) (word >>> 16) & 0xff;
        var slot = (int) (word >>> 24) & 0xffff;
        switch ((int) word & 0xff) {
            case SUBMITTED -> {
                reader.submitted(event, slot, KINDS[code], disk, words[at + 2],
                        (int) (words[at + 3] >>> 32),
                        (word >>> 40 & 1) != 0, (int) words[at + 3], (int) (word >>> 44) & 0xf);
                return at + 4;
            }
            case COMPLETED -> {
                var count = (int) words[at + 2];
                unpack(words, at + 3, count);
                reader.completed(event, slot, disk, STATUSES[code], versions, count);
                return at + 3 + (count + 1) / 2;
            }
            case UNEXPECTED -> {
                reader.unexpected(event, disk, (int) words[at + 2], (int) (words[at + 2] >>> 32));
                return at + 3;
            }
            case RESET -> reader.reset(event, disk);
            case OVERWRITTEN -> reader.overwritten(event, slot, disk);
            case STUNNED -> reader.stunned(event, Objects.requireNonNull(registers.poll()));
            default -> throw new IllegalStateException("event 0x" + Long.toHexString(word));
        }
        return at + 2;
    }

    private void unpack(long[] words, int from, int count) {
        if (versions.length < count) {
            versions = new int[Math.max(count, 2 * versions.length)];
        }
        for (int i = 0; i < count; i++) {
            versions[i] = (int) (words[from + i / 2] >>> (i % 2 * 32));
        }
    }

    @SuppressWarnings("EnumOrdinal") // never leaves the process
    private static int indexOf(Enum<?> constant) {
        return constant.ordinal();
    }

    private void begin(int words) {
        if (position + words > writing.words.length) {
            var next = new Chunk(CHUNK_WORDS);
            writing.next = next;
            writing = next;
            position = 0;
            chunks.incrementAndGet();
        }
    }

    private void put(long word) {
        writing.words[position++] = word;
    }

    private void publish() {
        writing.limit = position;
    }
}
