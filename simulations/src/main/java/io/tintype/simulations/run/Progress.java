package io.tintype.simulations.run;

import java.util.ArrayList;
import java.util.List;

/**
 * Between a run and whoever watches it: the run publishes where it stands, the watcher asks it to end. Any thread may call anything.
 */
public final class Progress {
    /** What the run is doing. */
    public enum Phase {
        /** Images and VMs are being created. */
        STARTING,
        /** The VMs run and are checkpointed. */
        RUNNING,
        /** No new checkpoint begins; those begun are ended and verified. */
        FINISHING
    }

    /**
     * Where a run stands.
     *
     * @param elapsedNs since the VMs began to run
     * @param totalNs how long they are to run, or 0 when not known yet
     * @param ioCompleted requests of all VMs so far
     * @param inProgress checkpoints begun, neither sealed nor aborted yet
     * @param verified checkpoints that the oracle has looked at
     * @param violations what it found
     * @param stunP99Micros NaN before the first checkpoint
     * @param heldBytes of memory that only checkpoints need
     * @param isNearlyFull whether the store has so little room that it refuses checkpoints
     */
    public record Snapshot(
            Phase phase,
            long elapsedNs,
            long totalNs,
            int vms,
            long ioCompleted,
            long sealed,
            int inProgress,
            long aborted,
            long verified,
            long violations,
            double stunP99Micros,
            long heldBytes,
            boolean isNearlyFull) {
        /** Before anything happened. */
        public static final Snapshot NOTHING =
                new Snapshot(Phase.STARTING, 0, 0, 0, 0, 0, 0, 0, 0, 0, Double.NaN, 0, false);
    }

    private volatile Snapshot latest = Snapshot.NOTHING;
    private volatile boolean cancelled;
    private final List<Runnable> cancelActions = new ArrayList<>();

    /** Says where the run stands; a few times a second is enough. */
    public void publish(Snapshot snapshot) {
        latest = snapshot;
    }

    /** What was published last. */
    public Snapshot latest() {
        return latest;
    }

    /** Asks the run to end now, orderly. More than once is the same as once. */
    public void cancel() {
        List<Runnable> actions;
        synchronized (cancelActions) {
            cancelled = true;
            actions = List.copyOf(cancelActions);
            cancelActions.clear();
        }
        actions.forEach(Runnable::run);
    }

    /** Whether the run was asked to end. */
    public boolean cancelled() {
        return cancelled;
    }

    /** Has {@code action} run once, on the thread that cancels, or at once on this one if that has happened. */
    public void onCancel(Runnable action) {
        synchronized (cancelActions) {
            if (!cancelled) {
                cancelActions.add(action);
                return;
            }
        }
        action.run();
    }
}
