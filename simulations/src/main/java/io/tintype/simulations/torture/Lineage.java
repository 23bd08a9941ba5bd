package io.tintype.simulations.torture;

import io.tintype.actors.CheckpointRef;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * VMs of which each was restored from a checkpoint of the one before. It ends after some lives, since each one adds layers to the disks of
 * those before.
 */
final class Lineage {
    final int member;
    final long seed;
    final int livesMax;
    /** All lives, the latest last; those that left nothing in the store are among them, for their disks. */
    final List<String> names = new ArrayList<>();
    /** Checkpoints in the store that an oracle found right. */
    final Map<CheckpointRef, Digest> proven = new TreeMap<>();
    int lives;
    /** The life that is going on, or that a kill just ended. */
    @Nullable
    Life life;
    /** The life, killed, that the next one goes on from; null when there is no checkpoint to go on from. */
    @Nullable
    Life before;
    /** The checkpoint of {@link #before} that the next life comes from. */
    @Nullable
    CheckpointRef next;
    /** What the disks of that checkpoint show. */
    int @Nullable [][] nextVersions;

    /** The newest checkpoint that was proven, to become the next. */
    @Nullable
    CheckpointRef candidate;
    int @Nullable [][] candidateVersions;

    Lineage(int member, long seed, int livesMax) {
        this.member = member;
        this.seed = seed;
        this.livesMax = livesMax;
    }
}
