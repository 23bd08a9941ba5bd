package io.tintype.cow.disk;

import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** What keeps a chain short: commits, flattens and drops. One thing at a time, beside everything else that the chain does. */
final class ChainUpkeep {
    private final DiskChain chain;
    private final ChainState state;
    private final ViewHolds holds;
    private final AtomicLong groupsCommitted = new AtomicLong();

    ChainUpkeep(DiskChain chain, ChainState state, ViewHolds holds) {
        this.chain = chain;
        this.state = state;
        this.holds = holds;
    }

    long groupsCommitted() {
        return groupsCommitted.get();
    }

    void committedOne() {
        groupsCommitted.incrementAndGet();
    }

    /** See {@link DiskChain#commit}. */
    Commit commit(int layer) throws IOException {
        synchronized (state.structureLock()) {
            state.checkNotReadOnly();
            Commit commit;
            synchronized (holds) {
                String reason = holds.whyNotCommit(layer);
                if (reason != null) {
                    throw new IllegalStateException(
                            state.location() + ": cannot commit layer " + layer + ": " + reason);
                }
                int upper = state.layers().indexOf(layer);
                var layers = state.layers().absorbing(upper - 1);
                state.setLayers(layers);
                commit = new Commit(chain, layers.get(upper), layers.get(upper - 1),
                        layers.isBottom(upper - 1));
                holds.began(commit);
            }
            try {
                // Before the first copy: a crash must not leave a lower layer that looks untouched.
                state.replaceDescriptor(state.layers());
            } catch (IOException e) {
                cancel(commit);
                throw e;
            }
            commit.findGroups();
            return commit;
        }
    }

    void finish(Commit commit) throws IOException {
        // Before the lock, for which the next checkpoint's overlay may wait. Nothing is written to the copies any more.
        commit.lower().image().sync();
        synchronized (state.structureLock()) {
            int index = state.layers().indexOf(commit.lower().first());
            var fewer = state.layers().absorbed(index);
            state.replaceDescriptor(fewer);
            state.setLayers(fewer);
            cancel(commit);
            // Readers that found the upper file in the old list are let finish by close(), or look again in the new one.
            commit.upper().image().close();
            state.deleteOrLeave(commit.upper().image().name());
        }
    }

    void cancel(Commit commit) {
        holds.ended(commit);
    }

    /** See {@link DiskChain#flatten}. */
    Flatten flatten(int view) throws IOException {
        synchronized (state.structureLock()) {
            if (!holds.canFlatten(view)) {
                throw new IllegalStateException(
                        state.location() + ": view " + view + " cannot be made flat");
            }
            var directory = state.directory();
            String name = ChainDescriptor.flatName(view);
            if (directory.list().contains(name)) {
                // Of one that was cancelled; if its end failed, the chain on disk may name it until it is replaced.
                state.replaceDescriptor(state.layers());
                directory.delete(name);
            }
            var image = LayerImage.createExact(directory, name,
                    new ImageHeader(state.geometry(), state.id(), view));
            var flatten = new Flatten(chain, view, image);
            holds.began(flatten);
            return flatten;
        }
    }

    void finish(Flatten flatten) throws IOException {
        // Before the lock, for which the next checkpoint's overlay may wait.
        flatten.image().sync();
        synchronized (state.structureLock()) {
            state.directory().sync();
            int view = flatten.view();
            prune(new LayerList.Entry(view, view, false, true, flatten.image()));
            holds.ended(flatten);
        }
    }

    /** @param mayBeNamed the chain on disk may name its image: then the next opening tells, or the next flatten */
    void cancel(Flatten flatten, boolean mayBeNamed) {
        holds.ended(flatten);
        flatten.image().close();
        if (!mayBeNamed) {
            state.deleteOrLeave(flatten.image().name());
        }
    }

    /** Of a chain that is closed: gives the files of what is under way back. */
    void close() {
        if (holds.working() instanceof Flatten flatten) {
            flatten.image().close();
        }
    }

    /** See {@link DiskChain#dropUnseen}. */
    void dropUnseen() throws IOException {
        synchronized (state.structureLock()) {
            prune(null);
        }
    }

    /** Under the structure lock. */
    private void prune(LayerList.@Nullable Entry flat) throws IOException {
        LayerList before;
        LayerList after;
        synchronized (holds) {
            before = state.layers();
            after = before.pruned(flat, holds.held());
            if (flat == null && !after.isLessThan(before)) {
                return;
            }
            var parent = after.below();
            if (flat != null && parent != null && flat.last() <= parent.place().view()) {
                throw new IllegalStateException(state.location() + ": cannot be made flat: "
                        + "a view of its parent is held through it");
            }
            // From now on nobody can begin to hold what goes.
            state.setFollowing(after);
        }
        var unseen = after.below() == null ? before.below() : null;
        var heldOfParent = new int[0];
        try {
            state.replaceDescriptor(after);
            synchronized (holds) {
                state.setLayers(after);
                if (unseen != null) {
                    heldOfParent = holds.heldUpTo(unseen.place().view());
                }
            }
        } finally {
            state.setFollowing(null);
        }
        var kept = after.toFiles().stream().map(ChainDescriptor.LayerFile::name).toList();
        for (var entry : before.toList()) {
            if (!kept.contains(entry.image().name())) {
                entry.image().close();
                state.deleteOrLeave(entry.image().name());
            }
        }
        if (unseen != null) {
            for (int view : heldOfParent) {
                unseen.chain().release(view);
            }
            unseen.chain().release(unseen.view());
            unseen.chain().close();
        }
    }
}
