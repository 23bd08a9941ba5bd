package io.tintype.vm;

import io.tintype.cow.disk.DiskChain;
import io.tintype.cow.disk.DiskCopy;
import io.tintype.store.CheckpointSink;
import io.tintype.store.StoredCheckpoint;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;

/**
 * Copies what each disk showed at T into the checkpoint, one after another and a little at each step, so that others get a turn
 * of the thread. The views are held, and P has completed.
 *
 * <p>One thread at a time, never a strand's; {@link #cancel} by any.
 */
final class DiskCopier {
    // 64 groups × 64 KiB = 4 MiB a step: some milliseconds.
    private static final int GROUPS_A_STEP = 64;

    private final CheckpointSink.Draft staged;
    private final List<DiskChain> chains;
    private final int[] views;
    private @Nullable DiskCopy current;
    private int disk;
    private volatile boolean cancelled;

    DiskCopier(CheckpointSink.Draft staged, List<DiskChain> chains, int[] views) {
        this.staged = staged;
        this.chains = chains;
        this.views = views;
    }

    /** Does a part of the work; returns whether there is more. After a failure there is none. */
    boolean step() throws IOException {
        boolean isDone = false;
        try {
            if (cancelled) {
                throw new CancellationException("the checkpoint was given up");
            }
            var name = StoredCheckpoint.diskName(disk);
            var copy = current == null ? begin() : current;
            current = copy;
            if (!copy.copyNext(GROUPS_A_STEP)) {
                var result = copy.finish();
                staged.addDisk(name, result.bytes(), result.rootSum());
                current = null;
                disk++;
            }
            isDone = true;
            return disk < chains.size();
        } finally {
            if (!isDone && current != null) {
                current.cancel();
            }
        }
    }

    /** Gives up before the first byte if there is no room for the copy of this disk. */
    private DiskCopy begin() throws IOException {
        var chain = chains.get(disk);
        var copy = DiskCopy.begin(chain, views[disk], staged.images(),
                StoredCheckpoint.diskName(disk));
        current = copy;
        staged.requireSpace((long) copy.groupsLeft() * chain.geometry().groupBytes());
        return copy;
    }

    /** The next step fails. */
    void cancel() {
        cancelled = true;
    }
}
