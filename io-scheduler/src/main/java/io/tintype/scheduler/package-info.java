/**
 * The ordering rules between checkpoints and I/O in flight, as pure steps from state and input to state and outputs: one
 * disk's order ({@link io.tintype.scheduler.DiskOrder}), one VM's requests in flight and their debts
 * ({@link io.tintype.scheduler.PendingSet}), one checkpoint's progress ({@link io.tintype.scheduler.CheckpointPhase}). There
 * is no thread, clock, file or actor in here, so the same rules run live, in simulation and under exhaustive search.
 */
@NullMarked
package io.tintype.scheduler;

import org.jspecify.annotations.NullMarked;
