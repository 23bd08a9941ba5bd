package io.tintype.actors.strand;

import org.jspecify.annotations.Nullable;

/** What is run once and belongs to no actor: a future's callback, for one. Alone on its strand. */
final class StrandTask extends StrandEntry {
    private final Strand strand;
    private volatile @Nullable Runnable due;

    StrandTask(Runnable task) {
        this(new Strand(null, false), task);
    }

    StrandTask(Strand strand, Runnable task) {
        this.strand = strand;
        this.due = task;
    }

    @Override
    public String actor() {
        return "task";
    }

    @Override
    public @Nullable Object message() {
        return due;
    }

    @Override
    Strand strand() {
        return strand;
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
