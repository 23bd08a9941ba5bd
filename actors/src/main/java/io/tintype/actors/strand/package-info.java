/**
 * Strands: a VM and all actors below it run as one serial unit, and the strands take turns on a fixed number of threads.
 *
 * <p>{@link io.tintype.actors.strand.StrandQueue} decides which mailbox of a strand is next and when its turn is over,
 * {@link io.tintype.actors.strand.StrandLine} whose turn it is; both are pure. The executor around them brings threads
 * or, for tests and simulations, runs turn by turn on the caller's thread.
 */
@NullMarked
package io.tintype.actors.strand;

import org.jspecify.annotations.NullMarked;
