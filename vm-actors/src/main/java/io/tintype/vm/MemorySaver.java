package io.tintype.vm;

import io.tintype.actors.Clock;
import io.tintype.cow.memory.FrozenMemory;
import io.tintype.store.CheckpointSink;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicLong;
import org.agrona.collections.IntArrayList;
import org.jspecify.annotations.Nullable;

/**
 * Copies the frozen memory of one checkpoint into the store: first every page that no pending read
 * targets, then, when P has completed, the rest (R10). Of a checkpoint that stands on another one
 * only the pages that changed since.
 *
 * <p>Called by one thread at a time, never by a strand; {@link #cancel} and the figures by any thread.
 */
final class MemorySaver {
    private static final long FRAME_BYTES = 4096;

    private final CheckpointSink.Draft staged;
    private final List<FrozenMemory> frozen;
    // Ascending frame numbers that a read of P still owes its bytes to.
    private final int[] blocked;
    private final @Nullable MemoryLine parent;
    private final Clock clock;
    private final List<CheckpointSink.PageSink> writers = new ArrayList<>();
    private final List<IntArrayList> late = new ArrayList<>();
    private volatile boolean cancelled;
    private final AtomicLong pages = new AtomicLong();
    private final AtomicLong spentNs = new AtomicLong();

    /** @param parent sealed, and of an earlier instant of the same machine; null: all pages are saved */
    MemorySaver(CheckpointSink.Draft staged, List<FrozenMemory> frozen, int[] blocked,
            @Nullable MemoryLine parent, Clock clock) {
        this.staged = staged;
        this.frozen = frozen;
        this.blocked = blocked;
        this.parent = parent;
        this.clock = clock;
    }

    Void saveFree() throws IOException {
        long start = clock.nanoTime();
        begin();
        for (int region = 0; region < frozen.size(); region++) {
            var memory = frozen.get(region);
            var writer = writers.get(region);
            var waiting = new IntArrayList();
            late.add(waiting);
            long since = since(region);
            for (int page = memory.nextChanged(0, since); page >= 0; page =
                    memory.nextChanged(page + 1, since)) {
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

    /** Opens the writers, and gives up before the first write if there is no room for what they get. */
    private void begin() throws IOException {
        long changed = 0;
        for (int region = 0; region < frozen.size(); region++) {
            var memory = frozen.get(region);
            writers.add(staged.memory(region, memory.pageCount(),
                    parent == null ? null : parent.sealed()));
            changed += memory.changedPages(since(region));
        }
        staged.requireSpace(changed * FRAME_BYTES);
    }

    /**
     * The epoch up to which pages need not be saved. What the parent has of a page whose birth is not
     * above it is complete, even if a read that was pending at the parent's instant landed after it:
     * such a read belongs to the parent's P, the parent is sealed, and so its page was saved after
     * the bytes had landed (R10). A read issued since has given its pages a new birth (R7).
     */
    private long since(int region) {
        return parent != null && writers.get(region).isIncremental()
                ? parent.epochs().get(region)
                : 0;
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

    private void append(CheckpointSink.PageSink writer, FrozenMemory memory, int page, int frame)
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
