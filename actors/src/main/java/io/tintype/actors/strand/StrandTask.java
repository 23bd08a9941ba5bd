package io.tintype.actors.strand;

import org.jspecify.annotations.Nullable;

/** What is run once and belongs to no actor: a future's callback, for one. Alone on its strand. */
final class StrandTask extends StrandEntry {
    private volatile @Nullable Runnable due;

    StrandTask(Runnable task) {
        this.due = task;
    }

    @Override
    boolean isDue() {
        return due != null;
    }

    @Override
    boolean isUrgent() {
        return false;
    }

    @Override
    @Nullable
    Runnable take() {
        var taken = due;
        due = null;
        return taken;
    }
}
