package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.store.MemorySegmentWriter;
import io.tintype.store.StagedCheckpoint;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.collections.IntArrayList;

/**
 * Copies the frozen memory of one checkpoint into the store: first every page that no pending read
 * targets, then, when P has completed, the rest (R10).
 *
 * <p>Called by one thread at a time, never by a strand; {@link #cancel} and the figures by any thread.
 */
final class MemorySaver {
    private static final long FRAME_BYTES = 4096;

    private final StagedCheckpoint staged;
    private final List<FrozenMemory> frozen;
    // Ascending frame numbers that a read of P still owes its bytes to.
    private final int[] blocked;
    private final Clock clock;
    private final List<MemorySegmentWriter> writers = new ArrayList<>();
    private final List<IntArrayList> late = new ArrayList<>();
    private volatile boolean cancelled;
    private final AtomicLong pages = new AtomicLong();
    private final AtomicLong spentNs = new AtomicLong();

    MemorySaver(StagedCheckpoint staged, List<FrozenMemory> frozen, int[] blocked, Clock clock) {
        this.staged = staged;
        this.frozen = frozen;
        this.blocked = blocked;
        this.clock = clock;
    }

    Void saveFree() throws IOException {
        long start = clock.nanoTime();
        for (int region = 0; region < frozen.size(); region++) {
            var memory = frozen.get(region);
            var writer = staged.memory(region, memory.pageCount());
            writers.add(writer);
            var waiting = new IntArrayList();
            late.add(waiting);
            for (int page = memory.nextPresent(0); page >= 0; page = memory.nextPresent(page + 1)) {
                int frame = memory.frame(page);
                if (Arrays.binarySearch(blocked, frame) >= 0) {
                    waiting.addInt(page);
                } else {
                    append(writer, memory, page, frame);
                }
            }
            // Durable before the wait for P, and the writer's buffer goes back.
            writer.sync();
        }
        spent(start);
        return null;
    }

    Void saveLate() throws IOException {
        long start = clock.nanoTime();
        for (int region = 0; region < frozen.size(); region++) {
            var memory = frozen.get(region);
            var writer = writers.get(region);
            for (int i = 0; i < late.get(region).size(); i++) {
                int page = late.get(region).getInt(i);
                append(writer, memory, page, memory.frame(page));
            }
            writer.sync();
        }
        spent(start);
        return null;
    }

    private void append(MemorySegmentWriter writer, FrozenMemory memory, int page, int frame)
            throws IOException {
        if (cancelled) {
            throw new CancellationException("the checkpoint was given up");
        }
        writer.append(page, memory.pool(), frame * FRAME_BYTES);
        pages.incrementAndGet();
    }

    private void spent(long start) {
        spentNs.addAndGet(clock.nanoTime() - start);
    }

    void cancel() {
        cancelled = true;
    }

    long pages() {
        return pages.get();
    }

    long spentNs() {
        return spentNs.get();
    }
}
