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
 * Copies what each disk showed at T into the checkpoint, one after another and in small parts, so that others get a turn
 * of the thread. The views are held, and P has completed.
 *
 * <p>One thread at a time, never a strand's; {@link #cancel} by any.
 */
final class DiskCopier {
    private interface Part {
        boolean of(DiskCopy copy) throws IOException;
    }

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

    /** Copies up to so many groups of one disk; whether that disk has more. After a failure there is nothing left to do. */
    boolean copyNext(int groupsMax) throws IOException {
        return attempt(copy -> copy.copyNext(groupsMax));
    }

    /** Makes the copy of one disk durable; whether there are more disks. After a failure there is nothing left to do. */
    boolean finishDisk() throws IOException {
        return attempt(copy -> {
            var result = copy.finish();
            staged.addDisk(StoredCheckpoint.diskName(disk), result.bytes(), result.rootSum());
            current = null;
            disk++;
            return disk < chains.size();
        });
    }

    private boolean attempt(Part part) throws IOException {
        boolean isDone = false;
        try {
            if (cancelled) {
                throw new CancellationException("the checkpoint was given up");
            }
            var copy = current == null ? begin() : current;
            current = copy;
            boolean more = part.of(copy);
            isDone = true;
            return more;
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
