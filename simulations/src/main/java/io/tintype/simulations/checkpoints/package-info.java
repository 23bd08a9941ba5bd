/**
 * Looks into a store, and changes it, for {@code ./tintype checkpoint}: nothing here prints. What only looks opens the store
 * without a lock, so that it works beside a process that uses it.
 */
@NullMarked
package io.tintype.simulations.checkpoints;

import org.jspecify.annotations.NullMarked;
