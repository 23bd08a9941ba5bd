/**
 * The ordering rules between checkpoints and I/O in flight, as pure steps from state and input to state and outputs. There is
 * no thread, clock, file or actor in here, so the same rules run live, in simulation and under exhaustive search.
 */
@NullMarked
package io.tintype.scheduler;

import org.jspecify.annotations.NullMarked;
